/**
 * The controls of a look: which task, head and round, how many places are outlined, and the
 * list of the strongest, each of which takes the viewer to itself.
 *
 * @typedef {"found"|"few"|"many"|"all"|"none"} Outline
 *
 * @typedef {object} LookState One slot's.
 * @property {string} key
 * @property {string} title
 * @property {import("./runner.js").Job|null} job The newest that was answered.
 * @property {import("./places.js").MapPart} part What is asked for of it.
 * @property {{part: import("./places.js").MapPart,
 *             places: import("./places.js").Places}|null} shown What is there.
 * @property {boolean} failed
 * @property {Outline|null} outline null for what suits the model.
 * @property {string} home As of `PlacesLoader`.
 * @property {number} people How many people's answers it is compared with.
 */

import { fillSelect, h } from "../hall/dom.js";
import { isHosted, reach } from "../hall/reach.js";
import { numberText } from "../heat/bar.js";
import { lookedParts } from "./looked.js";
import { KeepRow } from "./keep.js";
import { downloads } from "./places.js";
import { agreementText } from "./words.js";

/** Of a mean over everything. */
const MEAN = "";

const LISTED = 24;
const STEP_MS = 700;

/** How many places each choice outlines. */
export const OUTLINED = { found: 0, few: 8, many: 24, all: Infinity, none: 0 };

const OUTLINES = {
  found: "Digits it found",
  few: "The 8 strongest",
  many: "The 24 strongest",
  all: "All listed by the server",
  none: "Nothing",
};

/** With so few places each is large, and outlines of many would hide the image. */
const FEW_PLACES = 64;

/** In an image of fewer px a side, places are a few px large, and labels of many would hide it. */
const SMALL_PX = 256;

export class AttentionPanel {
  /**
   * @param {{onPart: (key: string, part: Partial<import("./places.js").MapPart>) => void,
   *          onOutline: (key: string, outline: Outline) => void,
   *          onPlace: (key: string, place: import("./places.js").Place) => void}} callbacks
   */
  constructor(callbacks) {
    this.callbacks = callbacks;
    /** @type {LookState[]} */
    this.states = [];
    this.focus = null;
    this.listed = null;
    /**
     * Of what the figures stand there.
     *
     * @type {{one: import("./looked.js").Looked|null, own: import("./looked.js").Chosen|null}}
     */
    this.drawn = { one: null, own: null };
    this.timer = null;
    this.#build();
  }

  /** @param {LookState[]} states */
  show(states) {
    this.states = states.filter(({ job }) => job);
    this.element.hidden = this.states.length === 0;
    if (this.states.length === 0) return this.stop();
    if (!this.states.some(({ key }) => key === this.focus)) this.focus = this.states[0].key;
    this.#drawWhich();
    this.#draw();
  }

