/**
 * Up to three models in step, and people where a study asked them: each Right or Wrong, with its
 * answer. A row asks for itself; watch/runner.js sees to it that the newest picture wins.
 *
 * @typedef {{key: string, title: string, names?: Record<string, string[]>}} Model
 * @typedef {{right: number, answers: number, scene: string}} People `scene`: address of the image
 *   that they saw.
 */

import { fillSelect, h } from "../hall/dom.js";
import { pair } from "../hall/pair.js";
import { Runner, isSame } from "../watch/runner.js";
import { answerText } from "../watch/words.js";
import { markOf } from "./plot.js";

const NOBODY = "";
const SLOTS = ["c", "d", "e"];
const NAMES = ["First model", "Second model", "Third model"];
const NO_ANSWER = "–";

/** What takes longer shows that it works. */
const BUSY_AFTER_MS = 300;

export class ModelRows {
  /**
   * @param {{viewer: string, onChoice: (models: (string|null)[]) => void,
   *          onAnswer: () => void}} setting
   */
  constructor({ viewer, onChoice, onAnswer }) {
    this.onChoice = onChoice;
    this.onAnswer = onAnswer;
    /** @type {(string|null)[]} */
    this.chosen = [null, null, null];
    this.rows = SLOTS.map((slot, place) => this.#makeRow(viewer, slot, place));
    this.people = chip();
    this.peopleRow = h(
      "div",
      { class: "model people" },
      h("span", { class: "key" }),
      h("span", { class: "who" }, "People"),
      this.people.element,
    );
    const elements = this.rows.map(({ element }) => element);
    this.element = h("div", { class: "models" }, ...elements, this.peopleRow);
  }

  /** @returns {string[]} Of the models that are chosen, without gaps. */
  get models() {
    return this.chosen.filter(Boolean);
  }

  /** @param {string} checkpoint */
  placeOf(checkpoint) {
    return this.chosen.indexOf(checkpoint);
  }

  /** @param {(string|null)[]} models */
  choose(models) {
    this.chosen = SLOTS.map((_, place) => models[place] ?? null);
  }

  /**
   * Let all look at a picture, or at none.
   *
   * @param {{image: string|null, device: string, models: Model[], people: People|null}} shown
   */
  show({ image, device, models, people }) {
    this.rows.forEach((row, place) => {
      const name = this.chosen[place];
      const options = models
        .filter(({ key }) => key === name || !this.chosen.includes(key))
        .map(({ key, title }) => pair(key, title));
      const none = place === 0 ? [] : [pair(NOBODY, "No other model")];
      fillSelect(row.select, [...none, ...options], name ?? NOBODY);
      // A third is asked for once there is a second.
      row.element.hidden = place > 0 && !name && !this.chosen[place - 1];
      row.names = models.find(({ key }) => key === name)?.names ?? {};
      row.wish = name && image ? { checkpoint: name, device, image } : null;
      if (row.wish) want(row);
      else row.runner.clear();
      this.#draw(row);
    });
    this.#drawPeople(people, image);
  }

  close() {
    for (const row of this.rows) {
      clearTimeout(row.timer);
      row.runner.close();
    }
  }

  /** @returns {string} What all say of the picture, for those who do not see it. */
  get spoken() {
    return this.rows
      .filter((row) => row.wish && isNew(row))
      .map(({ wish, chip: { told } }) => `${wish.checkpoint}: ${told}.`)
      .join(" ");
  }

  /** @returns {boolean} */
  get isBusy() {
    return this.rows.some(({ runner }) => runner.isBusy);
  }

  #makeRow(viewer, slot, place) {
    const select = h("select", { "aria-label": NAMES[place] });
    select.addEventListener("change", () => {
      this.chosen[place] = select.value === NOBODY ? null : select.value;
      // Without a second there is no third.
      this.chosen = [...this.chosen.filter(Boolean), null, null, null].slice(0, SLOTS.length);
      this.onChoice([...this.chosen]);
    });
    const own = chip();
    const element = h("div", { class: "model" }, markOf(place), select, own.element);
    /** @type {any} */
    const row = { select, element, chip: own, names: {}, wish: null, asked: null, timer: null };
    row.runner = new Runner({
      viewer,
      slot,
      onChange: () => {
        this.#draw(row);
        if (!this.isBusy) this.onAnswer();
      },
    });
    return row;
  }

  #draw(row) {
    const { runner, wish, names } = row;
    const task = runner.answered?.job.result.tasks[0] ?? null;
    const isStale = Boolean(task) && !isNew(row);
    waitToShow(row, () => this.#draw(row));
    row.chip.show({
      answer: task ? answerText(task.answer, names[task.name]) : NO_ANSWER,
      isRight: task?.is_right ?? null,
      isStale,
      isBusy: runner.isBusy && row.isSlow,
      failure: wish ? runner.failure : null,
    });
  }

  #drawPeople(people, image) {
    this.peopleRow.hidden = !people;
    if (!people) return;
    const { right, answers, scene } = people;
    const isOther = Boolean(image) && image !== scene;
    this.people.say(`${right} of ${answers} right`, isOther);
    this.people.element.title = isOther ? "They saw the image of the study, not this one" : "";
  }
}

/** Have the newest wish answered, if it is not already or about to be. */
function want(row) {
  const { runner, wish } = row;
  if (isNew(row)) {
    if (runner.isBusy) runner.cancel();
    return;
  }
  const isAsked = row.asked !== null && isSame(row.asked, wish);
  // What failed is not asked again by itself.
  if (isAsked && (runner.isBusy || runner.failure)) return;
  row.asked = wish;
  runner.want(wish);
}

/** Whether the answer is to what is shown now. */
function isNew({ runner, wish }) {
  return Boolean(runner.answered && wish) && isSame(runner.answered.wish, wish);
}

function waitToShow(row, draw) {
  if (!row.runner.isBusy) {
    clearTimeout(row.timer);
    row.timer = null;
    row.isSlow = false;
    return;
  }
  row.timer ??= setTimeout(() => {
    row.isSlow = true;
    draw();
  }, BUSY_AFTER_MS);
}

/** Right or Wrong, with the answer. */
function chip() {
  const verdict = h("span", { class: "verdict" });
  const answer = h("b", { class: "answer" });
  const element = h("span", { class: "chip" }, answer, verdict);
  const self = { element, told: "" };
  return Object.assign(self, {
    show({ answer: text, isRight, isStale, isBusy, failure }) {
      const judged = isRight === null ? "" : isRight ? "Right" : "Wrong";
      answer.textContent = failure ? "" : text;
      verdict.textContent = failure ?? (isBusy ? "Looking" : judged);
      element.className = "chip";
      element.classList.toggle("right", isRight === true && !failure);
      element.classList.toggle("wrong", isRight === false && !failure);
      element.classList.toggle("stale", isStale && !failure);
      element.classList.toggle("failed", Boolean(failure));
      self.told = failure ?? `${text}${judged ? `, ${judged.toLowerCase()}` : ""}`;
    },
    say(text, isStale) {
      answer.textContent = "";
      verdict.textContent = text;
      element.classList.toggle("stale", isStale);
      self.told = text;
    },
  });
}
