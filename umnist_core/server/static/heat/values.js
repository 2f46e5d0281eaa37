/**
 * Values that come as pictures: red and green are the high and the low byte of a pixel's.
 *
 * @typedef {{width: number, height: number, cells: Uint16Array}} Values
 */

import { reach } from "../hall/reach.js";
import { contextOf } from "./colours.js";

/**
 * @param {string} url Of a PNG.
 * @param {AbortSignal} [signal]
 * @returns {Promise<Values>}
 * @throws {Error} If the server refuses, or what it sends is no picture.
 */
export async function fetchValues(url, signal) {
  const response = await reach(url, { signal });
  if (!response.ok) throw new Error(`Heat could not be read: ${response.status}.`);
  const bitmap = await createImageBitmap(await response.blob(), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const { width, height } = bitmap;
  const context = contextOf(new OffscreenCanvas(width, height), { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, width, height).data;
  const cells = new Uint16Array(width * height);
  for (let cell = 0; cell < cells.length; cell += 1) {
    cells[cell] = rgba[4 * cell] * 256 + rgba[4 * cell + 1];
  }
  return { width, height, cells };
}
