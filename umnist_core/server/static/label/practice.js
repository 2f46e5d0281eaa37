/** Practice: as a trial, but what is right is told afterwards, and nothing is recorded here. */

import { join } from "../bus.js";
import { h } from "../dom.js";
import { newKey } from "./api.js";
import { hintsDialog, keysDialog, showDialog } from "./dialogs.js";
import { AnswerForm } from "./form.js";
import { sumOfDigits } from "./state.js";
import { Workplace } from "./workplace.js";

export class PracticeScreen {
  /**
   * @param {import("./state.js").State} state
   * @param {{send: (body: object) => Promise<any>, onDone: (state: object) => void,
   *          say: (text: string) => void}} callbacks `onDone`: feedback has been read
   */
  constructor(state, callbacks) {
    this.name = "practice";
    this.state = state;
    this.guide = state.guide;
    this.callbacks = callbacks;
    const { min, max } = state.ask;
    this.form = new AnswerForm({ min, max }, state.texts.question, {
      onChange: () => undefined,
      onSubmit: () => this.#submit(),
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
    this.key = newKey();
    this.reply = null;
    this.problem.textContent = "";
    this.feedback.hidden = true;
    this.form.element.hidden = false;
    this.form.show({ answer: null, edits: 0, confidence: null, digits: null });
    this.place.showImage(practice.image, `Practice image ${practice.number}`);
  }

  focus() {
    this.place.focus();
  }

  destroy() {
    this.leaveBus?.();
    this.place.destroy();
  }

  #key(event) {
    const key = event.key.toLowerCase();
    if (key === "h" && this.guide) this.#showHints();
    else return this.reply ? false : this.form.key(event);
    return true;
  }

  async #submit() {
    const { answer } = this.form.entered;
    this.form.setBusy(true);
    this.problem.textContent = "";
    try {
      const body = { key: this.key, practice: this.practice.id, answer };
      this.reply = await this.callbacks.send(body);
      this.#showFeedback(this.reply.feedback);
    } catch (error) {
      this.problem.textContent = `${error.message} Submit it again.`;
    }
    this.form.setBusy(false);
  }

  #showFeedback({ answer, sum, correct, digits }) {
    const marks = digits.map(({ label, box, side }, id) => ({
      ...{ id, label, side: Math.round(side) },
      box: [box.x, box.y, box.width, box.height],
    }));
    this.place.showDigits(marks);
    const verdict = correct
      ? `Right: the sum is ${sum}.`
      : `The sum is ${sum}; you gave ${answer}.`;
    const done = () => this.callbacks.onDone(this.reply.state);
    const next = h("button", { type: "button", class: "primary", click: done }, "Next");
    const labels = marks.map(({ label }) => label);
    this.feedback.replaceChildren(
      h("h2", {}, verdict),
      h("p", {}, `${labels.join(" + ")} = ${sumOfDigits(labels)}`),
      h("p", { class: "quiet" }, "Choose a digit to see where it is."),
      this.#list(marks),
      next,
    );
    this.feedback.dataset.correct = String(correct);
    this.form.element.hidden = true;
    this.feedback.hidden = false;
    next.focus();
    this.callbacks.say(verdict);
  }

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
    showDialog(keysDialog(this.guide ? [["H", "Hints"]] : []));
  }

  #showHints() {
    showDialog(hintsDialog(this.state));
  }
}
