/**
 * The table of all models: sorted by the head of a column, with what is published beside what was
 * measured here. On a phone each row is a card, and a list takes the place of the heads.
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {string} name
 * @property {string} about What kind of model it is; empty where the name says it.
 * @property {string} card Name of its card below; empty without.
 * @property {string} system Key of its data system.
 * @property {string} systemTitle
 * @property {number} order Of its data system.
 * @property {"here"|"not-learned"|"published"|"people"|"chance"|"recipe"} tier
 * @property {string} tierTitle
 * @property {number|null} share Of the first question, in per cent.
 * @property {number|null} low Ends of the 95 % interval.
 * @property {number|null} high
 * @property {number|null} spread Standard deviation over seeds, in points.
 * @property {string} said The share in words.
 * @property {string} of Its interval in words.
 * @property {string} more Shares of all questions, where there are several.
 * @property {string} sees
 * @property {number|null} parameters
 * @property {string} size
 * @property {number|null} seconds For an image.
 * @property {string} time
 * @property {number|null} memory Peak, bytes.
 * @property {string} memoryTitle
 * @property {string} paper
 * @property {string|null} address Of the paper.
 * @property {number|null} year
 * @property {string} source Where a published figure stands.
 * @property {string} note
 * @property {string[]} commands That train it.
 *
 * @typedef {{rows: Row[], isOne: boolean}} TableData Whether all are of one data system.
 * @typedef {{key: string, isDown: boolean}} Order
 */

import { copied } from "../hall/clipboard.js";
import { fillSelect, h, s } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { COLUMNS, sorted } from "./order.js";

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {TableData} data
 * @returns {{update: (data: TableData) => void, destroy: () => void}}
 */
export function mountModelTable(parentElement, data) {
  const table = new ModelTable(parentElement, data);
  return { update: (next) => table.update(next), destroy: () => table.destroy() };
}

