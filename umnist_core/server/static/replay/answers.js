/**
 * The table of answers that can be replayed: all wrong ones, or all to the image that is shown.
 *
 * @typedef {import("./replay.js").AnswerRow} AnswerRow
 */

import { h } from "../hall/dom.js";

/** So many rows are drawn at once; nobody reads a thousand. */
const MOST = 50;

export class AnswerTable {
  /** @param {(key: string) => void} onOpen */
  constructor(onOpen) {
    this.onOpen = onOpen;
    /** @type {AnswerRow[]} */
    this.wrong = [];
    /** @type {AnswerRow[]} */
    this.here = [];
    /** @type {string|null} */
    this.chosen = null;
    this.isHere = false;
    this.count = MOST;
    this.choices = [this.#choice("Wrong answers", false), this.#choice("This image", true)];
    this.body = h("tbody");
    this.told = h("p", { class: "note", role: "status" });
    this.more = h("button", { type: "button", hidden: "", click: () => this.#showMore() });
    const heads = ["Image", "Person", "Answer", "Sum", "Why"];
    const head = h("tr", {}, ...heads.map((one) => h("th", { scope: "col" }, one)));
    this.element = h(
      "div",
      { class: "answers" },
      h("div", { class: "choices", role: "group", "aria-label": "Answers" }, ...this.choices),
      this.told,
      h("table", { "aria-label": "Answers to replay" }, h("thead", {}, head), this.body),
      this.more,
    );
  }

  /**
   * @param {AnswerRow[]} wrong
   * @param {AnswerRow[]} here
   * @param {string|null} chosen
   */
  show(wrong, here, chosen) {
    Object.assign(this, { wrong, here, chosen });
    this.#draw();
  }

  /**
   * @param {string} name
   * @param {boolean} isHere
   */
  #choice(name, isHere) {
    const click = () => {
      Object.assign(this, { isHere, count: MOST });
      this.#draw();
    };
    return h("button", { type: "button", "aria-pressed": String(!isHere), click }, name);
  }

  #showMore() {
    const before = this.count;
    this.count += MOST;
    this.#draw();
    this.body.rows[before]?.querySelector("a")?.focus();
  }

  #draw() {
    const rows = this.isHere ? this.here : this.wrong;
    this.choices.forEach((one, place) =>
      one.setAttribute("aria-pressed", String(this.isHere === (place === 1))),
    );
    const shown = rows.slice(0, this.count);
    const what = this.isHere ? "to this image" : "wrong";
    const all =
      rows.length === 1
        ? `1 answer ${what}`
        : `${rows.length.toLocaleString("en")} answers ${what}`;
    this.told.textContent = rows.length
      ? `${all}; choose one to replay it.`
      : `No answer ${what} yet.`;
    this.body.replaceChildren(...shown.map((row) => this.#row(row)));
    const left = rows.length - shown.length;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(left, MOST)} more`;
  }

  /** @param {AnswerRow} row */
  #row(row) {
    const isChosen = row.key === this.chosen;
    /** @param {MouseEvent} event */
    const click = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // into another tab
      event.preventDefault();
      this.onOpen(row.key);
    };
    const link = h(
      "a",
      { href: row.link, click, "aria-current": isChosen ? "true" : null, "data-answer": row.key },
      row.image,
    );
    const right = row.answer === row.truth;
    return h(
      "tr",
      { class: isChosen ? "chosen" : null },
      h("td", {}, link),
      h("td", { title: row.person }, `${row.person.slice(0, 6)}, ${row.pool}`),
      h("td", { class: "number" }, String(row.answer)),
      h("td", { class: "number" }, String(row.truth)),
      h("td", {}, right ? "right" : row.reason),
    );
  }
}
