/**
 * Measuring in image px: the distance of two pixels, or the box that they span.
 *
 * With a mouse or a finger from one to the other; with the keyboard the pixel in the middle of the
 * view is one end and then the other. What was measured stays until it is closed, in all panes.
 *
 * @typedef {{x: number, y: number}} Point Of the canvas, image px.
 * @typedef {"distance"|"box"} Tool
 */

import { copied } from "../hall/clipboard.js";
import { h, s, set } from "../hall/dom.js";
import { LABEL_HEIGHT_PX, doubled, labelWidth, plateLabel } from "./look_marks.js";

const HINT = {
  distance: "Drag from one pixel to another, or press Enter at each of the two.",
  box: "Drag over a box, or press Enter at two of its corners.",
};
const SAID_MS = 2500;
const GAP_PX = 8;

/**
 * The pixel at a point, by its column and row.
 *
 * @param {Point} point
 * @param {import("../hall/view.js").Size} image
 * @returns {Point}
 */
export function pixelAt({ x, y }, { width, height }) {
  const within = (value, length) => Math.min(Math.max(Math.floor(value), 0), length - 1);
  return { x: within(x, width), y: within(y, height) };
}

/**
 * What is between two pixels, in words that are copied.
 *
 * @param {Tool} tool
 * @param {Point} from Column and row.
 * @param {Point} to
 */
export function measured(tool, from, to) {
  const [across, down] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
  if (tool === "box") {
    const [x, y] = [Math.min(from.x, to.x), Math.min(from.y, to.y)];
    return {
      short: `${across + 1} × ${down + 1} px`,
      whole: `x ${x}, y ${y}, ${across + 1} × ${down + 1} px`,
    };
  }
  const length = `${Number(Math.hypot(across, down).toFixed(1))} px`;
  return {
    short: length,
    whole: `${from.x}, ${from.y} to ${to.x}, ${to.y}: ${length} (${across} across, ${down} down)`,
  };
}

export class Measure {
  /** @param {(text: string) => void} announce Says something to screen readers. */
  constructor(announce) {
    this.announce = announce;
    /** @type {Tool|null} */
    this.tool = null;
    /** @type {Point|null} */
    this.from = null;
    /** @type {Point|null} */
    this.to = null;
    /** Whether the second end is still to be set. */
    this.isOpen = false;
    /** Whether the keyboard has set the first end, and the view's middle is the second. */
    this.isByKey = false;
    /** @type {Map<any, Mark>} By pane. */
    this.marks = new Map();
    this.words = h("span", { class: "figure" });
    this.copy = h("button", { type: "button", click: () => this.#copy() }, "Copy");
    const close = h("button", { type: "button", click: () => this.close() }, "Close");
    this.element = h(
      "div",
      { class: "measure", role: "group", "aria-label": "Measuring", hidden: "" },
      ...[this.words, this.copy, close],
    );
  }

  /** @param {Tool} tool Begun, or ended where it was begun. */
  toggle(tool) {
    if (this.tool === tool) {
      this.close();
      return;
    }
    this.#reset();
    this.tool = tool;
    this.announce(HINT[tool]);
    this.#draw();
  }

  close() {
    this.#reset();
    this.tool = null;
    this.#draw();
  }

  /** @param {import("./pane.js").Pane} pane */
  attach(pane) {
    const mark = new Mark(pane.layer);
    this.marks.set(pane, mark);
    pane.overlay.extras.push(mark);
    const place = (event) => pixelAt(pane.pointAt(event), pane.image);
    const { stage } = pane;
    stage.addEventListener(
      "pointerdown",
      (event) => {
        if (!this.tool || !event.isPrimary || event.button !== 0) return;
        event.stopPropagation(); // or the picture would be moved
        stage.setPointerCapture(event.pointerId);
        this.from = place(event);
        this.to = this.from;
        this.isOpen = true;
        pane.viewer.canvas.focus({ preventScroll: true });
        this.#draw();
      },
      { capture: true },
    );
    stage.addEventListener("pointermove", (event) => {
      if (!this.isOpen || !stage.hasPointerCapture(event.pointerId)) return;
      this.to = place(event);
      this.#draw();
    });
    const end = (event) => {
      if (this.isOpen && stage.hasPointerCapture(event.pointerId)) this.#end();
    };
    stage.addEventListener("pointerup", end);
    stage.addEventListener("pointercancel", end);
    stage.addEventListener("keydown", (event) => this.#key(event, pane));
    this.#draw();
  }

  /** @param {import("./pane.js").Pane} pane */
  detach(pane) {
    this.marks.delete(pane);
  }

  /** The view has moved. @param {import("./pane.js").Pane} lead */
  follow(lead) {
    if (!this.isByKey) return;
    this.to = pixelAt(lead.view, lead.image);
    this.#draw();
  }

  #key(event, pane) {
    if (!this.tool || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter") this.#set(pixelAt(pane.view, pane.image));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Point} pixel An end, by the keyboard. */
  #set(pixel) {
    if (this.isByKey) {
      this.to = pixel;
      this.#end();
      return;
    }
    this.from = pixel;
    this.to = pixel;
    this.isByKey = true;
    this.isOpen = true;
    this.announce(`From ${pixel.x}, ${pixel.y}; move, and press Enter at the other end.`);
    this.#draw();
  }

  #end() {
    this.isOpen = false;
    this.isByKey = false;
    this.#draw();
    this.announce(this.#words.whole);
  }

  #reset() {
    this.from = null;
    this.to = null;
    this.isOpen = false;
    this.isByKey = false;
  }

  get #words() {
    const { tool, from, to } = this;
    return tool && from && to ? measured(tool, from, to) : { short: "", whole: "" };
  }

  #draw() {
    const { tool, from, to } = this;
    this.element.hidden = tool === null;
    const { short, whole } = this.#words;
    this.words.textContent = whole || (tool && HINT[tool]);
    this.copy.hidden = !whole || this.isOpen;
    for (const [pane, mark] of this.marks) {
      pane.element.classList.toggle("measures", tool !== null);
      mark.show(from && to ? { tool, from, to, text: short } : null);
      pane.drawOverlay();
    }
  }