class ModelTable {
  /**
   * @param {HTMLElement|ShadowRoot} parentElement
   * @param {TableData} data
   */
  constructor(parentElement, data) {
    /** @type {Order} */
    this.order = { key: "system", isDown: false };
    /** Keys of rows whose details are open. @type {Set<string>} */
    this.open = new Set();
    this.body = h("tbody", { role: "rowgroup" });
    this.heads = new Map(COLUMNS.map((column) => [column.key, this.#head(column)]));
    this.select = h("select", { change: () => this.#sortBy(this.select.value) });
    this.turn = h("button", { type: "button", click: () => this.#sortBy(this.order.key) });
    this.told = h("p", { class: "told", role: "status" });
    const head = h("tr", { role: "row" }, ...this.heads.values());
    this.root = h(
      "div",
      { class: "umnist-models" },
      h("div", { class: "by" }, h("label", {}, "Sort by ", this.select), this.turn),
      h(
        "table",
        { role: "table", "aria-label": "Models" },
        h("thead", { role: "rowgroup" }, head),
        this.body,
      ),
      this.told,
    );
    this.styles = styleSheet("models/table.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    this.update(data);
  }

  /** @param {TableData} data */
  update(data) {
    this.data = data;
    this.root.classList.toggle("one", data.isOne);
    this.#draw();
  }

  destroy() {
    this.root.remove();
    this.styles.element.remove();
  }

  /** @param {import("./order.js").Column} column */
  #head({ key, title, about }) {
    return h(
      "th",
      { scope: "col", role: "columnheader", class: key, title: about },
      h("button", { type: "button", click: () => this.#sortBy(key) }, title, arrow()),
    );
  }

  /** @param {string} key The same column again turns the order about. */
  #sortBy(key) {
    const isAgain = key === this.order.key;
    const first = COLUMNS.find((one) => one.key === key)?.isDown ?? false;
    this.order = { key, isDown: isAgain ? !this.order.isDown : first };
    this.#draw();
    const how = this.order.isDown ? "from high to low" : "from low to high";
    const title = COLUMNS.find((one) => one.key === key)?.title ?? key;
    this.told.textContent = `Sorted by ${title}, ${how}.`;
  }

  #draw() {
    const { key, isDown } = this.order;
    for (const [name, head] of this.heads) {
      const how = isDown ? "descending" : "ascending";
      head.setAttribute("aria-sort", name === key ? how : "none");
    }
    fillSelect(
      this.select,
      COLUMNS.map((one) => [one.key, one.title]),
      key,
    );
    this.turn.textContent = isDown ? "High to low" : "Low to high";
    const rows = sorted(this.data?.rows ?? [], this.order);
    let before = "";
    this.body.replaceChildren(
      ...rows.flatMap((row) => {
        const isNew = key === "system" && row.system !== before;
        before = row.system;
        return this.#rowsOf(row, isNew);
      }),
    );
  }

  /**
   * @param {Row} row
   * @param {boolean} isNew Whether another data system begins with it.
   * @returns {HTMLElement[]}
   */
  #rowsOf(row, isNew) {
    const isOpen = this.open.has(row.key);
    const kind = `${row.tier}${isNew ? " first" : ""}${isOpen ? " open" : ""}`;
    const line = h(
      "tr",
      { role: "row", class: kind, "data-key": row.key },
      cell("name", this.#name(row, isOpen), row.about ? small(row.about) : ""),
      cell("system", row.systemTitle),
      accuracy(row),
      cell("sees", row.sees || none()),
      cell("tier", h("span", { class: "mark" }), row.tierTitle),
      cell("size", row.size || none()),
      cell("time", row.time || none()),
      cell("memory", row.memoryTitle || none()),
      cell("paper", paper(row)),
    );
    return isOpen ? [line, details(row)] : [line];
  }

  /**
   * @param {Row} row
   * @param {boolean} isOpen
   */
  #name(row, isOpen) {
    if (row.card) {
      const go = (/** @type {Event} */ event) => {
        if (showCard(row.card)) event.preventDefault();
      };
      return h("a", { href: `#card-${row.card}`, click: go }, row.name);
    }
    const turn = () => {
      if (!this.open.delete(row.key)) this.open.add(row.key);
      this.#draw();
      this.#button(row.key)?.focus();
    };
    return h(
      "button",
      { type: "button", class: "more", "aria-expanded": String(isOpen), click: turn },
      row.name,
    );
  }

  /**
   * @param {string} key
   * @returns {HTMLButtonElement|null}
   */
  #button(key) {
    return this.body.querySelector(`tr[data-key="${CSS.escape(key)}"] button.more`);
  }
}

/** @param {Row} row */
function accuracy(row) {
  if (row.share === null) return cell("accuracy", none());
  const spread = row.spread === null ? "" : `\u00b1 ${row.spread} over seeds`;
  const figure = h("span", { class: "figure" }, h("strong", {}, row.said), small(row.of || spread));
  const line = h("span", { class: "line" }, figure, track(row));
  return cell("accuracy", line, row.more ? small(row.more) : "");
}

/**
 * The share on a line from 0 to 100: a dot with its interval, or a stroke where it is published.
 *
 * @param {Row} row
 */
function track({ share, low, high, tier }) {
  const is = (/** @type {number} */ value) => `${value.toFixed(2)}%`;
  const marks = [];
  if (low !== null && high !== null) {
    marks.push(h("i", { class: "range", style: `left: ${is(low)}; right: ${is(100 - high)}` }));
  }
  const kind = tier === "here" || tier === "not-learned" ? "dot" : "stroke";
  marks.push(h("i", { class: kind, style: `left: ${is(share ?? 0)}` }));
  return h("span", { class: "track", "aria-hidden": "true" }, ...marks);
}

/** @param {Row} row */
function paper(row) {
  const title = row.paper || none();
  if (!row.address) return title;
  return h("a", { href: row.address, target: "_blank", rel: "noopener" }, title);
}

/** @param {Row} row */
function details(row) {
  const told = [row.source, row.note].filter(Boolean).join(" ");
  const text = row.commands.join(" &&\n");
  const copy = h("button", { type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    copy.textContent = (await copied(text)) ? "Copied" : "Select it and copy";
  });
  const train = text
    ? h("div", { class: "command" }, h("span", {}, "Train it"), h("code", {}, text), copy)
    : h("p", {}, "umnist does not have it.");
  const all = h(
    "td",
    { role: "cell", colspan: COLUMNS.length, "aria-colspan": COLUMNS.length },
    told ? h("p", {}, told) : "",
    row.tier === "people" || row.tier === "chance" ? "" : train,
  );
  return h("tr", { role: "row", class: "details" }, all);
}

/**
 * @param {string} kind
 * @param {...(Node|string)} children
 */
function cell(kind, ...children) {
  const title = COLUMNS.find((one) => one.key === kind)?.title ?? "";
  return h("td", { role: "cell", class: kind, "data-title": title }, ...children);
}

/** @param {string} text */
function small(text) {
  return h("small", {}, text);
}

function none() {
  return h("span", { class: "none", "aria-label": "not known" }, "\u2013");
}

function arrow() {
  return s(
    "svg",
    { viewBox: "0 0 10 12", width: 9, height: 11, "aria-hidden": "true" },
    s("path", { class: "up", d: "M5 0.5 8.5 5h-7z" }),
    s("path", { class: "down", d: "M5 11.500 1.500 7h7z" }),
  );
}

/**
 * Go to the card of a checkpoint, further down.
 *
 * @param {string} name
 * @returns {boolean} Whether it is there.
 */
function showCard(name) {
  const card = document.querySelector(`.st-key-card_${CSS.escape(name)}`);
  if (!(card instanceof HTMLElement)) return false;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card.scrollIntoView({ behavior: isStill ? "auto" : "smooth", block: "start" });
  card.tabIndex = -1;
  card.focus({ preventScroll: true });
  return true;
}
