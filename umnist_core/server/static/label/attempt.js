/**
 * One person's work on one image: what is entered, how long it took, what was on screen.
 * No DOM. A load of the page, or a return to the image from another, begins a new part,
 * with a clock of its own; what lies between two parts is not counted.
 *
 * @typedef {object} Entered
 * @property {number|null} answer
 * @property {number} edits Times a chosen number was cleared or replaced. Going on from 2 to
 *   27 is neither.
 * @property {number|null} confidence
 * @property {number[]|null} digits
 *
 * @typedef {object} Draft What survives a reload.
 * @property {string} assignment
 * @property {Entered} entered
 * @property {import("./trace.js").Part[]} parts
 * @property {import("./clock.js").Spent} spent
 * @property {number} first_drawn_ms
 * @property {number} saved_at ms since 1970
 */

import { NOTHING_SPENT, ResponseClock, sumOf } from "./clock.js";
import { MOST_SAMPLES, Trace, tenth, thinned } from "./trace.js";

/** @type {Entered} */
export const NOTHING_ENTERED = { answer: null, edits: 0, confidence: null, digits: null };

export class Attempt {
  /**
   * @param {string} assignment
   * @param {Draft|null} [draft] What an earlier load of the page left.
   * @param {() => number} [now] A steady clock, ms.
   */
  constructor(assignment, draft = null, now = () => performance.now()) {
    this.assignment = assignment;
    this.now = now;
    /** @type {Entered} */
    this.entered = { ...NOTHING_ENTERED, ...draft?.entered };
    /** @type {import("./trace.js").Part[]} */
    this.parts = draft?.parts ?? [];
    this.spent = draft?.spent ?? NOTHING_SPENT;
    this.firstDrawnMs = draft?.first_drawn_ms ?? 0;
    this.isHidden = false;
    this.isCovered = false;
    this.ask();
  }

  /** The image is asked for. */
  ask() {
    this.askedAt = this.now();
  }

  /** @returns {boolean} Whether the image has been fully drawn in this part. */
  get isRunning() {
    return this.clock !== undefined;
  }

  /**
   * The image is fully drawn; the first time, that begins the part.
   *
   * @param {import("./trace.js").Place} place
   */
  drawn(place) {
    if (this.isRunning) return;
    this.began = this.now();
    this.firstDrawnMs = tenth(this.began - this.askedAt);
    this.clock = new ResponseClock(this.began, this.isHidden);
    this.trace = new Trace(place, this.#isVisible());
  }

  /** @param {import("./trace.js").Place} place What is in view from now on. */
  move(place) {
    if (!this.isRunning) return;
    this.trace.move(place, this.now() - this.began);
    while (this.#count() > MOST_SAMPLES) this.#thin();
  }

  /** Somebody is there. */
  touch() {
    this.clock?.touch(this.now());
  }

  /** @param {boolean} isHidden The page, or the person has paused. */
  setHidden(isHidden) {
    this.isHidden = isHidden;
    this.clock?.setHidden(isHidden, this.now());
    this.#showVisible();
  }

  /** @param {boolean} isCovered Something lies over the image; the time still counts. */
  setCovered(isCovered) {
    this.isCovered = isCovered;
    this.#showVisible();
  }

  /** End the part; the image may be asked for again. */
  stop() {
    if (!this.isRunning) return;
    const at = this.now();
    this.parts = [...this.parts, this.trace.part(at - this.began)];
    this.spent = sumOf(this.spent, this.clock.read(at));
    this.clock = undefined;
    this.trace = undefined;
  }

  /** @returns {Draft} As if the page were closed now. */
  draft() {
    const at = this.now();
    const running = this.isRunning;
    return {
      assignment: this.assignment,
      entered: { ...this.entered },
      parts: running ? [...this.parts, this.trace.part(at - this.began)] : this.parts,
      spent: running ? sumOf(this.spent, this.clock.read(at)) : this.spent,
      first_drawn_ms: this.firstDrawnMs,
      saved_at: Date.now(),
    };
  }

  /**
   * What is sent, but for the time that it waits to be. Ends the part.
   *
   * @param {string} key
   * @param {object} device
   */
  submission(key, device) {
    this.stop();
    const { answer, edits, confidence, digits } = this.entered;
    const [active, idle, hidden] = ["active_ms", "idle_ms", "hidden_ms"].map((name) =>
      tenth(this.spent[name]),
    );
    const response = {
      response_ms: tenth(active + idle + hidden),
      active_ms: active,
      idle_ms: idle,
      hidden_ms: hidden,
      first_drawn_ms: this.firstDrawnMs,
      edits,
      queued_ms: 0,
      submitted_utc: new Date().toISOString(),
      parts: this.parts,
      device,
    };
    return { key, assignment: this.assignment, answer, confidence, digits, response };
  }

  #isVisible() {
    return !this.isHidden && !this.isCovered;
  }

  #showVisible() {
    this.trace?.setVisible(this.#isVisible(), this.now() - this.began);
  }

  #count() {
    return this.parts.reduce((sum, part) => sum + part.samples.length, this.trace.samples.length);
  }

  /** Thin out the part with the most samples. */
  #thin() {
    const longest = this.parts.reduce(
      (best, part) => (part.samples.length > best.samples.length ? part : best),
      this.trace,
    );
    if (longest === this.trace) this.trace.thin();
    else {
      longest.samples = thinned(longest.samples);
      longest.thinned = true;
    }
  }
}
