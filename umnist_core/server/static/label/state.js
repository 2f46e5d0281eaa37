/**
 * What the server tells the page, and what follows from it here. No DOM.
 *
 * @typedef {object} Image
 * @property {string} dzi Its address, used as it stands.
 * @property {number} width px
 * @property {number} height
 * @property {{tileSize: number, overlap: number, format: string}} tiles
 *
 * @typedef {{assignment: string, number: number, image: Image}} Trial
 * @typedef {{id: string, number: number, image: Image}} Practice
 * @typedef {Trial & {answer: number, confidence: number|null, digits: number[]|null}} Previous
 * @typedef {{sizes_px: [number, number], digit_counts: [number, number], sheet: Image,
 *            image_px?: number}} Guide `image_px`: side of the study's images
 * @typedef {{confidence: boolean, digits: boolean, change: boolean, min: number, max: number}} Ask
 *
 * @typedef {object} State
 * @property {{id: string, name: string}} study
 * @property {"consent"|"instructions"|"practice"|"trial"|"done"|"paused"|"closed"} phase
 * @property {{consent: string, instructions: string, question: string}} texts
 * @property {Guide|null} guide
 * @property {Ask} ask
 * @property {{done: number, total: number, practice_done: number, practice_total: number}} progress
 * @property {Practice|null} practice
 * @property {Trial|null} trial
 * @property {Trial|null} next Reserved already.
 * @property {Previous|null} previous May be changed.
 * @property {string|null} code
 * @property {string|null} link
 */

/**
 * What to work on, given what has been answered here and is not known to the server yet.
 *
 * @param {State} state
 * @param {Set<string>} answered Assignments.
 * @returns {{trial: Trial|null, next: Trial|null}} No trial: the answers must be sent first.
 */
export function openTrial(state, answered) {
  const open = [state.trial, state.next].filter((one) => one && !answered.has(one.assignment));
  return { trial: open[0] ?? null, next: open[1] ?? null };
}

/**
 * @param {number[]} digits
 * @returns {number}
 */
export function sumOfDigits(digits) {
  return digits.reduce((sum, digit) => sum + digit, 0);
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}
