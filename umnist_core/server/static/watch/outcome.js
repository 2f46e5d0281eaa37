/**
 * What a model answered, beside the truth: one block for each model.
 *
 * @typedef {object} TaskResult
 * @property {string} name
 * @property {number} classes 0 where the answer is a number.
 * @property {boolean} is_multi
 * @property {number[]} probabilities
 * @property {number[]} answer
 * @property {number[]|null} truth
 * @property {boolean|null} is_right
 *
 * @typedef {Record<string, string[]>} Names Of a model's classes by their numbers, by task.
 *
 * @typedef {object} Doubt
 * @property {string} kind
 * @property {string} sentence What was expected of the image, and what was found.
 * @property {string} [measured] How that is measured.
 *
 * @typedef {object} Result
 * @property {TaskResult[]} tasks
 * @property {number|null} confidence Chance that the first answer is right, 0 to 1; null of a
 *   number, such as a year.
 * @property {boolean} is_calibrated Whether that is how often such answers are right.
 * @property {Doubt[]|null} doubts null of models that do not look for any.
 * @property {{label: number, score: number, box: number[]}[]|null} found
 * @property {string} device In words.
 * @property {import("../hall/view.js").Size} image
 * @property {{load: number, read: number, run: number}} seconds
 * @property {number} peak_bytes
 * @property {{kind: string, tasks: string[], heads: number, rounds: number,
 *             places: number}|null} attention
 * @property {string} no_attention Why there is none.
 * @property {Record<string, import("./looked.js").Looked>|null} looked
 * @property {import("./looked.js").Chosen|null} [chosen]
 * @property {import("./why.js").Why|null} [why] Why the answer is wrong, where that is known.
 */

import { h } from "../hall/dom.js";
import { whyBlock } from "./why.js";
import * as words from "./words.js";

/** Up to so many classes each has its number below its bar. */
const FEW_CLASSES = 14;

/** Of more classes, every so manieth has, unless it is this near one that matters. */
const EVERY = 3;
const NEAR = 2;

/** A bar is not drawn lower than this, so that there is something to point at. */
const LEAST_PERCENT = 1.5;

/** How many probabilities are read aloud. */
const SPOKEN = 3;

export class Outcome {
  /**
   * @param {(found: {label: number, score: number, box: number[]}) => void} onFound
   * @param {(digit: import("./why.js").WrongDigit, name: string) => void} onDigit Of a wrong answer.
   */
  constructor(onFound, onDigit) {
    this.onFound = onFound;
    this.onDigit = onDigit;
    this.job = null;
    this.title = h("h3", {});
    this.bar = h("span", {});
    this.meter = h(
      "div",
      { class: "meter", role: "progressbar", "aria-label": "Progress" },
      this.bar,
    );
    this.words = h("p", { class: "state" });
    this.progress = h("div", { class: "progress", hidden: "" }, this.words, this.meter);
    this.failure = h("p", { class: "failure", role: "alert", hidden: "" });
    this.body = h("div", { class: "answers" });
    this.element = h(
      "section",
      { class: "outcome" },
      ...[this.title, this.progress, this.failure, this.body],
    );
  }

