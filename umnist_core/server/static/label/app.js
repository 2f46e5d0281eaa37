/**
 * A person's way through a study: what the server says decides which screen there is.
 *
 * The one thing that is decided here is what may be worked on while answers wait to be
 * sent: an image that is reserved already (see `openTrial`), and then nothing.
 */

import { getJson, newKey, postJson, Refusal } from "./api.js";
import { describeDevice } from "./device.js";
import { openKeep, removeLast } from "./keep.js";
import { Outbox } from "./outbox.js";
import { PracticeScreen } from "./practice.js";
import * as screens from "./screens.js";
import { Shell } from "./shell.js";
import { openTrial } from "./state.js";
import { joinTabs } from "./tabs.js";
import { TrialScreen } from "./trial.js";
import { Warmer } from "./warm.js";

/** The open image stays reserved as long as the page says so. */
const ALIVE_MS = 60_000;

/** How often a study that is paused, or a server that is away, is asked again. */
const LOOK_MS = 15_000;

export class App {
  /**
   * @param {HTMLElement} root
   * @param {string} study
   */
  constructor(root, study) {
    this.root = root;
    this.study = study;
    this.base = `/label/${study}/api`;
    this.isActive = false;
    this.warmer = new Warmer();
    /** @type {import("./state.js").State|null} */
    this.state = null;
    /** Assignment that is being worked on. @type {string|null} */
    this.open = null;
    /** The answer being changed. @type {import("./state.js").Previous|null} */
    this.changing = null;
  }

  async start() {
    this.keep = await openKeep();
    const post = (body) => postJson(`${this.base}/answers`, body);
    this.outbox = new Outbox(this.keep, this.study, post);
    this.shell = new Shell(this.root, this.outbox);
    this.#listen();
    this.tab = joinTabs(this.study, {
      onActive: () => this.#activate(),
      onOther: () => this.#showOtherTab("This study is open in another tab."),
      onLost: () => this.#leave(),
    });
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
    this.#showOtherTab("This study was continued in another tab.");
  }

