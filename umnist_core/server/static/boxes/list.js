/** The boxes as a list beside the image: what is in each, how large it is, and where. */

import { h } from "../hall/dom.js";
import { figure, t } from "../hall/words.js";

/**
 * @typedef {import("./drawing.js").KeptBox} KeptBox
 *
 * @typedef {object} ListCallbacks
 * @property {(box: KeptBox) => void} onReach A row has got the focus.
 * @property {(box: KeptBox) => void} onGo
 * @property {(box: KeptBox) => void} onDelete
 *
 * @typedef {{item: HTMLElement, row: HTMLElement, label: HTMLElement, size: HTMLElement,
 *            remove: HTMLElement, box: KeptBox}} Row
 */

export class BoxList {
  /**
   * @param {ListCallbacks} callbacks
   * @param {readonly HTMLElement[]} ifEmpty What stands there while there is no box.
   */
  constructor(callbacks, ifEmpty) {
    this.callbacks = callbacks;
    /** @type {Map<number, Row>} */
    this.rows = new Map();
    this.empty = h("div", { class: "boxes-empty" }, h("p", {}, t("box.empty")), ...ifEmpty);
    this.list = h("ol", { class: "boxes-list", "aria-label": t("box.boxes") });
    this.element = h("div", { class: "boxes-rows" }, this.empty, this.list);
  }

  /** @param {import("./drawing.js").Drawing} drawing */
  show({ boxes, chosen }) {
    const ids = new Set(boxes.map(({ id }) => id));
    for (const [id, { item }] of this.rows) {
      if (ids.has(id)) continue;
      item.remove();
      this.rows.delete(id);
    }
    boxes.forEach((box, place) => {
      const row = this.rows.get(box.id) ?? this.#make(box);
      row.box = box;
      if (this.list.children[place] !== row.item) {
        this.list.insertBefore(row.item, this.list.children[place] ?? null);
      }
      this.#write(row, place + 1, box.id === chosen);
    });
    this.empty.hidden = boxes.length > 0;
    this.list.hidden = boxes.length === 0;
  }

  /** @param {number} id The row of a box comes into sight. */
  reveal(id) {
    this.rows.get(id)?.item.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {EventTarget|null} target Whether it is a row, and not the button beside it. */
  isRow(target) {
    return [...this.rows.values()].some(({ row }) => row === target);
  }

  /** @param {KeptBox} box @returns {Row} */
  #make(box) {
    const label = h("strong");
    const size = h("span");
    const row = h("button", { type: "button", class: "boxes-row" }, label, size);
    const { onDelete } = this.callbacks;
    const remove = h("button", { type: "button", class: "boxes-delete" }, "×");
    const item = h("li", {}, row, remove);
    /** @type {Row} */
    const made = { item, row, label, size, remove, box };
    row.addEventListener("focus", () => this.callbacks.onReach(made.box));
    row.addEventListener("click", () => this.callbacks.onGo(made.box));
    remove.addEventListener("click", () => onDelete(made.box));
    this.rows.set(box.id, made);
    return made;
  }

  /**
   * @param {Row} row
   * @param {number} number
   * @param {boolean} isChosen
   */
  #write({ row, label, size, remove, box }, number, isChosen) {
    label.textContent = String(box.label ?? "?");
    size.textContent = `${figure(whole(box.width))} × ${figure(whole(box.height))} px`;
    row.setAttribute("aria-label", t("box.row", { number, ...wordsOf(box) }));
    row.setAttribute("aria-current", String(isChosen));
    remove.setAttribute("aria-label", t("box.delete_one", { number }));
  }
}

/** @param {KeptBox} box */
export function wordsOf({ label, x, y, width, height }) {
  return {
    label: label ?? t("box.unnamed"),
    width: whole(width),
    height: whole(height),
    x: whole(x),
    y: whole(y),
  };
}

/** @param {number} value px */
function whole(value) {
  return Math.max(1, Math.round(value));
}
