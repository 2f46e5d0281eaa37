/**
 * The images of a folder, as a row of small pictures: a click opens one, a name finds some.
 *
 * Only what is in sight is there, so that a folder may hold any number.
 *
 * @typedef {object} StripData
 * @property {string} place The address of the folder, of the app.
 * @property {number} count
 * @property {number} current Number of the image that is open.
 *
 * @typedef {{onOpen: (number: number) => void}} StripCallbacks
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { reach } from "../hall/reach.js";
import { atHome } from "../hall/home.js";

/** Of an item with the gap to the next, CSS px. */
const STEP_PX = 88;

/** Items that are there on either side of what is in sight. */
const SPARE = 4;

/** So long the row stays before pictures are asked for, lest a long way asks for all. */
const SETTLE_MS = 120;

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {StripData} data
 * @param {StripCallbacks} callbacks
 * @returns {{update: (data: StripData) => void, destroy: () => void}}
 */
export function mountStrip(parentElement, data, callbacks) {
  const strip = new Strip(parentElement, data, callbacks);
  return { update: (next) => strip.update(next), destroy: () => strip.destroy() };
}

class Strip {
  constructor(parentElement, data, callbacks) {
    this.callbacks = callbacks;
    this.left = new AbortController();
    /** Names of all images; none until they have come. @type {string[]} */
    this.names = [];
    /** Numbers of those that are found. @type {number[]} */
    this.found = [];
    /** Place in `found` that the keys are at. */
    this.active = 0;
    /** @type {Map<number, HTMLElement>} By number. */
    this.items = new Map();
    this.#build();
    this.styles = styleSheet("own/own.css", parentElement);
    parentElement.append(this.root);
    this.resizing = new ResizeObserver(() => this.#draw());
    this.resizing.observe(this.row);
    this.styles.loaded.then(
      () => this.#showCurrent(),
      () => undefined, // it works without looking like itself
    );
    this.update(data);
  }

  /** @param {StripData} data */
  update(data) {
    const before = this.data;
    this.data = data;
    if (data.place !== before?.place) {
      this.names = [];
      this.input.value = "";
      this.#clear();
      this.#find();
      this.#loadNames();
    }
    if (data.place !== before?.place || data.current !== before?.current) this.#showCurrent();
    this.#draw();
  }

  destroy() {
    this.left.abort();
    this.resizing.disconnect();
    clearTimeout(this.timer);
    this.root.remove();
    this.styles.element.remove();
  }

  #build() {
    this.input = h("input", {
      type: "search",
      placeholder: "Part of a name",
      "aria-label": "Find an image by its name",
      autocomplete: "off",
      spellcheck: "false",
      input: () => this.#find(),
      keydown: (event) => {
        if (event.key === "Enter" && this.found.length) this.#open(this.found[0]);
      },
    });
    this.count = h("span", { class: "count", role: "status" });
    this.track = h("div", { class: "track", role: "presentation" });
    this.row = h(
      "div",
      {
        class: "row",
        role: "listbox",
        tabindex: "0",
        "aria-label": "Images of the folder",
        "aria-orientation": "horizontal",
        scroll: () => this.#draw(),
        keydown: (event) => this.#key(event),
        wheel: (event) => this.#wheel(event),
      },
      this.track,
    );
    this.root = h(
      "div",
      { class: "umnist-strip", role: "group", "aria-label": "Folder" },
      h("div", { class: "find" }, this.input, this.count),
      this.row,
    );
  }

  async #loadNames() {
    const { place } = this.data;
    try {
      const response = await reach(`${place}/names.json`, { signal: this.left.signal });
      const { names } = await response.json();
      if (place !== this.data.place || !Array.isArray(names)) return;
      this.names = names;
    } catch {
      return; // pictures say enough
    }
    this.#clear();
    this.#find();
  }

  #find() {
    const text = this.input.value.trim().toLowerCase();
    const all = Array.from({ length: this.data.count }, (_, number) => number);
    this.found = text ? all.filter((one) => this.#name(one).toLowerCase().includes(text)) : all;
    const { length } = this.found;
    this.count.textContent = text ? `${length} of ${this.data.count}` : "";
    this.count.hidden = !text;
    this.track.style.width = `${length * STEP_PX}px`;
    this.#clear();
    this.#showCurrent();
  }

  #clear() {
    this.items.clear();
    this.track.replaceChildren();
  }

  #name(number) {
    return this.names[number] ?? String(number);
  }

  #open(number) {
    if (number !== this.data.current) this.callbacks.onOpen(number);
  }

  /** Bring the image that is open into sight, if it is among those that are found. */
  #showCurrent() {
    const place = this.found.indexOf(this.data.current);
    this.active = Math.max(place, 0);
    this.#show(this.active);
  }

  #show(place) {
    const middle = place * STEP_PX - (this.row.clientWidth - STEP_PX) / 2;
    this.row.scrollLeft = Math.max(middle, 0);
    this.#draw();
  }

  #key(event) {
    const last = this.found.length - 1;
    const page = Math.max(Math.floor(this.row.clientWidth / STEP_PX), 1);
    const places = {
      ArrowLeft: this.active - 1,
      ArrowRight: this.active + 1,
      PageUp: this.active - page,
      PageDown: this.active + page,
      Home: 0,
      End: last,
    };
    if (event.key in places) {
      this.active = Math.min(Math.max(places[event.key], 0), last);
      this.#show(this.active);
    } else if (["Enter", " "].includes(event.key) && last >= 0) {
      this.#open(this.found[this.active]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** A wheel turns one way, and the row runs the other. */
  #wheel(event) {
    if (Math.abs(event.deltaX) >= Math.abs(event.deltaY)) return;
    const before = this.row.scrollLeft;
    this.row.scrollLeft += event.deltaY;
    if (this.row.scrollLeft !== before) event.preventDefault();
  }

  #draw() {
    const first = Math.max(Math.floor(this.row.scrollLeft / STEP_PX) - SPARE, 0);
    const across = Math.ceil(this.row.clientWidth / STEP_PX) + 2 * SPARE;
    const shown = this.found.slice(first, first + across);
    const wanted = new Set(shown);
    for (const [number, item] of this.items) {
      if (wanted.has(number)) continue;
      item.remove();
      this.items.delete(number);
    }
    shown.forEach((number, offset) => this.#drawItem(number, first + offset));
    const active = this.items.get(this.found[this.active]);
    if (active) this.row.setAttribute("aria-activedescendant", active.id);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#loadPictures(), SETTLE_MS);
  }

  #drawItem(number, place) {
    const item = this.items.get(number) ?? this.#makeItem(number);
    item.style.left = `${place * STEP_PX + 2}px`;
    item.setAttribute("aria-selected", String(number === this.data.current));
    item.setAttribute("aria-posinset", String(place + 1));
    item.setAttribute("aria-setsize", String(this.found.length));
    item.classList.toggle("active", place === this.active);
  }

  #makeItem(number) {
    const name = this.#name(number);
    const item = h(
      "div",
      {
        class: "item",
        role: "option",
        id: `umnist-strip-${number}`,
        "aria-label": name,
        title: name,
        click: () => this.#open(number),
      },
      h("div", { class: "face" }),
      h("div", { class: "name" }, name),
    );
    this.items.set(number, item);
    this.track.append(item);
    return item;
  }

  #loadPictures() {
    for (const [number, item] of this.items) {
      const face = item.firstElementChild;
      if (face.hasChildNodes()) continue;
      const failed = () => face.replaceChildren("–");
      face.append(
        h("img", { alt: "", src: atHome(`${this.data.place}/${number}.png`), error: failed }),
      );
    }
  }
}
