/** One question as fields: one option, several, a number, a scale, words. */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";

/** Longest text that is taken. */
const MOST_LETTERS = 2000;

/**
 * @typedef {import("./state.js").Question} Question
 * @typedef {string|number|string[]|null} Answer
 */

export class Field {
  /** @param {Question} question */
  constructor(question) {
    this.question = question;
    this.name = question.name;
    this.id = `question-${question.name}`;
    this.problem = h("p", { class: "problem", role: "alert", id: `${this.id}-problem` });
    /** @type {(HTMLInputElement|HTMLTextAreaElement)[]} */
    this.inputs = [];
    this.clear = h(
      "button",
      { type: "button", class: "plain-button", hidden: "", click: () => this.#clear() },
      t("field.clear"),
    );
    this.element = this.#make();
    this.element.addEventListener("input", () => this.#changed());
  }

  /** @returns {Answer} null for none. */
  get value() {
    const { kind, options } = this.question;
    const [first] = this.inputs;
    if (kind === "text") return first.value.trim() || null;
    if (kind === "number") return first.value.trim() === "" ? null : Number(first.value);
    const places = this.#ticked();
    if (kind === "many") return places.map((place) => options[place]);
    if (places.length === 0) return null;
    return kind === "scale" ? (this.question.low ?? 1) + places[0] : options[places[0]];
  }

  get isEmpty() {
    const { value } = this;
    return value === null || (Array.isArray(value) && value.length === 0);
  }

  /** @param {Answer} answer Kept from an earlier visit. */
  show(answer) {
    const { kind, options, low } = this.question;
    if (kind === "text" || kind === "number") this.inputs[0].value = String(answer ?? "");
    else {
      const chosen = Array.isArray(answer) ? answer : [answer];
      for (const [place, input] of this.inputs.entries()) {
        const value = kind === "scale" ? (low ?? 1) + place : options[place];
        /** @type {HTMLInputElement} */ (input).checked = chosen.includes(value);
      }
    }
    this.#drawClear();
  }

  /** @returns {boolean} Whether the answer can be sent; if not, it is said beside it. */
  check() {
    const fault = this.#fault();
    this.problem.textContent = fault ?? "";
    for (const input of this.inputs) {
      input.setAttribute("aria-invalid", String(fault !== null));
    }
    this.element.classList.toggle("faulty", fault !== null);
    return fault === null;
  }

  focus() {
    const input = this.inputs.find((one) => "checked" in one && one.checked) ?? this.inputs[0];
    input.focus();
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** @returns {string|null} */
  #fault() {
    const { kind, required, low, high, whole } = this.question;
    const { value } = this;
    const [input] = this.inputs;
    const isUnread = kind === "number" && !input.validity.valid && input.validity.badInput;
    if (this.isEmpty && !isUnread) return required ? t("field.required_missing") : null;
    if (kind !== "number") return null;
    const number = Number(value);
    const isOut = number < (low ?? -Infinity) || number > (high ?? Infinity);
    if (isUnread || !Number.isFinite(number) || isOut || (whole && !Number.isInteger(number))) {
      return t("field.expected", { range: rangeOf(this.question) });
    }
    return null;
  }

  #ticked() {
    const places = [...this.inputs.keys()];
    return places.filter((place) => {
      const input = this.inputs[place];
      return "checked" in input && input.checked;
    });
  }

  #changed() {
    if (this.element.classList.contains("faulty")) this.check();
    this.#drawClear();
  }

  /** Of several an answer is taken back by unticking it; of one it could not be. */
  #drawClear() {
    const { kind, required } = this.question;
    const isSingle = kind === "choice" || kind === "scale";
    this.clear.hidden = required || !isSingle || this.isEmpty;
  }

  #clear() {
    this.show(null);
    this.inputs[0].focus();
    this.element.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #make() {
    const { kind, text, required } = this.question;
    const mark = h("small", {}, ` ${t(required ? "field.required" : "field.optional")}`);
    if (kind === "text" || kind === "number") return this.#makeOne(text, mark);
    const body = kind === "scale" ? this.#makeScale() : this.#makeOptions();
    return h(
      "fieldset",
      { class: `asked-field ${kind}`, "aria-describedby": this.problem.id },
      h("legend", {}, text, mark),
      body,
      this.clear,
      this.problem,
    );
  }

  /**
   * @param {string} text
   * @param {HTMLElement} mark
   */
  #makeOne(text, mark) {
    const { kind, required } = this.question;
    const attributes = {
      ...{ id: this.id, "aria-describedby": this.problem.id },
      "aria-required": String(required),
    };
    const input =
      kind === "text"
        ? h("textarea", { ...attributes, rows: 3, maxlength: MOST_LETTERS })
        : h("input", { ...attributes, type: "number", step: "any" });
    this.inputs = [input];
    const hint = kind === "number" ? [h("small", {}, sentence(rangeOf(this.question)))] : [];
    return h(
      "div",
      { class: `asked-field ${kind}` },
      h("label", { for: this.id }, text, mark),
      input,
      ...hint,
      this.problem,
    );
  }

  #makeOptions() {
    const { kind, options } = this.question;
    const type = kind === "many" ? "checkbox" : "radio";
    const rows = options.map((text, place) => {
      const input = h("input", { type, name: this.id, value: String(place) });
      this.inputs.push(input);
      return h("label", {}, input, h("span", {}, text));
    });
    return h("div", { class: "asked-options" }, ...rows);
  }

  #makeScale() {
    const { low, high, low_label: lowest, high_label: highest } = this.question;
    const [from, to] = [low ?? 1, high ?? 7];
    const steps = Array.from({ length: to - from + 1 }, (_, place) => from + place);
    const cells = steps.map((step) => {
      const end = step === from ? lowest : step === to ? highest : "";
      const name = end ? `${step}, ${end}` : String(step);
      const input = h("input", {
        ...{ type: "radio", name: this.id, value: String(step), "aria-label": name },
      });
      this.inputs.push(input);
      return h("label", {}, input, h("span", { "aria-hidden": "true" }, String(step)));
    });
    return h(
      "div",
      { class: "asked-scale" },
      h("div", { class: "asked-steps" }, ...cells),
      h(
        "div",
        { class: "asked-ends", "aria-hidden": "true" },
        h("span", {}, lowest),
        h("span", {}, highest),
      ),
    );
  }
}

/**
 * @param {Question} question Of a number.
 * @returns {string} What numbers may be given, as the words of a sentence.
 */
function rangeOf({ low, high, whole }) {
  if (low !== null && high !== null) {
    return t(whole ? "range.whole_from_to" : "range.from_to", { low, high });
  }
  if (low !== null) return t(whole ? "range.whole_from" : "range.from", { low });
  if (high !== null) return t(whole ? "range.whole_to" : "range.to", { high });
  return t(whole ? "range.whole" : "range.any");
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
