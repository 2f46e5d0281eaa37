/**
 * Heat that comes in tiles of a Deep Zoom grid, so that its edges are as exact as the
 * image's at every zoom, however large the image is.
 *
 * Only what is in view is fetched, from the coarsest level of which a pixel is no
 * larger than a screen pixel. Until a tile is there, a coarser one stands in for it. All tiles in
 * view are put together before they are drawn: drawn one by one at fractions of a pixel,
 * they would show seams.
 */

import { pair } from "../hall/pair.js";
import { FULL, coloured, colourTable, contextOf } from "./colours.js";
import { fetchValues } from "./values.js";

/**
 * @typedef {object} TileAddress
 * @property {string} url With {level}, {column} and {row} in it.
 * @property {number} tileSize px
 * @property {number} width Of the image that the tiles are of, px.
 * @property {number} height
 *
 * @typedef {import("../hall/view.js").Size} Size
 * @typedef {import("./colours.js").ColourMap} ColourMap
 * @typedef {import("./grid.js").Frame} Frame
 * @typedef {import("./grid.js").HeatSource} HeatSource
 * @typedef {{level: number, column: number, row: number}} TilePlace
 * @typedef {{level: number, reduction: number, columns: [number, number], rows: [number, number],
 *            scale: number}} Range Tiles in view, the last of each inclusive; `scale`: screen
 *   pixels per pixel of the level.
 * @typedef {import("./values.js").Values} Values
 * @typedef {{key: string, canvas: OffscreenCanvas, context: OffscreenCanvasRenderingContext2D,
 *            painted: Map<string, number>}} Mosaic All tiles in view; `painted`: from which level.
 */

/** Decoded tiles kept; 512 x 512 px each is 1.5 MiB, and less than a hundredth if all are equal. */
const KEPT_TILES = 72;

const MOST_AT_ONCE = 6;

/** A tile that failed is asked for again after this, when it is still in view. */
const RETRY_MS = 3000;

/**
 * How wide a pixel of the level may be, screen pixels. The server rounds edges to pixels of
 * the level, so no edge is more than half of this off.
 */
const LARGEST_PX = 1;

const SAME = 1e-6;

/** @implements {HeatSource} */
export class TileSource {
  /**
   * @param {TileAddress} tiles
   * @param {number} top
   * @param {import("./grid.js").SourceCallbacks} callbacks
   */
  constructor(tiles, top, callbacks) {
    this.tiles = tiles;
    this.top = top;
    this.callbacks = callbacks;
    this.maxLevel = Math.ceil(Math.log2(Math.max(tiles.width, tiles.height, 1)));
    this.baseLevel = this.#levelOfOneTile();
    /** @type {Map<string, Values>} From least to most recently used. */
    this.kept = new Map();
    /** @type {Map<string, AbortController>} */
    this.coming = new Map();
    /** @type {Map<string, number>} When it may be asked for again. */
    this.failed = new Map();
    /** @type {Map<ColourMap, Uint8ClampedArray>} */
    this.tables = new Map();
    /** @type {Mosaic|null} */
    this.mosaic = null;
    /** @type {Range|null} */
    this.range = null;
  }

  /** @param {Frame} frame */
  prepare(frame) {
    this.range = this.#rangeOf(frame);
    const wanted = [{ level: this.baseLevel, column: 0, row: 0 }, ...placesOf(this.range)];
    const names = new Set(wanted.map(nameOf));
    for (const [name, stop] of this.coming) if (!names.has(name)) stop.abort();
    for (const place of wanted) this.#want(place);
    return placesOf(this.range).every(
      (place) => this.kept.has(nameOf(place)) || this.#hasFailed(place),
    );
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Frame} frame
   * @param {ColourMap} map
   */
  draw(context, frame, map) {
    const range = this.#rangeOf(frame);
    if (range.columns[1] < range.columns[0] || range.rows[1] < range.rows[0]) return;
    const mosaic = this.#mosaicOf(range, map);
    const { view, pane, image, density } = frame;
    const zoom = view.zoom * density;
    const { reduction } = range;
    const perPx = { x: image.width / this.tiles.width, y: image.height / this.tiles.height };
    const [x, y] = [range.columns[0], range.rows[0]].map((first) => first * this.tiles.tileSize);
    // The last pixel of a level reaches beyond the image; what does is not drawn.
    const width = Math.min(mosaic.canvas.width, this.tiles.width / reduction - x);
    const height = Math.min(mosaic.canvas.height, this.tiles.height / reduction - y);
    const left = (pane.width * density) / 2 + (x * reduction * perPx.x - view.x) * zoom;
    const top = (pane.height * density) / 2 + (y * reduction * perPx.y - view.y) * zoom;
    const [right, down] = [perPx.x, perPx.y].map((per) => reduction * per * zoom);
    context.imageSmoothingEnabled = range.scale < 1 - SAME;
    context.imageSmoothingQuality = "medium";
    context.drawImage(
      mosaic.canvas,
      ...[0, 0, width, height],
      ...[left, top, width * right, height * down],
    );
  }

