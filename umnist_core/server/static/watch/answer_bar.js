/**
 * The answer in short: what is asked for and stopped, how far it is, what came of it. It stands
 * at the viewer, in sight whatever controls are open beside it; without a viewer, in the panel.
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { icon } from "../hall/icons.js";
import * as words from "./words.js";

export class AnswerBar {
  /** @param {{onPredict: () => void, onCancel: () => void, onReplay: () => void}} callbacks */
  constructor({ onPredict, onCancel, onReplay }) {
    const button = (name, click, more = {}) =>
      h("button", { type: "button", click, ...more }, name);
    this.predict = button("Predict", onPredict, { class: "main" });
    this.cancel = button("Cancel", onCancel, { hidden: "" });
    this.replay = h("button", { type: "button", class: "replay", hidden: "", click: onReplay });
    this.said = ["a", "b"].map((key) => new Saying(key));
    this.note = h("span", { class: "note" });
    this.element = h(
      "div",
      { class: "umnist-answer", role: "group", "aria-label": "Answer" },
      ...[this.predict, this.cancel],
      h("div", { class: "sayings" }, ...this.said.map(({ element }) => element), this.note),
      this.replay,
    );
    styleSheet("watch/answer_bar.css", this.element).loaded.catch(() => undefined);
  }

  /**
   * @param {object} state
   * @param {SayingState[]} state.answers One for each picture or model.
   * @param {boolean} state.isPossible Whether anything can be predicted.
   * @param {string} state.note Said where there is no answer yet.
   * @param {boolean} state.canReplay
   * @param {boolean} state.isReplaying
   */
  show({ answers, isPossible, note, canReplay, isReplaying }) {
    this.predict.disabled = !isPossible;
    this.said.forEach((saying, place) => saying.show(answers[place] ?? null, answers.length > 1));
    this.note.hidden = note === "";
    this.note.textContent = note;
    this.replay.hidden = !canReplay;
    if (isReplaying === this.isReplaying) return;
    this.isReplaying = isReplaying;
    const name = isReplaying ? "Stop" : "Watch it search";
    this.replay.setAttribute("aria-label", name);
    this.replay.replaceChildren(
      icon(isReplaying ? "stop" : "play"),
      h("span", { class: "long" }, name),
    );
  }

  /** @param {boolean} isBusy */
  showBusy(isBusy) {
    const root = /** @type {Document|ShadowRoot} */ (this.element.getRootNode());
    const hadFocus = root.activeElement;
    this.predict.hidden = isBusy;
    this.cancel.hidden = !isBusy;
    // The button in focus changes places with the other one.
    if (hadFocus === this.predict && isBusy) this.cancel.focus();
    if (hadFocus === this.cancel && !isBusy) this.predict.focus();
  }

  /** @param {boolean} isShown Once it takes long enough to be told of. */
  showProgress(isShown) {
    for (const saying of this.said) saying.showProgress(isShown);
  }
}

/**
 * @typedef {object} SayingState
 * @property {string} title
 * @property {string} model
 * @property {import("./outcome.js").Names} names
 * @property {import("./runner.js").Runner} runner
 * @property {boolean} isStale
 */

/** One model's answer in a line. */
class Saying {
  constructor(key) {
    this.bar = h("span", { class: "bar" });
    this.state = h("span", { class: "state" });
    this.progress = h("span", { class: "progress", hidden: "" }, this.state, this.bar);
    this.words = h("span", { class: "words" });
    this.element = h("div", { class: "saying", "data-slot": key }, this.words, this.progress);
  }

  /**
   * @param {SayingState|null} state
   * @param {boolean} isNamed Whether others stand beside it.
   */
  show(state, isNamed) {
    this.element.hidden = !state;
    if (!state) return;
    const { title, model, names, runner, isStale } = state;
    const { answered, failure, current } = runner;
    this.isBusy = current !== null;
    this.element.classList.toggle("stale", isStale);
    const name = isNamed ? [h("span", { class: "name" }, title)] : [];
    const result = answered?.job.result;
    const said = failure ? [h("span", { class: "failure" }, failure)] : answerWords(result, names);
    this.words.replaceChildren(...name, ...said);
    if (!current) return;
    this.state.textContent = words.progressText(current.job, model);
    const { done = 0, total = null } = current.job?.progress ?? {};
    this.bar.style.setProperty("--done", total ? String(done / total) : "0");
  }

  /** @param {boolean} isShown */
  showProgress(isShown) {
    this.progress.hidden = !(isShown && this.isBusy);
  }
}

/** The first task's answer; what speaks against it stands before the number. */
function answerWords(result, names) {
  if (!result) return [];
  const [task] = result.tasks;
  const called = names[task.name];
  const verdict = words.verdictText(task, called);
  const isWrong = task.is_right === false && task.classes > 0;
  const doubts = (result.doubts ?? []).map(({ sentence }) => sentence).join(" ");
  const { confidence } = result;
  return [
    ...(doubts ? [h("span", { class: "doubt", title: doubts }, "Doubtful")] : []),
    h("span", { class: "value" }, words.answerText(task.answer, called)),
    ...(verdict ? [h("span", { class: isWrong ? "verdict wrong" : "verdict" }, verdict)] : []),
    ...(confidence === null
      ? []
      : [h("span", { class: "sure" }, words.confidenceText(confidence, result.is_calibrated))]),
  ];
}
