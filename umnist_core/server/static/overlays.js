/**
 * What is drawn over the image: the digits, the shapes, the pointer of the other pane.
 *
 * An SVG layer of our own, redrawn from the view in every frame in which the image
 * is: OpenSeadragon's own overlays are HTML elements that may sit a pixel off.
 * Every line is drawn twice, a dark one under a light one, so that it is seen on
 * black, on white and on noise of both.
 */

import { s, set } from "./dom.js";
import { placeLabels } from "./labels.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./view.js").Size} Size
 * @typedef {{id: number, label: number, box: number[], ink?: number[], side: number}} Digit
 * @typedef {{kind: "circle", x: number, y: number, r: number}
 *          |{kind: "triangle", points: number[][]}} Shape
 */

/** A box smaller than this on screen gets a ring around it, CSS px. */
const SMALL_PX = 12;
const RING_PX = 13;
const LABEL_HEIGHT_PX = 20;
const LABEL_PADDING_PX = 6;
/** Width of one character of a label; its digits are tabular. */
const CHARACTER_PX = 7;

export class Overlay {
  /** @param {SVGElement} layer */
  constructor(layer) {
    this.layer = layer;
    this.shapeGroup = s("g", { class: "shapes" });
    this.digitGroup = s("g", { class: "digits" });
    this.cursor = doubled("path", "cursor", { d: "M-9 0H-3M3 0H9M0-9V-3M0 3V9" });
    this.cursorGroup = s("g", { visibility: "hidden" }, ...this.cursor);
    layer.append(this.shapeGroup, this.digitGroup, this.cursorGroup);
    this.digits = [];
    this.shapes = [];
    /** @type {{x: number, y: number}|null} */
    this.pointer = null;
  }

  /**
   * @param {Digit[]} digits
   * @param {Shape[]} shapes
   * @param {import("./bus.js").Overlays} overlays
   */
  show(digits, shapes, overlays) {
    this.digits = overlays.answer ? digits.map((digit) => new DigitMark(digit)) : [];
    this.shapes = overlays.shapes ? shapes.map((shape) => new ShapeMark(shape)) : [];
    this.digitGroup.replaceChildren(...this.digits.map((mark) => mark.element));
    this.shapeGroup.replaceChildren(...this.shapes.flatMap((mark) => mark.lines));
  }

  /**
   * @param {View} view
   * @param {Size} pane
   */
  draw(view, pane) {
    const toScreen = (x, y) => ({
      x: (x - view.x) * view.zoom + pane.width / 2,
      y: (y - view.y) * view.zoom + pane.height / 2,
    });
    const project = ([x, y, width, height]) => ({
      ...toScreen(x, y),
      width: width * view.zoom,
      height: height * view.zoom,
    });
    for (const mark of this.shapes) mark.draw(toScreen, view.zoom);
    for (const mark of this.digits) mark.drawBoxes(project);
    this.#drawLabels(pane);
    this.#drawCursor(toScreen);
  }

  #drawLabels(pane) {
    const seen = this.digits.filter(({ frame }) => inView(frame, pane));
    for (const mark of this.digits) mark.label.setAttribute("visibility", "hidden");
    const places = placeLabels(
      seen.map(({ frame, width }) => ({ box: frame, width, height: LABEL_HEIGHT_PX })),
      pane,
    );
    seen.forEach((mark, index) => mark.drawLabel(places[index]));
  }

  #drawCursor(toScreen) {
    set(this.cursorGroup, { visibility: this.pointer ? "visible" : "hidden" });
    if (!this.pointer) return;
    const { x, y } = toScreen(this.pointer.x, this.pointer.y);
    set(this.cursorGroup, { transform: `translate(${x} ${y})` });
  }
}

/** One digit: its square, its ink box, a ring where these are tiny, its label. */
class DigitMark {
  /** @param {Digit} digit */
  constructor(digit) {
    this.digit = digit;
    const text = `${digit.label} · ${digit.side} px`;
    this.width = text.length * CHARACTER_PX + 2 * LABEL_PADDING_PX;
    this.square = doubled("rect", "box");
    this.ink = digit.ink ? doubled("rect", "ink") : [];
    this.ring = doubled("circle", "ring", { r: RING_PX });
    this.leader = doubled("line", "leader");
    this.plate = s("rect", { class: "plate", width: this.width, height: LABEL_HEIGHT_PX, rx: 3 });
    this.text = s("text", { class: "digit-text" }, text);
    this.label = s("g", {}, ...this.leader, this.plate, this.text);
    this.element = s(
      "g",
      { "data-digit": digit.id },
      ...[...this.square, ...this.ink, ...this.ring, this.label],
    );
  }

  /** @param {(box: number[]) => import("./labels.js").Rect} project */
  drawBoxes(project) {
    const box = project(this.digit.box);
    const small = Math.min(box.width, box.height) < SMALL_PX;
    const [centreX, centreY] = [box.x + box.width / 2, box.y + box.height / 2];
    /** What the label keeps clear of. */
    this.frame = small ? around(centreX, centreY, RING_PX) : box;
    for (const line of this.square) set(line, box);
    for (const line of this.ink) set(line, project(this.digit.ink));
    for (const line of this.ring) set(line, { cx: centreX, cy: centreY });
    show([...this.square, ...this.ink], !small);
    show(this.ring, small);
  }

  /** @param {import("./labels.js").Place} place */
  drawLabel({ x, y, away }) {
    this.label.setAttribute("visibility", "visible");
    set(this.plate, { x, y });
    set(this.text, { x: x + this.width / 2, y: y + LABEL_HEIGHT_PX / 2 });
    show(this.leader, away);
    const frame = this.frame;
    const end = { x2: frame.x + frame.width / 2, y2: frame.y + frame.height / 2 };
    const start = { x1: x + this.width / 2, y1: y + LABEL_HEIGHT_PX / 2 };
    for (const line of this.leader) set(line, { ...start, ...end });
  }
}

/** The outline of a circle or a triangle. */
class ShapeMark {
  /** @param {Shape} shape */
  constructor(shape) {
    this.shape = shape;
    this.lines = doubled(shape.kind === "circle" ? "circle" : "polygon", "shape");
  }

  draw(toScreen, zoom) {
    const { shape } = this;
    for (const line of this.lines) {
      if (shape.kind === "circle") {
        const { x, y } = toScreen(shape.x, shape.y);
        set(line, { cx: x, cy: y, r: shape.r * zoom });
      } else {
        const points = shape.points.map(([x, y]) => Object.values(toScreen(x, y)).join(","));
        set(line, { points: points.join(" ") });
      }
    }
  }
}

/** The same line twice: dark and wide below, light and thin above. */
function doubled(tag, name, attributes = {}) {
  return [
    s(tag, { ...attributes, class: `${name} casing` }),
    s(tag, { ...attributes, class: `${name} line` }),
  ];
}

function show(elements, visible) {
  for (const element of elements) element.style.display = visible ? "" : "none";
}

function around(x, y, radius) {
  return { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius };
}

function inView({ x, y, width, height }, pane) {
  return x < pane.width && y < pane.height && x + width > 0 && y + height > 0;
}
