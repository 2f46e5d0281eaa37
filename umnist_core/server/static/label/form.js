/**
 * The answer: the sum by keypad and keyboard, how sure, the digits seen; and Submit.
 *
 * Nothing is submitted by one tap or key: a number is chosen, then submitted. Nothing adds
 * for the person: the digits seen are shown as they were entered, and their sum nowhere.
 */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";
import { answerParts, Confidence, mark } from "./answer_parts.js";
import { NumberEntry } from "./entry.js";

/**
 * Digits that can be entered by those who are not told how many an image has: a bound that
 * followed from the images would tell them.
 */
const MOST_DIGITS = 27;

/**
 * @typedef {object} Fields
 * @property {number} min
 * @property {number} max
 * @property {boolean} [confidence]
 * @property {boolean} [digits]
 * @property {{confidence: boolean, digits: boolean}} [required] What must be given of them.
 * @property {number|null} [mostDigits] Most digits of an image, for those who are told it.
 *
 * @typedef {object} FormCallbacks
 * @property {(entered: import("./attempt.js").Entered) => void} onChange
 * @property {() => void} onSubmit With a number chosen.
 * @property {() => void} focusImage
 */

export class AnswerForm {
  /**
   * @param {Fields} fields
   * @param {string} question
   * @param {FormCallbacks} callbacks
   */
  constructor(fields, question, callbacks) {
    this.fields = fields;
    this.callbacks = callbacks;
    this.isBusy = false;
    this.entry = new NumberEntry(fields.min, fields.max);
    /** @type {number[]} */
    this.digits = [];
    /** Whether it was said that there is none to be seen. */
    this.seesNone = false;
    const { chosen, submit, hint } = answerParts(() => this.trySubmit());
    this.chosen = chosen;
    this.submit = submit;
    this.hint = hint;
    this.pad = this.#makePad();
    this.seen = h("output", { class: "seen", "aria-live": "polite" });
    this.undo = h(
      "button",
      { type: "button", class: "undo", click: () => this.#undoDigit() },
      t("form.undo"),
    );
    this.digitGroup = fields.digits ? this.#makeDigits() : null;
    this.confidence = fields.confidence ? this.#makeConfidence() : null;
    this.tabs = this.#makeTabs();
    this.element = this.#makeForm(question);
    this.show({ answer: null, edits: 0, confidence: null, digits: null });
  }

  /** @param {import("./attempt.js").Entered} entered What is there to begin with. */
  show(entered) {
    this.entry = new NumberEntry(this.fields.min, this.fields.max, entered);
    this.digits = [...(entered.digits ?? [])];
    this.seesNone = entered.digits !== null && entered.digits.length === 0;
    this.confidence?.show(entered.confidence);
    this.#open("sum");
    this.setBusy(false);
    this.#draw();
  }

  /** @returns {import("./attempt.js").Entered} */
  get entered() {
    return {
      answer: this.entry.value,
      edits: this.entry.edits,
      confidence: this.confidence?.value ?? null,
      digits: this.digits.length > 0 || this.seesNone ? [...this.digits] : null,
    };
  }

  /** @param {boolean} isBusy Whether the answer is under way and may not be changed. */
  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.element.classList.toggle("busy", isBusy);
    this.submit.setAttribute("aria-disabled", String(isBusy || this.entry.value === null));
  }

  /**
   * A key that nobody else has taken. A figure takes the focus away from any button, so that
   * the Enter after it submits and does not press the button.
   *
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether it was for the answer.
   */
  key(event) {
    if (this.isBusy) return false;
    const { key } = event;
    const target = /** @type {Node} */ (event.target);
    const inDigits = this.digitGroup?.contains(target) ?? false;
    if (/^[0-9]$/.test(key)) inDigits ? this.#typeDigit(Number(key)) : this.#type(key);
    else if (key === "Backspace" || key === "Delete") inDigits ? this.#undoDigit() : this.#clear();
    else if (key === "Enter") return this.#enter(event);
    else if (key.toLowerCase() === "c" && this.confidence) this.#reachConfidence();
    else if (key.toLowerCase() === "d" && this.digitGroup) this.#reachDigits();
    else if (key === "Escape" && this.element.contains(target)) this.#leaveGroup();
    else return false;
    return true;
  }

  /** Submit, or say what is missing; what is typed next is the sum then. */
  trySubmit() {
    if (this.isBusy) return;
    const { required } = this.fields;
    if (this.entry.value === null) {
      this.#leaveGroup();
      this.say(t("form.choose_first", { min: this.fields.min, max: this.fields.max }));
    } else if (required?.digits && this.entered.digits === null) {
      this.#reachDigits();
      this.say(t("form.digits_first"));
    } else if (required?.confidence && this.entered.confidence === null) {
      this.#reachConfidence();
      this.say(t("form.confidence_first"));
    } else this.callbacks.onSubmit();
  }

