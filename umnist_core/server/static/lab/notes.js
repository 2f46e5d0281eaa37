/** Sentences that stand under a control and follow from several values. */

import { numberText, readSpan } from "./scene_address.js";

/** Side of the grid on which strokes are drawn before they are resized. */
const GRID_PX = 28;

/**
 * @typedef {(name: string) => string|null} Values The text of a parameter's value.
 * @typedef {import("./lab.js").LabControl} LabControl
 */

/**
 * How large digits are.
 *
 * @param {LabControl} spec
 * @param {Values} value
 * @param {number} side Of the image, px.
 * @returns {string|null} null where nothing can be said.
 */
export function objectsNote({ name, object_px: unit }, value, side) {
  const span = readSpan(value(name) ?? "");
  if (!span || unit === null) return null;
  const both = span.low === span.high ? [span.low] : [span.low, span.high];
  const sides = both.map((one) => `${Math.round(one * unit)}`).join(" to ");
  const shares = both.map((one) => percent((one * unit) / side)).join(" to ");
  return `Digits of ${sides} px, ${shares} % of the image`;
}

/**
 * How many there are where a word may stand for the number.
 *
 * @param {LabControl} spec
 * @param {Values} value
 * @param {number} side
 * @returns {{published: number, text: string}} What the word stands for, and the sentence.
 */
export function countNote({ name, per_area: [count, px] }, value, side) {
  const published = Math.floor(count * (side / px) ** 2 + 0.5);
  const number = Number(value(name));
  const least = Number.isNaN(number) ? published : number;
  const [there, none] = [least, least + 1].map((one) => one.toLocaleString("en"));
  return { published, text: `${there} where the 3 is, ${none} in an image without it` };
}

/**
 * How wide a stroke is drawn.
 *
 * @param {LabControl} spec
 * @param {Values} value
 * @param {{integer: number[], continuous: [number, number][]}} widths
 * @returns {string}
 */
export function cutNote({ name, cut_by: mode }, value, { integer, continuous }) {
  const thickness = Number(value(name));
  const cut = value(mode ?? "") === "integer";
  const whole = Math.max(1, Math.floor(thickness));
  const width = cut ? integer[whole - 1] : between(continuous, thickness);
  const scale = Number(value("noise_size")) / GRID_PX;
  const drawn = `drawn ${Number((width * scale).toPrecision(2))} px wide`;
  const how =
    cut && whole !== thickness ? `${whole < thickness ? "Cut" : "Raised"} to ${whole}, ` : "";
  const sentence = how + drawn + (cut ? "" : ", with grey rims");
  return sentence[0].toUpperCase() + sentence.slice(1);
}

/**
 * What one image drew from a range.
 *
 * @param {string|null} text The value.
 * @param {string|undefined} drawn
 * @returns {string|null}
 */
export function drawnNote(text, drawn) {
  const span = readSpan(text ?? "");
  if (!span || span.low === span.high || drawn === undefined) return null;
  return `This image: ${numberText(Number(drawn))}`;
}

/** @returns {number} The height at `x` of the line through some points, which ascend. */
function between(points, x) {
  const place = points.findIndex(([right]) => right >= x);
  if (place < 1) return points.at(place)[1];
  const [[left, low], [right, high]] = points.slice(place - 1, place + 1);
  return low + ((high - low) * (x - left)) / (right - left);
}

/** @returns {string} The share of a square of this relative side, in percent. */
function percent(side) {
  return String(Number((100 * side * side).toPrecision(2)));
}
