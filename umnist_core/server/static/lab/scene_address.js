/**
 * Settings, and the tile addresses of the images that they make.
 *
 * A setting's values are in the text form of the command line, `3` or `-10..10`, so they
 * go into an address as they are. The server writes the same parameters in the same
 * order, so both sides name one image by one address, which is fetched once.
 *
 * @typedef {{preset: string, overrides: Record<string, string>, reference: string}} Setting
 * @typedef {{seed: number, split: string, index: number}} Sample
 * @typedef {{low: number, high: number}} Span
 */

/** What tiles are asked for: the pin of the digits in use, and the tiles' size. */
const OVERLAP_PX = 1;

/**
 * @param {Setting} setting
 * @param {Sample} sample
 * @param {{pin: string, tileSize?: number, query?: Record<string, string>}} tiles `query`: what
 *   else is asked of the image, such as a layer of it.
 * @returns {string} Address of the image's description.
 */
export function sceneAddress(setting, sample, { pin, tileSize, query = {} }) {
  const changes = Object.entries(setting.overrides).sort(([a], [b]) => (a < b ? -1 : 1));
  const address = new URLSearchParams([
    ["preset", setting.preset],
    ["seed", String(sample.seed)],
    ["split", sample.split],
    ["index", String(sample.index)],
    ...changes,
    ...Object.entries(query),
    ...(tileSize ? [["tile", String(tileSize)]] : []),
    ["pin", pin],
  ]);
  return `/tiles/scene.dzi?${address}`;
}

/**
 * One pane of the viewer.
 *
 * @param {string} key
 * @param {string} title
 * @param {string} dzi
 * @param {number} side Of the image, px.
 * @param {number} tileSize
 * @returns {import("../viewer/pane.js").PaneData}
 */
export function scenePane(key, title, dzi, side, tileSize) {
  const tiles = { tileSize, overlap: OVERLAP_PX, format: "png" };
  return { key, title, dzi, width: side, height: side, tiles };
}

/**
 * @param {string} text `3` or `-10..10`
 * @returns {Span|null} null if it is neither.
 */
export function readSpan(text) {
  const [first, second = first, ...rest] = text.split("..");
  const [low, high] = [first, second].map((part) => (part.trim() === "" ? NaN : Number(part)));
  return rest.length || !Number.isFinite(low) || !Number.isFinite(high) ? null : { low, high };
}

/**
 * @param {Span} span
 * @returns {string}
 */
export function spanText({ low, high }) {
  return low === high ? numberText(low) : `${numberText(low)}..${numberText(high)}`;
}

/**
 * @param {number} value
 * @returns {string} With six digits, finer than any slider moves: 0.1 + 0.2 is 0.3.
 */
export function numberText(value) {
  return String(Number(value.toPrecision(6)));
}
