/**
 * The curve under the slider: what is measured, how far it is, its points, and what was missed.
 *
 * @typedef {import("./courses.js").Course} Course
 * @typedef {import("./series.js").Miss} Miss
 */

import { fillSelect, h } from "../hall/dom.js";
import { pair } from "../hall/pair.js";
import { answerText, secondsText, setText } from "../watch/words.js";
import { shareOf } from "./courses.js";
import { Keep } from "./keep.js";
import { ON_PAGE, drawPlot, pointText } from "./plot.js";
import { SeriesRun } from "./series.js";

const HEIGHT = 230;
const LEAST_WIDTH = 240;
const HINT = "Point at a value to read it; choose it to list what was missed there.";

export class CurvePanel {
  /**
   * @param {{onOpen: (scene: import("./courses.js").SceneName) => void,
   *          onBusy: (isBusy: boolean) => void, hrefOf: (miss: Miss, model: string) => string,
   *          namesOf: (model: string) => Record<string, string[]>}} callbacks
   */
  constructor(callbacks) {
    this.callbacks = callbacks;
    this.run = new SeriesRun(() => this.#draw());
    /** What the curve runs along. @type {Course|null} */
    this.course = null;
    /** Of which models, in their order. @type {string[]} */
    this.models = [];
    this.now = null;
    this.task = "";
    this.width = LEAST_WIDTH;
    this.keep = new Keep({ data: () => this.#data(), run: this.run });
    this.plot = h("div", { class: "plot" });
    this.told = h("p", { class: "note told" }, HINT);
    this.tasks = h("select", { "aria-label": "Question" });
    this.tasks.addEventListener("change", () => {
      this.task = this.tasks.value;
      this.#draw();
    });
    this.taskRow = h(
      "label",
      { class: "row" },
      h("span", { class: "name" }, "Question"),
      this.tasks,
    );
    this.meter = h(
      "span",
      { role: "progressbar", "aria-label": "Answers", class: "meter" },
      h("i"),
    );
    this.far = h("span", { class: "note" });
    this.progress = h("div", { class: "progress" }, this.meter, this.far);
    this.failure = h("p", { class: "failure", role: "alert" });
    this.scenes = h("p", { class: "note scenes" });
    this.missed = h("div", { class: "missed", "aria-live": "polite" });
    this.element = h(
      "div",
      { class: "curve-panel" },
      ...[this.plot, this.told, this.progress, this.failure, this.taskRow],
      ...[this.missed, this.scenes, this.keep.element],
    );
    this.#listen();
    this.#draw();
  }

  /** @param {{wish: Record<string, any>, course: Course, models: string[]}} asked */
  begin({ wish, course, models }) {
    this.course = course;
    this.models = models;
    this.missed.replaceChildren();
    this.run.begin(wish);
  }

  /** @param {string|null} text Where the slider is; null if it is another parameter's. */
  showNow(text, course) {
    this.now = text !== null && this.course?.key === course.key ? shareOf(course, text) : null;
    if (Number.isNaN(this.now)) this.now = null;
    this.#drawPlot();
  }

  /** @param {number} width Of the panel, CSS px. */
  resize(width) {
    const next = Math.max(Math.round(width), LEAST_WIDTH);
    if (next === this.width) return;
    this.width = next;
    this.#drawPlot();
  }

  close() {
    this.run.close();
  }

  // -- drawing ------------------------------------------------------------------------------

  #draw() {
    const { series, failure, isBusy } = this.run;
    this.element.hidden = !series && !failure && !isBusy;
    this.progress.hidden = !isBusy && series?.state !== "cancelled";
    this.failure.hidden = !failure;
    this.failure.textContent = failure ?? "";
    this.keep.element.hidden = !series?.done;
    if (series) {
      this.#drawProgress(series);
      this.scenes.textContent = scenesText(series.plan, this.course);
    }
    this.#drawTasks();
    this.#drawPlot();
    this.callbacks.onBusy(isBusy);
  }

  #drawProgress({ state, done, total, left_s: left }) {
    this.meter.setAttribute("aria-valuenow", String(done));
    this.meter.setAttribute("aria-valuemax", String(total));
    /** @type {HTMLElement} */ (this.meter.firstChild).style.width = `${(100 * done) / total}%`;
    const about = left === null ? "" : `, about ${secondsText(Math.max(left, 1))} left`;
    const ended = state === "cancelled" ? "; cancelled, and goes on where it was" : about;
    this.far.textContent = `${done} of ${total} answers${ended}`;
  }

  #drawTasks() {
    const tasks = [...new Set(this.run.series?.curves.map(({ task }) => task))];
    this.taskRow.hidden = tasks.length < 2;
    if (!tasks.includes(this.task)) this.task = tasks[0] ?? "";
    const options = tasks.map((task) => pair(task, task));
    fillSelect(this.tasks, options, this.task);
  }

  #drawPlot() {
    const { series } = this.run;
    const had = this.#focused();
    this.plot.hidden = !series;
    this.told.hidden = !series?.done;
    if (!series) return;
    const size = { width: this.width, height: HEIGHT };
    const drawn = drawPlot(this.#data(), { ...size, palette: ON_PAGE });
    this.plot.replaceChildren(drawn);
    this.#makeReachable(had);
  }

