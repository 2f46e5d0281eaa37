/** Trials: one image after the other, everything about each recorded as it happens. */

import { Attempt } from "./attempt.js";
import { hintsDialog, keysDialog, pauseDialog, showDialog } from "./dialogs.js";
import { AnswerForm } from "./form.js";
import { findLast, putLast } from "./keep.js";
import { Workplace } from "./workplace.js";

const INPUT_EVENTS = ["pointerdown", "pointermove", "touchstart", "touchmove", "wheel", "keydown"];

/** A draft is kept this often while something changes. */
const KEEP_EVERY_MS = 2000;

/**
 * @typedef {object} TrialCallbacks
 * @property {(attempt: Attempt) => void} onSubmit
 * @property {() => void} onDrawn The open image is fully drawn.
 */

export class TrialScreen {
  /**
   * @param {import("./state.js").State} state
   * @param {import("./keep.js").Keep} keep
   * @param {TrialCallbacks} callbacks
   */
  constructor(state, keep, callbacks) {
    this.name = "trial";
    this.state = state;
    this.keep = keep;
    this.callbacks = callbacks;
    /** @type {Attempt|null} */
    this.attempt = null;
    this.isPaused = false;
    this.isDirty = false;
    this.left = new AbortController();
    this.form = new AnswerForm(state.ask, state.texts.question, {
      onChange: (entered) => this.#entered(entered),
      onSubmit: () => this.#submit(),
    });
    this.place = new Workplace({
      onKey: (event) => this.#key(event),
      onHelp: () => this.#showKeys(),
      onDrawn: () => this.#drawn(),
      onPlace: (place) => this.#moved(place),
    });
    this.place.panel.append(this.form.element);
    this.element = this.place.element;
    this.tools = this.#makeTools();
    this.#listen();
  }

  /**
   * @param {import("./state.js").Trial} trial
   * @param {import("./attempt.js").Entered} [entered] What to begin with, without a draft.
   */
  async open(trial, entered) {
    this.place.leaveImage();
    if (this.attempt) await this.#leave();
    this.trial = trial;
    const turn = (this.turn = Symbol(trial.assignment));
    const draft = await this.#draftOf(trial.assignment);
    if (turn !== this.turn) return;
    this.attempt = new Attempt(trial.assignment, draft);
    if (!draft && entered) this.attempt.entered = entered;
    this.attempt.setHidden(this.#isHidden());
    this.form.show(this.attempt.entered);
    this.place.showImage(trial.image, `Image ${trial.number}`);
    if (this.place.isDrawn) this.#drawn();
  }

  focus() {
    this.place.focus();
  }

  destroy() {
    this.#leave();
    this.left.abort();
    clearInterval(this.timer);
    this.place.destroy();
  }

  /** Hide the image until the person goes on; the time counts as hidden. */
  async pause() {
    if (this.isPaused) return;
    this.isPaused = true;
    this.#showHidden();
    this.#keepDraft();
    await showDialog(pauseDialog(this.state.link));
    this.isPaused = false;
    this.#showHidden();
  }

  #makeTools() {
    const { guide } = this.state;
    return [
      ...(guide ? [{ name: "Hints", key: "h", click: () => this.#showHints() }] : []),
      { name: "Keys", key: "?", click: () => this.#showKeys() },
      { name: "Pause", key: "p", click: () => this.pause() },
    ];
  }

  #listen() {
    const { signal } = this.left;
    const touch = () => this.attempt?.touch();
    for (const type of INPUT_EVENTS) {
      document.addEventListener(type, touch, { signal, capture: true, passive: true });
    }
    document.addEventListener("visibilitychange", () => this.#visibilityChanged(), { signal });
    addEventListener("pagehide", () => this.#keepLast(), { signal });
    this.timer = setInterval(() => this.isDirty && this.#keepDraft(), KEEP_EVERY_MS);
  }

  #key(event) {
    const key = event.key.toLowerCase();
    if (key === "p") this.pause();
    else if (key === "h" && this.state.guide) this.#showHints();
    else return this.attempt !== null && this.form.key(event);
    return true;
  }

  #entered(entered) {
    if (!this.attempt) return;
    this.attempt.entered = entered;
    this.isDirty = true;
  }

  #drawn() {
    const { place } = this.place;
    if (!this.attempt || !place || this.attempt.isRunning) return;
    this.attempt.drawn(place);
    this.isDirty = true;
    this.callbacks.onDrawn();
  }

  #moved(place) {
    this.attempt?.move(place);
    this.isDirty = true;
  }

  #submit() {
    const { attempt } = this;
    // An answer to an image that nobody has seen would have no time and no trace.
    if (!attempt?.isRunning) {
      this.form.say("The image is still loading.");
      return;
    }
    this.attempt = null;
    this.isDirty = false;
    this.form.setBusy(true);
    this.callbacks.onSubmit(attempt);
  }

  #isHidden() {
    return this.isPaused || document.visibilityState === "hidden";
  }

  #showHidden() {
    this.attempt?.setHidden(this.#isHidden());
    this.place.stage.classList.toggle("paused", this.isPaused);
  }

  #visibilityChanged() {
    this.#showHidden();
    // A browser may end a tab in the background without another word.
    if (document.visibilityState === "hidden") this.#keepLast();
  }

  #showKeys() {
    const { ask, guide } = this.state;
    const more = [
      ...(ask.digits ? [["D", "To the digits you see; figures then go there"]] : []),
      ...(ask.confidence ? [["C", "To how sure you are; arrows choose"]] : []),
      ...(guide ? [["H", "Hints"]] : []),
      ["P", "Pause"],
    ];
    this.#cover(keysDialog(more));
  }

  #showHints() {
    this.#cover(hintsDialog(this.state));
  }

  async #cover(dialog) {
    this.attempt?.setCovered(true);
    await showDialog(dialog);
    this.attempt?.setCovered(false);
  }

  async #leave() {
    const { attempt } = this;
    this.attempt = null;
    if (!attempt) return;
    attempt.stop();
    await this.#put(attempt.draft());
  }

  async #draftOf(assignment) {
    const kept = await this.keep.find("drafts", assignment).catch(() => null);
    const last = findLast(assignment);
    if (!kept || !last) return kept ?? last;
    return last.saved_at > kept.saved_at ? last : kept;
  }

  #keepLast() {
    if (this.attempt) putLast(this.attempt.draft());
  }

  #keepDraft() {
    this.isDirty = false;
    if (this.attempt) this.#put(this.attempt.draft());
  }

  async #put(draft) {
    await this.keep.put("drafts", draft.assignment, draft).catch(() => undefined);
  }
}
