/**
 * Heat over the image: a grid of numbers in the image's frame, in colours that are told
 * apart on black, on white and by colour-blind eyes, with a bar that says what they mean.
 *
 * @typedef {object} HeatData
 * @property {string} src Address of a PNG with one pixel for each cell of the grid, the whole
 *   grid lying over the whole image; red and green are the high and the low byte of the
 *   cell's value, 65535 standing for `max`.
 * @property {number} opacity 0 to 1, until someone moves the slider.
 * @property {string} title What the numbers are, such as "Time on screen".
 * @property {string} unit
 * @property {number} max Largest value of the grid, in `unit`.
 * @property {number} [top] Value of the last colour, and of all beyond it; `max` if left out.
 */

import { h } from "./dom.js";

/**
 * From little to much. All are of middling lightness, so that none is lost on black or on
 * white; the order is in the hue, blue to yellow, which colour-blind eyes see as well.
 */
const STOPS = [
  [58, 112, 224],
  [140, 92, 200],
  [214, 78, 138],
  [240, 116, 56],
  [255, 184, 0],
];

/** Cells below this share of the last colour fade out, so that what nobody saw stays clear. */
const FADE = 0.08;
const FULL = 65535;

/** The canvas of one pane. */
export class HeatLayer {
  constructor() {
    this.element = h("canvas", { class: "heat", "aria-hidden": "true" });
    this.context = this.element.getContext("2d");
    /** @type {Heat|null} */
    this.heat = null;
  }

  /**
   * @param {import("./view.js").View} view
   * @param {import("./view.js").Size} pane
   * @param {import("./view.js").Size} image
   */
  draw(view, pane, image) {
    const picture = this.heat?.picture;
    this.element.hidden = !picture;
    if (!picture) return;
    const density = devicePixelRatio || 1;
    const [width, height] = [Math.round(pane.width * density), Math.round(pane.height * density)];
    if (this.element.width !== width) this.element.width = width;
    if (this.element.height !== height) this.element.height = height;
    this.context.clearRect(0, 0, width, height);
    this.context.globalAlpha = this.heat.opacity;
    const zoom = view.zoom * density;
    const [left, top] = [width / 2 - view.x * zoom, height / 2 - view.y * zoom];
    this.context.drawImage(picture, left, top, image.width * zoom, image.height * zoom);
  }
}

/** The grid, its colours, and the bar below the image. */
export class Heat {
  /** @param {() => void} onChange Everything that is drawn with it is to be drawn anew. */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {HeatData|null} */
    this.data = null;
    /** @type {OffscreenCanvas|null} */
    this.picture = null;
    this.opacity = 0.7;
    this.moved = false;
    /** Counts what was asked for, so that a late grid is dropped. */
    this.turn = 0;
    this.#build();
  }

  /** @param {HeatData|null} data */
  show(data) {
    const same = data?.src === this.data?.src && data?.top === this.data?.top;
    this.data = data;
    this.bar.hidden = !data;
    if (!same) this.turn += 1;
    if (!data) return same ? undefined : this.#drop();
    if (!this.moved) this.#setOpacity(data.opacity);
    this.title.textContent = data.title;
    const top = data.top ?? data.max;
    this.most.textContent = `${numberText(top)} ${data.unit}${top < data.max ? " or more" : ""}`;
    if (!same) this.#load(data, this.turn);
  }

  /**
   * Say what the value is at a point of the image.
   *
   * @param {{x: number, y: number}|null} point Image px.
   * @param {import("./view.js").Size} image
   */
  drawPoint(point, image) {
    if (!this.data) return;
    const value = point && this.valueAt(point, image);
    this.here.textContent = value === null ? "–" : `${numberText(value)} ${this.data.unit}`;
  }

  /**
   * @param {{x: number, y: number}} point Image px.
   * @param {import("./view.js").Size} image
   * @returns {number|null} In the data's unit; null beside the image, or while it is fetched.
   */
  valueAt({ x, y }, image) {
    if (!this.picture || x < 0 || y < 0 || x >= image.width || y >= image.height) return null;
    const { width, height } = this.picture;
    const column = Math.floor((x / image.width) * width);
    const row = Math.floor((y / image.height) * height);
    return (this.values[row * width + column] / FULL) * this.data.max;
  }

  #build() {
    this.title = h("span", { class: "heat-title" });
    this.most = h("span", { class: "figure" });
    this.here = h("span", { class: "figure", "data-readout": "heat" }, "–");
    this.scale = h("span", { class: "heat-scale", "aria-hidden": "true" });
    const colours = STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ");
    this.colours = h("span", { style: `background: linear-gradient(90deg, ${colours})` });
    this.scale.append(this.colours);
    const range = { type: "range", min: 0, max: 100, step: 5, "aria-label": "Opacity of the heat" };
    const input = () => {
      this.moved = true;
      this.#setOpacity(Number(this.slider.value) / 100);
      this.onChange();
    };
    this.slider = h("input", { ...range, input });
    const field = (name, ...parts) =>
      h("span", { class: "field" }, h("span", { class: "name" }, name), ...parts);
    this.bar = h(
      "div",
      { class: "heat-bar", role: "group", "aria-label": "Heat", hidden: "" },
      this.title,
      h("span", { class: "field" }, h("span", { class: "figure" }, "0"), this.scale, this.most),
      field("here", this.here),
      h("label", { class: "field end" }, h("span", { class: "name" }, "Opacity"), this.slider),
    );
  }

  #setOpacity(opacity) {
    this.opacity = Math.min(Math.max(opacity, 0), 1);
    this.slider.value = String(Math.round(100 * this.opacity));
    this.colours.style.opacity = String(this.opacity);
  }

  #drop() {
    this.picture = null;
    this.onChange();
  }

  async #load(data, turn) {
    try {
      const { width, height, values } = await readGrid(data.src);
      if (turn !== this.turn) return;
      this.values = values;
      this.picture = colour(values, width, height, (data.top ?? data.max) / data.max);
      this.onChange();
    } catch {
      if (turn !== this.turn) return;
      this.#drop();
      this.title.textContent = `${data.title} could not be read.`;
    }
  }
}

/** @returns {Promise<{width: number, height: number, values: Uint16Array}>} */
async function readGrid(src) {
  const response = await fetch(src);
  const bitmap = await createImageBitmap(await response.blob(), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const values = new Uint16Array(width * height);
  for (let cell = 0; cell < values.length; cell += 1) {
    values[cell] = rgba[4 * cell] * 256 + rgba[4 * cell + 1];
  }
  return { width, height, values };
}

/** Draw the grid, a pixel for each cell. */
function colour(values, width, height, top) {
  const picture = new OffscreenCanvas(width, height);
  const context = picture.getContext("2d");
  const pixels = context.createImageData(width, height);
  values.forEach((value, cell) => {
    const share = top > 0 ? Math.min(value / FULL / top, 1) : 0;
    pixels.data.set([...mixed(share), Math.round(255 * Math.min(share / FADE, 1))], 4 * cell);
  });
  context.putImageData(pixels, 0, 0);
  return picture;
}

/** @param {number} share 0 to 1. */
function mixed(share) {
  const place = share * (STOPS.length - 1);
  const from = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[from].map((low, part) => low + (STOPS[from + 1][part] - low) * (place - from));
}

/** Three figures, and no more decimals than they need. */
function numberText(value) {
  if (value === 0) return "0";
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
