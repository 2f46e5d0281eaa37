/**
 * Heat over the image: numbers in the image's frame, in colours that are told apart on
 * black, on white and by colour-blind eyes. Each pane has its own; bar.js says what
 * the colours mean.
 *
 * @typedef {object} HeatData
 * @property {string} [src] Address of a PNG with one pixel for each cell of the grid, the whole
 *   grid lying over the whole image; red and green are the high and the low byte of the
 *   cell's value, 65535 standing for `max`.
 * @property {import("./tiles.js").TileAddress} [tiles] Instead of `src`: tiles of such PNGs.
 * @property {number} opacity 0 to 1, until someone moves the slider.
 * @property {string} title What the numbers are, such as "Time on screen".
 * @property {string} unit
 * @property {number} max Largest value, in `unit`.
 * @property {[string, string]} [ends] What its first and last colours are called in words.
 * @property {number} [top] Value of the last colour, and of all beyond it; `max` if left out.
 *   Larger than `max` where no place stands out.
 *
 * @typedef {import("./grid.js").HeatSource} HeatSource
 */

import { h } from "../hall/dom.js";
import { GridSource } from "./grid.js";
import { TileSource } from "./tiles.js";
import { density } from "../hall/view.js";

/** What is no longer true of the picture is still seen, but less. */
const STALE = 0.4;

/** One pane's heat, and the canvas that it is drawn on; `umnist-heat` says when new heat is. */
export class HeatLayer {
  constructor() {
    this.element = h("canvas", { class: "heat", "aria-hidden": "true" });
    this.context = /** @type {CanvasRenderingContext2D} */ (this.element.getContext("2d"));
    /** @type {HeatData|null} */
    this.data = null;
    /** @type {{data: HeatData, source: HeatSource}|null} */
    this.shown = null;
    /**
     * What comes after it, once all of it that is in view is there.
     *
     * @type {{data: HeatData, source: HeatSource}|null}
     */
    this.next = null;
    this.isStale = false;
    this.failed = false;
    this.isNew = false;
    /** @type {{opacity: number, map: import("./grid.js").ColourMap}} */
    this.look = { opacity: 1, map: "colours" };
    this.onChange = () => undefined;
  }

  /**
   * @param {HeatData|null} data The old stays until the new is there; null goes at once.
   * @param {boolean} isStale Whether the picture below has changed since.
   */
  show(data, isStale) {
    this.isStale = isStale;
    const isSame = keyOf(data) === keyOf(this.data);
    this.data = data;
    if (isSame) return;
    this.failed = false;
    this.next?.source.close();
    this.next = null;
    if (!data) this.#drop();
    else this.next = { data, source: this.#open(data) };
  }

  /**
   * @param {import("../hall/view.js").View} view
   * @param {import("../hall/view.js").Size} pane
   * @param {import("../hall/view.js").Size} image
   */
  draw(view, pane, image) {
    const frame = { view, pane, image, density: density() };
    this.#advance(frame);
    this.element.hidden = !this.shown;
    if (!this.shown) return;
    const { element, context } = this;
    const [width, height] = [pane.width, pane.height].map((px) => Math.round(px * frame.density));
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    // A pane may be a fraction of a screen pixel larger than what is drawn in it.
    element.style.width = `${pane.width}px`;
    element.style.height = `${pane.height}px`;
    context.clearRect(0, 0, width, height);
    context.globalAlpha = this.look.opacity * (this.isStale ? STALE : 1);
    this.shown.source.draw(context, frame, this.look.map);
    if (this.isNew)
      element.dispatchEvent(new CustomEvent("umnist-heat", { bubbles: true, composed: true }));
    this.isNew = false;
  }

  /**
   * @param {{x: number, y: number}} point Image px.
   * @param {import("../hall/view.js").Size} image
   * @returns {number|null} In the data's unit; null beside the image, or while it is fetched.
   */
  valueAt({ x, y }, image) {
    if (!this.shown || x < 0 || y < 0 || x >= image.width || y >= image.height) return null;
    const share = this.shown.source.shareAt({ x, y }, image);
    return share === null ? null : share * this.shown.data.max;
  }

  close() {
    this.next?.source.close();
    this.next = null;
    this.#drop();
  }

  /**
   * @param {HeatData} data
   * @returns {HeatSource}
   */
  #open(data) {
    const callbacks = {
      onChange: () => this.onChange(),
      onFailure: () => {
        this.failed = true;
        this.onChange();
      },
    };
    const top = (data.top ?? data.max) / data.max;
    return data.tiles
      ? new TileSource(data.tiles, top, callbacks)
      : new GridSource(/** @type {string} */ (data.src), top, callbacks);
  }

  /** @param {import("./grid.js").Frame} frame */
  #advance(frame) {
    if (this.next?.source.prepare(frame)) {
      this.#drop();
      this.shown = this.next;
      this.next = null;
      this.isNew = true;
    } else {
      this.shown?.source.prepare(frame);
    }
  }

  #drop() {
    this.shown?.source.close();
    this.shown = null;
  }
}

/** @param {HeatData|null} data */
function keyOf(data) {
  return data && JSON.stringify([data.src, data.tiles, data.top, data.max]);
}
