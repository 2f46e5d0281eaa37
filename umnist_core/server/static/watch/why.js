/**
 * Why an answer is wrong: a sentence, and each digit that it has to do with, as the model got it.
 *
 * @typedef {object} HowSeen
 * @property {number} input_px Larger side of the digit, in px that the model read.
 * @property {string} words How the model got it.
 * @property {string} seen Address of a picture of it as the model got it.
 * @property {string} real The same part of the image as it is.
 *
 * @typedef {object} WrongDigit
 * @property {"unseen"|"misread"|"noise"|"part"|"there"} kind
 * @property {number|null} label null where there is no digit.
 * @property {number|null} read What the model took it for.
 * @property {number[]} box x, y, width, height in image px.
 * @property {string} words
 * @property {HowSeen|null} how
 *
 * @typedef {object} Why
 * @property {string} task
 * @property {string} reason
 * @property {string} title The reason, in words.
 * @property {string} sentence
 * @property {WrongDigit[]} digits
 */

import { h } from "../hall/dom.js";

/** Side of a picture on the page, CSS px. */
const PICTURE_PX = 64;

/**
 * @param {Why} why
 * @param {(digit: WrongDigit, name: string) => void} onDigit Fly there.
 * @returns {HTMLElement}
 */
export function whyBlock({ title, sentence, digits }, onDigit) {
  return h(
    "section",
    { class: "why", "aria-label": "Why it is wrong" },
    h("p", { class: "said" }, h("b", {}, `${title}: `), sentence),
    ...(digits.some(({ how }) => how) ? [heads()] : []),
    ...(digits.length
      ? [h("ul", {}, ...digits.map((digit) => h("li", {}, digitButton(digit, onDigit))))]
      : []),
  );
}

/**
 * What a digit is called, as in a button that goes there.
 *
 * @param {WrongDigit} digit
 * @returns {string}
 */
export function digitName({ kind, label, box }) {
  const side = Math.round(Math.max(box[2], box[3]));
  if (kind === "part") return `Part of the ${label}`;
  return `${label ?? "Noise"} of ${side} px`;
}

/**
 * How the model got a digit, in words.
 *
 * @param {HowSeen} how
 * @returns {string}
 */
export function seenText({ input_px: px, words }) {
  const size = px < 9.95 ? String(Number(px.toFixed(1))) : String(Math.round(px));
  return `${size} px at its input: ${words}`;
}

/**
 * Digits that the model did not see, outlined over the image.
 *
 * @param {{why?: Why|null}} result
 * @param {number} scale Px of the viewer's frame per px of the image that was looked at.
 * @returns {import("../viewer/look_marks.js").LookMark[]}
 */
export function missedMarks({ why }, scale) {
  return (why?.digits ?? [])
    .filter(({ kind }) => kind === "unseen")
    .map(({ label, words, box }) => ({
      box: box.map((one) => one * scale),
      text: `${label} ${words}`,
      strength: 1,
      kind: "missed",
    }));
}

/** @returns {HTMLElement} What the two pictures of each digit are. */
function heads() {
  return h(
    "p",
    { class: "heads", "aria-hidden": "true" },
    h("span", {}, "as it got it"),
    h("span", {}, "as it is"),
  );
}

/**
 * @param {WrongDigit} digit
 * @param {(digit: WrongDigit, name: string) => void} onDigit
 */
function digitButton(digit, onDigit) {
  const { kind, words, how } = digit;
  const name = digitName(digit);
  const texts = [
    h("span", { class: "which" }, h("b", {}, name), words ? `, ${words}` : ""),
    ...(how ? [h("span", { class: "how" }, seenText(how))] : []),
  ];
  return h(
    "button",
    {
      type: "button",
      class: "wrong-digit",
      "data-kind": kind,
      title: "Go there",
      click: () => onDigit(digit, words ? `${name}, ${words}` : name),
    },
    ...(how ? [picture(how.seen, true), picture(how.real, false)] : []),
    h("span", { class: "texts" }, ...texts),
  );
}

/** What is said beside it is all that a picture says to who cannot see it. */
function picture(src, isCrisp) {
  const size = { width: PICTURE_PX, height: PICTURE_PX };
  return h("img", { class: isCrisp ? "crisp" : "", src, alt: "", ...size });
}
