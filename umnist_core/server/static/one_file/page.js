/**
 * The page in one file: the viewer with its images, their truth, and what models made of them.
 *
 * @typedef {import("../watch/places.js").Places &
 *           {task: string|null, round: number|null, url: string}} PageMap `url`: of the map's
 *   tiles; `round` from 0, null for the map of the end.
 * @typedef {{title: string, result: import("../watch/outcome.js").Result, maps: PageMap[]}} Run
 * @typedef {object} PageImage
 * @property {string} title
 * @property {string} command Makes a scene again; empty for a file.
 * @property {string[]} notes
 * @property {import("../viewer/pane.js").PaneData} pane
 * @property {import("../hall/view.js").Size} size
 * @property {Record<string, any>|null} truth
 * @property {Run[]} runs
 *
 * @typedef {{title: string, images: PageImage[],
 *            files: {places: Record<string, number>, data: string[]}}} PageData
 */

import { join } from "../hall/bus.js";
import { fillSelect, h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { serve } from "../hall/reach.js";
import { numberText } from "../heat/bar.js";
import { mountAnswers, mountViewer } from "../viewer/viewer.js";
import { Outcome } from "../watch/outcome.js";
import { foundMarks, heatOfTiles, patchMarks } from "../watch/places.js";

const BUS = "page";
const OUTLINED = 8;
const STEP_MS = 700;
const NONE = "none";

class Page {
  /**
   * @param {HTMLElement} parent
   * @param {PageData} data
   */
  constructor(parent, data) {
    this.data = data;
    this.place = 0;
    this.chosen = [this.image.runs.length ? "0" : NONE, NONE];
    /** @type {{task: string|null, round: number|null}} */
    this.part = { task: null, round: null };
    this.timer = null;
    this.channel = join(BUS).channel;
    this.#build(parent);
    this.viewer = mountViewer(this.stage, this.#viewerData());
    this.answers = mountAnswers(this.truth, this.#truthData());
    this.#draw();
  }

  get image() {
    return this.data.images[this.place];
  }

  /** @returns {Run[]} The one or two that are looked at. */
  get runs() {
    return this.chosen.filter((one) => one !== NONE).map((one) => this.image.runs[Number(one)]);
  }

  // -- making ---------------------------------------------------------------------------

  /** @param {HTMLElement} parent */
  #build(parent) {
    const { images } = this.data;
    this.images = choice("Which image", (value) => this.#open(Number(value)));
    this.models = [0, 1].map((slot) =>
      choice(slot === 0 ? "Model" : "Beside it", (value) => this.#choose(slot, value)),
    );
    this.task = choice("Attention to", (value) => this.#show({ task: value || null }));
    this.round = h("input", {
      type: "range",
      min: 0,
      "aria-label": "Round",
      input: () => this.#show({ round: this.#roundOf(Number(this.round.value)) }),
    });
    this.roundText = h("span", { class: "round-text" });
    this.play = h("button", { type: "button", click: () => this.#playOrStop() }, "Play");
    this.rounds = h("div", { class: "rounds" }, this.play, this.round, this.roundText);
    this.outcomes = h("div", { class: "outcomes" });
    this.places = h("ol", { class: "places" });
    this.notes = h("div", { class: "notes" });
    this.stage = h("div", { class: "page-stage" });
    this.truth = h("div", { class: "page-truth" });
    const controls = h(
      "div",
      { class: "umnist-controls umnist-watch" },
      ...[images.length > 1 ? this.images.row : "", ...this.models.map(({ row }) => row)],
      ...[this.task.row, this.rounds, this.outcomes, this.places],
    );
    this.styles = [styleSheet("watch/watch.css", parent), styleSheet("one_file/page.css", parent)];
    const panel = h("div", { class: "page-panel" }, this.truth, controls, this.notes);
    parent.append(h("h1", {}, this.data.title), h("div", { class: "page" }, this.stage, panel));
  }

  // -- what was chosen ------------------------------------------------------------------

  /** @param {number} place Of an image. */
  #open(place) {
    this.place = place;
    this.part = { task: null, round: null };
    this.viewer.update(this.#viewerData());
    this.answers.update(this.#truthData());
    this.viewer.showWhole();
    this.#draw();
  }

  /**
   * @param {number} slot
   * @param {string} value
   */
  #choose(slot, value) {
    this.chosen[slot] = value;
    this.part = { task: null, round: null };
    this.#draw();
  }

  /** @param {Partial<{task: string|null, round: number|null}>} part */
  #show(part) {
    this.part = { ...this.part, ...part };
    this.#draw();
  }

  #playOrStop() {
    if (this.timer !== null) return this.#stop();
    this.play.textContent = "Stop";
    let step = 0;
    const next = () => {
      this.#show({ round: this.#roundOf(step) });
      if (step === this.#roundCount()) this.#stop();
      step += 1;
    };
    this.timer = setInterval(next, STEP_MS);
    next();
  }

  #stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  // -- drawing --------------------------------------------------------------------------

  #viewerData() {
    const { pane, size, truth } = this.image;
    const marks = truth ? { digits: truth.digits, shapes: truth.shapes } : {};
    return { bus: BUS, panes: [pane], image: size, ...marks };
  }

  #truthData() {
    return { bus: BUS, ...(this.image.truth ?? { label: null }) };
  }

  #draw() {
    const { image } = this;
    fillSelect(
      this.images.select,
      this.data.images.map(({ title }, at) => [String(at), title]),
      String(this.place),
    );
    this.#drawModels();
    const tasks = [...new Set(this.runs.flatMap(tasksOf))];
    this.task.row.hidden = tasks.length < 2;
    fillSelect(this.task.select, [["", "All tasks"], ...tasks.map(same)], this.part.task ?? "");
    const rounds = this.#roundCount();
    this.rounds.hidden = rounds === 0;
    this.round.max = String(rounds);
    this.round.value = String(this.part.round ?? rounds);
    this.roundText.textContent =
      this.part.round === null ? "At the end" : `Round ${this.part.round + 1} of ${rounds}`;
    this.outcomes.classList.toggle("two", this.runs.length > 1);
    this.outcomes.replaceChildren(...this.runs.map((run) => this.#outcome(run)));
    this.#drawPlaces();
    this.notes.replaceChildren(...notesOf(image));
    const looks = this.runs.map((run, place) => this.#look(run, place));
    this.channel.setLooks(looks.length ? looks : null);
  }

  #drawModels() {
    /** @type {[string, string][]} */
    const names = this.image.runs.map(({ title }, at) => [String(at), title]);
    this.models.forEach(({ row, select }, slot) => {
      row.hidden = names.length <= slot;
      fillSelect(select, [[NONE, "None"], ...names], this.chosen[slot]);
    });
  }

  /** @param {Run} run */
  #outcome({ title, result }) {
    const outcome = new Outcome(
      ({ label, box }) => this.channel.flyTo(box, `Found ${label}`),
      ({ box }, name) => this.channel.flyTo(box, name),
    );
    const runner = { answered: { job: { result } }, failure: null, current: null };
    outcome.show({
      title,
      model: "",
      names: {},
      runner: /** @type {any} */ (runner),
      isStale: false,
    });
    return outcome.element;
  }

  #drawPlaces() {
    const map = this.runs.length === 1 ? this.#mapOf(this.runs[0]) : null;
    const strongest = map ? map.places.filter(({ weight }) => weight > 0).slice(0, OUTLINED) : [];
    this.places.hidden = strongest.length === 0;
    this.places.replaceChildren(
      ...strongest.map(({ box, weight, rank }) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", click: () => this.channel.flyTo(box, `Place ${rank}`) },
            `Place ${rank}: ${numberText(weight)}`,
          ),
        ),
      ),
    );
  }

  /**
   * @param {Run} run
   * @param {number} place
   * @returns {import("../hall/bus.js").Look}
   */
  #look(run, place) {
    const map = this.#mapOf(run);
    const marks = run.result.found
      ? foundMarks(run.result, 1)
      : map
        ? patchMarks(map, OUTLINED, 1)
        : [];
    const heat = map && heatOfTiles(map.url, run.result, map.task, map);
    return { key: String(place), title: `${run.title}: ${saidOf(run)}`, heat, marks };
  }

  /** @param {Run} run */
  #mapOf(run) {
    const { task, round } = this.part;
    const has = tasksOf(run).includes(task) ? task : null;
    const last = roundsOf(run);
    const at = round === null || last === 0 ? null : Math.min(round, last - 1);
    return run.maps.find((map) => map.task === has && map.round === at) ?? null;
  }

  #roundCount() {
    return Math.max(0, ...this.runs.map(roundsOf));
  }

  /** @param {number} step The last is the end. */
  #roundOf(step) {
    return step >= this.#roundCount() ? null : step;
  }
}