  /** Stop going through the rounds. */
  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "Play";
  }

  /** @returns {LookState} The one that the controls are of. */
  get state() {
    return this.states.find(({ key }) => key === this.focus);
  }

  // -- making ---------------------------------------------------------------------------

  #build() {
    this.which = h("div", { class: "segments", role: "group", "aria-label": "Whose" });
    this.none = h("p", { class: "note" });
    this.kind = h("span", { class: "kind" });
    this.task = choice("Task", (value) => this.#ask({ task: value === MEAN ? null : value }));
    this.head = choice("Head", (value) =>
      this.#ask({ head: value === MEAN ? null : Number(value) }),
    );
    this.outline = choice("Outline", (value) => this.callbacks.onOutline(this.focus, value));
    this.rounds = this.#roundRow();
    this.looked = h("div", { class: "looked" });
    this.agreement = h("p", { class: "note agreement" });
    this.failure = h(
      "p",
      { class: "failure", hidden: "" },
      "The attention could not be read; choose it again.",
    );
    this.list = h("ol", { class: "places", tabindex: -1 });
    this.links = h("p", { class: "links" });
    this.keep = new KeepRow();
    const fields = [this.task, this.head, this.outline].map(({ element }) => element);
    this.some = h(
      "div",
      { class: "rows" },
      ...[
        h("div", { class: "fields" }, ...fields),
        this.rounds,
        this.looked,
        this.agreement,
        this.failure,
      ],
      ...[this.list, this.links],
    );
    this.element = h(
      "section",
      { class: "attention", hidden: "", "aria-label": "Where it looked" },
      h("h3", {}, "Where it looked ", this.kind),
      ...[this.which, this.none, this.some, this.keep.element],
    );
  }

  #roundRow() {
    const input = () => {
      this.stop();
      this.#goTo(Number(this.range.value));
    };
    this.range = h("input", { type: "range", min: 0, step: 1, "aria-label": "Round", input });
    this.round = h("output", { class: "figure" });
    this.play = h("button", { type: "button", click: () => this.#playOrStop() }, "Play");
    return h("div", { class: "row round" }, this.play, this.range, this.round);
  }

  #ask(part) {
    this.callbacks.onPart(this.focus, part);
  }

  // -- rounds ---------------------------------------------------------------------------

  /** @param {number} place 0 for the first round; after the last round comes the final map. */
  #goTo(place) {
    const { rounds } = this.state.job.result.attention;
    this.#ask({ round: place >= rounds ? null : place });
  }

  #playOrStop() {
    if (this.timer) return this.stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.#step();
    this.play.textContent = "Stop";
    this.timer = setInterval(() => this.#step(), STEP_MS);
    return this.#step();
  }

  #step() {
    const { part, shown, job } = this.state;
    const { rounds } = job.result.attention;
    // A round that has not come yet is waited for, or the steps would show nothing.
    if (this.timer && shown && shown.part.round !== part.round) return;
    const next = part.round === null ? 0 : part.round + 1;
    this.#goTo(next);
    if (next >= rounds) this.stop();
  }

  // -- drawing --------------------------------------------------------------------------

  #drawWhich() {
    this.which.hidden = this.states.length < 2;
    this.which.replaceChildren(
      ...this.states.map(({ key, title }) => {
        const click = () => {
          this.stop();
          this.focus = key;
          this.show(this.states);
          const pressed = this.which.querySelector("[aria-pressed=true]");
          if (pressed instanceof HTMLElement) pressed.focus();
        };
        return h("button", { type: "button", "aria-pressed": key === this.focus, click }, title);
      }),
    );
  }

  #draw() {
    const { job, part, failed } = this.state;
    const { attention, no_attention: reason } = job.result;
    this.some.hidden = !attention;
    this.none.hidden = attention !== null;
    this.none.textContent = `No attention: ${reason}`;
    this.kind.textContent = attention ? `${attention.kind}, ${count(attention.places)}` : "";
    this.keep.show(job, part, this.state.home);
    if (!attention) return;
    this.failure.hidden = !failed;
    this.task.show(attention.tasks, part.task, (task) => task);
    const heads = Array.from({ length: attention.heads }, (_, head) => String(head));
    this.head.show(heads, part.head === null ? null : String(part.head), (head) =>
      String(Number(head) + 1),
    );
    this.#drawOutline();
    this.#drawRound(attention.rounds, part.round);
    this.#drawLooked(job.result, part);
    this.#drawAgreement();
    this.#drawList();
    this.#drawLinks(job.id, part);
  }

  #drawOutline() {
    const { select } = this.outline;
    const names = Object.keys(OUTLINES).filter(
      (name) => name !== "found" || this.state.job.result.found,
    );
    fillSelect(
      select,
      names.map((name) => [name, OUTLINES[name]]),
      outlineOf(this.state),
    );
  }

  #drawRound(rounds, round) {
    this.rounds.hidden = rounds === 0;
    this.range.max = String(rounds);
    this.range.value = String(round ?? rounds);
    const text = round === null ? "The end" : `Round ${round + 1} of ${rounds}`;
    this.round.textContent = text;
    this.range.setAttribute("aria-valuetext", text);
  }

  /**
   * @param {import("./outcome.js").Result} result
   * @param {import("./places.js").MapPart} part
   */
  #drawLooked({ looked, attention, chosen }, { task, round }) {
    const name = task ?? (attention.tasks.length === 1 ? attention.tasks[0] : null);
    const one = (round === null && name && looked?.[name]) || null;
    const own = round === null ? (chosen ?? null) : null;
    this.looked.hidden = !one && !own;
    if (one === this.drawn.one && own === this.drawn.own) return; // what is unfolded stays so
    this.drawn = { one, own };
    this.looked.replaceChildren(...lookedParts(one, attention.places, own));
  }

  #drawAgreement() {
    const { shown, people } = this.state;
    const agreement = shown?.places.agreement;
    this.agreement.hidden = !agreement;
    this.agreement.textContent = agreement ? agreementText(agreement, people) : "";
  }

  #drawList() {
    const { shown } = this.state;
    const places = shown?.places ?? null;
    if (places === this.listed) return;
    this.listed = places;
    const strongest = (places?.places ?? []).filter(({ weight }) => weight > 0).slice(0, LISTED);
    this.list.hidden = strongest.length === 0;
    this.list.replaceChildren(...strongest.map((place) => this.#entry(place, places.max)));
    this.list.scrollTop = 0;
  }

  #entry(place, max) {
    const { box, weight } = place;
    const [x, y, width, height] = box.map(Math.round);
    const size = width === height ? `${width} px` : `${width} × ${height} px`;
    const click = () => this.callbacks.onPlace(this.focus, place);
    const name = `Go to the place of weight ${numberText(weight)} at ${x}, ${y}, ${size}`;
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "aria-label": name, click },
        h("span", { class: "weight" }, numberText(weight)),
        h("span", { class: "strength" }, h("span", { style: `width: ${(100 * weight) / max}%` })),
        h("span", { class: "where" }, `${size} at ${x}, ${y}`),
      ),
    );
  }

  #drawLinks(id, part) {
    const beside = this.states.find(({ job }) => job && job.id !== id)?.job?.id ?? null;
    const { json, npy, page } = downloads(id, part, beside, this.state.home);
    this.links.replaceChildren(
      ...[download(json, "This map as JSON", "attention.json"), " · "],
      ...[download(npy, "All maps as NPY", "attention.npy"), " · "],
      download(page, "All of it as a page", "prediction.html"),
    );
  }
}

