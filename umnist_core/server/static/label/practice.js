/**
 * Practice: as a trial, but something is told afterwards, and nothing is recorded here.
 *
 * What is told is a setting of the pool, and the server sends no more than that: all that is
 * right, with the digits and their places, or whether the answer is right and nothing else.
 */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { newKey, sentenceOf } from "./api.js";
import { hintsDialog, keysDialog } from "./dialogs.js";
import { AnswerForm } from "./form.js";
import { sumOfDigits } from "./state.js";
import { Workplace } from "./workplace.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").PracticeReply} PracticeReply
 * @typedef {import("../viewer/overlays.js").Digit} Digit
 */

export class PracticeScreen {
  /**
   * @param {State} state
   * @param {{send: (body: object) => Promise<PracticeReply>, onDone: (state: State) => void,
   *          say: (text: string) => void}} callbacks `onDone`: feedback has been read
   */
  constructor(state, callbacks) {
    this.name = "practice";
    this.guide = state.guide;
    this.callbacks = callbacks;
    /** @type {import("./state.js").Practice|null} */
    this.practice = null;
    /** @type {PracticeReply|null} */
    this.reply = null;
    this.key = newKey();
    /** @type {(() => void)|undefined} */
    this.leaveBus = undefined;
    const { min, max } = state.ask;
    this.form = new AnswerForm({ min, max }, state.texts.question, {
      onChange: () => undefined,
      onSubmit: () => this.#submit(),
      focusImage: () => this.focus(),
    });
    this.problem = h("p", { class: "problem", role: "alert" });
    this.feedback = h("section", { class: "feedback", "aria-label": "Feedback", hidden: "" });
    this.place = new Workplace({
      onKey: (event) => this.#key(event),
      onHelp: () => this.#showKeys(),
    });
    this.place.panel.append(this.form.element, this.feedback, this.problem);
    this.element = this.place.element;
    this.tools = [
      ...(this.guide ? [{ name: "Hints", key: "h", click: () => this.#showHints() }] : []),
      { name: "Keys", key: "?", click: () => this.#showKeys() },
    ];
  }

  /** @param {import("./state.js").Practice} practice */
  open(practice) {
    this.practice = practice;
    this.problem.textContent = "";
    this.#askAnswer();
    this.place.showImage(practice.image, `Practice image ${practice.number}`);
  }

  #askAnswer() {
    this.key = newKey();
    this.reply = null;
    this.feedback.hidden = true;
    this.feedback.replaceChildren();
    this.form.element.hidden = false;
    this.form.show({ answer: null, edits: 0, confidence: null, digits: null });
  }

  focus() {
    this.place.focus();
  }

  destroy() {
    this.leaveBus?.();
    this.place.destroy();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const key = event.key.toLowerCase();
    if (key === "h" && this.guide) this.#showHints();
    else return this.reply ? this.#feedbackKey(event) : this.form.key(event);
    return true;
  }

  /**
   * Enter goes on, but where it presses a button.
   *
   * @param {KeyboardEvent} event
   */
  #feedbackKey({ key, repeat, target }) {
    if (key !== "Enter") return false;
    if (target instanceof Element && target.closest("button")) return false;
    if (!repeat) this.#goOn();
    return true;
  }

  #goOn() {
    if (this.reply) this.callbacks.onDone(this.reply.state);
  }

  async #submit() {
    const { answer } = this.form.entered;
    if (!this.practice || answer === null) return;
    this.form.setBusy(true);
    this.problem.textContent = "";
    try {
      const body = { key: this.key, practice: this.practice.id, answer };
      this.reply = await this.callbacks.send(body);
      this.#showFeedback(this.reply.feedback, answer);
    } catch (error) {
      this.problem.textContent = `${sentenceOf(error)} Submit it again.`;
    }
    this.form.setBusy(false);
    this.focus();
  }

  /**
   * @param {PracticeReply["feedback"]} told
   * @param {number} answer
   */
  #showFeedback(told, answer) {
    const { verdict, content } =
      "digits" in told ? this.#solution(told, answer) : this.#verdict(told);
    const go = { type: "button", class: "primary", click: () => this.#goOn() };
    this.feedback.replaceChildren(h("h2", {}, verdict), ...content, h("button", go, "Next"));
    this.feedback.dataset.correct = String(told.correct);
    this.form.element.hidden = true;
    this.feedback.hidden = false;
    this.callbacks.say(verdict);
  }

  /**
   * Right or not yet, and nothing else.
   *
   * @param {import("./state.js").Verdict} told
   */
  #verdict({ correct }) {
    if (correct) return { verdict: "Right.", content: [] };
    const click = () => {
      this.#askAnswer();
      this.focus();
    };
    const again = h("button", { type: "button", class: "plain-button", click }, "Try again");
    return { verdict: "Not yet.", content: [again] };
  }

  /**
   * @param {import("./state.js").Solution} told
   * @param {number} answer
   */
  #solution({ sum, correct, digits }, answer) {
    const marks = digits.map(({ label, box, side }, id) => ({
      ...{ id, label, side: Math.round(side) },
      box: [box.x, box.y, box.width, box.height],
    }));
    this.place.showDigits(marks);
    return {
      verdict: correct ? `Right: the sum is ${sum}.` : `The sum is ${sum}; you gave ${answer}.`,
      content: marks.length > 0 ? this.#places(marks) : [],
    };
  }

  /** @param {Digit[]} marks */
  #places(marks) {
    const labels = marks.map(({ label }) => Number(label));
    return [
      h("p", {}, `${labels.join(" + ")} = ${sumOfDigits(labels)}`),
      h("p", { class: "quiet" }, "Choose a digit to see where it is."),
      this.#list(marks),
    ];
  }

  /** @param {Digit[]} marks */
  #list(marks) {
    const { channel, leave } = join("label");
    this.leaveBus?.();
    this.leaveBus = leave;
    const items = marks.map(({ id, label, side }) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "found", click: () => channel.fly(id) },
          h("strong", {}, String(label)),
          h("span", {}, `${side.toLocaleString("en")} px`),
        ),
      ),
    );
    return h("ul", { class: "found-list" }, ...items);
  }

  #showKeys() {
    this.place.showDialog(keysDialog(this.guide ? [["H", "Hints"]] : []));
  }

  #showHints() {
    if (this.guide) this.place.showDialog(hintsDialog(this.guide));
  }
}
