/**
 * A person's way through a study: what the server says decides which screen there is.
 *
 * The one thing that is decided here is what may be worked on while answers wait to be
 * sent: an image that is reserved already (see `openTrial`), and then nothing.
 */

import { onDetail } from "../hall/dom.js";
import { t } from "../hall/words.js";
import { getJson, newKey, postJson, Refusal, sentenceOf } from "./api.js";
import { askedScreen, gateNotice } from "./asked.js";
import { describeDevice } from "./device.js";
import { showDialog } from "./dialogs.js";
import { gateDevice, gateScreen, misfit } from "./gate.js";
import { removeLast } from "./keep.js";
import { FINAL_CODES, Outbox } from "./outbox.js";
import { PracticeScreen } from "./practice.js";
import * as screens from "./screens.js";
import { Shell } from "./shell.js";
import { openTrial } from "./state.js";
import { joinTabs } from "./tabs.js";
import { TrialScreen } from "./trial.js";
import { Warmer } from "./warm.js";
import { deletedScreen, eraseAll, leaveDialog } from "./withdraw.js";

/** The open image stays reserved as long as the page says so. */
const ALIVE_MS = 60_000;

/** How often a study that is paused, or a server that is away, is asked again. */
const LOOK_MS = 15_000;

/**
 * @typedef {import("./attempt.js").Entered} Entered
 * @typedef {import("./outbox.js").Entry} Entry
 * @typedef {import("./shell.js").Screen} Screen
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Trial} Trial
 */

export class App {
  /**
   * @param {HTMLElement} root
   * @param {string} study
   * @param {import("./keep.js").Keep} keep
   */
  constructor(root, study, keep) {
    this.study = study;
    this.keep = keep;
    this.base = `/label/${study}/api`;
    this.isActive = false;
    this.looksAgain = false;
    this.warmer = new Warmer();
    this.outbox = new Outbox(keep, study, (body) => postJson(`${this.base}/answers`, body));
    this.shell = new Shell(root, this.outbox);
    /** @type {State|null} */
    this.state = null;
    /** What was waited for when that was last shown. */
    this.shownHeld = "";
    /** Assignment that is being worked on. @type {string|null} */
    this.open = null;
    /** Its number, and that of one just submitted. */
    this.number = 0;
    /** Assignment whose answer is on its way. @type {string|null} */
    this.submitted = null;
    /** The answer being changed. @type {import("./state.js").Previous|null} */
    this.changing = null;
    /** @type {Trial|null} */
    this.next = null;
  }

  start() {
    this.#listen();
    this.tab = joinTabs(this.study, {
      onActive: () => this.#activate(),
      onOther: () => this.#showOtherTab(t("tabs.open")),
      onLost: () => this.#leave(),
      onDeaf: () => this.shell.warn(t("warning.no_tabs")),
    });
    if (!this.keep.lasts) this.shell.warn(t("warning.no_storage"));
  }

  // -- tabs, network, time ----------------------------------------------------------------