/**
 * What is outlined: what was chosen, else what suits the model.
 *
 * @param {LookState} state
 * @returns {Outline}
 */
export function outlineOf({ outline, job }) {
  if (outline && (outline !== "found" || job.result.found)) return outline;
  if (job.result.found?.length) return "found";
  const { rounds, places } = job.result.attention ?? { rounds: 0, places: 0 };
  const { width, height } = job.result.image;
  const isSmall = Math.min(width, height) < SMALL_PX;
  const hasRoom = !isSmall && matchMedia("(min-width: 701px)").matches;
  return hasRoom && (rounds > 0 || places > FEW_PLACES) ? "many" : "few";
}

/**
 * A link to a file; one that a host has is fetched there and then kept.
 *
 * @param {string} address
 * @param {string} text
 * @param {string} name Of the file.
 */
function download(address, text, name) {
  if (!isHosted(address)) return h("a", { href: address, download: "" }, text);
  const click = async (event) => {
    event.preventDefault();
    const response = await reach(address);
    if (!response.ok) return;
    const href = URL.createObjectURL(await response.blob());
    h("a", { href, download: name }).click();
    URL.revokeObjectURL(href);
  };
  return h("a", { href: "#", click }, text);
}

function count(places) {
  return places === 1 ? "1 place" : `${places.toLocaleString("en")} places`;
}

/** A list of which the first is the mean of all; hidden where there is nothing to choose. */
function choice(label, onChoice) {
  const select = h("select", { "aria-label": label });
  select.addEventListener("change", () => onChoice(select.value));
  const element = h("label", {}, h("span", { class: "name" }, label), select);
  const show = (values, value, titled) => {
    element.hidden = values.length < 2;
    const options = values.map((one) => [one, titled(one)]);
    fillSelect(select, [[MEAN, "Mean of all"], ...options], value ?? MEAN);
  };
  return { element, select, show };
}
