/**
 * Attention against the truth: how much of it lies on digits, and what that is worth.
 *
 * @typedef {{mass: number, chance: number, perfect: number}} Share
 * @typedef {Share & {boxes: Share, pointing: boolean|null, effective_places: number}} Looked
 * @typedef {{places: number, on_digit: number, on_noise: number, on_nothing: number}} Chosen
 */

import { h } from "../hall/dom.js";
import { percentText } from "./words.js";

const HOW =
  "The weight of a place is spread evenly over its box. Chance is what attention spread evenly " +
  "over the image would have. A perfect model is one whose attention is even over the places that " +
  "lie on digits and nowhere else: its places are as large, so it has less than 100 %. The number " +
  "of places is the exponential of the entropy of their weights.";

/**
 * @param {Looked|null} looked To one task; null where several are shown at once.
 * @param {number} places
 * @param {Chosen|null} chosen
 * @returns {HTMLElement[]}
 */
export function lookedParts(looked, places, chosen) {
  if (!looked) return chosen ? [chosenBar(chosen)] : [];
  const spread = h("p", { class: "note" }, spreadText(looked, places));
  return [
    h("p", { class: "note said" }, lookedText(looked)),
    table(looked),
    spread,
    ...(chosen ? [chosenBar(chosen)] : []),
    h("details", { class: "note" }, h("summary", {}, "How this is measured"), h("p", {}, HOW)),
  ];
}

/**
 * The figure that matters, beside what makes it readable.
 *
 * @param {Looked} looked
 * @returns {string}
 */
export function lookedText({ boxes }) {
  const said = `${percentText(boxes.mass)} of its attention lies in the digits' boxes`;
  if (!(boxes.chance > 0)) return `${said}.`;
  const perfect = boxes.perfect > 0 ? `; a perfect model has ${percentText(boxes.perfect)}` : "";
  return `${said}, ${timesText(boxes)} chance${perfect}.`;
}

/**
 * @param {Share} share
 * @returns {string} "12 times".
 */
export function timesText({ mass, chance }) {
  const times = mass / chance;
  return `${times >= 9.95 ? Math.round(times) : Number(times.toFixed(1))} times`;
}

/**
 * @param {Looked} looked
 * @param {number} places
 * @returns {string}
 */
export function spreadText({ pointing, effective_places: count }, places) {
  const number = count >= 9.95 ? Math.round(count) : Number(count.toFixed(1));
  const all = places.toLocaleString("en");
  const spread = `It is as spread as over ${number.toLocaleString("en")} of ${all} places.`;
  if (pointing === null) return spread;
  return `The strongest place is ${pointing ? "on or beside" : "not on"} a digit. ${spread}`;
}

/**
 * @param {Chosen} chosen
 * @returns {string}
 */
export function chosenText({ places, on_digit: digit, on_noise: noise, on_nothing: nothing }) {
  return `Of the ${places} places that it chose ${digit} are on digits, ${noise} on noise and ${nothing} on nothing.`;
}

/** @param {Looked} looked */
function table({ boxes, ...ink }) {
  const head = ["Its attention", "chance", "times", "perfect"];
  const row = (name, share) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", {}, percentText(share.mass)),
      h("td", {}, percentText(share.chance)),
      h("td", {}, share.chance > 0 ? timesText(share).replace(" times", "") : "–"),
      h("td", {}, percentText(share.perfect)),
    );
  return h(
    "table",
    { class: "looked-table" },
    h(
      "thead",
      {},
      h("tr", {}, h("td", {}), ...head.map((name) => h("th", { scope: "col" }, name))),
    ),
    h("tbody", {}, row("in digits' boxes", boxes), row("on their ink", ink)),
  );
}

/** @param {Chosen} chosen */
function chosenBar(chosen) {
  const kinds = ["digit", "noise", "nothing"];
  const parts = kinds
    .map((kind) => ({ kind, count: chosen[`on_${kind}`] }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => h("span", { class: kind, style: `flex-grow: ${count}` }));
  return h(
    "div",
    { class: "chosen" },
    h("div", { class: "chosen-bar", "aria-hidden": "true" }, ...parts),
    h("p", { class: "note" }, chosenText(chosen)),
  );
}
