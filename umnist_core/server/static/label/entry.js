/**
 * A number from the keyboard, figure by figure. No DOM.
 *
 * Two figures make one number as long as it is one that may be given; a figure that would
 * make another is refused and said to be, since a number that changed unnoticed would be a
 * wrong answer.
 *
 * @typedef {{key: "entry.full"|"entry.above", values: import("../hall/words.js").Values}} Refused
 *   What is said of a figure that was refused.
 */

export class NumberEntry {
  /**
   * @param {number} min
   * @param {number} max
   * @param {{answer: number|null, edits: number}} [begun]
   */
  constructor(min, max, { answer, edits } = { answer: null, edits: 0 }) {
    this.min = min;
    this.max = max;
    this.value = answer;
    this.edits = edits;
    /** The figures typed for the present value; none where a button chose it. */
    this.typed = "";
  }

  /**
   * @param {string} figure "0" to "9"
   * @returns {Refused|null} Why it was refused.
   */
  type(figure) {
    const text = this.typed + figure;
    if (text.length > 2 || Number(text) > this.max) {
      return text.length > 2
        ? { key: "entry.full", values: { value: Number(this.value) } }
        : { key: "entry.above", values: { value: Number(text), max: this.max } };
    }
    // Going on from 2 to 27 changes nothing that was meant.
    if (this.typed === "" && this.value !== null) this.edits += 1;
    this.typed = text;
    this.value = Number(text);
    return null;
  }

  /** @param {number} value From a button. */
  choose(value) {
    if (this.value !== null && this.value !== value) this.edits += 1;
    this.typed = "";
    this.value = value;
  }

  clear() {
    if (this.value !== null) this.edits += 1;
    this.typed = "";
    this.value = null;
  }
}