  #showOtherTab(sentence) {
    this.#close();
    this.shell.setProgress(null);
    this.#show(
      screens.messageScreen(
        "other-tab",
        "One tab at a time",
        [sentence, "What you entered is kept."],
        [{ text: "Go on here", click: () => this.tab.takeOver(), isMain: true }],
      ),
    );
  }

  #listen() {
    const { outbox } = this;
    outbox.addEventListener("saved", ({ detail }) => this.#saved(detail));
    outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    outbox.addEventListener("waits", ({ detail }) => this.#waits(detail.entry));
    outbox.addEventListener("held", ({ detail }) => this.#showTrouble(detail.refusal));
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
      const state = await getJson(`${this.base}/state`);
      if (this.isActive) this.#setState(state);
    } catch (error) {
      if (this.isActive) this.#showTrouble(error);
    }
  }

  #showTrouble(error) {
    // Somebody at work is not disturbed by a connection that fails.
    if (!(error instanceof Refusal)) {
      this.looksAgain = true;
      if (this.state) return;
    }
    this.#close();
    const [title, content, actions] =
      error instanceof Refusal
        ? ["You cannot go on here", [error.message], []]
        : ["The study cannot be reached", [error.message, "This page tries again by itself."], [
            { text: "Try now", click: () => this.#load(), isMain: true },
          ]];
    this.#show(screens.messageScreen("trouble", title, content, actions));
  }

  // -- screens ----------------------------------------------------------------------------

  #setState(state) {
    this.state = state;
    this.looksAgain = state.phase === "paused";
    this.shell.setStudy(state.study.name);
    this.#showPhase();
  }

  #showPhase() {
    const { state } = this;
    if (!this.isActive || this.changing) return;
    if (state.phase !== "trial") this.#close();
    const name = this.shell.screen?.name;
    if (state.phase === "practice" && state.practice) this.#showPractice();
    else if (state.phase === "trial") this.#showTrial();
    else if (name !== state.phase) this.#showText();
  }

  #showText() {
    const { state } = this;
    const { phase, previous } = state;
    this.shell.setProgress(null);
    const change = previous ? () => this.#changeLast() : null;
    const sentences = {
      paused: [
        "The study is paused",
        "It goes on later; what you have answered is saved. This page looks again by itself.",
      ],
      closed: ["The study is closed", "It takes no more answers. Thank you for yours."],
    };
    if (phase === "consent") this.#show(this.#consent());
    else if (phase === "instructions") {
      this.#show(screens.instructionsScreen(state, this.#step("begin")));
    } else if (phase === "done") this.#show(screens.doneScreen(state, change));
    else {
      const other = ["Nothing to do now", "Please come back later."];
      const [title, sentence] = sentences[phase] ?? other;
      this.#show(screens.messageScreen(phase, title, [sentence]));
    }
  }

  #consent() {
    const decline = () =>
      this.#show(
        screens.messageScreen(
          "declined",
          "You are not taking part",
          ["Nothing is recorded. You can close this page, or change your mind."],
          [{ text: "Back", click: () => this.#showPhase() }],
        ),
      );
    return screens.consentScreen(this.state, { agree: this.#step("consent"), decline });
  }

  /** A post that may be repeated until it is taken: it keeps its key. */
  #step(name) {
    const key = newKey();
    return async () => this.#setState((await postJson(`${this.base}/${name}`, { key })).state);
  }

  #showPractice() {
    const { practice, progress } = this.state;
    if (this.shell.screen?.name !== "practice") {
      const screen = new PracticeScreen(this.state, {
        send: (body) => postJson(`${this.base}/practice`, body),
        onDone: (state) => this.#setState(state),
        say: (text) => this.shell.say(text),
      });
      screen.open(practice);
      this.#show(screen);
    } else if (this.shell.screen.practice.id !== practice.id) {
      this.shell.screen.open(practice);
      this.shell.screen.focus();
    }
    const { practice_done: done, practice_total: total } = progress;
    this.shell.setProgress({ number: practice.number, total, done }, "Practice");
  }

  #showTrial() {
    const answered = new Set(this.outbox.waiting.map(({ assignment }) => assignment));
    if (this.submitted) answered.add(this.submitted);
    const { trial, next } = openTrial(this.state, answered);
    if (!trial) this.#showWaiting();
    else if (this.open && this.open !== trial.assignment && !answered.has(this.open)) {
      this.next = null; // an image that is being worked on is not taken away
    } else if (this.open !== trial.assignment) {
      this.next = next;
      this.#openTrial(trial);
    } else {
      this.next = next;
      this.#warm();
      this.#drawTools();
    }
  }

  #openTrial(trial, entered) {
    this.open = trial.assignment;
    this.number = trial.number;
    if (this.shell.screen?.name !== "trial") {
      const screen = new TrialScreen(this.state, this.keep, {
        onSubmit: (attempt) => this.#submit(attempt),
        onDrawn: () => this.#warm(),
      });
      screen.open(trial, entered);
      this.#show(screen);
    } else this.shell.screen.open(trial, entered);
    const { total } = this.state.progress;
    this.shell.setProgress({ number: trial.number, total, done: trial.number - 1 });
    this.shell.say(`Image ${trial.number} of ${total}`);
    this.#drawTools();
  }

  #drawTools() {
    const { screen } = this.shell;
    const back = {
      ...{ name: "Leave my answer as it was", short: "Leave it" },
      click: () => this.#endChange(),
    };
    const change = {
      ...{ name: "Change my last answer", short: "Change last" },
      click: () => this.#changeLast(),
    };
    const extra = this.changing ? [back] : this.state.previous ? [change] : [];
    this.shell.setTools([...extra, ...screen.tools]);
  }

  #warm() {
    const size = this.shell.screen?.place?.place?.size;
    if (this.next && size && !this.changing) this.warmer.warm(this.next.image, size);
  }

  #showWaiting() {
    this.#close();
    if (this.shell.screen?.name === "waiting") return;
    this.shell.setSaving("none");
    this.#show(
      screens.messageScreen(
        "waiting",
        "Waiting for the connection",
        [
          "You have answered every image that was loaded. The answers must be sent before " +
            "the next one comes; this goes on by itself. Please leave this page open.",
        ],
        [{ text: "Try now", click: () => this.outbox.kick(), isMain: true }],
      ),
    );
  }

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

  #saved({ entry, reply }) {
    removeLast(entry.assignment);
    // Refused before and shown again, and taken now: there is nothing left to do on it.
    if (this.open === entry.assignment && !this.changing) this.open = null;
    this.shell.setSaving("saved");
    this.shell.say(`The answer to image ${entry.number} is saved.`);
    this.#settle(entry);
    if (this.isActive) this.#setState(reply.state);
  }

  #refused({ entry, refusal }) {
    this.shell.setSaving("none");
    this.#settle(entry);
    if (refusal.code === "already_answered" && this.open === entry.assignment) this.open = null;
    if (!this.isActive) return;
    if (refusal.state) this.#setState(refusal.state);
    else this.#load();
  }

  /** The server has not taken it yet: whoever waits for it may go on. */
  #waits(entry) {
    if (this.submitted !== entry.assignment) return;
    this.shell.setSaving("none");
    this.changing = null;
    this.#showPhase();
  }

  #settle(entry) {
    if (this.submitted !== entry.assignment) return;
    this.submitted = null;
    this.changing = null;
  }

  #changeLast() {
    const { previous } = this.state;
    if (!previous) return;
    const { answer, confidence, digits } = previous;
    this.changing = previous;
    this.#openTrial(previous, { answer, edits: 0, confidence, digits });
  }

  #endChange() {
    this.changing = null;
    this.open = null;
    this.#showPhase();
  }
}
