/**
 * A Deep Zoom image: its description and its tiles' addresses.
 *
 * @typedef {{dzi: string, width: number, height: number, tileSize: number, overlap: number,
 *            format: string, tilesUrl: string, query: string, maxLevel: number}} Source
 */

import { atHome } from "../hall/home.js";
import { isHosted, reach } from "../hall/reach.js";
import { refusalOf, word } from "../hall/words.js";

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
    response = await reach(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Error(
      word("viewer.not_fetched", "The image could not be fetched: the server did not answer."),
    );
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
  // A host's address is of no scheme that has an origin.
  const { href, search } = isHosted(url) ? new URL(url) : new URL(atHome(url), location.href);
  const place = href.slice(0, href.length - search.length);
  return {
    ...known,
    dzi: url,
    tilesUrl: place.replace(/\.dzi$/, "_files/"),
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

/**
 * Ask the server once more for a tile that failed, since a picture's element does not say why.
 *
 * @param {string} url
 * @returns {Promise<string|null>} One sentence for people; null where it comes now.
 */
export async function tileReason(url) {
  let response;
  try {
    response = await reach(url);
  } catch {
    return word("unreachable.silent", "The server did not answer.");
  }
  return response.ok ? null : serverSentence(response, await response.text());
}

function describe(url, xml) {
  const image = xml.querySelector("Image");
  const size = xml.querySelector("Size");
  if (!image || !size)
    throw new Error(word("viewer.no_dzi", "The image's description is not Deep Zoom."));
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
  const type = response.headers.get("content-type") ?? "";
  const said = type.startsWith("application/json") ? jsonSentence(text) : text.trim();
  if (/^(text\/plain|application\/json)/.test(type) && said && said.length < 400) return said;
  const status = String(response.status);
  const opened = "The image could not be opened: the server answered {status}.";
  return word("viewer.not_opened", opened, { status });
}

/** What routes that speak JSON say of a failure. */
function jsonSentence(text) {
  try {
    const told = JSON.parse(text);
    return refusalOf(told) ?? String(told.error ?? "");
  } catch {
    return "";
  }
}
