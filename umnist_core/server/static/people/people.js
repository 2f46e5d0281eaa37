/**
 * The people of a study while they work: a row each with small pictures, and the images of one.
 * Rows that stay the same stay where they are, so that nothing flickers when news come.
 *
 * @typedef {{title: string, said: string}} Caught A rule that catches somebody.
 *
 * @typedef {object} Person
 * @property {string} key
 * @property {string} pool
 * @property {string} origin Empty for invited people.
 * @property {string} where
 * @property {number} answered
 * @property {number} total
 * @property {Caught[]} flags
 * @property {number[]} times Of each image, s.
 * @property {number|null} median
 * @property {number|null} low Quartiles.
 * @property {number|null} high
 * @property {string} time In words.
 * @property {string} zoom
 * @property {number|null} seen Share of the area, 0 to 1.
 * @property {string} seenSaid
 * @property {number[]} sums How often each sum was given, from 0 on.
 * @property {string} alike
 * @property {number|null} hidden Share, 0 to 1.
 * @property {string} hiddenSaid
 * @property {string} device
 * @property {string} last
 * @property {number} lastAt
 * @property {number} joinedAt
 *
 * @typedef {{number: string, time: string, zoom: string, seen: string, hidden: string,
 *   answer: string}} Image
 *
 * @typedef {object} PeopleData
 * @property {string} told Above the rows.
 * @property {Person[]} people
 * @property {{key: string, images: Image[]}|null} detail Images of the person who is open.
 */

import { fillSelect, h, s } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";

/** @type {[string, string, (one: Person) => number][]} */
const ORDERS = [
  ["need", "What needs a look", (one) => -1e6 * one.flags.length - one.lastAt / 1e7],
  ["last", "Last sign of life", (one) => -one.lastAt],
  ["joined", "Joined", (one) => one.joinedAt],
  ["fast", "Fastest", (one) => one.median ?? Number.POSITIVE_INFINITY],
  ["seen", "Least seen", (one) => one.seen ?? Number.POSITIVE_INFINITY],
];

const HEADS = [
  "Person",
  "Where they are",
  "Time for an image (log scale)",
  "Looked",
  "Answers",
  "Hidden",
  "Device",
  "Last sign",
];
const IMAGE_HEADS = ["Image", "Time", "Closest zoom", "Seen", "Hidden", "Answer"];

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {PeopleData} data
 * @param {{onChoose: (key: string) => void}} listeners
 * @returns {{update: (data: PeopleData) => void, destroy: () => void}}
 */
export function mountPeople(parentElement, data, listeners) {
  const table = new PeopleTable(parentElement, data, listeners);
  return { update: (next) => table.update(next), destroy: () => table.destroy() };
}

class PeopleTable {
  /**
   * @param {HTMLElement|ShadowRoot} parentElement
   * @param {PeopleData} data
   * @param {{onChoose: (key: string) => void}} listeners
   */
  constructor(parentElement, data, { onChoose }) {
    this.data = data;
    this.onChoose = onChoose;
    this.order = "need";
    /** Who is open; empty for nobody. */
    this.open = "";
    /** @type {Map<string, {text: string, rows: HTMLElement[]}>} */
    this.drawn = new Map();
    this.told = h("p", { class: "told" });
    this.select = h("select", { change: () => this.#sortBy(this.select.value) });
    fillSelect(
      this.select,
      ORDERS.map(([key, title]) => [key, title]),
      this.order,
    );
    this.body = h("tbody", { role: "rowgroup" });
    const heads = HEADS.map((title) => h("th", { scope: "col", role: "columnheader" }, title));
    this.root = h(
      "div",
      { class: "umnist-people" },
      h("div", { class: "by" }, this.told, h("label", {}, "Sort by ", this.select)),
      h(
        "table",
        { role: "table", "aria-label": "People of this study" },
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads)),
        this.body,
      ),
    );
    this.styles = styleSheet("people/people.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    this.#draw();
  }

  /** @param {PeopleData} data */
  update(data) {
    this.data = data;
    this.#draw();
  }

  destroy() {
    this.root.remove();
    this.styles.element.remove();
  }

  /** @param {string} order */
  #sortBy(order) {
    this.order = order;
    this.#draw();
  }

  /** @param {string} key */
  #turn(key) {
    this.open = this.open === key ? "" : key;
    this.onChoose(this.open);
    this.#draw();
  }

  #draw() {
    const value = ORDERS.find(([key]) => key === this.order)?.[2] ?? (() => 0);
    const people = [...this.data.people].sort((a, b) => value(a) - value(b));
    const longest = Math.max(10, ...people.flatMap((one) => one.times));
    const before = this.drawn;
    this.drawn = new Map(people.map((one) => [one.key, this.#rowsOf(one, longest, before)]));
    if (this.told.textContent !== this.data.told) this.told.textContent = this.data.told;
    const rows = [...this.drawn.values()].flatMap((one) => one.rows);
    const isSame =
      rows.length === this.body.children.length &&
      rows.every((row, place) => row === this.body.children[place]);
    if (isSame) return;
    const place = /** @type {Document|ShadowRoot} */ (this.root.getRootNode());
    const held = place.activeElement?.closest("tr")?.dataset.key;
    this.body.replaceChildren(...rows);
    if (held) this.#button(held)?.focus({ preventScroll: true });
  }

  /**
   * @param {Person} one
   * @param {number} longest Time of all, s.
   * @param {Map<string, {text: string, rows: HTMLElement[]}>} before
   */
  #rowsOf(one, longest, before) {
    const isOpen = this.open === one.key;
    const images = isOpen && this.data.detail?.key === one.key ? this.data.detail.images : null;
    // How long ago somebody was seen changes all the time, and is written into the row that is there.
    const text = JSON.stringify([{ ...one, last: "", lastAt: 0 }, longest, isOpen, images]);
    const known = before.get(one.key);
    if (known?.text === text) {
      const last = known.rows[0].lastElementChild;
      if (last && last.textContent !== one.last) last.textContent = one.last;
      return known;
    }
    const line = row(one, longest, isOpen, () => this.#turn(one.key));
    return { text, rows: isOpen ? [line, detail(one, images)] : [line] };
  }

  /**
   * @param {string} key
   * @returns {HTMLButtonElement|null}
   */
  #button(key) {
    return this.body.querySelector(`tr[data-key="${CSS.escape(key)}"] button`);
  }
}

