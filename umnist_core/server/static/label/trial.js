/** Trials: one image after the other, everything about each recorded as it happens. */

import { pair } from "../hall/pair.js";
import { t } from "../hall/words.js";
import { Attempt } from "./attempt.js";
import { hintsDialog, keysDialog, pauseDialog } from "./dialogs.js";
import { BoxForm, boxKeys } from "./box_form.js";
import { FeedbackPanel } from "./feedback.js";
import { AnswerForm } from "./form.js";
import { findLast, putLast, removeLast } from "./keep.js";
import { Workplace } from "./workplace.js";

const INPUT_EVENTS = ["pointerdown", "pointermove", "touchstart", "touchmove", "wheel", "keydown"];

/** A draft is kept this often while something changes. */
const KEEP_EVERY_MS = 2000;

/**
 * @typedef {import("./attempt.js").Draft} Draft
 * @typedef {import("./attempt.js").Entered} Entered
 *
 * @typedef {object} TrialCallbacks
 * @property {(attempt: Attempt) => void} onSubmit
 * @property {() => void} onDrawn The open image is fully drawn.
 * @property {(text: string) => void} say To screen readers.
 * @property {() => unknown} onWithdraw Somebody wants to stop taking part; until they are asked.
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
    /** @type {HTMLDialogElement|null} What hides the image until it is closed. */
    this.paused = null;
    this.isDirty = false;
    /** Whether no image was open yet, so that what is typed can be of the first alone. */
    this.isFresh = true;
    this.left = new AbortController();
    const mostDigits = state.guide?.digit_counts?.[1] ?? null;
    const Form = state.ask.boxes ? BoxForm : AnswerForm;
    this.form = new Form({ ...state.ask, mostDigits }, state.texts.question, {
      onChange: (entered) => this.#entered(entered),
      onSubmit: () => this.#submit(),
      focusImage: () => this.focus(),
    });
    this.place = new Workplace({
      onKey: (event) => this.#key(event),
      onHelp: () => this.#showKeys(),
      onDrawn: () => this.#drawn(),
      onPlace: (place) => this.#moved(place),
    });
    /** @type {(() => void)|null} What to do when feedback has been read. */
    this.next = null;
    this.feedback = new FeedbackPanel(this.place, {
      onNext: () => this.#goOn(),
      say: callbacks.say,
    });
    this.place.panel.append(this.form.element, this.feedback.element);
    this.element = this.place.element;
    this.tools = this.#makeTools();
    this.#listen();
  }

  /**
   * @param {import("./state.js").Trial} trial
   * @param {Entered} [entered] What to begin with, without a draft.
   */
  async open(trial, entered) {
    this.next = null;
    this.feedback.hide();
    this.form.element.hidden = false;
    this.place.leaveImage();
    if (this.attempt) await this.#leave();
    this.trial = trial;
    const turn = (this.turn = Symbol(trial.assignment));
    const draft = await this.#draftOf(trial.assignment);
    if (turn !== this.turn) return;
    if (this.form instanceof BoxForm) this.form.setImage(trial.image);
    const { isFresh } = this;
    this.isFresh = false;
    this.attempt = new Attempt(trial.assignment, draft);
    this.attempt.setHidden(this.#isHidden());
    if (isFresh && !draft && !entered) {
      this.attempt.entered = this.form.entered; // somebody may have typed since the form is there
    } else {
      if (!draft && entered) this.attempt.entered = entered;
      this.form.show(this.attempt.entered);
    }
    if (!isFresh || !this.form.element.contains(document.activeElement)) this.focus();
    this.place.showImage(trial.image, t("trial.image", { number: trial.number }));
    if (this.place.isDrawn) this.#drawn();
  }

  focus() {
    this.place.focus();
  }

  /**
   * Tell what is in the image whose answer is saved, until that has been read.
   *
   * @param {import("./state.js").Solution} told
   * @param {() => void} next
   */
  tell(told, next) {
    this.next = next;
    this.form.element.hidden = true;
    this.feedback.show(told, told.answer);
    this.focus();
  }

  #goOn() {
    const { next } = this;
    this.next = null; // once, however often it is pressed
    next?.();
  }

  destroy() {
    this.feedback.destroy();
    if (this.form instanceof BoxForm) this.form.destroy();
    this.#leave();
    this.left.abort();
    clearInterval(this.timer);
    this.place.destroy();
  }

  /** A change is given up: what was entered is not kept, since the answer stays as it was sent. */
  async forget() {
    const { attempt } = this;
    this.attempt = null;
    if (!attempt) return;
    removeLast(attempt.assignment);
    await this.keep.remove("drafts", attempt.assignment).catch(() => undefined);
  }

  /** Hide the image until the person goes on; the time counts as hidden. */
  async pause() {
    if (this.paused?.open) return;
    /** @type {unknown} */
    let asked;
    const dialog = pauseDialog(this.state.link, () => {
      asked = this.callbacks.onWithdraw();
    });
    this.paused = dialog;
    this.#showHidden();
    this.#keepDraft();
    await this.place.showDialog(dialog);
    await asked; // the image stays hidden while it is asked whether somebody means to stop
    // Keys may come between the end of a dialog and its event: of two pauses the later one holds.
    if (this.paused !== dialog) return;
    this.paused = null;
    this.#showHidden();
  }

  #makeTools() {
    const { guide } = this.state;
    return [
      ...(guide ? [{ name: t("tool.hints"), key: "h", click: () => this.#showHints() }] : []),
      { name: t("tool.keys"), key: "?", click: () => this.#showKeys() },
      { name: t("tool.pause"), key: "p", click: () => this.pause() },
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

  /** @param {KeyboardEvent} event */
  #key(event) {
    const key = event.key.toLowerCase();
    if (key === "p") this.pause();
    else if (key === "h" && this.state.guide) this.#showHints();
    else if (this.feedback.isShown) return this.feedback.key(event);
    // What is typed before the first image has its draft is of that image all the same.
    else return (this.isFresh || this.attempt !== null) && this.form.key(event);
    return true;
  }

  /** @param {Entered} entered */
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

  /** @param {import("../viewer/viewer.js").Place} place */
  #moved(place) {
    this.attempt?.move(place);
    this.isDirty = true;
  }

  #submit() {
    const { attempt } = this;
    // An answer to an image that nobody has seen would have no time and no trace.
    if (!attempt?.isRunning) {
      this.form.say(t("trial.loading"));
      return;
    }
    this.attempt = null;
    this.isDirty = false;
    this.form.setBusy(true);
    this.focus();
    this.callbacks.onSubmit(attempt);
  }

  #isHidden() {
    return this.paused !== null || document.visibilityState === "hidden";
  }

  #showHidden() {
    this.attempt?.setHidden(this.#isHidden());
    this.place.stage.classList.toggle("paused", this.paused !== null);
  }

  #visibilityChanged() {
    this.#showHidden();
    // A browser may end a tab in the background without another word.
    if (document.visibilityState === "hidden") this.#keepLast();
  }

  #showKeys() {
    const { ask, guide } = this.state;
    const more = [
      ...(ask.digits ? [pair("D", t("keys.digits"))] : []),
      ...(ask.confidence ? [pair("C", t("keys.confidence"))] : []),
      ...(ask.digits || ask.confidence ? [pair("Esc", t("keys.escape"))] : []),
      ...(guide ? [pair("H", t("tool.hints"))] : []),
      pair("P", t("tool.pause")),
    ];
    this.#cover(keysDialog(more, ask.boxes ? boxKeys() : undefined));
  }

  #showHints() {
    const { guide } = this.state;
    if (guide) this.#cover(hintsDialog(guide));
  }

  /** @param {HTMLDialogElement} dialog */
  async #cover(dialog) {
    this.attempt?.setCovered(true);
    await this.place.showDialog(dialog);
    this.attempt?.setCovered(false);
  }

  async #leave() {
    const { attempt } = this;
    this.attempt = null;
    if (!attempt) return;
    attempt.stop();
    await this.#put(attempt.draft());
  }

  /**
   * @param {string} assignment
   * @returns {Promise<Draft|null>}
   */
  async #draftOf(assignment) {
    const found = await this.keep.find("drafts", assignment).catch(() => null);
    const kept = /** @type {Draft|null} */ (found); // pages of questions have ids of their own
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

  /** @param {Draft} draft */
  async #put(draft) {
    await this.keep.put("drafts", draft.assignment, draft).catch(() => undefined);
  }
}
