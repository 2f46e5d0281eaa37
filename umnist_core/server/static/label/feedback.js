/** What is told of an answer, beside its image: of practice, and of all in a study of oneself. */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { figure, t } from "../hall/words.js";
import { sumOfDigits } from "./state.js";

/**
 * @typedef {import("./state.js").Verdict} Verdict
 * @typedef {import("./state.js").Solution} Solution
 * @typedef {import("../viewer/overlays.js").Digit} Digit
 *
 * @typedef {object} FeedbackCallbacks
 * @property {() => void} onNext It has been read.
 * @property {() => void} [onAgain] The person wants to try again, where that may be.
 * @property {(text: string) => void} say To screen readers.
 */

export class FeedbackPanel {
  /**
   * @param {import("./workplace.js").Workplace} place Where the digits are outlined.
   * @param {FeedbackCallbacks} callbacks
   */
  constructor(place, callbacks) {
    this.place = place;
    this.callbacks = callbacks;
    /** @type {(() => void)|undefined} */
    this.leaveBus = undefined;
    this.element = h("section", {
      class: "feedback",
      "aria-label": t("feedback.name"),
      hidden: "",
    });
  }

  get isShown() {
    return !this.element.hidden;
  }

  hide() {
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  destroy() {
    this.leaveBus?.();
  }

  /**
   * Enter goes on, but where it presses a button.
   *
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether it was for this.
   */
  key({ key, repeat, target }) {
    if (key !== "Enter") return false;
    if (target instanceof Element && target.closest("button")) return false;
    if (!repeat) this.callbacks.onNext();
    return true;
  }

  /**
   * @param {Verdict|Solution} told
   * @param {number} answer
   */
  show(told, answer) {
    const { verdict, content } =
      "digits" in told ? this.#solution(told, answer) : this.#verdict(told);
    const go = { type: "button", class: "primary", click: () => this.callbacks.onNext() };
    this.element.replaceChildren(
      h("h2", {}, verdict),
      ...content,
      h("button", go, t("feedback.next")),
    );
    this.element.dataset.correct = String(told.correct);
    this.element.hidden = false;
    this.callbacks.say(verdict);
  }

  /**
   * Right or not yet, and nothing else.
   *
   * @param {Verdict} told
   */
  #verdict({ correct }) {
    if (correct) return { verdict: t("feedback.right"), content: [] };
    const click = () => this.callbacks.onAgain?.();
    const again = h(
      "button",
      { type: "button", class: "plain-button", click },
      t("feedback.again"),
    );
    return { verdict: t("feedback.not_yet"), content: [again] };
  }

  /**
   * @param {Solution} told
   * @param {number} answer
   */
  #solution({ sum, correct, digits }, answer) {
    const marks = digits.map(({ label, box, side }, id) => ({
      ...{ id, label, side: Math.round(side) },
      box: [box.x, box.y, box.width, box.height],
    }));
    this.place.showDigits(marks);
    return {
      verdict: t(correct ? "feedback.right_sum" : "feedback.wrong_sum", { sum, answer }),
      content: marks.length > 0 ? this.#places(marks) : [],
    };
  }

  /** @param {Digit[]} marks */
  #places(marks) {
    const labels = marks.map(({ label }) => Number(label));
    return [
      h("p", {}, h("bdi", { dir: "ltr" }, `${labels.join(" + ")} = ${sumOfDigits(labels)}`)),
      h("p", { class: "quiet" }, t("feedback.choose")),
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
          h("span", {}, `${figure(side)} px`),
        ),
      ),
    );
    return h("ul", { class: "found-list" }, ...items);
  }
}
