/** The next image's tiles, fetched into the browser's cache while the present one is worked on. */

import { knownSource, tileUrl } from "../viewer/source.js";
import * as views from "../hall/view.js";

/** Downloads at once; the present image's own go first. */
const AT_ONCE = 2;

/** Level of the minimap's picture, as in minimap.js. */
const MINIMAP_LEVEL = 8;

export class Warmer {
  constructor() {
    this.stop = new AbortController();
    /** @type {string|null} */
    this.dzi = null;
  }

  /**
   * Begin to fetch an image, and stop fetching any other.
   *
   * @param {import("./state.js").Image} image
   * @param {import("../hall/view.js").Size} pane In which it will be shown.
   */
  warm(image, pane) {
    if (image.dzi === this.dzi) return;
    this.close();
    this.dzi = image.dzi;
    this.stop = new AbortController();
    const urls = tilesOf(image, pane);
    const { signal } = this.stop;
    for (let worker = 0; worker < AT_ONCE; worker += 1) fetchAll(urls, signal);
  }

  close() {
    this.stop.abort();
    this.dzi = null;
  }
}

/**
 * Addresses of an image's tiles: those that its first view needs first, then the finer
 * levels, without which it could not be worked on while there is no connection.
 *
 * @param {import("./state.js").Image} image
 * @param {import("../hall/view.js").Size} pane
 * @returns {string[]}
 */
export function tilesOf(image, pane) {
  const { dzi, width, height, tiles } = image;
  const source = knownSource(dzi, { ...tiles, width, height });
  const first = views.levelOf(source, image.width * views.wholeZoom(image, pane));
  const levels = [first, Math.min(MINIMAP_LEVEL, first)];
  // People who pay for what they download get the first view alone.
  const { connection } = /** @type {any} */ (navigator); // not every browser tells it
  if (!connection?.saveData) {
    for (let level = first + 1; level <= source.maxLevel; level += 1) levels.push(level);
  }
  return [...new Set(levels)].flatMap((level) => levelTiles(source, level));
}

/**
 * @param {import("../viewer/source.js").Source} source
 * @param {number} level
 */
function levelTiles(source, level) {
  const { width, height, tileSize, maxLevel } = source;
  /** @type {(length: number) => number} */
  const tiles = (length) => Math.ceil(Math.ceil(length / 2 ** (maxLevel - level)) / tileSize);
  const urls = [];
  for (let row = 0; row < tiles(height); row += 1) {
    for (let column = 0; column < tiles(width); column += 1) {
      urls.push(tileUrl(source, level, column, row));
    }
  }
  return urls;
}

/**
 * @param {string[]} urls
 * @param {AbortSignal} signal
 */
async function fetchAll(urls, signal) {
  while (!signal.aborted) {
    const url = urls.shift();
    if (url === undefined) return;
    try {
      // Read to its end, or the browser would not keep it.
      const response = await fetch(url, { signal, priority: "low" });
      await response.arrayBuffer();
    } catch {
      return; // whoever needs the tile will say what is wrong
    }
  }
}