  /**
   * @param {{x: number, y: number}} point
   * @param {Size} image
   */
  shareAt({ x, y }, image) {
    if (!this.range) return null;
    const [column, row] = [
      (x / image.width) * this.tiles.width,
      (y / image.height) * this.tiles.height,
    ];
    for (let { level } = this.range; level >= this.baseLevel; level -= 1) {
      const reduction = 2 ** (this.maxLevel - level);
      const [pxX, pxY] = [Math.floor(column / reduction), Math.floor(row / reduction)];
      const { tileSize } = this.tiles;
      const place = { level, column: Math.floor(pxX / tileSize), row: Math.floor(pxY / tileSize) };
      const values = this.kept.get(nameOf(place));
      if (values) return valueAt(values, pxX % tileSize, pxY % tileSize) / FULL;
    }
    return null;
  }

  close() {
    this.closed = true;
    for (const stop of this.coming.values()) stop.abort();
    this.kept.clear();
  }

  // -- which tiles ----------------------------------------------------------------------

  #levelOfOneTile() {
    const { width, height, tileSize } = this.tiles;
    const halvings = Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / tileSize)));
    return Math.max(this.maxLevel - halvings, 0);
  }

  /**
   * @param {Frame} frame
   * @returns {Range}
   */
  #rangeOf({ view, pane, image, density }) {
    const per = image.width / this.tiles.width;
    const zoom = view.zoom * density * per;
    const halvings = Math.floor(Math.log2(LARGEST_PX / zoom) + SAME);
    const level = Math.min(Math.max(this.maxLevel - halvings, this.baseLevel), this.maxLevel);
    const reduction = 2 ** (this.maxLevel - level);
    const side = this.tiles.tileSize * reduction;
    /** @type {(centre: number, length: number, whole: number) => [number, number]} */
    const span = (centre, length, whole) => {
      const [low, high] = [-1, 1].map((way) => centre / per + (way * length) / 2 / view.zoom / per);
      const last = Math.ceil(whole / side) - 1;
      return pair(Math.max(Math.floor(low / side), 0), Math.min(Math.floor(high / side), last));
    };
    return {
      level,
      reduction,
      columns: span(view.x, pane.width, this.tiles.width),
      rows: span(view.y, pane.height, this.tiles.height),
      scale: reduction * zoom,
    };
  }

  /** @param {TilePlace} place */
  #want(place) {
    const name = nameOf(place);
    const values = this.kept.get(name);
    if (values) {
      this.kept.delete(name);
      this.kept.set(name, values);
      return;
    }
    const blocked = this.coming.has(name) || this.#hasFailed(place);
    if (!blocked && this.coming.size < MOST_AT_ONCE) this.#fetch(place, name);
  }

  /** @param {TilePlace} place */
  #hasFailed(place) {
    return (this.failed.get(nameOf(place)) ?? 0) > performance.now();
  }

  /**
   * @param {TilePlace} place
   * @param {string} name
   */
  async #fetch({ level, column, row }, name) {
    const stop = new AbortController();
    this.coming.set(name, stop);
    const url = this.tiles.url
      .replace("{level}", String(level))
      .replace("{column}", String(column))
      .replace("{row}", String(row));
    try {
      this.#keep(name, packed(await fetchValues(url, stop.signal)));
    } catch {
      if (!stop.signal.aborted) {
        this.failed.set(name, performance.now() + RETRY_MS);
        this.callbacks.onFailure();
      }
    }
    this.coming.delete(name);
    if (!this.closed) this.callbacks.onChange();
  }

  /**
   * @param {string} name
   * @param {Values} values
   */
  #keep(name, values) {
    this.kept.set(name, values);
    if (this.kept.size <= KEPT_TILES) return;
    const [oldest] = this.kept.keys();
    this.kept.delete(oldest);
  }

  // -- putting them together ------------------------------------------------------------

  /**
   * All tiles in view as one picture; what has come since the last frame is added to it.
   *
   * @param {Range} range
   * @param {ColourMap} map
   */
  #mosaicOf(range, map) {
    const key = JSON.stringify([range.level, range.columns, range.rows, map]);
    let { mosaic } = this;
    if (mosaic?.key !== key) {
      const { tileSize, width, height } = this.tiles;
      /** @type {(ends: [number, number], whole: number) => number} */
      const length = ([first, last], whole) =>
        Math.min((last + 1) * tileSize, Math.ceil(whole / range.reduction)) - first * tileSize;
      const canvas = new OffscreenCanvas(length(range.columns, width), length(range.rows, height));
      mosaic = { key, canvas, context: contextOf(canvas), painted: new Map() };
      mosaic.context.imageSmoothingEnabled = false;
      this.mosaic = mosaic;
    }
    for (const place of placesOf(range)) this.#paint(mosaic, place, range, map);
    return mosaic;
  }

  /**
   * @param {Mosaic} mosaic
   * @param {TilePlace} place
   * @param {Range} range
   * @param {ColourMap} map
   */
  #paint({ context, painted }, place, range, map) {
    const name = nameOf(place);
    for (let { level } = place; level >= this.baseLevel; level -= 1) {
      if (painted.get(name) === level) return;
      const up = 2 ** (place.level - level);
      const [column, row] = [place.column, place.row].map((one) => Math.floor(one / up));
      const values = this.kept.get(nameOf({ level, column, row }));
      if (!values) continue;
      const { tileSize } = this.tiles;
      const x = (place.column - range.columns[0]) * tileSize;
      const y = (place.row - range.rows[0]) * tileSize;
      const side = tileSize / up;
      const from = pair((place.column % up) * side, (place.row % up) * side);
      context.clearRect(x, y, tileSize, tileSize);
      drawPart(context, values, this.#table(map), from, side, [x, y], up);
      painted.set(name, level);
      return;
    }
  }

  /** @param {ColourMap} map */
  #table(map) {
    const table = this.tables.get(map) ?? colourTable(map, this.top);
    this.tables.set(map, table);
    return table;
  }
}

