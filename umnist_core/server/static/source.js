/**
 * A Deep Zoom image: its description, its tiles' addresses, its pixels' values.
 *
 * @typedef {{dzi: string, width: number, height: number, tileSize: number, overlap: number,
 *            format: string, tilesUrl: string, query: string, maxLevel: number}} Source
 */

/** Decoded tiles kept for the readout; 512 x 512 px each is 256 KiB. */
const KEPT_TILES = 16;

/**
 * Fetch and read a `.dzi` description.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 * @throws {Error} With one sentence for people, the server's own where it gave one.
 */
export async function fetchSource(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error("The image could not be fetched: the server did not answer.");
  }
  const text = await response.text();
  if (!response.ok) throw new Error(serverSentence(response, text));
  return describe(url, new DOMParser().parseFromString(text, "text/xml"));
}

/**
 * The source of an image whose description is known without fetching it.
 *
 * @param {string} url Of the `.dzi`.
 * @param {{width: number, height: number, tileSize: number, overlap: number, format: string}} known
 * @returns {Source}
 */
export function knownSource(url, known) {
  const { width, height } = known;
  const { pathname, search, origin } = new URL(url, location.href);
  return {
    ...known,
    dzi: url,
    tilesUrl: origin + pathname.replace(/\.dzi$/, "_files/"),
    query: search,
    maxLevel: Math.ceil(Math.log2(Math.max(width, height, 1))),
  };
}

/**
 * @param {Source} source
 * @param {number} level
 * @param {number} column
 * @param {number} row
 * @returns {string}
 */
export function tileUrl(source, level, column, row) {
  return `${source.tilesUrl}${level}/${column}_${row}.${source.format}${source.query}`;
}

/** Reads single pixels of the full-resolution level; the newest tiles are kept decoded. */
export class PixelReader {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    /** @type {Map<string, Promise<Tile>|Tile>} */
    this.tiles = new Map();
    this.stop = new AbortController();
  }

  /**
   * @param {number} x Column in the source's own pixels.
   * @param {number} y Row.
   * @returns {number|null} 0 to 255, or null while its tile is not here.
   */
  peek(x, y) {
    const tile = this.tiles.get(this.#address(x, y).url);
    return tile === undefined || tile instanceof Promise ? null : this.#value(tile, x, y);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Promise<number>}
   */
  async read(x, y) {
    const { url } = this.#address(x, y);
    let tile = this.tiles.get(url);
    if (tile === undefined) {
      tile = decodeTile(url, this.stop.signal);
      this.#keep(url, tile);
      try {
        this.#keep(url, await tile);
      } catch (error) {
        this.tiles.delete(url);
        throw error;
      }
    }
    return this.#value(await tile, x, y);
  }

  close() {
    this.stop.abort();
    this.tiles.clear();
  }

  #keep(url, tile) {
    this.tiles.delete(url);
    this.tiles.set(url, tile);
    if (this.tiles.size > KEPT_TILES) this.tiles.delete(this.tiles.keys().next().value);
  }

  #address(x, y) {
    const { tileSize, maxLevel } = this.source;
    const [column, row] = [Math.floor(x / tileSize), Math.floor(y / tileSize)];
    return { column, row, url: tileUrl(this.source, maxLevel, column, row) };
  }

  #value(tile, x, y) {
    const { tileSize, overlap } = this.source;
    const { column, row } = this.#address(x, y);
    const tileX = x - column * tileSize + (column > 0 ? overlap : 0);
    const tileY = y - row * tileSize + (row > 0 ? overlap : 0);
    return tile.values[tileY * tile.width + tileX];
  }
}

/** @typedef {{width: number, values: Uint8Array}} Tile */

/** @returns {Promise<Tile>} */
async function decodeTile(url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`A tile could not be read: ${response.status}.`);
  const bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const values = new Uint8Array(width * height);
  for (let place = 0; place < values.length; place += 1) values[place] = rgba[4 * place];
  return { width, values };
}

function describe(url, xml) {
  const image = xml.querySelector("Image");
  const size = xml.querySelector("Size");
  if (!image || !size) throw new Error("The image's description is not Deep Zoom.");
  const number = (element, name) => Number(element.getAttribute(name));
  return knownSource(url, {
    width: number(size, "Width"),
    height: number(size, "Height"),
    tileSize: number(image, "TileSize"),
    overlap: number(image, "Overlap"),
    format: image.getAttribute("Format"),
  });
}

function serverSentence(response, text) {
  const plain = (response.headers.get("content-type") ?? "").startsWith("text/plain");
  if (plain && text && text.length < 400) return text.trim();
  return `The image could not be opened: the server answered ${response.status}.`;
}
