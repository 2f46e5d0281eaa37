/** What every form of an answer has: the sum as it is given, Submit, a hint, and how sure. */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";

const CONFIDENCES = [0, 25, 50, 75, 100];

/** @param {() => void} submit Submit, or say what is missing. */
export function answerParts(submit) {
  return {
    chosen: h("output", {
      class: "chosen",
      "aria-live": "polite",
      "aria-label": t("form.your_sum"),
    }),
    submit: h(
      "button",
      { type: "button", class: "primary submit", click: submit },
      t("form.submit"),
    ),
    hint: h("p", { class: "hint", role: "status" }),
  };
}

/** How sure somebody is, in per cent. */
export class Confidence {
  /**
   * @param {boolean} isRequired
   * @param {() => boolean} isBusy Whether nothing may be changed now.
   * @param {() => void} onChange
   */
  constructor(isRequired, isBusy, onChange) {
    /** @type {number|null} */
    this.value = null;
    this.inputs = CONFIDENCES.map((value) =>
      h("input", { type: "radio", name: "confidence", value, change: () => choose(value) }),
    );
    const options = this.inputs.map((input, place) =>
      h("label", {}, input, h("span", {}, t("form.percent", { value: CONFIDENCES[place] }))),
    );
    this.element = h(
      "fieldset",
      { class: "confidence" },
      h("legend", {}, `${t("form.confidence_legend")} `, mark(isRequired)),
      h("div", { class: "options" }, ...options),
    );
    /** @param {number} value */
    const choose = (value) => {
      if (isBusy()) return;
      this.value = value;
      onChange();
    };
  }

  /** @param {number|null} value What is chosen to begin with. */
  show(value) {
    this.value = value;
    this.inputs.forEach((input, place) => {
      input.checked = CONFIDENCES[place] === value;
    });
  }

  /** The focus goes to what is chosen, or to the first. */
  reach() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }
}

/** @param {boolean} isRequired */
export function mark(isRequired) {
  return h("small", {}, t(isRequired ? "field.required" : "field.optional"));
}
