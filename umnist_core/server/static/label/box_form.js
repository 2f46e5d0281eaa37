/**
 * The answer where boxes are asked for: they are drawn over the image, each with its digit, and the
 * sum is counted from them. That there is no digit is said by a button of its own.
 */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";
import { mountBoxes } from "../boxes/tool.js";
import { answerParts, Confidence } from "./answer_parts.js";
import { sumOfDigits } from "./state.js";

/**
 * @typedef {import("./attempt.js").Entered} Entered
 * @typedef {import("../boxes/drawing.js").Box} Box
 */

/** What the table of keys says where boxes are drawn. */
export function boxKeys() {
  /** @type {import("./dialogs.js").Key[]} */
  const answer = [
    ["B", t("keys.box_draw")],
    ["I", t("keys.box_insert")],
    ["0 … 9", t("keys.box_digit")],
    ["↑ ↓ ← →", t("keys.box_move")],
    ["N", t("keys.box_next")],
    ["Delete", t("keys.box_delete")],
    ["Ctrl Z", t("keys.box_undo")],
    ["Esc", t("keys.box_escape")],
    ["Enter", t("keys.box_enter")],
  ];
  return { answer, mouse: t("keys.box_mouse") };
}

export class BoxForm {
  /**
   * @param {import("./form.js").Fields} fields
   * @param {string} question
   * @param {import("./form.js").FormCallbacks} callbacks
   */
  constructor(fields, question, callbacks) {
    this.fields = fields;
    this.callbacks = callbacks;
    this.isBusy = false;
    this.seesNone = false;
    this.edits = 0;
    /** @type {Box[]} */
    this.before = [];
    this.none = h(
      "button",
      { type: "button", class: "no-digit", click: () => this.#seeNone() },
      t("form.sees_none"),
    );
    this.tool = mountBoxes(
      { bus: "label", image: { width: 1, height: 1 }, ifEmpty: [this.none] },
      {
        onChange: (boxes) => this.#changed(boxes),
        focusImage: () => callbacks.focusImage(),
        onRefuse: (sentence) => this.say(sentence),
        isLocked: () =>
          this.isBusy || this.element.closest("[hidden], [data-drawn=false]") !== null,
      },
    );
    const { chosen, submit, hint } = answerParts(() => this.trySubmit());
    this.chosen = chosen;
    this.submit = submit;
    this.hint = hint;
    this.confidence = fields.confidence ? this.#makeConfidence() : null;
    this.element = h(
      "section",
      { class: "form box-form", "aria-label": t("form.answer") },
      h("p", { class: "question" }, question),
      h("div", { class: "given" }, this.chosen, this.submit),
      ...[this.hint, this.tool.element],
      ...(this.confidence ? [this.confidence.element] : []),
    );
    this.#draw();
  }

  /** @param {import("../hall/view.js").Size} image Whose boxes are shown next. */
  setImage(image) {
    this.tool.image = image;
  }

  /** @param {Entered} entered What is there to begin with. */
  show(entered) {
    const boxes = entered.boxes ?? null;
    this.seesNone = boxes !== null && boxes.length === 0;
    this.edits = entered.edits;
    this.before = boxes ?? [];
    this.tool.show(this.before);
    this.confidence?.show(entered.confidence);
    this.setBusy(false);
    this.say("");
    this.#draw();
  }

  /** @returns {Entered} */
  get entered() {
    const { boxes } = this.tool;
    const isNamed = boxes.every(({ label }) => label !== null);
    const isGiven = boxes.length > 0 || this.seesNone;
    return {
      answer: isGiven && isNamed ? sumOf(boxes) : null,
      edits: this.edits,
      confidence: this.confidence?.value ?? null,
      digits: null,
      boxes: isGiven ? boxes : null,
    };
  }

  /** @param {boolean} isBusy Whether the answer is under way and may not be changed. */
  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.element.classList.toggle("busy", isBusy);
    this.tool.setBusy(isBusy);
    this.#draw();
  }

  destroy() {
    this.tool.destroy();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether it was for the answer.
   */
  key(event) {
    if (this.isBusy) return false;
    const { key, target } = event;
    if (target instanceof HTMLInputElement && key.startsWith("Arrow")) return false;
    if (this.tool.key(event)) return true;
    if (key === "Enter") return this.#enter(event);
    if (key.toLowerCase() === "c" && this.confidence) this.confidence.reach();
    else if (key === "Escape" && this.element.contains(/** @type {Node} */ (target))) {
      this.callbacks.focusImage();
    } else return false;
    return true;
  }

  /** Submit, or say what is missing. */
  trySubmit() {
    if (this.isBusy) return;
    const { answer } = this.entered;
    if (this.tool.reachUnnamed()) this.say(t("box.name_each"));
    else if (answer === null) this.say(t("box.nothing"));
    else if (this.fields.required?.confidence && this.entered.confidence === null) {
      this.confidence?.reach();
      this.say(t("form.confidence_first"));
    } else this.callbacks.onSubmit();
  }

  /** @param {string} text Beside the answer, and aloud. */
  say(text) {
    this.hint.textContent = text;
  }

  /** @param {KeyboardEvent} event */
  #enter({ target, repeat }) {
    if (target instanceof Element && target.closest("button")) return false;
    if (!repeat) this.trySubmit();
    return true;
  }

  /** @param {Box[]} boxes */
  #changed(boxes) {
    if (isRevised(this.before, boxes)) this.edits += 1;
    this.before = boxes;
    if (boxes.length > 0) this.seesNone = false;
    this.say("");
    this.#draw();
    this.callbacks.onChange(this.entered);
  }

  #seeNone() {
    if (this.isBusy) return;
    this.seesNone = !this.seesNone;
    this.#draw();
    this.callbacks.onChange(this.entered);
  }

  #draw() {
    const { answer } = this.entered;
    this.chosen.textContent = answer === null ? "–" : String(answer);
    this.submit.setAttribute("aria-disabled", String(this.isBusy || answer === null));
    this.none.setAttribute("aria-pressed", String(this.seesNone));
  }

  #makeConfidence() {
    return new Confidence(
      this.fields.required?.confidence ?? false,
      () => this.isBusy,
      () => this.callbacks.onChange(this.entered),
    );
  }
}

/** @param {Box[]} boxes All of them named. */
function sumOf(boxes) {
  return sumOfDigits(boxes.map(({ label }) => Number(label)));
}

/**
 * Whether a digit that was given is gone or another: more boxes alone are no revision.
 *
 * @param {Box[]} before
 * @param {Box[]} after
 */
function isRevised(before, after) {
  const left = after.map(({ label }) => label);
  return before.some(({ label }) => {
    const place = left.indexOf(label);
    if (place >= 0) left.splice(place, 1);
    return label !== null && place < 0;
  });
}
