/**
 * Window, level and channel of a file's image: which of its values are drawn black and white.
 *
 * @typedef {object} TonesData
 * @property {string} bus Name of the viewer's channel.
 * @property {string} subject Which file.
 * @property {string} range Where the range of its values is told.
 * @property {string[]} names Of its channels.
 * @property {number[]} usual The values that are black and white by the rule of all files.
 * @property {boolean} isFloat
 * @property {string|null} window What the page's address says: "low,high".
 * @property {string|null} channel Name of the channel that it says.
 *
 * @typedef {{full: number[], auto: number[], histogram: number[], reduction: number}} Range
 */

import { join } from "../hall/bus.js";
import { fillSelect, h, s } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { reach } from "../hall/reach.js";

/** Steps of the sliders over the whole range. */
const STEPS = 1000;

const COLOURS = ["R", "G", "B"];

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {TonesData} data
 * @returns {{update: (data: TonesData) => void, destroy: () => void}}
 */
export function mountTones(parentElement, data) {
  const tones = new Controls(parentElement, data);
  return { update: (next) => tones.update(next), destroy: () => tones.destroy() };
}

class Controls {
  constructor(parentElement, data) {
    const { channel, leave } = join(data.bus);
    this.bus = channel;
    this.leaveBus = leave;
    this.left = new AbortController();
    /** Black and white; null by the rule of all files. @type {number[]|null} */
    this.window = null;
    /** @type {string|null} */
    this.channel = null;
    /** @type {Range|null} */
    this.range = null;
    this.#build();
    this.styles = styleSheet("own/own.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    this.update(data);
  }

  /** @param {TonesData} data */
  update(data) {
    const isAnother = data.subject !== this.data?.subject;
    this.data = data;
    if (!isAnother) return;
    const asked = (data.window ?? "").split(",").map(Number);
    const isWindow = asked.length === 2 && asked.every(Number.isFinite) && asked[0] < asked[1];
    this.window = data.window && isWindow ? asked : null;
    this.channel = data.names.includes(data.channel) && data.names.length > 1 ? data.channel : null;
    this.#fillChannels();
    this.#loadRange();
    this.#change();
  }

  destroy() {
    this.left.abort();
    cancelAnimationFrame(this.frame);
    this.bus.setTones(null);
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  #build() {
    this.select = h("select", { change: () => this.#choose(this.select.value || null) });
    this.channelRow = h("label", { class: "field" }, h("span", {}, "Channel"), this.select);
    this.bars = s("svg", { class: "bars", viewBox: "0 0 64 24", preserveAspectRatio: "none" });
    const slider = (name, place) =>
      h("input", {
        type: "range",
        min: "0",
        max: String(STEPS),
        "aria-label": name,
        input: (event) => this.#move(place, this.#valueAt(Number(event.target.value))),
      });
    const number = (name, place) =>
      h("input", {
        type: "number",
        step: "any",
        "aria-label": `${name}, value`,
        change: (event) => this.#move(place, Number(event.target.value)),
      });
    this.sliders = [slider("Black", 0), slider("White", 1)];
    this.numbers = [number("Black", 0), number("White", 1)];
    const row = (name, place) =>
      h("div", { class: "field" }, h("span", {}, name), this.sliders[place], this.numbers[place]);
    const button = (text, title, click) => h("button", { type: "button", title, click }, text);
    this.buttons = h(
      "div",
      { class: "choose" },
      button("Auto", "From the 2nd to the 98th per cent of the values", () => this.#fit("auto")),
      button("Full", "From the lowest to the highest value", () => this.#fit("full")),
      button("As files are shown", "By the rule that models read by, too", () => this.#reset()),
    );
    this.words = h("p", { class: "hint", role: "status" });
    this.root = h(
      "div",
      { class: "umnist-own umnist-tones", role: "group", "aria-label": "Window and channel" },
      ...[this.channelRow, this.bars, row("Black", 0), row("White", 1), this.buttons, this.words],
    );
  }

  get #isColour() {
    return COLOURS.every((name, place) => this.data.names[place] === name);
  }

  #fillChannels() {
    const { names } = this.data;
    this.channelRow.hidden = names.length === 1;
    const first = this.#isColour ? "All colours" : "As files are shown";
    fillSelect(
      this.select,
      [["", first], .../** @type {[string, string][]} */ (names.map((name) => [name, name]))],
      this.channel ?? "",
    );
  }

  #choose(name) {
    this.channel = name;
    if (!name && !this.#isColour) this.window = null;
    this.#loadRange();
    this.#change();
  }

  async #loadRange() {
    const { range, names, subject } = this.data;
    const { channel } = this;
    const isDrawn = channel !== null || this.#isColour || names[0] === "grey";
    this.range = null;
    this.#draw();
    if (!isDrawn) return;
    const query = channel === null ? "" : `?channel=${names.indexOf(channel)}`;
    try {
      const response = await reach(`${range}${query}`, { signal: this.left.signal });
      const found = await response.json();
      if (subject !== this.data.subject || channel !== this.channel) return;
      this.range = response.ok ? found : null;
    } catch {
      return; // numbers can be typed all the same
    }
    this.#draw();
  }

  #fit(name) {
    if (!this.range) return;
    const [low, high] = this.range[name];
    this.window = low < high ? [low, high] : [low, low + 1];
    this.#change();
  }

  #reset() {
    this.window = null;
    this.channel = null;
    this.select.value = "";
    this.#loadRange();
    this.#change();
  }

  /** @param {number} place 0 for black, 1 for white. @param {number} value */
  #move(place, value) {
    const window = [...(this.window ?? this.#usual)];
    if (!Number.isFinite(value)) return this.#draw();
    window[place] = value;
    const least = this.data.isFloat ? this.#span / STEPS : 1;
    if (window[0] >= window[1]) window[1 - place] = value + (place ? -least : least);
    this.window = window;
    return this.#change();
  }

  get #usual() {
    return this.data.usual ?? this.range?.full ?? [0, 1];
  }

  /** What the sliders reach over. */
  get #ends() {
    const [low, high] = this.range?.full ?? this.#usual;
    return low < high ? [low, high] : [low, low + 1];
  }

