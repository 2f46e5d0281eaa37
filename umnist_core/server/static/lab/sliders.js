/**
 * Controls for one parameter: a slider with one handle or two, or a list of choices.
 *
 * All are native inputs, so keyboards, screen readers and touch work as they do
 * everywhere. A control tells of every change at once (`onInput`) and again when it is
 * let go of (`onChange`); it never changes a setting itself.
 *
 * @typedef {object} ControlSpec
 * @property {string} name
 * @property {string} label
 * @property {"whole"|"factor"|"number"|"label"|"word"} kind
 * @property {number} low Smallest allowed value.
 * @property {number} high
 * @property {number} from Where the slider begins; numbers can be typed up to `low`.
 * @property {number} to
 * @property {number} step Between two places of a linear slider.
 * @property {"linear"|"log"} scale
 * @property {string} unit
 * @property {string} meaning
 * @property {string[]} words
 * @property {boolean} ranged Whether it may be a range.
 * @property {string} note A sentence that stands under it, or none.
 * @property {string} word What stands for a number, and what that is called: a check box then
 *   stands over the slider. Empty of parameters without.
 * @property {string} switch
 *
 * @typedef {object} Control
 * @property {HTMLElement} element
 * @property {HTMLElement} note
 * @property {(text: string) => void} show Show a value, in its text form.
 * @property {(value: number) => void} [stand] Say which number the word stands for.
 *
 * @typedef {object} ControlCallbacks
 * @property {(text: string) => void} onInput The value while it changes.
 * @property {() => void} onChange It was let go of.
 */

import { h } from "../hall/dom.js";
import { icon } from "../hall/icons.js";
import { numberText, readSpan, spanText } from "./scene_address.js";

const LOG_PLACES = 160;

/**
 * @param {ControlSpec} spec
 * @param {ControlCallbacks} callbacks
 * @returns {Control}
 */
export function makeControl(spec, callbacks) {
  if (spec.word) return new WordedSlider(spec, callbacks);
  const chosen = spec.kind === "word" || spec.kind === "label";
  return chosen ? new ChoiceList(spec, callbacks) : new Slider(spec, callbacks);
}

/** @returns {number[]} The values at the slider's places, ascending. */
export function places({ kind, low, from, to, step, scale }) {
  const round = kind === "number" ? (value) => Number(value.toPrecision(2)) : Math.round;
  if (scale === "log") {
    const ratio = (to / from) ** (1 / LOG_PLACES);
    const all = Array.from({ length: LOG_PLACES + 1 }, (_, place) => round(from * ratio ** place));
    if (kind === "factor") return [...new Set([0.5, ...all.filter((value) => value >= 1)])];
    return [...new Set(low === 0 ? [0, ...all] : all)]; // none has no logarithm
  }
  const count = Math.round((to - from) / step);
  return Array.from({ length: count + 1 }, (_, place) => Number((from + place * step).toFixed(6)));
}

class ChoiceList {
  constructor(spec, { onInput, onChange }) {
    const numbers = spec.kind === "label" ? wholeNumbers(spec.low, spec.high) : [];
    this.select = h(
      "select",
      { "aria-label": spec.label, title: spec.meaning },
      ...[...spec.words, ...numbers].map((text) => h("option", { value: text }, text)),
    );
    this.select.addEventListener("change", () => {
      onInput(this.select.value);
      onChange();
    });
    const name = h("span", { class: "name", title: spec.meaning }, spec.label);
    this.note = h("span", { class: "note" });
    this.element = h("div", { class: "control choice" }, h("label", {}, name, this.select));
  }

  show(text) {
    this.select.value = text;
  }
}

/** A slider, and a word that stands for a number which follows from other parameters. */
class WordedSlider {
  constructor(spec, { onInput, onChange }) {
    this.word = spec.word;
    this.number = spec.low;
    this.slider = new Slider({ ...spec, kind: "whole", ranged: false }, { onInput, onChange });
    this.note = this.slider.note;
    this.box = h("input", { type: "checkbox", "data-switch": spec.name });
    this.box.addEventListener("change", () => {
      const text = this.box.checked ? this.word : String(this.number);
      this.show(text);
      onInput(text);
      onChange();
    });
    const label = h("label", { class: "switch", title: spec.meaning }, this.box, spec.switch);
    this.element = h("div", { class: "worded" }, label, this.slider.element);
  }

  show(text) {
    this.box.checked = text === this.word;
    if (!this.box.checked) this.slider.show(text);
    this.#lock();
  }

  stand(value) {
    this.number = value;
    if (this.box.checked) this.slider.show(String(value));
    this.#lock();
  }

  #lock() {
    for (const input of this.slider.element.querySelectorAll("input")) {
      input.disabled = this.box.checked;
    }
  }
}

