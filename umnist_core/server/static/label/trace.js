/**
 * What was on screen, when: samples of the view, each of which holds until the next. No DOM.
 *
 * @typedef {object} ViewSample
 * @property {number} t ms since the first fully drawn view of its part
 * @property {number} x Centre of the view, image px
 * @property {number} y
 * @property {number} zoom CSS px per image px
 * @property {number} w Width of the pane, CSS px
 * @property {number} h
 * @property {boolean} visible Whether the image could be seen: the page was shown, and neither
 *   a pause nor the hints covered it.
 *
 * @typedef {{samples: ViewSample[], end_ms: number, thinned?: boolean}} Part What one load of
 *   the page contributed.
 * @typedef {import("../viewer/viewer.js").Place} Place
 */

/** Samples of a movement are at least this far apart. */
export const APART_MS = 200;

/** Samples of all parts together; beyond, every second one is dropped. */
export const MOST_SAMPLES = 4000;

export class Trace {
  /**
   * @param {Place} place What the first fully drawn view shows.
   * @param {boolean} visible
   */
  constructor(place, visible) {
    /** @type {ViewSample[]} */
    this.samples = [];
    this.thinned = false;
    this.place = place;
    this.visible = visible;
    this.#take(0);
  }

  /**
   * @param {Place} place
   * @param {number} t
   */
  move(place, t) {
    this.place = place;
    const last = this.samples.at(-1);
    if (place.isAtRest || !last || t - last.t >= APART_MS) this.#take(t);
  }

  /**
   * @param {boolean} visible
   * @param {number} t
   */
  setVisible(visible, t) {
    if (visible === this.visible) return;
    this.visible = visible;
    this.#take(t);
  }

  /**
   * @param {number} t
   * @returns {Part} As it would be if the part ended now.
   */
  part(t) {
    const part = { samples: [...this.samples], end_ms: tenth(t) };
    return this.thinned ? { ...part, thinned: true } : part;
  }

  /** Drop every second sample. */
  thin() {
    this.samples = thinned(this.samples);
    this.thinned = true;
  }

  /** @param {number} t */
  #take(t) {
    const { view, size } = this.place;
    /** @type {ViewSample} */
    const sample = {
      t: tenth(t),
      x: tenth(view.x),
      y: tenth(view.y),
      zoom: Number(view.zoom.toPrecision(6)),
      w: size.width,
      h: size.height,
      visible: this.visible,
    };
    const last = this.samples.at(-1);
    const names = /** @type {(keyof ViewSample)[]} */ (Object.keys(sample));
    const differs = !last || names.some((name) => name !== "t" && sample[name] !== last[name]);
    if (differs) this.samples.push(sample);
  }
}

/**
 * Every second sample, and besides the first, the last and those at which the image came
 * into sight or went out of it: what was never seen must not seem to have been.
 *
 * @param {ViewSample[]} samples
 * @returns {ViewSample[]}
 */
export function thinned(samples) {
  /** @type {(sample: ViewSample, place: number) => boolean} */
  const isKept = (sample, place) =>
    place % 2 === 0 ||
    place === samples.length - 1 ||
    sample.visible !== samples[place - 1].visible;
  return samples.filter(isKept);
}

/**
 * @param {number} value
 * @returns {number} To a tenth: more would only make the record longer.
 */
export function tenth(value) {
  return Math.round(10 * value) / 10;
}
