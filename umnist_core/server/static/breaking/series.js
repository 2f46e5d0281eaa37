/**
 * A curve that the server measures in the background: begun, followed, cancelled.
 *
 * Of several only the newest counts: what is said of an older one is dropped, in whatever order
 * answers come.
 *
 * @typedef {{value: string, images: number, right: number, not_drawn: number,
 *            accuracy: number|null, low: number|null, high: number|null}} SeriesRow
 *
 * @typedef {object} Series As the server tells of it.
 * @property {string} id
 * @property {"running"|"done"|"cancelled"|"failed"} state
 * @property {number} version
 * @property {string} error
 * @property {number} done
 * @property {number} total
 * @property {number|null} left_s
 * @property {{checkpoints: string[], parameter: string, values: string[], count: number,
 *             preset: string, overrides: Record<string, string>, seed: number, split: string,
 *             first: number}} plan
 * @property {{checkpoint: string, task: string, rows: SeriesRow[]}[]} curves
 * @property {string} command
 * @property {string} python
 *
 * @typedef {{index: number, said: number[], true: number[]|null, query: string,
 *            scene: import("./courses.js").SceneName}} Miss
 */

import { reach } from "../hall/reach.js";

const WAIT_S = 5;

/** A quick model answers more often than anybody can see. */
const PAUSE_MS = 200;

const RETRIES_MS = [500, 1000, 2000, 4000];
const SILENT = "The server did not answer; draw the curve again when it is back.";

export class SeriesRun {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Series|null} */
    this.series = null;
    /** @type {string|null} */
    this.failure = null;
    this.turn = 0;
    this.isStarting = false;
  }

  /** @returns {boolean} */
  get isBusy() {
    return this.isStarting || this.series?.state === "running";
  }

  /** @param {Record<string, any>} wish What is to be measured. */
  async begin(wish) {
    const turn = this.#next();
    this.isStarting = true;
    this.failure = null;
    this.onChange();
    try {
      const headers = { "content-type": "application/json" };
      const begun = await ask("", { method: "POST", headers, body: JSON.stringify(wish) });
      // Cancelled while it was on its way: what the server has taken on must be cancelled there.
      if (turn !== this.turn) return void (await ask(`/${begun.id}`, { method: "DELETE" }));
      this.isStarting = false;
      this.#take(begun);
      await this.#follow(turn, begun.id);
    } catch (error) {
      if (turn === this.turn) this.#fail(error.message);
    }
  }

  async cancel() {
    const { series } = this;
    const turn = this.#next();
    this.isStarting = false;
    if (series?.state === "running") this.series = { ...series, state: "cancelled" };
    this.onChange();
    if (series?.state !== "running") return;
    try {
      const ended = await ask(`/${series.id}`, { method: "DELETE", keepalive: true });
      if (turn === this.turn) this.#take(ended);
    } catch {
      // Nobody asks about it any more, so it ends by itself.
    }
  }

  /** Follow nothing any more; a curve that is measured ends by itself. */
  close() {
    this.onChange = () => undefined;
    this.cancel();
  }

  /**
   * @param {string} checkpoint
   * @param {string} value
   * @param {string} task
   * @returns {Promise<Miss[]>}
   */
  async misses(checkpoint, value, task) {
    const query = new URLSearchParams({ checkpoint, value, task });
    const found = await ask(`/${this.series.id}/misses?${query}`);
    return found.misses;
  }

  /**
   * @param {"csv"|"json"} kind
   * @returns {Promise<Blob>}
   */
  async file(kind) {
    const response = await reach(`/inference/breaking/${this.series.id}/curve.${kind}`);
    if (!response.ok) throw new Error(`The server answered ${response.status}; try again.`);
    return response.blob();
  }

  #next() {
    this.turn += 1;
    return this.turn;
  }

  async #follow(turn, id) {
    for (let attempt = 0; turn === this.turn && this.series.state === "running"; ) {
      try {
        const found = await ask(`/${id}?after=${this.series.version}&wait_s=${WAIT_S}`);
        if (turn !== this.turn) return;
        attempt = 0;
        this.#take(found);
      } catch (error) {
        if (error.isRefusal || attempt === RETRIES_MS.length) throw error;
        await pause(RETRIES_MS[attempt]);
        attempt += 1;
      }
      await pause(PAUSE_MS);
    }
  }

  /** @param {Series} series */
  #take(series) {
    if (series.id === this.series?.id && series.version < this.series.version) return;
    this.series = series;
    this.failure = series.state === "failed" ? series.error : null;
    this.onChange();
  }

  #fail(sentence) {
    this.isStarting = false;
    this.failure = sentence;
    if (this.series?.state === "running") this.series = { ...this.series, state: "failed" };
    this.onChange();
  }
}

/** @returns {Promise<any>} */
async function ask(path, options = {}) {
  let response;
  try {
    response = await reach(`/inference/breaking${path}`, options);
  } catch (error) {
    throw new Error(SILENT, { cause: error });
  }
  const found = await response.json().catch(() => ({}));
  if (response.ok) return found;
  const sentence = found.error ?? `The server answered ${response.status}; try again.`;
  throw Object.assign(new Error(sentence), { isRefusal: response.status < 500 });
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
