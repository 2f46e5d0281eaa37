/** What a model looked at, one place after the other: while it runs, and again afterwards. */

/** All of a search is shown again in about this time. */
const REPLAY_MS = 4000;

/** Places that were looked at so short ago, in their number, are brighter. */
const BRIGHT = 24;

/**
 * Outlines of the first so many places; the newest are bright.
 *
 * @param {number[][]} seen
 * @param {number} count
 * @param {number} scale Px of the viewer's frame per px of the image.
 * @returns {import("../viewer/look_marks.js").LookMark[]}
 */
export function seenMarks(seen, count, scale) {
  return seen.slice(0, count).map((box, place) => ({
    box: box.map((one) => one * scale),
    text: "",
    strength: Math.max(0, 1 - (count - 1 - place) / BRIGHT),
    kind: "seen",
  }));
}

/** The search of one job, shown again. */
export class Replay {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {string|null} */
    this.job = null;
    this.count = 0;
  }

  /** @param {{id: string, seen: number[][]}[]} jobs All are shown at once, from their beginning. */
  start(jobs) {
    const most = Math.max(...jobs.map(({ seen }) => seen.length));
    this.job = jobs.map(({ id }) => id).join(" ");
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.count = most; // all of it stands still, until it is stopped
      return this.onChange();
    }
    const begun = performance.now();
    const draw = (now) => {
      const share = Math.min(1, Math.max(0, now - begun) / REPLAY_MS);
      this.count = Math.ceil(share * most);
      if (share === 1) this.stop();
      else {
        this.frame = requestAnimationFrame(draw);
        this.onChange();
      }
    };
    this.frame = requestAnimationFrame(draw);
    this.onChange();
  }

  stop() {
    if (this.job === null) return;
    cancelAnimationFrame(this.frame ?? 0);
    this.job = null;
    this.onChange();
  }
}
