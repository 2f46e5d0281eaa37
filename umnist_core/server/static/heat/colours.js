/**
 * Colours of heat: what a share of the last colour looks like. Samples are black and white,
 * so every map is told apart on both, and by colour-blind eyes.
 *
 * @typedef {keyof typeof COLOUR_MAPS} ColourMap
 */

/** What 16 bits of a value count up to. */
export const FULL = 65535;

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

/** Shares below this fade out, so that what nobody saw stays clear. */
const FADE = 0.08;

/** Between black and white: over either it is seen, and neither is left. */
const VEIL = [128, 128, 128];

/**
 * `colours`: the more, the further along the hues. `spotlight`: a grey veil over what got
 * nothing, which is thinner the more a place got.
 */
export const COLOUR_MAPS = {
  colours: {
    title: "Colours",
    of: (/** @type {number} */ share) => [...mixed(share), 255 * Math.min(share / FADE, 1)],
    css: `linear-gradient(90deg, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`,
  },
  spotlight: {
    title: "Spotlight",
    of: (/** @type {number} */ share) => [...VEIL, 255 * (1 - share)],
    css: `linear-gradient(90deg, rgb(${VEIL.join(" ")}), transparent)`,
  },
};

/**
 * The colour of each share, as one number; made once, as that takes longer than a tile.
 *
 * @type {Map<ColourMap, Uint32Array>}
 */
const SHARES = new Map();

/**
 * The colour of each of the 65,536 values.
 *
 * @param {ColourMap} name
 * @param {number} top Share of the largest value that has the last colour, as all beyond it.
 * @returns {Uint8ClampedArray} Red, green, blue and opacity, one value after another.
 */
export function colourTable(name, top) {
  const shares = sharesOf(name);
  const colours = new Uint32Array(FULL + 1);
  for (let value = 0; value <= FULL; value += 1) {
    colours[value] = shares[top > 0 ? Math.min(Math.round(value / top), FULL) : 0];
  }
  return new Uint8ClampedArray(colours.buffer);
}

/** @param {ColourMap} name */
function sharesOf(name) {
  const known = SHARES.get(name);
  if (known) return known;
  const { of } = COLOUR_MAPS[name];
  const table = new Uint8ClampedArray(4 * (FULL + 1));
  for (let value = 0; value <= FULL; value += 1) table.set(of(value / FULL), 4 * value);
  const shares = new Uint32Array(table.buffer);
  SHARES.set(name, shares);
  return shares;
}

/**
 * Draw values, a pixel for each.
 *
 * @param {import("./values.js").Values} values
 * @param {Uint8ClampedArray} table Of `colourTable`.
 * @returns {OffscreenCanvas}
 */
export function coloured({ width, height, cells }, table) {
  const picture = new OffscreenCanvas(width, height);
  const context = contextOf(picture);
  const pixels = context.createImageData(width, height);
  // A colour at a time instead of a channel at a time.
  const colours = new Uint32Array(table.buffer);
  const painted = new Uint32Array(pixels.data.buffer);
  for (let cell = 0; cell < cells.length; cell += 1) painted[cell] = colours[cells[cell]];
  context.putImageData(pixels, 0, 0);
  return picture;
}

/**
 * @param {OffscreenCanvas} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {OffscreenCanvasRenderingContext2D}
 */
export function contextOf(canvas, settings) {
  return /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}

/** @param {number} share 0 to 1. */
function mixed(share) {
  const place = share * (STOPS.length - 1);
  const from = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[from].map((low, part) => low + (STOPS[from + 1][part] - low) * (place - from));
}