/**
 * @param {Person} one
 * @param {number} longest
 * @param {boolean} isOpen
 * @param {() => void} turn
 */
function row(one, longest, isOpen, turn) {
  const name = h(
    "button",
    { type: "button", class: "more", "aria-expanded": String(isOpen), click: turn },
    one.key,
  );
  const flags = one.flags.map((flag) =>
    h("span", { class: "flag" }, h("strong", {}, flag.title), ` ${flag.said}`),
  );
  const kind = [one.flags.length ? "caught" : "", isOpen ? "open" : ""].join(" ").trim();
  return h(
    "tr",
    { role: "row", class: kind, "data-key": one.key },
    cell(0, name, small([one.pool, one.origin].filter(Boolean).join(" · ")), ...flags),
    cell(1, one.where, progress(one)),
    cell(2, strip(one, longest), small(one.time)),
    cell(3, bar(one.seen), small(one.seenSaid), small(one.zoom)),
    cell(4, histogram(one.sums), small(one.alike)),
    cell(5, bar(one.hidden), small(one.hiddenSaid)),
    cell(6, one.device),
    cell(7, one.last),
  );
}

/**
 * @param {Person} one
 * @param {Image[]|null} images None while they are on their way.
 */
function detail(one, images) {
  const attributes = { class: "images", "aria-label": `Images of ${one.key}` };
  const heads = IMAGE_HEADS.map((title) => h("th", { scope: "col" }, title));
  const told = images?.length === 0 ? "No answers yet." : "Loading the images.";
  const content = images?.length
    ? h(
        "div",
        { class: "scroll", role: "region", tabindex: 0, "aria-label": `Images of ${one.key}` },
        h(
          "table",
          attributes,
          h("thead", {}, h("tr", {}, ...heads)),
          h("tbody", {}, ...images.map(imageRow)),
        ),
      )
    : h("p", { role: "status" }, told);
  const count = HEADS.length;
  const all = h("td", { role: "cell", colspan: count, "aria-colspan": count }, content);
  return h("tr", { role: "row", class: "details", "data-key": "" }, all);
}

/** @param {Image} image */
function imageRow(image) {
  const { number, time, zoom, seen, hidden, answer } = image;
  return h(
    "tr",
    {},
    ...[number, time, zoom, seen, hidden, answer].map((text) => h("td", {}, text)),
  );
}

/** @param {Person} one */
function progress(one) {
  const share = one.total ? Math.min(1, one.answered / one.total) : 0;
  return h(
    "span",
    { class: "progress" },
    h("i", { class: "track", "aria-hidden": "true" }, fill(share)),
    small(`${one.answered} of ${one.total}`),
  );
}

/** @param {number|null} share */
function bar(share) {
  if (share === null) return "";
  return h("i", { class: "track", "aria-hidden": "true" }, fill(share));
}

/** @param {number} share */
function fill(share) {
  return h("i", { class: "fill", style: `width: ${(100 * share).toFixed(1)}%` });
}

/**
 * A dot for each image on a line of time, the same for all people; the band holds half of them.
 *
 * @param {Person} one
 * @param {number} longest
 */
function strip({ times, median, low, high }, longest) {
  if (median === null || low === null || high === null) return small("no answers yet");
  const top = Math.log10(longest + 1);
  const at = (/** @type {number} */ time) =>
    Math.round((1560 * Math.log10(time + 1)) / top) / 10 + 2;
  const band = { class: "band", x: at(low), y: 2, height: 14 };
  return s(
    "svg",
    { class: "strip", viewBox: "0 0 160 18", "aria-hidden": "true" },
    s("line", { class: "axis", x1: 2, x2: 158, y1: 17, y2: 17 }),
    s("rect", { ...band, width: Math.max(1, at(high) - at(low)) }),
    s("line", { class: "median", x1: at(median), x2: at(median), y1: 1, y2: 17 }),
    ...times.map((time, place) => s("circle", { cx: at(time), cy: 5 + 4 * (place % 3), r: 1.8 })),
  );
}

/**
 * How often each sum was given, from 0 to 27.
 *
 * @param {number[]} sums
 */
function histogram(sums) {
  const most = Math.max(...sums);
  if (!most) return "";
  const bars = sums.map((count, sum) => {
    const height = (15 * count) / most;
    return s("rect", { x: 4 * sum, y: 16 - height, width: 3, height });
  });
  const box = { class: "sums", viewBox: "0 0 112 18", "aria-hidden": "true" };
  return s("svg", box, s("line", { class: "axis", x1: 0, x2: 112, y1: 17, y2: 17 }), ...bars);
}

/**
 * @param {number} place Of its head.
 * @param {...(Node|string)} children
 */
function cell(place, ...children) {
  return h("td", { role: "cell", "data-title": HEADS[place] }, ...children);
}

/** @param {string} text */
function small(text) {
  return text ? h("small", {}, text) : "";
}
