/**
 * The places that a model looked at or found, outlined over the image.
 *
 * @typedef {object} LookMark
 * @property {number[]} box x, y, width, height in image px
 * @property {string} text Such as the weight.
 * @property {number} strength 0 to 1; the strongest get their labels first.
 * @property {"patch"|"found"|"seen"|"missed"} kind
 */

import { s, set } from "../hall/dom.js";

export const LABEL_HEIGHT_PX = 20;

/** So many labels can be read; the other marks are outlines alone. */
const MOST_LABELS = 24;

/** A box is drawn no smaller than this, CSS px, around the same middle. */
const LEAST_PX = 6;

const LABEL_PADDING_PX = 6;

/** What was looked at a while ago. */
const FAINT = 0.3;

/** Width of one character of a label; its digits are tabular. */
const CHARACTER_PX = 7;

/**
 * The marks in the order in which they are drawn, the strongest last.
 *
 * @param {LookMark[]} marks
 * @returns {DrawnMark[]}
 */
export function drawnMarks(marks) {
  const strongest = [...marks].sort((a, b) => b.strength - a.strength);
  return strongest.map((mark, rank) => new DrawnMark(mark, rank < MOST_LABELS)).reverse();
}

/** One outline and its label. */
export class DrawnMark {
  /**
   * @param {LookMark} mark
   * @param {boolean} isLabelled
   */
  constructor(mark, isLabelled) {
    this.mark = mark;
    this.isLabelled = isLabelled && mark.text !== "";
    this.width = labelWidth(mark.text);
    this.lines = doubled("rect", `look ${mark.kind}`);
    this.label = plateLabel(mark.text, this.width, `look ${mark.kind}`);
    this.element = s("g", { "data-look": mark.kind }, ...this.lines, this.label.element);
    if (mark.kind === "seen") {
      this.element.style.setProperty("--newness", String(mark.strength));
      this.element.style.opacity = String(FAINT + (1 - FAINT) * mark.strength);
    }
  }

  /** @param {(box: number[]) => import("./labels.js").Rect} project */
  drawBox(project) {
    this.frame = noSmaller(project(this.mark.box));
    for (const line of this.lines) set(line, this.frame);
    this.label.hide();
  }

  /** @param {import("./labels.js").LabelPlace} place */
  drawLabel(place) {
    // The number is also in the list; a heap of labels tells nothing.
    if (!place.isCrowded) this.label.show(place, this.frame);
  }
}

/**
 * @param {string} text
 * @returns {number} CSS px
 */
export function labelWidth(text) {
  return text.length * CHARACTER_PX + 2 * LABEL_PADDING_PX;
}

/**
 * A label on a plate, and the line from it to its box where it had to go away.
 *
 * @param {string} text
 * @param {number} width CSS px
 * @param {string} [kind] A class of the plate.
 */
export function plateLabel(text, width, kind = "") {
  const leader = doubled("line", "leader");
  const plate = s("rect", { class: `plate ${kind}`, width, height: LABEL_HEIGHT_PX, rx: 3 });
  const words = s("text", { class: "digit-text" }, text);
  const element = s("g", {}, ...leader, plate, words);
  const show = ({ x, y, away }, frame) => {
    element.setAttribute("visibility", "visible");
    const middle = { x: x + width / 2, y: y + LABEL_HEIGHT_PX / 2 };
    const end = { x2: frame.x + frame.width / 2, y2: frame.y + frame.height / 2 };
    set(plate, { x, y });
    set(words, middle);
    for (const line of leader) {
      line.style.display = away ? "" : "none";
      set(line, { x1: middle.x, y1: middle.y, ...end });
    }
  };
  return { element, show, hide: () => element.setAttribute("visibility", "hidden") };
}

/**
 * The same line twice: dark and wide below, light and thin above.
 *
 * @param {keyof SVGElementTagNameMap} tag
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @returns {SVGElement[]}
 */
export function doubled(tag, name, attributes = {}) {
  return [
    s(tag, { ...attributes, class: `${name} casing` }),
    s(tag, { ...attributes, class: `${name} line` }),
  ];
}

function noSmaller({ x, y, width, height }) {
  const [across, down] = [Math.max(width, LEAST_PX), Math.max(height, LEAST_PX)];
  return { x: x - (across - width) / 2, y: y - (down - height) / 2, width: across, height: down };
}