  get #span() {
    return this.#ends[1] - this.#ends[0];
  }

  #valueAt(step) {
    const value = this.#ends[0] + (step / STEPS) * this.#span;
    return this.data.isFloat ? Number(value.toPrecision(6)) : Math.round(value);
  }

  #change() {
    this.#draw();
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.bus.setTones(this.#tones()));
  }

  #tones() {
    const { window, channel } = this;
    const link = { window: window && window.join(","), channel };
    if (!window && channel === null) return { query: "", link };
    const [low, high] = window ?? this.#usual;
    const place = channel === null ? "" : `&channel=${this.data.names.indexOf(channel)}`;
    return { query: `low=${low}&high=${high}${place}`, link };
  }

  #draw() {
    const shown = this.window ?? this.#usual;
    const [first] = this.#ends;
    const isDrawn = this.channel !== null || this.#isColour || this.data.names[0] === "grey";
    [this.bars, ...this.numbers, ...this.sliders].forEach((one) =>
      one.toggleAttribute("disabled", !isDrawn),
    );
    shown.forEach((value, place) => {
      this.sliders[place].value = String(Math.round(((value - first) / this.#span) * STEPS));
      this.sliders[place].setAttribute("aria-valuetext", String(value));
      this.numbers[place].value = String(Number(value.toPrecision(8)));
    });
    this.#drawBars(shown);
    const { reduction = 1 } = this.range ?? {};
    this.words.hidden = reduction === 1;
    this.words.textContent = `The range is that of means of ${reduction} × ${reduction} px.`;
  }

  /** @param {number[]} shown */
  #drawBars([low, high]) {
    const { histogram = [] } = this.range ?? {};
    const most = Math.max(...histogram, 1);
    const [first] = this.#ends;
    const bars = histogram.map((count, place) => {
      const height = count ? 1 + 22 * Math.sqrt(count / most) : 0;
      const middle = first + ((place + 0.5) / histogram.length) * this.#span;
      const kind = middle < low ? "black" : middle > high ? "white" : "grey";
      return s("rect", { class: kind, x: place, y: 24 - height, width: 0.9, height });
    });
    this.bars.replaceChildren(...bars);
  }
}