  /** @returns {import("./plot.js").PlotData} */
  #data() {
    const { course, models } = this;
    const { curves = [] } = this.run.series ?? {};
    const ofTask = models
      .map((name) => {
        const mine = curves.filter(({ checkpoint }) => checkpoint === name);
        return mine.find(({ task }) => task === this.task) ?? mine[0];
      })
      .filter(Boolean);
    const unit = course.unit ? `, ${course.unit}` : "";
    const label = `${course.group}: ${course.label.toLowerCase()}${unit}`;
    return {
      label,
      now: this.now,
      title: `Share of right answers over ${label}, with 95 % intervals`,
      curves: ofTask.map(({ checkpoint, rows }) => ({
        name: checkpoint,
        place: models.indexOf(checkpoint),
        points: rows.map((row) => pointOf(course, row)),
      })),
    };
  }

  // -- points that can be reached -------------------------------------------------------------

  #focused() {
    const root = /** @type {Document|ShadowRoot} */ (this.plot.getRootNode());
    const group = /** @type {any} */ (root.activeElement?.closest?.(".point"));
    return group && this.plot.contains(group) ? nameOf(group) : null;
  }

  /** One stop of the tab key for each curve; arrows go along it. */
  #makeReachable(had) {
    const { curves } = this.#data();
    for (const curve of curves) {
      const groups = this.#groups(curve.name);
      const kept = groups.find((group) => nameOf(group) === had) ?? groups[0];
      for (const group of groups) {
        const point = curve.points.find(({ value }) => value === group.dataset.value);
        const at = `${this.course.label} ${point.value}`;
        const text = `${at}, ${pointText(curve.name, point)}`;
        group.setAttribute("role", "button");
        group.setAttribute("tabindex", group === kept ? "0" : "-1");
        group.setAttribute("aria-label", text);
        if (nameOf(group) === had) group.focus({ preventScroll: true });
      }
    }
  }

  /** @returns {any[]} The points of a curve, from left to right. */
  #groups(name) {
    const groups = /** @type {any[]} */ ([...this.plot.querySelectorAll(".point")]);
    return groups.filter(({ dataset }) => dataset.curve === name);
  }

  #listen() {
    const group = (event) => event.target.closest?.(".point") ?? null;
    this.plot.addEventListener("pointerover", (event) => this.#tell(group(event)));
    this.plot.addEventListener("focusin", (event) => this.#tell(group(event)));
    this.plot.addEventListener("pointerleave", () => this.#tell(null));
    this.plot.addEventListener("click", (event) => this.#choose(group(event)));
    this.plot.addEventListener("keydown", (event) => this.#press(event, group(event)));
  }

  #press(event, group) {
    if (!group) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.#choose(group);
    else if (step) {
      const groups = this.#groups(group.dataset.curve);
      const next = groups[groups.indexOf(group) + step];
      group.setAttribute("tabindex", next ? "-1" : "0");
      next?.setAttribute("tabindex", "0");
      next?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation(); // arrows move the viewer, too
  }

  #tell(group) {
    this.told.textContent = group ? group.getAttribute("aria-label") : HINT;
  }

  async #choose(group) {
    if (!group) return;
    const { curve: model, value } = group.dataset;
    const { series } = this.run;
    const mine = series.curves.filter(({ checkpoint }) => checkpoint === model);
    const task = mine.find((one) => one.task === this.task)?.task ?? mine[0].task;
    try {
      const misses = await this.run.misses(model, value, task);
      if (series.id === this.run.series?.id) this.#list(model, value, task, misses);
    } catch (error) {
      this.missed.replaceChildren(h("p", { class: "failure" }, error.message));
    }
  }

  /** @param {Miss[]} misses */
  #list(model, value, task, misses) {
    const at = `${this.course.label} ${value}`;
    const names = this.callbacks.namesOf(model)[task];
    const head = misses.length
      ? `${at}: ${model} missed ${misses.length}`
      : `${at}: ${model} has missed none`;
    const links = misses.map((miss) => {
      const link = h("a", { href: this.callbacks.hrefOf(miss, model) }, missText(miss, names));
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
        event.preventDefault();
        this.callbacks.onOpen(miss.scene);
      });
      return h("li", {}, link);
    });
    this.missed.replaceChildren(h("p", {}, head), ...(links.length ? [h("ul", {}, ...links)] : []));
  }
}

function nameOf({ dataset }) {
  return `${dataset.curve} ${dataset.value}`;
}

/** @returns {import("./plot.js").PlotPoint} */
function pointOf(course, row) {
  const { value, accuracy, low, high, right, images, not_drawn: notDrawn } = row;
  const share = shareOf(course, value);
  return { value, share, accuracy, low, high, right, images, notDrawn };
}

/** @param {Miss} miss */
function missText({ index, said, true: truth }, names) {
  const right = truth ? `, it is ${answerText(truth, names)}` : "";
  return `Index ${index}: said ${names ? answerText(said, names) : setText(said)}${right}`;
}

/** Which scenes a curve is of, in words. */
function scenesText({ preset, overrides, seed, split, first, count }, course) {
  const changes = Object.entries(overrides).map(([name, text]) => `${name} ${text}`);
  const changed = changes.length ? ` with ${changes.join(", ")}` : "";
  const indices = count === 1 ? `index ${first}` : `indices ${first} to ${first + count - 1}`;
  const same = course?.isOfDigits
    ? "the digits change with the value"
    : "the same digits at every value";
  const named = `${preset}${changed}; seed ${seed}, ${split}, ${indices}`;
  return `Scenes: ${named}; ${same}. Bars are 95 % intervals (Wilson).`;
}