/**
 * Draw a square part of a tile, each of its pixels `up` px wide.
 *
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {Values} values
 * @param {Uint8ClampedArray} table
 * @param {[number, number]} from Its left and upper side in the tile, px.
 * @param {number} side px of the tile
 * @param {[number, number]} to Where its left and upper side go.
 * @param {number} up
 */
function drawPart(context, { width, height, cells }, table, [left, top], side, [x, y], up) {
  const [across, down] = [Math.min(side, width - left), Math.min(side, height - top)];
  if (across <= 0 || down <= 0) return;
  const isOne = cells.length === 1;
  const picture = coloured(
    isOne ? { width: 1, height: 1, cells } : { width, height, cells },
    table,
  );
  /** @type {[number, number, number, number]} */
  const part = isOne ? [0, 0, 1, 1] : [left, top, across, down];
  context.drawImage(picture, ...part, x, y, across * up, down * up);
}

/**
 * Keep one cell of a tile whose cells are all equal.
 *
 * @param {Values} values
 * @returns {Values}
 */
function packed({ width, height, cells }) {
  const isOne = cells.every((cell) => cell === cells[0]);
  return { width, height, cells: isOne ? cells.slice(0, 1) : cells };
}

/**
 * @param {Values} values
 * @param {number} x
 * @param {number} y
 */
function valueAt({ width, cells }, x, y) {
  return cells.length === 1 ? cells[0] : cells[y * width + x];
}

/**
 * @param {Range} range
 * @returns {TilePlace[]}
 */
function placesOf({ level, columns, rows }) {
  const places = [];
  for (let row = rows[0]; row <= rows[1]; row += 1) {
    for (let column = columns[0]; column <= columns[1]; column += 1) {
      places.push({ level, column, row });
    }
  }
  return places;
}

/** @param {TilePlace} place */
function nameOf({ level, column, row }) {
  return `${level}/${column}_${row}`;
}
