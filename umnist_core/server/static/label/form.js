/**
 * The answer: the sum by keypad and keyboard, how sure, the digits seen; and Submit.
 *
 * Nothing is submitted by one tap or key: a number is chosen, then submitted.
 */

import { h } from "../dom.js";
import { NumberEntry } from "./entry.js";
import { sumOfDigits } from "./state.js";

const CONFIDENCES = [0, 25, 50, 75, 100];

/** More digits than any image has, so that what is entered stays in one line. */
const MOST_DIGITS = 12;

/**
 * @typedef {{min: number, max: number, confidence?: boolean, digits?: boolean}} Fields
 * @typedef {object} FormCallbacks
 * @property {(entered: import("./attempt.js").Entered) => void} onChange
 * @property {() => void} onSubmit With a number chosen.
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
    this.#build(question);
    this.show({ answer: null, edits: 0, confidence: null, digits: null });
  }

  /** @param {import("./attempt.js").Entered} entered What is there to begin with. */
  show(entered) {
    this.entry = new NumberEntry(this.fields.min, this.fields.max, entered);
    this.digits = [...(entered.digits ?? [])];
    this.confidence = entered.confidence;
    for (const radio of this.element.querySelectorAll("input")) {
      radio.checked = Number(radio.value) === this.confidence;
    }
    this.#open("sum");
    this.setBusy(false);
    this.#draw();
  }

  /** @returns {import("./attempt.js").Entered} */
  get entered() {
    return {
      answer: this.entry.value,
      edits: this.entry.edits,
      confidence: this.confidence,
      digits: this.digits.length > 0 ? [...this.digits] : null,
    };
  }

  /** @param {boolean} isBusy Whether the answer is under way and may not be changed. */
  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.element.classList.toggle("busy", isBusy);
    this.submit.setAttribute("aria-disabled", String(isBusy || this.entry.value === null));
  }

  /**
   * A key that nobody else has taken.
   *
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether it was for the answer.
   */
  key(event) {
    if (this.isBusy) return false;
    const { key, target } = event;
    const inDigits = this.digitGroup?.contains(target) ?? false;
    if (/^[0-9]$/.test(key)) inDigits ? this.#addDigit(Number(key)) : this.#type(key);
    else if (key === "Backspace" || key === "Delete") inDigits ? this.#undoDigit() : this.#clear();
    else if (key === "Enter") return this.#enter(event);
    else if (key.toLowerCase() === "c" && this.confidenceGroup) this.#reach("confidence");
    else if (key.toLowerCase() === "d" && this.digitGroup) this.#reach("digits");
    else return false;
    return true;
  }

  /** Submit, or say what is missing. */
  trySubmit() {
    if (this.isBusy) return;
    if (this.entry.value !== null) this.callbacks.onSubmit();
    else this.say(`Choose a number from ${this.fields.min} to ${this.fields.max} first.`);
  }

  #enter(event) {
    const { target } = event;
    const button = target instanceof Element ? target.closest("button") : null;
    // On a button, Enter presses it; on the number that is chosen already, it submits.
    if (button && button.getAttribute("aria-pressed") !== "true") return false;
    if (button && !this.pad.contains(button)) return false;
    if (!event.repeat) this.trySubmit();
    return true;
  }

  #type(figure) {
    const refused = this.entry.type(figure);
    this.#changed();
    this.say(refused ?? "");
  }

  #clear() {
    this.entry.clear();
    this.#changed();
  }

  #choose(value) {
    if (this.isBusy) return;
    this.entry.choose(value);
    this.#changed();
  }

  #addDigit(digit) {
    if (this.isBusy || this.digits.length >= MOST_DIGITS) return;
    this.digits.push(digit);
    this.#changed();
  }

  #undoDigit() {
    if (this.isBusy) return;
    this.digits.pop();
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
    if (this.digitGroup) this.#drawDigits(value);
  }

  #drawDigits(value) {
    const sum = sumOfDigits(this.digits);
    const has = this.digits.length > 0;
    this.seen.textContent = has ? `${this.digits.join(", ")} = ${sum}` : "None entered";
    const differs = has && value !== null && value !== sum;
    this.differs.textContent = differs ? `Your sum is ${value}.` : "";
    this.undo.setAttribute("aria-disabled", String(!has));
  }

  /** @param {string} text Beside the answer, and aloud. */
  say(text) {
    this.hint.textContent = text;
  }

  /** On small screens one group shows at a time. */
  #open(name) {
    this.element.dataset.open = name;
    for (const tab of this.tabs.children) {
      tab.setAttribute("aria-pressed", String(tab.dataset.group === name));
    }
  }

  #reach(name) {
    this.#open(name);
    const group = name === "digits" ? this.digitGroup : this.confidenceGroup;
    (group.querySelector("input:checked") ?? group.querySelector("input, button")).focus();
  }

  #build(question) {
    this.chosen = h("output", { class: "chosen", "aria-live": "polite", "aria-label": "Your sum" });
    this.submit = h(
      "button",
      { type: "button", class: "primary submit", click: () => this.trySubmit() },
      "Submit",
    );
    this.hint = h("p", { class: "hint", role: "status" });
    this.pad = this.#makePad();
    this.digitGroup = this.fields.digits ? this.#makeDigits() : null;
    this.confidenceGroup = this.fields.confidence ? this.#makeConfidence() : null;
    this.tabs = this.#makeTabs();
    this.element = h(
      "section",
      { class: "form", "aria-label": "Answer" },
      h("p", { class: "question" }, question),
      h("div", { class: "given" }, this.chosen, this.submit),
      this.hint,
      this.tabs,
      ...[this.pad, this.digitGroup, this.confidenceGroup].filter(Boolean),
    );
  }

  #makePad() {
    const { min, max } = this.fields;
    const numbers = Array.from({ length: max - min + 1 }, (_, place) => min + place);
    return h(
      "div",
      { class: "pad", role: "group", "aria-label": "Sum" },
      ...numbers.map((number) =>
        h("button", { type: "button", click: () => this.#choose(number) }, String(number)),
      ),
    );
  }

  #makeDigits() {
    this.seen = h("output", { class: "seen", "aria-live": "polite" });
    this.differs = h("span", { class: "differs", role: "status" });
    this.undo = h(
      "button",
      { type: "button", class: "undo", click: () => this.#undoDigit() },
      "Undo",
    );
    const keys = Array.from({ length: 10 }, (_, digit) =>
      h(
        "button",
        { type: "button", "aria-label": `Add ${digit}`, click: () => this.#addDigit(digit) },
        String(digit),
      ),
    );
    return h(
      "fieldset",
      { class: "digits" },
      h("legend", {}, "Digits you see ", h("small", {}, "optional")),
      h("div", { class: "line" }, this.seen, this.differs),
      h("div", { class: "keys" }, ...keys, this.undo),
    );
  }

  #makeConfidence() {
    const choose = (value) => {
      this.confidence = value;
      this.callbacks.onChange(this.entered);
    };
    const options = CONFIDENCES.map((value) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name: "confidence", value, change: () => choose(value) }),
        h("span", {}, `${value} %`),
      ),
    );
    return h(
      "fieldset",
      { class: "confidence" },
      h("legend", {}, "How sure are you? ", h("small", {}, "optional")),
      h("div", { class: "options" }, ...options),
    );
  }

  #makeTabs() {
    const names = [
      ["sum", "Sum"],
      ...(this.fields.digits ? [["digits", "Digits seen"]] : []),
      ...(this.fields.confidence ? [["confidence", "How sure"]] : []),
    ];
    const tabs = names.map(([group, name]) =>
      h("button", { type: "button", "data-group": group, click: () => this.#open(group) }, name),
    );
    return h("div", { class: "tabs", hidden: names.length > 1 ? null : "" }, ...tabs);
  }
}