// -- parts ------------------------------------------------------------------------------

/**
 * @param {string} name
 * @param {(value: string) => void} onChange
 */
function choice(name, onChange) {
  const select = h("select", { "aria-label": name, change: () => onChange(select.value) });
  return { row: h("label", { class: "page-row" }, h("span", {}, name), select), select };
}

/** @param {Run} run */
function tasksOf({ maps }) {
  return [...new Set(maps.map(({ task }) => task).filter((task) => task !== null))];
}

/** @param {Run} run */
function roundsOf({ maps }) {
  return new Set(maps.map(({ round }) => round).filter((round) => round !== null)).size;
}

/** @param {Run} run */
function saidOf({ result }) {
  return result.tasks[0].answer.join(" ") || "none";
}

/** @param {PageImage} image */
function notesOf({ notes, command }) {
  const made = command ? [h("p", {}, "Made with ", h("code", {}, command))] : [];
  return [...notes.map((note) => h("p", {}, note)), ...made];
}

/** @param {string} name */
function same(name) {
  return /** @type {[string, string]} */ ([name, name]);
}

// -- the page's own files ---------------------------------------------------------------

/** @param {PageData["files"]} files */
function serveFiles({ places, data }) {
  serve("umnist-page:", async (address) => {
    const place = places[address];
    if (place === undefined) return new Response("This is not in the page.", { status: 404 });
    const bytes = Uint8Array.from(atob(data[place]), (letter) => letter.charCodeAt(0));
    return new Response(bytes, { headers: { "content-type": "image/png" } });
  });
}

const held = document.getElementById("data");
const parent = document.getElementById("page");
if (held && parent) {
  /** @type {PageData} */
  const data = JSON.parse(held.textContent ?? "");
  serveFiles(data.files);
  new Page(parent, data);
}
