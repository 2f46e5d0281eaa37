/**
 * The answer to a sample, hidden until it is asked for: the sum, the digits, each of
 * which takes the viewer to itself, and figures that would give something away.
 *
 * @typedef {object} AnswersData
 * @property {string} bus Name of the viewer's channel.
 * @property {import("./overlays.js").Digit[]} [digits]
 * @property {import("./overlays.js").Shape[]} [shapes]
 * @property {number|string|null} [label] The answer; null where none is known.
 * @property {string|null} [explained] How the answer follows; by default as the digits' sum.
 * @property {{name: string, value: string}[]} [figures]
 *
 * @typedef {{onOverlays?: (overlays: import("../hall/bus.js").Overlays) => void}} AnswersCallbacks
 */

import { join } from "../hall/bus.js";
import { h, onDetail } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { sizeWords } from "./overlays.js";

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {AnswersData} data
 * @param {AnswersCallbacks} [callbacks]
 * @returns {{update: (data: AnswersData) => void, destroy: () => void}}
 */
export function mountAnswers(parentElement, data, callbacks = {}) {
  const answers = new Answers(parentElement, data, callbacks);
  return { update: (next) => answers.update(next), destroy: () => answers.destroy() };
}

class Answers {
  constructor(parentElement, data, callbacks) {
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    this.left = new AbortController();
    this.answer = this.#switch("Show the answer", "answer", "O");
    this.shapes = this.#switch("Outline the shapes", "shapes");
    this.sum = h("p", { class: "sum" });
    this.list = h("ul", { class: "digits" });
    this.isBySize = false;
    this.sort = h(
      "button",
      {
        type: "button",
        class: "sort",
        "aria-pressed": "false",
        title: "The smallest first, else in the order in which they were placed",
        click: () => {
          this.isBySize = !this.isBySize;
          this.#draw();
        },
      },
      "Smallest first",
    );
    this.figures = h("dl");
    const head = h("div", { class: "head" }, this.sum, this.sort);
    this.reveal = h("div", { class: "reveal" }, head, this.list, this.figures);
    const switches = h("div", { class: "switches" }, this.answer, this.shapes);
    this.unknown = h("p", { class: "unknown", hidden: "" }, "No answer is known for this image.");
    this.root = h(
      "div",
      { class: "umnist-answers", role: "group", "aria-label": "Answer" },
      ...[this.unknown, switches, this.reveal],
    );
    this.styles = styleSheet("viewer/answers.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    onDetail(
      channel,
      "overlays",
      (detail) => {
        this.#draw();
        callbacks.onOverlays?.(detail);
      },
      { signal: this.left.signal },
    );
    this.update(data);
  }

  /** @param {AnswersData} data */
  update(data) {
    this.data = data;
    this.#draw();
  }

  destroy() {
    this.left.abort();
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  #switch(text, name, key = null) {
    const click = () => this.channel.setOverlays({ [name]: !this.channel.overlays[name] });
    return h(
      "button",
      { type: "button", role: "switch", class: "switch", "aria-checked": "false", click },
      h("span", { class: "track", "aria-hidden": "true" }),
      h("span", { class: "text" }, text),
      ...(key ? [h("kbd", { "aria-hidden": "true" }, key)] : []),
    );
  }

  #draw() {
    const { digits = [], shapes = [], figures = [], label = null, explained } = this.data;
    const { overlays } = this.channel;
    const known = label !== null;
    const shown = known && overlays.answer;
    this.unknown.hidden = known;
    this.answer.hidden = !known;
    this.shapes.hidden = shapes.length === 0;
    this.reveal.hidden = !shown;
    this.answer.setAttribute("aria-checked", String(overlays.answer));
    this.shapes.setAttribute("aria-checked", String(overlays.shapes));
    // What is hidden is not in the page either.
    this.sum.replaceChildren(...(shown ? sumParts(digits, label, explained) : []));
    const listed = this.isBySize ? digits.toSorted((one, other) => one.side - other.side) : digits;
    this.sort.hidden = new Set(digits.map(({ side }) => side)).size < 2;
    this.sort.setAttribute("aria-pressed", String(this.isBySize));
    this.list.replaceChildren(...(shown ? listed.map((digit) => this.#entry(digit)) : []));
    this.figures.replaceChildren(...(shown ? figures.map(figureRow) : []));
  }

  #entry(digit) {
    const kind = typeof digit.label === "number" ? "digit " : "";
    const name = `Go to ${kind}${digit.label}, ${sizeWords(digit)}`;
    const click = () => this.channel.fly(digit.id);
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "aria-label": name, "data-digit": digit.id, click },
        h("span", { class: "class" }, String(digit.label)),
        h("span", { class: "side" }, sizeWords(digit)),
      ),
    );
  }
}

function sumParts(digits, label, explained) {
  const sum = digits.map((digit) => digit.label).join(" + ");
  const terms = explained ?? (sum && `= ${sum}`);
  return [
    h("span", { class: typeof label === "string" ? "total worded" : "total" }, String(label)),
    ...(terms ? [h("span", { class: "terms" }, terms)] : []),
  ];
}

function figureRow({ name, value }) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}
