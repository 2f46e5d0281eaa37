/**
 * The moments of a way over an image, and what is in view at each; no DOM.
 *
 * @typedef {object} WayView What was in view from one moment to another, canvas px.
 * @property {number} start_ms
 * @property {number} end_ms
 * @property {number} x Middle of the view.
 * @property {number} y
 * @property {number} zoom CSS px per canvas px, on the person's screen.
 * @property {number} width
 * @property {number} height
 *
 * @typedef {"seen"|"skipped"|"misread"|"perhaps_misread"} DigitState
 *
 * @typedef {object} WayDigit
 * @property {number} id
 * @property {number} label
 * @property {number[]} box x, y, width, height in canvas px
 * @property {number} side
 * @property {DigitState} state What had become of it at the answer.
 * @property {number} largest_px Its greatest side on the person's screen, CSS px.
 * @property {number|null} legible_ms When it first was legible; null if never.
 * @property {number|null} looked_ms When it had been so for long enough; null if never.
 *
 * @typedef {object} WayData
 * @property {number} duration_ms
 * @property {WayView[]} views In order.
 * @property {WayDigit[]} digits
 * @property {number|null} legible_zoom At which the smallest digit is legible.
 * @property {number} legible_px
 * @property {number} least_ms
 *
 * @typedef {{at_ms: number, kind: DigitState|"answer", digit: WayDigit|null}} Moment
 */

/** Speeds that a replay is played at. */
export const SPEEDS = [1, 2, 4, 8, 16, 32];

/** A replay is begun at the lowest speed that takes no longer than this. */
const USUAL_MS = 30_000;

/**
 * @param {WayData} way
 * @param {number} t ms
 * @returns {WayView|null} null where the page was hidden, and before and after.
 */
export function viewAt({ views, duration_ms }, t) {
  let [low, high] = [0, views.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (views[middle].start_ms <= t) low = middle + 1;
    else high = middle;
  }
  const found = views[low - 1] ?? null;
  // The last view is what the answer was given at.
  const isEnd = found !== null && t >= duration_ms && found.end_ms >= duration_ms;
  return found && (t < found.end_ms || isEnd) ? found : null;
}

/**
 * Views up to a moment in which the smallest digit was legible.
 *
 * @param {WayData} way
 * @param {number} t
 * @returns {WayView[]}
 */
export function closeViews({ views, legible_zoom: zoom }, t) {
  if (zoom === null) return [];
  return views.filter((one) => one.start_ms <= t && one.zoom >= zoom * (1 - 1e-9));
}

/**
 * All moments in order: each digit when it first was legible, the digits that were skipped with
 * the answer, at the end.
 *
 * @param {WayData} way
 * @returns {Moment[]}
 */
export function momentsOf({ digits, duration_ms: end }) {
  /** @type {Moment[]} */
  const of = digits.map((digit) => {
    const at_ms = digit.state === "skipped" ? end : (digit.legible_ms ?? end);
    return { at_ms, kind: digit.state, digit };
  });
  of.push({ at_ms: end, kind: "answer", digit: null });
  return of.sort((one, other) => one.at_ms - other.at_ms);
}

/**
 * @param {Moment[]} moments
 * @param {number} t
 * @param {1|-1} direction
 * @returns {number} Where the next one is; the beginning or the last of them beyond.
 */
export function nextMoment(moments, t, direction) {
  const times = moments.map(({ at_ms }) => at_ms);
  if (direction > 0) return times.find((at) => at > t + 1) ?? times.at(-1) ?? 0;
  return times.findLast((at) => at < t - 1) ?? 0;
}

/**
 * @param {number} duration_ms
 * @returns {number}
 */
export function usualSpeed(duration_ms) {
  return SPEEDS.find((speed) => duration_ms / speed <= USUAL_MS) ?? SPEEDS[SPEEDS.length - 1];
}

/**
 * @param {number} ms
 * @returns {string} "1:02.5"
 */
export function clockText(ms) {
  const tenths = Math.round(ms / 100);
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${seconds}`;
}

/**
 * @param {Moment} moment
 * @param {WayData} way
 * @param {{answer: number, truth: number}} given
 * @returns {string} What happened.
 */
export function momentText({ kind, digit }, way, { answer, truth }) {
  if (!digit) {
    return answer === truth
      ? `Answered ${answer}, right`
      : `Answered ${answer}, the sum is ${truth}`;
  }
  const name = `Digit ${digit.label}, ${Math.round(digit.side)} px`;
  switch (kind) {
    case "skipped":
      return digit.legible_ms === null
        ? `${name}: never legible, ${Math.round(digit.largest_px)} px on screen at most`
        : `${name}: legible for less than ${way.least_ms} ms`;
    case "misread":
      return `${name}: legible, and misread`;
    case "perhaps_misread":
      return `${name}: legible; this or an equal one was misread`;
    default:
      return `${name}: legible`;
  }
}