  /** @param {KeyboardEvent} event */
  #enter(event) {
    const { target } = event;
    const button = target instanceof Element ? target.closest("button") : null;
    // On a button, Enter presses it; on the number that is chosen already, it submits.
    if (button && button.getAttribute("aria-pressed") !== "true") return false;
    if (button && !this.pad.contains(button)) return false;
    if (!event.repeat) this.trySubmit();
    return true;
  }

  /** @param {string} figure */
  #type(figure) {
    const refused = this.entry.type(figure);
    this.#changed();
    this.say(refused ? t(refused.key, refused.values) : "");
    this.#leaveGroup();
  }

  #clear() {
    this.entry.clear();
    this.#changed();
  }

  /** @param {number} value */
  #choose(value) {
    if (this.isBusy) return;
    this.entry.choose(value);
    this.#changed();
  }

  /** @param {number} digit */
  #typeDigit(digit) {
    this.#addDigit(digit);
    this.digitGroup?.focus();
  }

  /** @param {number} digit */
  #addDigit(digit) {
    if (this.isBusy) return;
    const told = this.fields.mostDigits ?? null;
    if (this.digits.length < (told ?? MOST_DIGITS)) {
      this.seesNone = false;
      this.digits.push(digit);
      this.#changed();
    } else if (told === null) this.say(t("form.no_more_digits", { count: MOST_DIGITS }));
    else this.say(t("form.most_digits", { count: told }));
  }

  #undoDigit() {
    if (this.isBusy) return;
    this.digits.pop();
    this.seesNone = false;
    this.#changed();
  }

  #seeNone() {
    if (this.isBusy) return;
    this.digits = [];
    this.seesNone = true;
    this.#changed();
  }

  #changed() {
    this.say("");
    this.#draw();
    this.callbacks.onChange(this.entered);
  }

  #draw() {
    const { value } = this.entry;
    this.chosen.textContent = value === null ? "–" : String(value);
    this.submit.setAttribute("aria-disabled", String(this.isBusy || value === null));
    for (const button of this.pad.children) {
      button.setAttribute("aria-pressed", String(button.textContent === String(value)));
    }
    if (this.digitGroup) this.#drawDigits();
  }

  #drawDigits() {
    const has = this.digits.length > 0;
    const none = t(this.seesNone ? "form.sees_none" : "form.none_entered");
    this.seen.textContent = has ? this.digits.join(", ") : none;
    this.undo.setAttribute("aria-disabled", String(!has && !this.seesNone));
  }

  /** @param {string} text Beside the answer, and aloud. */
  say(text) {
    this.hint.textContent = text;
  }

  /** @param {string} name Of the one group that shows on small screens. */
  #open(name) {
    this.element.dataset.open = name;
    for (const tab of this.tabs.children) {
      tab.setAttribute("aria-pressed", String(tab.getAttribute("data-group") === name));
    }
  }

  /** The group and none of its buttons: Enter after some digits must not add one. */
  #reachDigits() {
    this.#open("digits");
    this.digitGroup?.focus();
  }

  #reachConfidence() {
    this.#open("confidence");
    this.confidence?.reach();
  }

  /** Back to the image; figures are the sum's again. */
  #leaveGroup() {
    this.#open("sum");
    this.callbacks.focusImage();
  }

  /** @param {string} question */
  #makeForm(question) {
    return h(
      "section",
      { class: "form", "aria-label": t("form.answer") },
      h("p", { class: "question" }, question),
      h("div", { class: "given" }, this.chosen, this.submit),
      this.hint,
      this.tabs,
      ...[this.pad, this.digitGroup, this.confidence?.element ?? null].filter(
        (group) => group !== null,
      ),
    );
  }

  #makePad() {
    const { min, max } = this.fields;
    const numbers = Array.from({ length: max - min + 1 }, (_, place) => min + place);
    return h(
      "div",
      { class: "pad", role: "group", "aria-label": t("form.sum") },
      ...numbers.map((number) =>
        h("button", { type: "button", click: () => this.#choose(number) }, String(number)),
      ),
    );
  }

  #makeDigits() {
    const keys = Array.from({ length: 10 }, (_, digit) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": t("form.add_digit", { digit }),
          click: () => this.#addDigit(digit),
        },
        String(digit),
      ),
    );
    const isRequired = this.fields.required?.digits ?? false;
    const see = { type: "button", class: "none", click: () => this.#seeNone() };
    const none = isRequired ? [h("button", see, t("form.none"))] : [];
    return h(
      "fieldset",
      { class: "digits", tabindex: "-1" },
      h("legend", {}, `${t("form.digits_legend")} `, mark(isRequired)),
      h("div", { class: "line" }, this.seen),
      h("div", { class: "keys" }, ...keys, ...none, this.undo),
    );
  }

  #makeConfidence() {
    return new Confidence(
      this.fields.required?.confidence ?? false,
      () => this.isBusy,
      () => this.callbacks.onChange(this.entered),
    );
  }

  #makeTabs() {
    const names = [
      ["sum", t("form.sum")],
      ...(this.fields.digits ? [["digits", t("form.digits_tab")]] : []),
      ...(this.fields.confidence ? [["confidence", t("form.confidence_tab")]] : []),
    ];
    const tabs = names.map(([group, name]) =>
      h("button", { type: "button", "data-group": group, click: () => this.#open(group) }, name),
    );
    return h("div", { class: "tabs", hidden: names.length > 1 ? null : "" }, ...tabs);
  }
}
