/**
 * One slot's predictions: at most one under way, and the newest wish behind it.
 *
 * What is under way is given up for a newer wish, though not in its first moments: while a
 * slider is dragged, a quick model would never be done with anything else. Every request has
 * a turn, larger than those before it; an answer to another than the newest is dropped, in
 * whatever order answers come.
 *
 * @typedef {{checkpoint: string, device: string, image: string}} Wish
 *
 * @typedef {object} Job As the server tells of it.
 * @property {string} id
 * @property {"waiting"|"loading"|"running"|"done"|"failed"|"cancelled"|"superseded"} state
 * @property {number} queue Jobs before it.
 * @property {number|null} estimate_s Until it is done.
 * @property {{done: number, total: number|null}|null} progress
 * @property {number[][]} [seen] Places that it looked at so far, in their order, image px.
 * @property {number} version
 * @property {{sentence: string, code: string}|null} error
 * @property {import("./outcome.js").Result|null} result
 * @property {import("./places.js").Places|null} [places] Of the whole map, with the answer.
 *
 * @typedef {{turn: number, wish: Wish, since: number, stop: AbortController, job: Job|null,
 *            isCancelled: boolean}} Run
 */

import { reach } from "../hall/reach.js";
import { FETCHED } from "./places.js";

/** What began this short a time ago may still finish. */
const PATIENCE_MS = 400;

/** How long the server may hold a question whose answer has not changed. */
const WAIT_S = 5;

/** Pauses before asking again, when the server does not answer. */
const RETRIES_MS = [500, 1000, 2000, 4000];

const SILENT = "The server did not answer; predict again when it is back.";
const FAILED = "The prediction failed; predict again.";
const STOPPED = "The prediction was stopped on the server; predict again.";
const ENDS = ["done", "failed", "cancelled", "superseded"];

export class Runner {
  /**
   * @param {{viewer: string, slot: string, onChange: () => void, home?: string}} setting
   *   `home`: before the addresses, where a host answers them.
   */
  constructor({ viewer, slot, onChange, home = "" }) {
    this.home = home;
    this.viewer = viewer;
    this.slot = slot;
    this.onChange = onChange;
    this.turn = 0;
    /** @type {Run|null} */
    this.current = null;
    /** @type {Wish|null} */
    this.pending = null;
    /** The newest that was answered. @type {{wish: Wish, job: Job}|null} */
    this.answered = null;
    /** Why there is no newer answer. @type {string|null} */
    this.failure = null;
  }

  /** @returns {boolean} */
  get isBusy() {
    return this.current !== null;
  }

  /** @param {Wish} wish */
  want(wish) {
    if (!this.current) return this.#begin(wish);
    this.pending = isSame(this.current.wish, wish) ? null : wish;
    clearTimeout(this.timer);
    if (!this.pending) return;
    const wait = Math.max(PATIENCE_MS - (performance.now() - this.current.since), 0);
    this.timer = setTimeout(() => this.pending && this.#begin(this.pending), wait);
  }

  cancel() {
    const run = this.#giveUp();
    if (run?.job)
      this.#ask(`/${run.job.id}`, { method: "DELETE", keepalive: true }).catch(() => {});
    this.onChange();
  }

  /** Forget all of it, as when nothing is wanted of this slot any more. */
  clear() {
    if (this.current) this.cancel();
    this.answered = null;
    this.failure = null;
  }

  close() {
    this.onChange = () => undefined;
    if (this.current) this.cancel();
  }

  #giveUp() {
    clearTimeout(this.timer);
    const run = this.current;
    this.pending = null;
    this.current = null;
    if (run) run.isCancelled = true;
    run?.stop.abort();
    return run;
  }

  #begin(wish) {
    clearTimeout(this.timer);
    this.current?.stop.abort();
    this.pending = null;
    this.failure = null;
    // Larger than those of an earlier life of this page, which the server may still know.
    this.turn = Math.max(this.turn + 1, Date.now());
    const stop = new AbortController();
    const since = performance.now();
    const run = { turn: this.turn, wish, since, stop, job: null, isCancelled: false };
    this.current = run;
    this.onChange();
    this.#follow(run);
  }

  /** @param {Run} run */
  async #follow(run) {
    let failure = null;
    try {
      run.job = await this.#post(run);
      // Not stopped on its way: what the server has taken on must be cancelled there too.
      if (run.isCancelled) await this.#ask(`/${run.job.id}`, { method: "DELETE" });
      while (run === this.current && !ENDS.includes(run.job.state)) {
        this.onChange();
        run.job = await this.#poll(run);
      }
    } catch (error) {
      failure = error.message;
    }
    if (run === this.current) this.#end(run, failure);
  }

  #post({ turn, wish }) {
    // The server knows its own addresses alone.
    const image = wish.image.slice(
      this.home && wish.image.startsWith(this.home) ? this.home.length : 0,
    );
    const body = JSON.stringify({ viewer: this.viewer, slot: this.slot, turn, ...wish, image });
    const headers = { "content-type": "application/json" };
    return this.#ask("", { method: "POST", headers, body });
  }

  async #poll({ job, stop }) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const path = `/${job.id}?after=${job.version}&wait_s=${WAIT_S}&places=${FETCHED}`;
        return await this.#ask(path, { signal: stop.signal });
      } catch (error) {
        if (error.isRefusal || stop.signal.aborted || attempt === RETRIES_MS.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRIES_MS[attempt]));
      }
    }
  }

  /** @returns {Promise<Job>} */
  async #ask(path, options) {
    let response;
    try {
      response = await reach(`${this.home}/inference/jobs${path}`, options);
    } catch (error) {
      throw new Error(SILENT, { cause: error });
    }
    const text = await response.text();
    const job = readJob(text);
    if (job) return job;
    const sentence = sentenceOf(text) ?? `The server answered ${response.status}; predict again.`;
    throw Object.assign(new Error(sentence), { isRefusal: true });
  }

  #end(run, failure) {
    clearTimeout(this.timer);
    const { job, wish } = run;
    this.current = null;
    if (failure !== null) this.failure = failure;
    else if (job.state === "failed") this.failure = job.error?.sentence ?? FAILED;
    else if (job.state === "cancelled") this.failure = STOPPED;
    else if (job.state === "done") this.answered = { wish, job };
    if (this.pending) this.#begin(this.pending);
    else this.onChange();
  }
}

/**
 * @param {Wish} a
 * @param {Wish} b
 * @returns {boolean}
 */
export function isSame(a, b) {
  return a.checkpoint === b.checkpoint && a.device === b.device && a.image === b.image;
}

/** @returns {Job|null} What the text says of a job; also refusals of old turns are jobs. */
function readJob(text) {
  const found = parsed(text);
  return found && typeof found.id === "string" && typeof found.state === "string" ? found : null;
}

/** @returns {string|null} The server's own sentence. */
function sentenceOf(text) {
  const found = parsed(text);
  if (!found)
    return text.length > 0 && text.length < 400 && !text.startsWith("<") ? text.trim() : null;
  const said = found.error?.sentence ?? found.sentence ?? found.error ?? found.detail;
  return typeof said === "string" ? said : null;
}

function parsed(text) {
  try {
    const found = JSON.parse(text);
    return found && typeof found === "object" ? found : null;
  } catch {
    return null;
  }
}