  async #copy() {
    const worked = await copied(this.#words.whole);
    this.copy.textContent = worked ? "Copied" : "Not copied";
    setTimeout(() => (this.copy.textContent = "Copy"), SAID_MS);
  }
}

/** What was measured, drawn over one pane. */
class Mark {
  /** @param {SVGElement} layer */
  constructor(layer) {
    this.group = s("g", { class: "measured" });
    layer.append(this.group);
    /** @type {{tool: Tool, from: Point, to: Point}|null} */
    this.shown = null;
  }

  /** @param {{tool: Tool, from: Point, to: Point, text: string}|null} shown */
  show(shown) {
    this.shown = shown;
    if (!shown) {
      this.group.replaceChildren();
      return;
    }
    this.lines = doubled("path", "measured");
    this.width = labelWidth(shown.text);
    this.label = plateLabel(shown.text, this.width, "measured");
    this.group.replaceChildren(...this.lines, this.label.element);
  }

  /**
   * @param {(x: number, y: number) => Point} toScreen
   * @param {number} zoom
   * @param {import("../hall/view.js").Size} pane
   */
  draw(toScreen, zoom, pane) {
    if (!this.shown) return;
    const { tool, from, to } = this.shown;
    const path = tool === "box" ? boxPath(from, to, toScreen) : linePath(from, to, toScreen);
    for (const line of this.lines) set(line, { d: path });
    const end = toScreen(to.x + 0.5, to.y + 0.5);
    const half = tool === "box" ? zoom / 2 : 0;
    const below = to.y >= from.y;
    const x = Math.min(Math.max(end.x + half + GAP_PX, GAP_PX), pane.width - this.width - GAP_PX);
    const y = end.y + (below ? half + GAP_PX : -half - GAP_PX - LABEL_HEIGHT_PX);
    const most = pane.height - LABEL_HEIGHT_PX - GAP_PX;
    this.label.show(
      { x, y: Math.min(Math.max(y, GAP_PX), most), away: false },
      { x: end.x, y: end.y, width: 0, height: 0 },
    );
  }
}

/** From the middle of one pixel to that of the other, with a cross at each. */
function linePath(from, to, toScreen) {
  const [start, end] = [from, to].map(({ x, y }) => toScreen(x + 0.5, y + 0.5));
  const cross = ({ x, y }) => `M${x - 6} ${y}H${x + 6}M${x} ${y - 6}V${y + 6}`;
  return `M${start.x} ${start.y}L${end.x} ${end.y}${cross(start)}${cross(end)}`;
}

/** Around both pixels. */
function boxPath(from, to, toScreen) {
  const first = toScreen(Math.min(from.x, to.x), Math.min(from.y, to.y));
  const last = toScreen(Math.max(from.x, to.x) + 1, Math.max(from.y, to.y) + 1);
  return `M${first.x} ${first.y}H${last.x}V${last.y}H${first.x}Z`;
}
