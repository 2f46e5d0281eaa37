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
 * @property {Box[]|null} [boxes] None at all: there is no digit; null: nothing is drawn yet.
 *
 * @typedef {import("../boxes/drawing.js").Box} Box
 *
 * @typedef {object} Draft What survives a reload.
 * @property {string} assignment
 * @property {Entered} entered
 * @property {import("./trace.js").Part[]} parts
 * @property {import("./clock.js").Spent} spent
 * @property {number} first_drawn_ms
 * @property {number} saved_at ms since 1970
 *
 * @typedef {object} Submission What is posted; `response` is the record of the work.
 * @property {string} key
 * @property {string} assignment
 * @property {number|null} answer
 * @property {number|null} confidence
 * @property {number[]|null} digits
 * @property {Box[]|null} boxes
 * @property {ResponseRecord} response
 *
 * @typedef {import("./clock.js").Spent & {response_ms: number, first_drawn_ms: number,
 *   edits: number, queued_ms: number, submitted_utc: string,
 *   parts: import("./trace.js").Part[], device: object}} ResponseRecord
 */

import { NOTHING_SPENT, ResponseClock, sumOf } from "./clock.js";
import { MOST_SAMPLES, Trace, tenth, thinned } from "./trace.js";

/** @type {Entered} */
export const NOTHING_ENTERED = {
  ...{ answer: null, edits: 0, confidence: null },
  ...{ digits: null, boxes: null },
};

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
    /** When the image was asked for. */
    this.askedAt = now();
    /** @type {{began: number, clock: ResponseClock, trace: Trace}|null} The part under way. */
    this.running = null;
  }

  /** @returns {boolean} Whether the image has been fully drawn in this part. */
  get isRunning() {
    return this.running !== null;
  }

  /**
   * The image is fully drawn; the first time, that begins the part.
   *
   * @param {import("./trace.js").Place} place
   */
  drawn(place) {
    if (this.running) return;
    const began = this.now();
    this.firstDrawnMs = tenth(began - this.askedAt);
    const clock = new ResponseClock(began, this.isHidden);
    this.running = { began, clock, trace: new Trace(place, this.#isVisible()) };
  }

  /** @param {import("./trace.js").Place} place What is in view from now on. */
  move(place) {
    if (!this.running) return;
    const { began, trace } = this.running;
    trace.move(place, this.now() - began);
    while (this.#count(trace) > MOST_SAMPLES) this.#thin(trace);
  }

  /** Somebody is there. */
  touch() {
    this.running?.clock.touch(this.now());
  }

  /** @param {boolean} isHidden The page, or the person has paused. */
  setHidden(isHidden) {
    this.isHidden = isHidden;
    this.running?.clock.setHidden(isHidden, this.now());
    this.#showVisible();
  }

  /** @param {boolean} isCovered Something lies over the image; the time still counts. */
  setCovered(isCovered) {
    this.isCovered = isCovered;
    this.#showVisible();
  }

  /** End the part; the image may be asked for again. */
  stop() {
    if (!this.running) return;
    const { began, clock, trace } = this.running;
    const at = this.now();
    this.parts = [...this.parts, trace.part(at - began)];
    this.spent = sumOf(this.spent, clock.read(at));
    this.running = null;
  }

  /** @returns {Draft} As if the page were closed now. */
  draft() {
    const at = this.now();
    const { running } = this;
    return {
      assignment: this.assignment,
      entered: { ...this.entered },
      parts: running ? [...this.parts, running.trace.part(at - running.began)] : this.parts,
      spent: running ? sumOf(this.spent, running.clock.read(at)) : this.spent,
      first_drawn_ms: this.firstDrawnMs,
      saved_at: Date.now(),
    };
  }

  /**
   * What is sent, but for the time that it waits to be. Ends the part.
   *
   * @param {string} key
   * @param {object} device
   * @returns {Submission}
   */
  submission(key, device) {
    this.stop();
    const { answer, edits, confidence, digits, boxes = null } = this.entered;
    const { active_ms, idle_ms, hidden_ms } = this.spent;
    const [active, idle, hidden] = [active_ms, idle_ms, hidden_ms].map(tenth);
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
    return { key, assignment: this.assignment, answer, confidence, digits, boxes, response };
  }

  #isVisible() {
    return !this.isHidden && !this.isCovered;
  }

  #showVisible() {
    if (!this.running) return;
    const { began, trace } = this.running;
    trace.setVisible(this.#isVisible(), this.now() - began);
  }

  /** @param {Trace} trace Of the part under way. */
  #count(trace) {
    return this.parts.reduce((sum, part) => sum + part.samples.length, trace.samples.length);
  }

  /**
   * Thin out the part with the most samples.
   *
   * @param {Trace} trace Of the part under way.
   */
  #thin(trace) {
    const longest = this.parts.reduce(
      (best, part) => (part.samples.length > best.samples.length ? part : best),
      /** @type {Trace|import("./trace.js").Part} */ (trace),
    );
    if (longest instanceof Trace) longest.thin();
    else {
      longest.samples = thinned(longest.samples);
      longest.thinned = true;
    }
  }
}