  /**
   * @param {{title: string, model: string, names: Names, runner: import("./runner.js").Runner,
   *          isStale: boolean}} state
   */
  show({ title, model, names, runner, isStale }) {
    const { answered, failure, current } = runner;
    this.title.textContent = title;
    this.failure.hidden = failure === null;
    this.failure.textContent = failure ?? "";
    if (current) this.drawProgress(current.job, model);
    this.element.classList.toggle("stale", isStale);
    const job = answered?.job ?? null;
    if (job === this.job) return;
    this.job = job;
    this.body.classList.toggle("several", (job?.result.tasks.length ?? 0) > 1);
    this.body.replaceChildren(...(job ? this.#parts(job.result, names) : []));
  }

  /** @param {boolean} isShown Once it takes long enough to be told of. */
  showProgress(isShown) {
    this.progress.hidden = !isShown;
  }

  /**
   * @param {import("./runner.js").Job|null} job
   * @param {string} model
   */
  drawProgress(job, model) {
    this.words.textContent = words.progressText(job, model);
    const { done, total } = job?.progress ?? { done: 0, total: null };
    this.meter.classList.toggle("unknown", !total);
    if (total) {
      this.meter.setAttribute("aria-valuenow", String(Math.round((100 * done) / total)));
      this.bar.style.width = `${(100 * done) / total}%`;
    } else {
      this.meter.removeAttribute("aria-valuenow");
      this.bar.style.width = "";
    }
  }

  #parts(result, names) {
    const { tasks, found } = result;
    const known = tasks.some(({ truth }) => truth !== null);
    const isAlone = tasks.length === 1;
    return [
      // Before the answer: whoever reads it is to have read them.
      ...warningsOf(result),
      ...tasks.map((task, place) =>
        taskBlock(task, {
          isNamed: !isAlone,
          names: names[task.name],
          sure: place === 0 ? sureOf(result) : probabilityOf(task),
          why: this.#whyOf(result, task),
        }),
      ),
      ...(known
        ? []
        : [h("p", { class: "note" }, "The right answer is not known for this image.")]),
      ...(found?.length ? [this.#foundRow(found)] : []),
      ...(found?.length === 0 ? [h("p", { class: "note" }, "It found no digit.")] : []),
      h("p", { class: "cost" }, costText(result)),
    ];
  }

  /** Why this answer is wrong; nothing of one that is right, or of which no more is known. */
  #whyOf({ why }, { name, is_right: isRight }) {
    if (!why || why.task !== name || isRight !== false) return [];
    return [whyBlock(why, this.onDigit)];
  }

  #foundRow(found) {
    const buttons = found.map((one) =>
      h(
        "button",
        {
          type: "button",
          class: "found",
          "aria-label": `Go to a found ${one.label}, score ${words.percentText(one.score)}`,
          click: () => this.onFound(one),
        },
        ...[h("b", {}, String(one.label)), h("span", {}, words.percentText(one.score))],
      ),
    );
    return h("div", { class: "row found-row" }, h("span", { class: "name" }, "Found"), ...buttons);
  }
}

/**
 * An answer beside what the page knows of the image, where the server knew nothing.
 *
 * @param {Result} result
 * @param {Record<string, number[]>} truth By task.
 * @returns {Result}
 */
export function judged(result, truth) {
  const tasks = result.tasks.map((task) => {
    const right = truth[task.name];
    if (task.truth !== null || !right) return task;
    const isRight =
      task.answer.length === right.length && task.answer.every((one) => right.includes(one));
    return { ...task, truth: right, is_right: isRight };
  });
  return { ...result, tasks };
}

/**
 * The right answers in the numbers of a model, whose classes are called as it learned them.
 *
 * @param {Record<string, number[]>} truth By task, in the numbers of the image's data set.
 * @param {Record<string, string>} called What that data set calls the right class, by task.
 * @param {Names} names Of the model's classes.
 * @returns {Record<string, number[]>} Without those that the model has no class for.
 */
export function truthFor(truth, called, names) {
  const found = Object.entries(truth).map(([task, right]) => {
    if (!(task in called)) return [task, right];
    const place = (names[task] ?? []).indexOf(called[task]);
    return [task, place < 0 ? null : [place]];
  });
  return Object.fromEntries(found.filter(([, right]) => right !== null));
}

/**
 * What is said aloud of an answer.
 *
 * @param {string} title
 * @param {Result} result
 * @param {Names} [names]
 * @returns {string}
 */
export function spokenText(title, { tasks, doubts, why }, names = {}) {
  const said = tasks.map((task) => {
    const called = names[task.name];
    const name = tasks.length > 1 ? `${task.name} ` : "";
    return [
      `${name}${words.answerText(task.answer, called)}`,
      words.verdictText(task, called).toLowerCase(),
    ]
      .filter(Boolean)
      .join(", ");
  });
  const warned = (doubts ?? []).map(({ sentence }) => `Warning: ${sentence} `);
  const because = why ? ` ${why.sentence}` : "";
  return `${warned.join("")}${title}: ${said.join("; ")}.${because}`;
}

/** Why the answer may mean nothing; nothing where nobody doubts it. */
function warningsOf({ doubts }) {
  if (!doubts?.length) return [];
  const items = doubts.map(({ kind, sentence }) => h("li", { "data-kind": kind }, sentence));
  const measured = doubts.map((one) => one.measured).filter(Boolean);
  return [
    h(
      "div",
      { class: "warned" },
      h("ul", { class: "warnings", "aria-label": "Warnings" }, ...items),
      ...(measured.length
        ? [
            h(
              "details",
              { class: "note" },
              h("summary", {}, "How this is measured"),
              ...measured.map((text) => h("p", {}, text)),
            ),
          ]
        : []),
    ),
  ];
}

/**
 * @param {TaskResult} task
 * @param {{isNamed: boolean, names?: string[], sure: HTMLElement[], why: HTMLElement[]}} beside
 */
function taskBlock(task, { isNamed, names, sure, why }) {
  const verdict = words.verdictText(task, names);
  const asked = words.askedText(task.name);
  const isWorded = task.is_multi || names !== undefined;
  const isWrong = task.is_right === false && task.classes > 0; // a number is near or far
  return h(
    "div",
    { class: "task", "data-task": task.name },
    h(
      "p",
      { class: "answer" },
      ...(isNamed ? [h("span", { class: "name" }, task.name)] : []),
      ...(asked ? [h("span", { class: "asked" }, asked)] : []),
      h("span", { class: isWorded ? "value set" : "value" }, words.answerText(task.answer, names)),
      ...sure,
      h("span", { class: isWrong ? "verdict wrong" : "verdict" }, verdict),
    ),
    ...why,
    ...(task.classes ? [bars(task, names)] : []),
  );
}

/** How sure the first answer is. */
function sureOf({ confidence, is_calibrated: isCalibrated }) {
  if (confidence === null) return [];
  const text = words.confidenceText(confidence, isCalibrated);
  const title = isCalibrated
    ? "Of 100 answers with this confidence to images like those it learned from, so many are right."
    : "The probability that the model gives. How often it is right is on its card.";
  return [h("span", { class: "sure", title }, text)];
}

/** How sure any other is: its probability, if one class alone is right. */
function probabilityOf({ is_multi: isMulti, probabilities, answer }) {
  if (isMulti) return [];
  return [h("span", { class: "sure" }, words.percentText(probabilities[answer[0]] ?? 0))];
}

/** A bar for each class, to the scale of the likeliest; the true ones are marked. */
function bars(task, names) {
  const { classes, probabilities, truth, answer, is_multi: isMulti } = task;
  const top = isMulti ? 1 : Math.max(...probabilities, Number.EPSILON);
  const told = [...answer, ...(truth ?? [])];
  const isNear = (one, value) => one !== value && Math.abs(one - value) <= NEAR;
  const columns = Array.from({ length: classes }, (_, value) => {
    const isTrue = truth?.includes(value) ?? false;
    const isAnswer = answer.includes(value);
    const isFree = value % EVERY === 0 && !told.some((one) => isNear(one, value));
    // Two numbers that matter, side by side, stand one below the other.
    const isLow = classes > FEW_CLASSES && isTrue && answer.some((one) => isNear(one, value));
    const height = Math.max((100 * probabilities[value]) / top, LEAST_PERCENT);
    const kinds = ["column", isAnswer && "is-answer", isTrue && "is-true", isLow && "is-low"];
    const isNumbered = classes <= FEW_CLASSES || isFree || isTrue || isAnswer;
    return h(
      "div",
      {
        class: kinds.filter(Boolean).join(" "),
        title: `${words.answerText([value], names)}: ${words.percentText(probabilities[value])}`,
      },
      h("span", { class: "space" }, h("span", { class: "fill", style: `height: ${height}%` })),
      h("span", { class: "number" }, isNumbered ? String(value) : ""),
    );
  });
  return h("div", { class: "bars", role: "img", "aria-label": barsText(task) }, ...columns);
}

function barsText({ probabilities }) {
  const likeliest = probabilities
    .map((probability, value) => ({ probability, value }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SPOKEN)
    .map(({ probability, value }) => `${value} ${words.percentText(probability)}`);
  return `Likeliest: ${likeliest.join(", ")}`;
}

function costText({ seconds, device, peak_bytes: peak }) {
  const { load, read, run } = seconds;
  const before = [
    load >= 0.1 && `loaded in ${words.secondsText(load)}`,
    read >= 0.1 && `read in ${words.secondsText(read)}`,
  ];
  const times = [...before, `ran in ${words.secondsText(run)}`].filter(Boolean).join(", ");
  const sentence = `${times} on ${device}; at most ${words.bytesText(peak)} of memory.`;
  return sentence[0].toUpperCase() + sentence.slice(1);
}