class Slider {
  constructor(spec, callbacks) {
    this.spec = spec;
    this.callbacks = callbacks;
    this.places = places(spec);
    this.span = { low: spec.low, high: spec.low };
    this.ranging = false;
    this.handles = { low: this.#handle("low"), high: this.#handle("high") };
    this.fields = { low: this.#field("low"), high: this.#field("high") };
    this.note = h("p", { class: "note", ...(spec.note ? {} : { hidden: "" }) }, spec.note ?? "");
    this.refusal = refusalLine();
    this.fill = h("span", { class: "fill" });
    this.element = this.#build();
    this.#draw();
  }

  show(text) {
    const span = readSpan(text);
    if (!span) return;
    this.span = span;
    // Once opened as a range it stays one while its ends meet.
    if (span.low !== span.high) this.ranging = true;
    this.#draw();
  }

  #build() {
    const { label, unit, meaning, ranged } = this.spec;
    const { low, high } = this.fields;
    this.dash = h("span", { class: "dash", "aria-hidden": "true" }, "–");
    this.toggle = h(
      "button",
      {
        type: "button",
        class: "range-toggle",
        "aria-pressed": "false",
        "aria-label": `${label}: a range, from which each image draws`,
        title: "One value, or a range from which each image draws",
        click: () => this.#setRanging(!this.ranging),
      },
      icon("range"),
    );
    const name = h("span", { class: "name", title: meaning }, label);
    const unitText = h("span", { class: "unit" }, unit);
    const head = [name, low, this.dash, high, unitText, ...(ranged ? [this.toggle] : [])];
    const track = h("div", { class: "track" }, this.fill, this.handles.low, this.handles.high);
    return h(
      "div",
      { class: "control slider", role: "group", "aria-label": label, "data-name": this.spec.name },
      h("div", { class: "head" }, ...head),
      track,
      this.refusal.element,
      this.note,
    );
  }

  #handle(end) {
    const input = h("input", { type: "range", min: 0, max: this.places.length - 1, step: 1 });
    input.addEventListener("input", () => this.#set(end, this.places[Number(input.value)]));
    input.addEventListener("change", () => this.callbacks.onChange());
    return input;
  }

  #field(end) {
    const { low, high, kind, step } = this.spec;
    const input = h("input", { type: "number", min: low, max: high, class: "value" });
    input.step = kind === "whole" ? "1" : kind === "factor" ? "any" : String(step);
    input.addEventListener("change", () => {
      const value = Number(input.value);
      if (input.value === "" || !this.#isAllowed(value)) {
        this.refusal.refuse(input, `${this.spec.label} is ${this.#allowed()}`);
        return;
      }
      this.#set(end, value);
      this.callbacks.onChange();
    });
    return input;
  }

  #isAllowed(value) {
    const { low, high, kind } = this.spec;
    const whole =
      Number.isInteger(value) || kind === "number" || (kind === "factor" && value === 0.5);
    return whole && value >= low && value <= high;
  }

  /** @returns {string} What may be typed, in words. */
  #allowed() {
    const { low, high, kind } = this.spec;
    if (kind === "number") return `a number from ${low} to ${high}`;
    const half = kind === "factor" && low <= 0.5;
    return `${half ? "0.5 or " : ""}a whole number from ${half ? 1 : low} to ${high}`;
  }

  /** Move one end; it takes the other along rather than pass it. */
  #set(end, value) {
    const { low, high } = this.span;
    if (!this.ranging) this.span = { low: value, high: value };
    else if (end === "low") this.span = { low: value, high: Math.max(value, high) };
    else this.span = { low: Math.min(value, low), high: value };
    this.#draw();
    this.callbacks.onInput(spanText(this.span));
  }

  #setRanging(ranging) {
    this.ranging = ranging;
    if (ranging || this.span.low === this.span.high) {
      this.#draw();
      return;
    }
    this.#set("high", this.span.high);
    this.callbacks.onChange();
  }

  #draw() {
    const { spec, ranging, span, handles, fields } = this;
    const last = Math.max(this.places.length - 1, 1);
    const shares = {};
    this.refusal.clear();
    for (const end of ["low", "high"]) {
      const value = span[end];
      const place = this.#nearestPlace(value);
      shares[end] = place / last;
      handles[end].value = String(place);
      fields[end].value = numberText(value);
      const said = ranging ? `${spec.label}, ${end === "low" ? "from" : "to"}` : spec.label;
      handles[end].setAttribute("aria-label", said);
      handles[end].setAttribute("aria-valuetext", `${numberText(value)} ${spec.unit}`.trim());
      fields[end].setAttribute("aria-label", `${said}, as a number`);
    }
    for (const part of [handles.low, fields.low, this.dash]) part.hidden = !ranging;
    this.toggle.setAttribute("aria-pressed", String(ranging));
    // At the far end the lower handle lies on top, or neither could be moved any more.
    handles.low.style.zIndex = shares.low > 0.5 ? "2" : "1";
    this.fill.style.setProperty("--from", String(ranging ? shares.low : 0));
    this.fill.style.setProperty("--to", String(shares.high));
  }

  #nearestPlace(value) {
    const distance = (place) => Math.abs(this.places[place] - value);
    let nearest = 0;
    for (let place = 1; place < this.places.length; place += 1) {
      if (distance(place) < distance(nearest)) nearest = place;
    }
    return nearest;
  }
}

/**
 * A line that says which values a field takes, while a wrong one stands in it.
 *
 * @returns {{element: HTMLElement, refuse: (input: HTMLInputElement, allowed: string) => void,
 *            clear: () => void}}
 */
export function refusalLine() {
  const element = h("p", { class: "refusal", role: "alert", hidden: "" });
  let wrong = null;
  const mark = (input) => {
    wrong?.removeAttribute("aria-invalid");
    wrong = input;
    wrong?.setAttribute("aria-invalid", "true");
    element.hidden = !wrong;
  };
  const refuse = (input, allowed) => {
    mark(input);
    // What a number field cannot read as a number, it does not tell.
    const found = input.value === "" ? "Nothing was changed." : `${input.value} was not taken.`;
    element.textContent = `${allowed}. ${found}`;
    element.scrollIntoView({ block: "nearest" });
  };
  return { element, refuse, clear: () => mark(null) };
}

function wholeNumbers(low, high) {
  return Array.from({ length: high - low + 1 }, (_, place) => String(low + place));
}
