/**
 * What a replay draws over the image: where somebody has been close up, the way of the view, the
 * frame of what is in view, and each digit by what has become of it so far.
 *
 * @typedef {import("./moments.js").WayData} WayData
 * @typedef {import("./moments.js").WayDigit} WayDigit
 * @typedef {(x: number, y: number) => {x: number, y: number}} ToScreen
 */

import { s, set } from "../hall/dom.js";
import { doubled } from "../viewer/look_marks.js";
import { closeViews, viewAt } from "./moments.js";

/** Views whose middles are joined by the trail. */
const TRAIL = 60;

/** A digit's ring is drawn no smaller than this, CSS px. */
const LEAST_RING_PX = 11;

export class ReplayLayer {
  constructor() {
    this.close = s("path", { class: "replay-close" });
    this.trail = doubled("polyline", "replay-trail");
    this.frame = doubled("rect", "replay-frame");
    this.rings = s("g");
    this.element = s(
      "g",
      { class: "replay" },
      this.close,
      ...this.trail,
      this.rings,
      ...this.frame,
    );
    /** @type {WayData|null} */
    this.way = null;
    this.t = 0;
    /** @type {DigitRing[]} */
    this.digits = [];
    /** Of the last drawing. @type {[ToScreen, number]|null} */
    this.last = null;
  }

  /** @param {WayData} way */
  show(way) {
    this.way = way;
    this.digits = way.digits.map((digit) => new DigitRing(digit));
    this.rings.replaceChildren(...this.digits.map(({ element }) => element));
  }

  /** @param {number} t ms */
  seek(t) {
    this.t = t;
    if (this.last) this.draw(...this.last);
  }

  /**
   * @param {ToScreen} toScreen
   * @param {number} zoom
   */
  draw(toScreen, zoom) {
    this.last = [toScreen, zoom];
    const { way, t } = this;
    if (!way) return;
    this.#drawClose(way, toScreen, zoom);
    const passed = way.views.filter((one) => one.start_ms <= t).slice(-TRAIL);
    const points = passed.map(({ x, y }) => Object.values(toScreen(x, y)).join(","));
    for (const line of this.trail) set(line, { points: points.join(" ") });
    const view = viewAt(way, t);
    for (const line of this.frame) {
      line.style.display = view ? "" : "none";
      if (view) set(line, rect(view, toScreen, zoom));
    }
    for (const digit of this.digits) digit.draw(toScreen, zoom, t, way.duration_ms);
  }

  /** All of it as one path: where views overlap, it is no darker. */
  #drawClose(way, toScreen, zoom) {
    const boxes = closeViews(way, this.t).map((one) => {
      const { x, y, width, height } = rect(one, toScreen, zoom);
      return `M${x} ${y}h${width}v${height}h${-width}z`;
    });
    this.close.setAttribute("d", boxes.join(""));
  }
}

/** One digit, which is marked by what has become of it. */
class DigitRing {
  /** @param {WayDigit} digit */
  constructor(digit) {
    this.digit = digit;
    this.ring = doubled("circle", "replay-ring");
    this.cross = doubled("path", "replay-cross");
    this.text = s("text", { class: "replay-digit" }, String(digit.label));
    this.element = s("g", { "data-digit": digit.id }, ...this.ring, ...this.cross, this.text);
  }

  /**
   * @param {ToScreen} toScreen
   * @param {number} zoom
   * @param {number} t
   * @param {number} end
   */
  draw(toScreen, zoom, t, end) {
    const [left, top, width, height] = this.digit.box;
    const { x, y } = toScreen(left + width / 2, top + height / 2);
    const r = Math.max((zoom * Math.hypot(width, height)) / 2, LEAST_RING_PX);
    const now = stateAt(this.digit, t, end);
    if (now !== this.now) this.element.setAttribute("class", `replay-mark ${now}`);
    this.now = now;
    for (const line of this.ring) set(line, { cx: x, cy: y, r });
    const d = `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x + r} ${y - r}l${-2 * r} ${2 * r}`;
    for (const line of this.cross) set(line, { d });
    set(this.text, { x: x + r + 4, y: y - r });
  }
}

/**
 * What has become of a digit by a moment: nothing yet, legible, or what the answer made of it.
 *
 * @param {WayDigit} digit
 * @param {number} t
 * @param {number} end
 * @returns {"waiting"|import("./moments.js").DigitState}
 */
export function stateAt({ state, legible_ms }, t, end) {
  if (t >= end) return state;
  return legible_ms !== null && t >= legible_ms ? "seen" : "waiting";
}

/**
 * @param {import("./moments.js").WayView} view
 * @param {ToScreen} toScreen
 * @param {number} zoom
 */
function rect({ x, y, width, height }, toScreen, zoom) {
  const corner = toScreen(x - width / 2, y - height / 2);
  return { ...corner, width: width * zoom, height: height * zoom };
}
