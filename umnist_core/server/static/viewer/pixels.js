/**
 * The values of single pixels, for the line below the image.
 *
 * Of an image that is shown as it is stored they are read from its tiles of full
 * resolution. A file with other values (16 bits, floats, transparency, ...) has an address
 * that tells them, block by block.
 *
 * @typedef {object} ValueData
 * @property {string[]} names Of the channels, such as R, G and B.
 * @property {string} depth Such as "16 bit".
 * @property {string|null} url Where the blocks are; null where the tiles say it all.
 * @property {number} block Their side, px.
 *
 * @typedef {number|string} Value A number; "nan" and the like are none in JSON.
 */

import { reach } from "../hall/reach.js";
import { tileUrl } from "./source.js";

/** Tiles or blocks that are kept; a tile of 512 x 512 px is at most 768 KiB. */
const KEPT = 16;

export class PixelReader {
  /**
   * @param {import("./source.js").Source} source
   * @param {ValueData|null} data
   */
  constructor(source, data) {
    this.source = source;
    this.data = data;
    /** @type {Map<string, Promise<Piece>|Piece>} */
    this.pieces = new Map();
    this.stop = new AbortController();
  }

  /** @returns {boolean} Whether the values are asked for instead of being read from tiles. */
  get isAsked() {
    return Boolean(this.data?.url);
  }

  /**
   * @param {number} x Column in the source's own pixels.
   * @param {number} y Row.
   * @returns {Value[]|null} Of each channel, or null while they are not here.
   */
  peek(x, y) {
    const piece = this.pieces.get(this.#address(x, y).url);
    return piece === undefined || piece instanceof Promise ? null : this.#value(piece, x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Promise<Value[]>}
   */
  async read(x, y) {
    const { url } = this.#address(x, y);
    let piece = this.pieces.get(url);
    if (piece === undefined) {
      const { signal } = this.stop;
      piece = this.isAsked ? fetchBlock(url, signal) : decodeTile(url, signal, this.#channels);
      this.#keep(url, piece);
      try {
        this.#keep(url, await piece);
      } catch (error) {
        this.pieces.delete(url);
        throw error;
      }
    }
    return this.#value(await piece, x, y);
  }

  close() {
    this.stop.abort();
    this.pieces.clear();
  }

  get #channels() {
    return this.data?.names.length === 3 ? 3 : 1;
  }

  #keep(url, piece) {
    this.pieces.delete(url);
    this.pieces.set(url, piece);
    if (this.pieces.size > KEPT) this.pieces.delete(this.pieces.keys().next().value);
  }

  #address(x, y) {
    const { tileSize, overlap, maxLevel } = this.source;
    const side = this.isAsked ? this.data.block : tileSize;
    const shared = this.isAsked ? 0 : overlap;
    const [column, row] = [Math.floor(x / side), Math.floor(y / side)];
    return {
      left: column * side - (column > 0 ? shared : 0),
      top: row * side - (row > 0 ? shared : 0),
      url: this.isAsked
        ? `${this.data.url}${column}_${row}.json`
        : tileUrl(this.source, maxLevel, column, row),
    };
  }

  #value(piece, x, y) {
    const { left, top } = this.#address(x, y);
    return piece(x - left, y - top);
  }
}

/** @typedef {(column: number, row: number) => Value[]} Piece Of one tile or block. */

/** @returns {Promise<Piece>} */
async function fetchBlock(url, signal) {
  const response = await reach(url, { signal });
  if (!response.ok) throw new Error(`Values could not be read: ${response.status}.`);
  const { values } = await response.json();
  return (column, row) => values[row][column];
}

/** @returns {Promise<Piece>} */
async function decodeTile(url, signal, channels) {
  const response = await reach(url, { signal });
  if (!response.ok) throw new Error(`A tile could not be read: ${response.status}.`);
  const bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const values = new Uint8Array(width * height * channels);
  for (let place = 0; place < values.length; place += 1) {
    const pixel = Math.floor(place / channels);
    values[place] = rgba[4 * pixel + (place % channels)];
  }
  return (column, row) => {
    const first = (row * width + column) * channels;
    return [...values.subarray(first, first + channels)];
  };
}
