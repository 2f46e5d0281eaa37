/** Heat that comes whole, as one grid of cells that lies over the whole image. */

import { FULL, coloured, colourTable } from "./colours.js";
import { fetchValues } from "./values.js";

/**
 * @typedef {import("../hall/view.js").View} View
 * @typedef {import("../hall/view.js").Size} Size
 * @typedef {{view: View, pane: Size, image: Size, density: number}} Frame What is on screen.
 *
 * @typedef {object} HeatSource Where a layer's values come from.
 * @property {(frame: Frame) => boolean} prepare Fetch what this frame needs; whether it is there.
 * @property {(context: CanvasRenderingContext2D, frame: Frame, map: ColourMap) => void} draw
 * @property {(point: {x: number, y: number}, image: Size) => number|null} shareAt Share of the
 *   largest value at a point of the image; null while it is not known.
 * @property {() => void} close
 *
 * @typedef {import("./colours.js").ColourMap} ColourMap
 * @typedef {{onChange: () => void, onFailure: () => void}} SourceCallbacks
 */

/** @implements {HeatSource} */
export class GridSource {
  /**
   * @param {string} src
   * @param {number} top
   * @param {SourceCallbacks} callbacks
   */
  constructor(src, top, callbacks) {
    this.top = top;
    this.stop = new AbortController();
    /** @type {import("./values.js").Values|null} */
    this.values = null;
    /** @type {Map<ColourMap, OffscreenCanvas>} */
    this.pictures = new Map();
    fetchValues(src, this.stop.signal).then(
      (values) => {
        this.values = values;
        callbacks.onChange();
      },
      () => this.stop.signal.aborted || callbacks.onFailure(),
    );
  }

  prepare() {
    return this.values !== null;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Frame} frame
   * @param {ColourMap} map
   */
  draw(context, { view, pane, image, density }, map) {
    if (!this.values) return;
    const picture = this.pictures.get(map) ?? coloured(this.values, colourTable(map, this.top));
    this.pictures.set(map, picture);
    const zoom = view.zoom * density;
    const left = (pane.width * density) / 2 - view.x * zoom;
    const top = (pane.height * density) / 2 - view.y * zoom;
    context.imageSmoothingEnabled = true;
    context.drawImage(picture, left, top, image.width * zoom, image.height * zoom);
  }

  /**
   * @param {{x: number, y: number}} point
   * @param {Size} image
   */
  shareAt({ x, y }, image) {
    if (!this.values) return null;
    const { width, height, cells } = this.values;
    const column = Math.floor((x / image.width) * width);
    const row = Math.floor((y / image.height) * height);
    return cells[row * width + column] / FULL;
  }

  close() {
    this.stop.abort();
  }
}
