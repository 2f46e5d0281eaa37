/**
 * Practice: as a trial, but something is told afterwards, and nothing is recorded here.
 *
 * What is told is a setting of the pool, and the server sends no more than that: all that is
 * right, with the digits and their places, or whether the answer is right and nothing else.
 */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";
import { NOTHING_ENTERED } from "./attempt.js";
import { newKey, sentenceOf } from "./api.js";
import { hintsDialog, keysDialog } from "./dialogs.js";
import { BoxForm, boxKeys } from "./box_form.js";
import { FeedbackPanel } from "./feedback.js";
import { AnswerForm } from "./form.js";
import { Workplace } from "./workplace.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").PracticeReply} PracticeReply
 */

/** Where practice asks for the sum alone. */
const plain = {
  ...{ confidence: false, digits: false },
  required: { confidence: false, digits: false },
};

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
    const { ask } = state;
    const { confidence, digits, required } = ask.practised ? ask : plain;
    const mostDigits = state.guide?.digit_counts?.[1] ?? null;
    const fields = { min: ask.min, max: ask.max, confidence, digits, required, mostDigits };
    const Form = ask.boxes ? BoxForm : AnswerForm;
    this.form = new Form(fields, state.texts.question, {
      onChange: () => undefined,
      onSubmit: () => this.#submit(),
      focusImage: () => this.focus(),
    });
    this.problem = h("p", { class: "problem", role: "alert" });
    this.place = new Workplace({
      onKey: (event) => this.#key(event),
      onHelp: () => this.#showKeys(),
    });
    this.feedback = new FeedbackPanel(this.place, {
      onNext: () => this.#goOn(),
      onAgain: () => this.#tryAgain(),
      say: callbacks.say,
    });
    this.place.panel.append(this.form.element, this.feedback.element, this.problem);
    this.element = this.place.element;
    this.tools = [
      ...(this.guide ? [{ name: t("tool.hints"), key: "h", click: () => this.#showHints() }] : []),
      { name: t("tool.keys"), key: "?", click: () => this.#showKeys() },
    ];
  }

  /** @param {import("./state.js").Practice} practice */
  open(practice) {
    this.practice = practice;
    if (this.form instanceof BoxForm) this.form.setImage(practice.image);
    this.problem.textContent = "";
    this.#askAnswer();
    this.place.showImage(practice.image, t("practice.image", { number: practice.number }));
  }

  #askAnswer() {
    this.key = newKey();
    this.reply = null;
    this.feedback.hide();
    this.form.element.hidden = false;
    this.form.show(NOTHING_ENTERED);
  }

  #tryAgain() {
    const { boxes } = this.form.entered;
    this.#askAnswer();
    if (boxes) this.form.show({ ...NOTHING_ENTERED, boxes }); // what was drawn is gone on with
    this.focus();
  }

  focus() {
    this.place.focus();
  }

  destroy() {
    this.feedback.destroy();
    if (this.form instanceof BoxForm) this.form.destroy();
    this.place.destroy();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const key = event.key.toLowerCase();
    if (key === "h" && this.guide) this.#showHints();
    else return this.reply ? this.feedback.key(event) : this.form.key(event);
    return true;
  }

  #goOn() {
    if (this.reply) this.callbacks.onDone(this.reply.state);
  }

  async #submit() {
    const { answer, confidence, digits, boxes } = this.form.entered;
    if (!this.practice || answer === null) return;
    this.form.setBusy(true);
    this.problem.textContent = "";
    try {
      const body = { key: this.key, practice: this.practice.id, answer, confidence, digits, boxes };
      this.reply = await this.callbacks.send(body);
      this.form.element.hidden = true;
      this.feedback.show(this.reply.feedback, answer);
    } catch (error) {
      this.problem.textContent = t("practice.submit_again", { problem: sentenceOf(error) });
    }
    this.form.setBusy(false);
    this.focus();
  }

  #showKeys() {
    const keys = this.form instanceof BoxForm ? boxKeys() : undefined;
    this.place.showDialog(keysDialog(this.guide ? [["H", t("tool.hints")]] : [], keys));
  }

  #showHints() {
    if (this.guide) this.place.showDialog(hintsDialog(this.guide));
  }
}
