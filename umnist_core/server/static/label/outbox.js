/**
 * Answers on their way to the server. Each is kept before it is first sent, and until the
 * server has said that it has it; a reload, a lost network or a server that is down delays
 * it and no more. The same key goes with every sending, so none counts twice.
 *
 * Events: `change` (what waits has changed), `saved` {entry, reply}, `refused` {entry,
 * refusal}, `waits` {entry} (it was not taken at once; whoever waits may go on), `held`
 * {refusal} (nothing can be sent before somebody acts).
 *
 * @typedef {object} Entry
 * @property {string} key
 * @property {string} study
 * @property {string} assignment
 * @property {number} number Of the image, as the person counts.
 * @property {import("./attempt.js").Submission} body What is posted.
 * @property {number} submittedAt ms since 1970
 * @property {number} tries
 * @property {{code: string, sentence: string}|null} refusal
 * @property {boolean} [isKept] Whether it lies in this browser.
 * @property {string} [trouble] Why it was not taken at the last sending.
 *
 * @typedef {Entry & {refusal: {code: string, sentence: string}}} RefusedEntry
 * @typedef {import("./state.js").SavedReply} SavedReply
 */

import { t } from "../hall/words.js";
import { Refusal, Unreachable } from "./api.js";

/** Waits between sendings, ms; the last is repeated. */
const BACK_OFF_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];

/** Whoever submits waits this long for "saved" before they may go on. */
const SLOW_MS = 5000;

/** Refusals after which sending again can change nothing. */
export const FINAL_CODES = ["already_answered", "changed_enough", "debriefed", "withdrawn"];

/** Refusals that are of the person's session, not of the answer. */
const SESSION_CODES = ["no_session", "revoked", "expired"];

export class Outbox extends EventTarget {
  /**
   * @param {import("./keep.js").Keep} keep
   * @param {string} study
   * @param {(body: import("./attempt.js").Submission) => Promise<SavedReply>} post
   */
  constructor(keep, study, post) {
    super();
    this.keep = keep;
    this.study = study;
    this.post = post;
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    this.isOpen = false;
    this.isSending = false;
    /** @type {(() => void)|undefined} Ends a wait between sendings. */
    this.wake = undefined;
  }

  /** @returns {Entry[]} Not sent yet, oldest first. */
  get waiting() {
    return [...this.entries.values()].filter(({ refusal }) => refusal === null);
  }

  /** @returns {RefusedEntry[]} Sent and not taken; shown until the person has seen them. */
  get refused() {
    const refused = [...this.entries.values()].filter(({ refusal }) => refusal !== null);
    return /** @type {RefusedEntry[]} */ (refused);
  }

  /** Read what earlier visits left, and begin to send. */
  async open() {
    const kept = await this.keep.all("outbox").catch(() => []);
    const own = kept.filter(({ study }) => study === this.study);
    own.sort((a, b) => a.submittedAt - b.submittedAt);
    for (const entry of own) {
      // What was refused may be taken now: a study goes on, somebody opens their own link.
      const isFinal = FINAL_CODES.includes(entry.refusal?.code ?? "");
      if (this.entries.has(entry.key)) continue;
      this.entries.set(entry.key, { ...entry, tries: 1, refusal: isFinal ? entry.refusal : null });
    }
    this.isOpen = true;
    this.#emit("change");
    this.kick();
  }

  /** Send nothing any more: another tab does. */
  close() {
    this.isOpen = false;
    this.entries.clear();
    this.wake?.();
    this.#emit("change");
  }

