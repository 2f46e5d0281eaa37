/**
 * Boxes drawn over the image, in every frame in which the image is.
 *
 * Every line is drawn twice, dark under light, so that it is seen on black, on white and on noise
 * of both; lines and labels are of one size at any zoom.
 *
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {import("./shapes.js").Shape} Shape
 * @typedef {import("./shapes.js").Point} Point
 */

import { s, set } from "../hall/dom.js";
import { doubled } from "../viewer/look_marks.js";
import { handlesOf } from "./shapes.js";

/** Of a label, CSS px. */
const PLATE = { width: 24, height: 24 };

const HANDLE_PX = 10;

/** A box is drawn no smaller than this, CSS px, around the same middle. */
const LEAST_PX = 5;

export class BoxLayer {
  /** @param {Drawing} drawing */
  constructor(drawing) {
    this.drawing = drawing;
    this.ownGroup = s("g", { class: "own" });
    this.handleGroup = s("g", { class: "handles" });
    this.element = s("g", { class: "boxes" }, this.ownGroup, this.handleGroup);
    /** @type {Map<number, BoxMark>} By the box's id. */
    this.marks = new Map();
    this.handles = Array.from({ length: 8 }, () =>
      s("rect", { class: "handle", width: HANDLE_PX, height: HANDLE_PX, rx: 2 }),
    );
    this.handleGroup.append(...this.handles);
    this.view = { left: 0, top: 0, zoom: 1 };
    this.pane = { width: 1, height: 1 };
    /** @type {Element|null} */
    this.shownIn = null;
    /** Called with the pane's element once there is one. @type {(pane: Element) => void} */
    this.onPane = () => undefined;
    /** @type {() => boolean} Whether the image has to stay where it is under a drag. */
    this.holds = () => false;
    drawing.addEventListener("change", () => this.#bring());
    this.#bring();
  }

  /**
   * @param {(x: number, y: number) => Point} toScreen
   * @param {number} zoom
   * @param {import("../hall/view.js").Size} pane
   */
  draw(toScreen, zoom, pane) {
    const { x, y } = toScreen(0, 0);
    this.view = { left: x, top: y, zoom };
    this.pane = pane;
    const element = this.element.closest(".pane");
    if (element && element !== this.shownIn) {
      this.shownIn = element;
      this.onPane(element);
    }
    this.redraw();
  }

  redraw() {
    for (const mark of this.marks.values()) mark.draw(this.shown(mark.box), this.pane);
    this.#drawHandles();
  }

  /**
   * @param {Shape} box
   * @returns {Shape} On screen, CSS px in the pane.
   */
  shown({ x, y, width, height }) {
    const { left, top, zoom } = this.view;
    return { x: left + x * zoom, y: top + y * zoom, width: width * zoom, height: height * zoom };
  }

  /** @param {Shape} box @returns {boolean} Whether all of it is on screen. */
  isInView(box) {
    const { x, y, width, height } = this.shown(box);
    return x >= 0 && y >= 0 && x + width <= this.pane.width && y + height <= this.pane.height;
  }

  /** @param {Point} point CSS px in the pane. */
  toImage({ x, y }) {
    const { left, top, zoom } = this.view;
    return { x: (x - left) / zoom, y: (y - top) / zoom };
  }

  /** @param {number} id @returns {Shape|null} Where a box's label is, CSS px; null out of view. */
  plateOf(id) {
    return this.marks.get(id)?.plateAt ?? null;
  }

  /** Bring the marks in line with the boxes. */
  #bring() {
    const { boxes, chosen } = this.drawing;
    const ids = new Set(boxes.map(({ id }) => id));
    for (const [id, mark] of this.marks) {
      if (ids.has(id)) continue;
      mark.element.remove();
      this.marks.delete(id);
    }
    for (const box of boxes) {
      let mark = this.marks.get(box.id);
      if (!mark) {
        mark = new BoxMark();
        this.marks.set(box.id, mark);
        this.ownGroup.append(mark.element);
      }
      mark.box = box;
      mark.setText(String(box.label ?? "?"));
      mark.element.classList.toggle("picked", box.id === chosen);
      mark.element.classList.toggle("unnamed", box.label === null);
    }
    this.redraw();
  }

  #drawHandles() {
    const { box } = this.drawing;
    const places = box ? handlesOf(this.shown(box)) : [];
    this.handles.forEach((handle, place) => {
      const at = places[place];
      handle.style.display = at ? "" : "none";
      if (at) set(handle, { x: at.x - HANDLE_PX / 2, y: at.y - HANDLE_PX / 2 });
    });
  }
}

/** One outline and its label. */
class BoxMark {
  constructor() {
    /** @type {Shape} */
    this.box = { x: 0, y: 0, width: 1, height: 1 };
    /** @type {Shape|null} */
    this.plateAt = null;
    this.lines = doubled("rect", "box");
    this.plate = s("rect", { class: "plate", ...PLATE, rx: 3 });
    this.words = s("text", { class: "digit-text" });
    this.label = s("g", {}, this.plate, this.words);
    this.element = s("g", { class: "drawn" }, ...this.lines, this.label);
  }

  /** @param {string} text */
  setText(text) {
    if (this.words.textContent !== text) this.words.textContent = text;
  }

  /**
   * @param {Shape} shown
   * @param {import("../hall/view.js").Size} pane
   */
  draw(shown, pane) {
    const { x, y, width, height } = shown;
    const isInView = x < pane.width && y < pane.height && x + width > 0 && y + height > 0;
    this.element.style.display = isInView ? "" : "none";
    this.plateAt = null;
    if (!isInView) return;
    const [wide, high] = [Math.max(width, LEAST_PX), Math.max(height, LEAST_PX)];
    const frame = { x: x - (wide - width) / 2, y: y - (high - height) / 2 };
    for (const line of this.lines) set(line, { ...frame, width: wide, height: high });
    const top = frame.y - PLATE.height - 2;
    const at = {
      x: Math.min(Math.max(frame.x, 0), pane.width - PLATE.width),
      y: Math.min(top < 0 ? Math.max(frame.y + 3, 3) : top, pane.height - PLATE.height),
    };
    this.plateAt = { ...at, ...PLATE };
    set(this.label, { transform: `translate(${at.x} ${at.y})` });
    set(this.words, { x: PLATE.width / 2, y: PLATE.height / 2 });
  }
}
