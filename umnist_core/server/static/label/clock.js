/**
 * The time that an image was worked on, split into active, idle and hidden. No DOM.
 *
 * Hidden: the page is not to be seen, or the person has paused. Idle: it is, and more than
 * `IDLE_AFTER_MS` have passed since the last pointer, touch, wheel or key event; the first
 * fully drawn view counts as one, since it is what the person was waiting for. Active: the
 * rest. All times are in ms of one steady clock, `performance.now()`.
 *
 * @typedef {{active_ms: number, idle_ms: number, hidden_ms: number}} Spent
 */

export const IDLE_AFTER_MS = 10_000;

/** @type {Spent} */
export const NOTHING_SPENT = { active_ms: 0, idle_ms: 0, hidden_ms: 0 };

export class ResponseClock {
  /**
   * Begin to count.
   *
   * @param {number} at The first fully drawn view.
   * @param {boolean} isHidden
   */
  constructor(at, isHidden) {
    this.last = at;
    this.input = at;
    this.isHidden = isHidden;
    /** @type {Spent} */
    this.spent = { ...NOTHING_SPENT };
  }

  /** @param {number} at Of a pointer, touch, wheel or key event. */
  touch(at) {
    this.#advance(at);
    this.input = at;
  }

  /**
   * @param {boolean} isHidden
   * @param {number} at
   */
  setHidden(isHidden, at) {
    this.#advance(at);
    this.isHidden = isHidden;
  }

  /**
   * @param {number} at
   * @returns {Spent} Its three sum to the time since the beginning.
   */
  read(at) {
    this.#advance(at);
    return { ...this.spent };
  }

  /** @param {number} at */
  #advance(at) {
    const from = this.last;
    const length = Math.max(at - from, 0);
    this.last = from + length;
    if (this.isHidden) {
      this.spent.hidden_ms += length;
      return;
    }
    const active = Math.min(Math.max(this.input + IDLE_AFTER_MS - from, 0), length);
    this.spent.active_ms += active;
    this.spent.idle_ms += length - active;
  }
}

/**
 * @param {Spent} a
 * @param {Spent} b
 * @returns {Spent}
 */
export function sumOf(a, b) {
  return {
    active_ms: a.active_ms + b.active_ms,
    idle_ms: a.idle_ms + b.idle_ms,
    hidden_ms: a.hidden_ms + b.hidden_ms,
  };
}