  /**
   * Keep an answer, then send it.
   *
   * @param {Entry} entry
   */
  async add(entry) {
    this.entries.set(entry.key, entry);
    // Counted as waiting before it is kept: the tab must not close in between.
    this.#emit("change");
    entry.isKept = await this.#keepEntry(entry);
    this.#emit("change");
    setTimeout(() => this.entries.has(entry.key) && this.#emit("waits", { entry }), SLOW_MS);
    this.kick();
  }

  /** Send now and not when the wait is over. */
  kick() {
    this.wake?.();
    if (this.isOpen && !this.isSending) this.#run();
  }

  /** @param {string} key Of a refused answer that the person wants to send again. */
  async again(key) {
    const entry = this.entries.get(key);
    if (!entry) return;
    entry.refusal = null;
    await this.#keepEntry(entry);
    this.#emit("change");
    this.kick();
  }

  /** @param {string} key Of a refused answer that the person has seen. */
  async dismiss(key) {
    this.entries.delete(key);
    this.#emit("change");
    await this.keep.remove("outbox", key).catch(() => undefined);
  }

  async #run() {
    this.isSending = true;
    let failures = 0;
    while (this.isOpen && this.waiting.length > 0) {
      // The least tried first: one that the server stumbles over must not hold up the rest.
      const entry = this.waiting.reduce((best, one) => (one.tries < best.tries ? one : best));
      const outcome = await this.#send(entry);
      if (outcome === "held") break;
      if (outcome === "done") failures = 0;
      else await this.#pause(failures++, outcome.retryAfterMs);
    }
    this.isSending = false;
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<"done"|"held"|Unreachable>}
   */
  async #send(entry) {
    const waited = entry.tries === 0 ? 0 : Math.max(Date.now() - entry.submittedAt, 0);
    entry.tries += 1;
    const response = { ...entry.body.response, queued_ms: waited };
    try {
      const reply = await this.post({ ...entry.body, response });
      if (reply?.saved !== true || reply.key !== entry.key) {
        throw new Unreachable(t("unreachable.other"));
      }
      await this.#saved(entry, reply);
      return "done";
    } catch (error) {
      return this.#failed(entry, error);
    }
  }

  /**
   * @param {Entry} entry
   * @param {SavedReply} reply
   */
  async #saved(entry, reply) {
    this.entries.delete(entry.key);
    // Were this to fail, it would be sent once more, and the server would know its key.
    await this.keep.remove("outbox", entry.key).catch(() => undefined);
    await this.keep.remove("drafts", entry.assignment).catch(() => undefined);
    this.#emit("change");
    this.#emit("saved", { entry, reply });
  }

  /**
   * @param {Entry} entry
   * @param {unknown} error
   * @returns {Promise<"done"|"held"|Unreachable>}
   */
  async #failed(entry, error) {
    if (error instanceof Unreachable) {
      entry.trouble = error.message;
      this.#emit("change");
      this.#emit("waits", { entry });
      return error;
    }
    if (!(error instanceof Refusal)) throw error;
    if (SESSION_CODES.includes(error.code)) {
      entry.trouble = error.message;
      this.#emit("change");
      this.#emit("held", { refusal: error });
      return "held";
    }
    entry.refusal = { code: error.code, sentence: error.message };
    await this.#keepEntry(entry);
    this.#emit("change");
    this.#emit("refused", { entry, refusal: error });
    return "done";
  }

  /**
   * @param {number} failures In a row, before this one.
   * @param {number} atLeastMs
   * @returns {Promise<void>}
   */
  #pause(failures, atLeastMs) {
    const backOff = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)];
    // Spread, so that a room full of people does not come back in the same instant.
    const wait = Math.max(backOff * (0.75 + 0.5 * Math.random()), atLeastMs);
    return new Promise((resolve) => {
      const timer = setTimeout(done, wait);
      this.wake = done;
      const outbox = this;
      function done() {
        clearTimeout(timer);
        outbox.wake = undefined;
        resolve();
      }
    });
  }

  /** @param {Entry} entry */
  async #keepEntry(entry) {
    try {
      await this.keep.put("outbox", entry.key, entry);
      return this.keep.lasts;
    } catch {
      return false; // full: it is held in memory, and the page says so
    }
  }

  /**
   * @param {string} name
   * @param {object} [detail]
   */
  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