  async #activate() {
    this.isActive = true;
    await this.outbox.open();
    await this.#load();
  }

  #leave() {
    this.isActive = false;
    this.submitted = null;
    this.outbox.close();
    this.#showOtherTab(t("tabs.continued"));
  }

  /** @param {string} sentence */
  #showOtherTab(sentence) {
    this.#close();
    this.shell.setProgress(null);
    this.#show(screens.otherTabScreen(sentence, () => this.tab?.takeOver()));
  }

  #listen() {
    const { outbox } = this;
    onDetail(outbox, "saved", (detail) => this.#saved(detail));
    onDetail(outbox, "refused", (detail) => this.#refused(detail));
    onDetail(outbox, "waits", ({ entry }) => this.#waits(entry));
    onDetail(outbox, "held", ({ refusal }) => this.#showTrouble(refusal));
    addEventListener("beforeunload", (event) => {
      if (outbox.waiting.length > 0) event.preventDefault();
    });
    const again = () => {
      outbox.kick();
      if (this.looksAgain) this.#load();
    };
    addEventListener("online", again);
    setInterval(() => this.looksAgain && this.isActive && this.#load(), LOOK_MS);
    setInterval(() => this.#keepAlive(), ALIVE_MS);
  }

  #keepAlive() {
    if (!this.isActive || !this.open || document.visibilityState === "hidden") return;
    postJson(`${this.base}/alive`, { assignment: this.open }).catch(() => undefined);
  }

  async #load() {
    try {
      /** @type {State} */
      const state = await getJson(`${this.base}/state`);
      if (this.isActive) this.#setState(state);
    } catch (error) {
      if (this.isActive) this.#showTrouble(error);
    }
  }

  /** @param {unknown} error */
  #showTrouble(error) {
    // Somebody at work is not disturbed by a connection that fails.
    if (!(error instanceof Refusal)) {
      this.looksAgain = true;
      if (this.state) return;
    }
    this.#close();
    const said = sentenceOf(error);
    const screen =
      error instanceof Refusal
        ? screens.messageScreen("trouble", t("trouble.refused"), [said])
        : screens.messageScreen(
            "trouble",
            t("trouble.unreachable"),
            [said, t("trouble.tries_again")],
            [{ text: t("action.try_now"), click: () => this.#load(), isMain: true }],
          );
    this.#show(screen);
  }

  // -- screens ----------------------------------------------------------------------------

  /** @param {State} state */
  #setState(state) {
    this.state = state;
    this.looksAgain = state.phase === "paused" || state.phase === "held";
    this.shell.setStudy(state.study.name, state.self ? "self" : state.origin);
    this.#showPhase();
  }

  #showPhase() {
    const { state } = this;
    if (!state || !this.isActive || this.changing || this.#isGated(state)) return;
    if (state.phase !== "trial") this.#close();
    const name = this.shell.screen?.name;
    if (state.phase === "practice" && state.practice) this.#showPractice(state, state.practice);
    else if (state.phase === "trial") this.#showTrial(state);
    else if (name !== state.phase || this.#saysOtherwise(state)) this.#showText(state);
  }

  /**
   * Whether a page that looks again by itself has something else to say now.
   *
   * @param {State} state
   */
  #saysOtherwise(state) {
    return JSON.stringify(waitedFor(state)) !== this.shownHeld;
  }

  /** @param {State} state */
  #showText(state) {
    this.shownHeld = JSON.stringify(waitedFor(state));
    this.shell.setProgress(null);
    const change = mayChange(state) ? () => this.#changeLast() : null;
    const [look, withdraw] = [() => this.#load(), () => this.#withdraw()];
    const asked = askedScreen(state, { ...this, go: (next) => this.#setState(next), withdraw });
    if (asked) this.#show(asked);
    else if (state.phase === "consent") this.#show(this.#consent(state));
    else if (state.phase === "instructions") {
      this.#show(screens.instructionsScreen(state, this.#step("begin"), gateNotice(state)));
    } else if (state.phase === "done") this.#showDone(state, change);
    else if (state.phase === "held") {
      this.#show(screens.heldScreen(state, { look, withdraw, change }));
    } else this.#show(screens.pausedScreen(state.phase));
  }

  /**
   * @param {import("./state.js").DoneState} state
   * @param {(() => void)|null} change
   */
  #showDone(state, change) {
    const mayLeave = () => this.outbox.waiting.length === 0;
    this.#show(screens.doneScreen(state, change, mayLeave, () => this.#withdraw()));
    const { leave } = state;
    if (leave?.countdown_s && document.querySelector(".leave:not([hidden])")) {
      this.shell.say(t("leave.countdown_said", { site: leave.site, count: leave.countdown_s }));
    }
  }

  /**
   * Whether this device will not do; nobody at work on an image is stopped.
   *
   * @param {State} state
   */
  #isGated(state) {
    if (state.phase === "done" || this.open) return false;
    const device = gateDevice();
    const found = misfit(state.gate, device);
    if (!found) return false;
    this.shell.setProgress(null);
    const isNew = state.phase === "consent";
    const end = isNew ? this.#step("screen-out", { device }) : () => this.#withdraw();
    this.#show(gateScreen(state, found, { look: () => this.#load(), end }));
    return true;
  }

  /** @param {State} state */
  #consent(state) {
    const decline = () => this.#show(screens.declinedScreen(() => this.#showPhase()));
    const { version, is_amended: isAmended } = state.asked.consent;
    return screens.consentScreen(state, {
      agree: this.#step("consent", { version, device: gateDevice() }),
      decline: isAmended ? () => this.#withdraw() : decline,
    });
  }

  /**
   * A post that may be repeated until it is taken: it keeps its key.
   *
   * @param {"consent"|"begin"|"withdraw"|"screen-out"} name
   * @param {object} [more] What goes with it.
   */
  #step(name, more = {}) {
    const body = { key: newKey(), ...more };
    return async () => this.#setState((await postJson(`${this.base}/${name}`, body)).state);
  }

  /**
   * @param {State} state
   * @param {import("./state.js").Practice} practice
   */
  #showPractice(state, practice) {
    const shown = this.shell.screen;
    if (!(shown instanceof PracticeScreen)) {
      const screen = new PracticeScreen(state, {
        send: (body) => postJson(`${this.base}/practice`, body),
        onDone: (next) => this.#setState(next),
        say: (text) => this.shell.say(text),
      });
      screen.open(practice);
      this.#show(screen);
    } else if (shown.practice?.id !== practice.id) {
      shown.open(practice);
      shown.focus();
    }
    const { practice_done: done, practice_total: total } = state.progress;
    this.shell.setProgress({ number: practice.number, total, done }, "progress.practice");
  }

  /** @param {State} state */
  #showTrial(state) {
    const answered = new Set(this.outbox.waiting.map(({ assignment }) => assignment));
    if (this.submitted) answered.add(this.submitted);
    const { trial, next } = openTrial(state, answered);
    if (!trial) this.#showWaiting();
    else if (this.open && this.open !== trial.assignment && !answered.has(this.open)) {
      this.next = null; // an image that is being worked on is not taken away
    } else if (this.open !== trial.assignment) {
      this.next = next;
      this.#openTrial(state, trial);
    } else {
      this.next = next;
      this.#warm();
      this.#drawTools(state);
    }
  }

  /**
   * @param {State} state
   * @param {Trial} trial
   * @param {Entered} [entered] What to begin with, where nothing was entered here.
   */
  #openTrial(state, trial, entered) {
    this.open = trial.assignment;
    this.number = trial.number;
    const shown = this.shell.screen;
    if (!(shown instanceof TrialScreen)) {
      const screen = new TrialScreen(state, this.keep, {
        onSubmit: (attempt) => this.#submit(attempt),
        onDrawn: () => this.#warm(),
        say: (text) => this.shell.say(text),
        onWithdraw: () => this.#withdraw(),
      });
      screen.open(trial, entered);
      this.#show(screen);
    } else shown.open(trial, entered);
    const { total } = state.progress;
    this.shell.setProgress({ number: trial.number, total, done: trial.number - 1 });
    this.shell.say(t("trial.image_of", { number: trial.number, total }));
    this.#drawTools(state);
  }

  /** @param {State} state */
  #drawTools(state) {
    const { screen } = this.shell;
    const back = {
      ...{ name: t("change.leave"), short: t("change.leave_short") },
      click: () => this.#endChange(),
    };
    const { previous } = state;
    const isLast = previous?.changes_left === 1;
    const change = {
      name: previous ? screens.changeText(previous) : "",
      short: t(isLast ? "change.last_once_short" : "change.last_short"),
      click: () => this.#changeLast(),
    };
    const extra = this.changing ? [back] : mayChange(state) ? [change] : [];
    this.shell.setTools([...extra, ...(screen?.tools ?? [])]);
  }

  #warm() {
    const shown = this.shell.screen;
    const size = shown instanceof TrialScreen ? shown.place.place?.size : null;
    if (this.next && size && !this.changing) this.warmer.warm(this.next.image, size);
  }

  #showWaiting() {
    this.#close();
    if (this.shell.screen?.name === "waiting") return;
    this.shell.setSaving("none");
    this.#show(screens.waitingScreen(() => this.outbox.kick()));
  }

  /** @param {Screen} screen */
  #show(screen) {
    this.shell.show(screen);
  }

  /** Nothing is worked on any more. */
  #close() {
    this.open = null;
    this.changing = null;
    this.warmer.close();
  }

  // -- answers ----------------------------------------------------------------------------

  /** @param {import("./attempt.js").Attempt} attempt */
  #submit(attempt) {
    const key = newKey();
    this.submitted = attempt.assignment;
    this.open = null;
    this.shell.setSaving("saving");
    this.outbox.add({
      ...{ key, study: this.study, assignment: attempt.assignment, number: this.number },
      body: attempt.submission(key, describeDevice()),
      submittedAt: Date.now(),
      tries: 0,
      refusal: null,
    });
  }

  /** @param {{entry: Entry, reply: import("./state.js").SavedReply}} detail */
  #saved({ entry, reply }) {
    removeLast(entry.assignment);
    // Refused before and shown again, and taken now: there is nothing left to do on it.
    if (this.open === entry.assignment && !this.changing) this.open = null;
    this.shell.setSaving("saved");
    this.shell.say(t("trial.saved_said", { number: entry.number }));
    const isWaitedFor = this.submitted === entry.assignment && this.open === null;
    this.#settle(entry);
    if (!this.isActive) return;
    const { screen } = this.shell;
    const next = () => this.#setState(reply.state);
    // Whoever has gone on to another image meanwhile is not told of the one before.
    if (reply.feedback && isWaitedFor && screen instanceof TrialScreen) {
      screen.tell(reply.feedback, next);
    } else next();
  }

  /** @param {{entry: Entry, refusal: Refusal}} detail */
  #refused({ entry, refusal }) {
    this.shell.setSaving("none");
    this.#settle(entry);
    if (FINAL_CODES.includes(refusal.code) && this.open === entry.assignment) this.open = null;
    if (!this.isActive) return;
    if (refusal.state) this.#setState(refusal.state);
    else this.#load();
  }

  /** @param {Entry} entry Not taken by the server yet: whoever waits for it may go on. */
  #waits(entry) {
    if (this.submitted !== entry.assignment) return;
    // Whoever is to be told of it waits longer, unless it failed.
    if (this.state?.self?.feedback && !entry.trouble) return;
    this.shell.setSaving("none");
    this.changing = null;
    this.#showPhase();
  }

  /** @param {Entry} entry */
  #settle(entry) {
    if (this.submitted !== entry.assignment) return;
    this.submitted = null;
    this.changing = null;
  }

  /** Ask first; answers that are on their way must have come before, or they are not taken. */
  #withdraw() {
    const withdraw = async () => {
      if (this.outbox.waiting.length > 0) {
        this.outbox.kick();
        throw new Error(t("withdraw.not_sent"));
      }
      await this.#step("withdraw")();
    };
    const erase = () => this.#erase();
    return this.state && showDialog(leaveDialog(this.state, { withdraw, erase }));
  }

  /** Everything of the person is deleted, here too; nothing can be done afterwards. */
  async #erase() {
    const { erased, debriefing } = await eraseAll(this, this.state);
    this.#close();
    this.isActive = false;
    this.looksAgain = false;
    this.shell.setProgress(null);
    this.#show(deletedScreen(erased, debriefing));
  }

  #changeLast() {
    const { state } = this;
    if (!state?.previous) return;
    const { previous } = state;
    if (previous.changes_left === 1) {
      this.shell.say(t("change.once_more_said"));
    }
    const { answer, confidence, digits, boxes } = previous;
    this.changing = previous;
    this.#openTrial(state, previous, { answer, edits: 0, confidence, digits, boxes });
  }

  #endChange() {
    const { screen } = this.shell;
    if (screen instanceof TrialScreen) screen.forget();
    this.changing = null;
    this.open = null;
    this.#showPhase();
  }
}

/**
 * What a screen of words stands for beside its phase; another one is shown where it changes.
 *
 * @param {State} state
 */
function waitedFor({ held, asked: { page, gate, consent } }) {
  return [held, page?.id, gate?.tries_left, consent.version];
}

/** @param {State} state */
function mayChange({ previous }) {
  return (previous?.changes_left ?? 0) > 0;
}
