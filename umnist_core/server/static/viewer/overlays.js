/**
 * What is drawn over the image: the digits, the shapes, the places that a model looked at, the
 * pointer of the other pane.
 *
 * An SVG layer of our own, redrawn from the view in every frame in which the image
 * is: OpenSeadragon's own overlays are HTML elements that may sit a pixel off.
 * Every line is drawn twice, a dark one under a light one, so that it is seen on
 * black, on white and on noise of both.
 */

import { s, set } from "../hall/dom.js";
import { placeLabels } from "./labels.js";
import { LABEL_HEIGHT_PX, doubled, drawnMarks, labelWidth, plateLabel } from "./look_marks.js";

/**
 * @typedef {import("../hall/view.js").View} View
 * @typedef {import("../hall/view.js").Size} Size
 * @typedef {{id: number, label: number|string, box: number[], ink?: number[], side: number,
 *            words?: string, by?: number}} Digit A digit, or whatever else somebody drew a box around;
 *   `words` stand behind its label instead of its side, and `by` is whose it is, 0 to 5.
 * @typedef {{kind: "circle", x: number, y: number, r: number}
 *          |{kind: string, points: number[][]}} Shape
 */

/** A box smaller than this on screen gets a ring around it, CSS px. */
const SMALL_PX = 12;
const RING_PX = 13;

export class Overlay {
  /** @param {SVGElement} layer */
  constructor(layer) {
    this.layer = layer;
    this.shapeGroup = s("g", { class: "shapes" });
    this.lookGroup = s("g", { class: "looks" });
    this.digitGroup = s("g", { class: "digits" });
    this.cursor = doubled("path", "cursor", { d: "M-9 0H-3M3 0H9M0-9V-3M0 3V9" });
    this.cursorGroup = s("g", { visibility: "hidden" }, ...this.cursor);
    layer.append(this.shapeGroup, this.lookGroup, this.digitGroup, this.cursorGroup);
    this.digits = [];
    this.looks = [];
    this.lookMarks = null;
    /** @type {import("../hall/bus.js").Extra|null} */
    this.extra = null;
    this.shapes = [];
    /** @type {{x: number, y: number}|null} */
    this.pointer = null;
    /** What else is drawn. @type {{draw: (toScreen: any, zoom: number, pane: Size) => void}[]} */
    this.extras = [];
  }

  /**
   * @param {Digit[]} digits
   * @param {Shape[]} shapes
   * @param {import("../hall/bus.js").Overlays} overlays
   */
  show(digits, shapes, overlays) {
    this.digits = overlays.answer ? digits.map((digit) => new DigitMark(digit)) : [];
    this.shapes = overlays.shapes ? shapes.map((shape) => new ShapeMark(shape)) : [];
    this.digitGroup.replaceChildren(...this.digits.map((mark) => mark.element));
    this.shapeGroup.replaceChildren(...this.shapes.flatMap((mark) => mark.lines));
  }

  /**
   * @param {import("./look_marks.js").LookMark[]} marks
   * @param {boolean} isStale Whether the picture has changed since.
   */
  showLook(marks, isStale) {
    this.lookGroup.classList.toggle("stale", isStale);
    if (marks === this.lookMarks) return;
    this.lookMarks = marks;
    this.looks = drawnMarks(marks);
    this.lookGroup.replaceChildren(...this.looks.map(({ element }) => element));
  }

  /** @param {import("../hall/bus.js").Extra|null} extra What others draw, under the pointer. */
  showExtra(extra) {
    if (extra === this.extra) return;
    this.extra?.element.remove();
    this.extras = this.extras.filter((one) => one !== this.extra);
    this.extra = extra;
    if (!extra) return;
    this.extras.push(extra);
    this.layer.insertBefore(extra.element, this.cursorGroup);
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
    for (const mark of this.looks) mark.drawBox(project);
    for (const mark of this.digits) mark.drawBoxes(project);
    this.#drawLabels(pane);
    this.#drawCursor(toScreen);
    for (const one of this.extras) one.draw(toScreen, view.zoom, pane);
  }

  #drawLabels(pane) {
    for (const mark of this.digits) mark.label.hide();
    const looks = this.looks.filter(({ isLabelled }) => isLabelled).reverse();
    const seen = [...this.digits, ...looks].filter(({ frame }) => inView(frame, pane));
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

/**
 * @param {Digit} digit
 * @returns {string} What stands behind its label.
 */
export function sizeWords({ side, words }) {
  return words ?? `${side} px`;
}

/** One digit: its square, its ink box, a ring where these are tiny, its label. */
class DigitMark {
  /** @param {Digit} digit */
  constructor(digit) {
    this.digit = digit;
    const text = `${digit.label} · ${sizeWords(digit)}`;
    this.width = labelWidth(text);
    this.square = doubled("rect", "box");
    this.ink = digit.ink ? doubled("rect", "ink") : [];
    this.ring = doubled("circle", "ring", { r: RING_PX });
    this.label = plateLabel(text, this.width);
    this.element = s(
      "g",
      { "data-digit": digit.id, class: digit.by === undefined ? "" : `by by-${digit.by}` },
      ...[...this.square, ...this.ink, ...this.ring, this.label.element],
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

  /** @param {import("./labels.js").LabelPlace} place */
  drawLabel(place) {
    this.label.show(place, this.frame);
  }
}

/** The outline of a circle or of a shape with corners. */
class ShapeMark {
  /** @param {Shape} shape */
  constructor(shape) {
    this.shape = shape;
    this.lines = doubled("r" in shape ? "circle" : "polygon", "shape");
  }

  draw(toScreen, zoom) {
    const { shape } = this;
    for (const line of this.lines) {
      if ("r" in shape) {
        const { x, y } = toScreen(shape.x, shape.y);
        set(line, { cx: x, cy: y, r: shape.r * zoom });
      } else {
        const points = shape.points.map(([x, y]) => Object.values(toScreen(x, y)).join(","));
        set(line, { points: points.join(" ") });
      }
    }
  }
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
