/**
 * Where models break: one parameter of the noise is dragged, the image in the viewer follows, and
 * up to three models stand in step with it; underneath, a curve of accuracy draws itself.
 *
 * The image goes to the viewer over the bus, as from the Noise lab's sliders; the page is told of a
 * value once the slider is let go of, and its own controls follow then.
 *
 * @typedef {import("./courses.js").SceneName} SceneName
 *
 * @typedef {object} BreakingData
 * @property {string} bus Name of the viewer's channel.
 * @property {string} viewer Random; of this page in this session.
 * @property {SceneName|null} scene The generated image that is shown; null of any other.
 * @property {boolean} isFrozen Whether the page's image is a study's: a value shows another one,
 *   and the page is not told.
 * @property {Record<string, import("../lab/lab.js").LabControl[]>} controls By planner.
 * @property {Record<string, {planner: string, values: Record<string, string>}>} presets
 * @property {string} pin
 * @property {number} tileSize
 * @property {import("./rows.js").Model[]} checkpoints Those that know such images first.
 * @property {Record<string, string>} hints What to know of a checkpoint with this image.
 * @property {string|null} checkpoint The one that stands first.
 * @property {string} device
 * @property {{right: number, answers: number}|null} people
 * @property {string} asked What a link says of parameter, values, scenes and models, as `linkText`
 *   has it; empty for nothing.
 * @property {number} told Number of the last scene that the page was told of from here.
 * @property {boolean} isDark
 * @property {string|null} sentence Why nothing can be dragged or asked, and what to do.
 *
 * @typedef {{onScene: (scene: SceneName & {told: number}) => void}} BreakingCallbacks
 */

import { join } from "../hall/bus.js";
import { fillSelect, h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { pair } from "../hall/pair.js";
import { subjectOf } from "../hall/subject.js";
import { readSpan, sceneAddress, scenePane } from "../lab/scene_address.js";
import {
  coursesOf,
  firstCourse,
  linkText,
  readLink,
  readScene,
  readValues,
  shareOf,
  spreadValues,
  textOf,
  withValue,
} from "./courses.js";
import { CurvePanel } from "./curve.js";
import { ModelRows } from "./rows.js";

/** Key presses repeat: the page is told once they have stopped. */
const REPORT_AFTER_MS = 250;

/** Of a curve unless somebody says otherwise. */
const VALUES = 9;
const COUNTS = [5, 10, 20, 50, 100, 200, 500];
const COUNT = 20;

/** Of scenes that models did not learn from. */
const SPLIT = "test";

/** What is larger takes long, so that it is asked once somebody drags. */
const UNASKED_PX = 4096;

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {BreakingData} data
 * @param {BreakingCallbacks} callbacks
 * @returns {{update: (data: BreakingData) => void, destroy: () => void}}
 */
export function mountBreaking(parentElement, data, callbacks) {
  const breaking = new Breaking(parentElement, data, callbacks);
  return { update: (next) => breaking.update(next), destroy: () => breaking.destroy() };
}

class Breaking {
  constructor(parentElement, data, callbacks) {
    this.data = data;
    this.callbacks = callbacks;
    this.left = new AbortController();
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    /** @type {string|null} Key of the chosen course. */
    this.key = null;
    /** What of the values was typed, by course. @type {Map<string, string>} */
    this.typed = new Map();
    this.isSeen = false;
    this.isDragged = false;
    /** What was dragged to and the page has not said yet. @type {import("../hall/bus.js").Live|null} */
    this.ahead = null;
    /** Addresses that the page was told of meanwhile. @type {Set<string>} */
    this.reported = new Set();
    /** How many scenes the page was told of; it says of which it heard. */
    this.told = data.told;
    this.#build();
    this.#take(readLink(data.asked, COUNTS));
    this.styles = styleSheet("breaking/breaking.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    channel.addEventListener("live", () => this.#follow(), { signal: this.left.signal });
    this.sizes = new ResizeObserver(() => this.#sized());
    this.sizes.observe(this.root);
    this.#draw();
  }

  /** @param {BreakingData} data */
  update(data) {
    const before = this.data;
    this.data = data;
    if (data.checkpoint !== before.checkpoint) this.#stand(data.checkpoint);
    const { ahead, channel } = this;
    const said = data.scene && this.#address(data.scene);
    const isThere = said === ahead?.panes[0].dzi && data.told === this.told;
    if (ahead && (!said || isThere)) this.#stay();
    if (ahead && !said && !data.isFrozen && channel.live === ahead) channel.setLive(null);
    this.#draw();
  }

  destroy() {
    this.left.abort();
    this.sizes.disconnect();
    clearTimeout(this.timer);
    this.rows.close();
    this.curve.close();
    if (this.isFrozenShown) this.channel.setLive(null);
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  #build() {
    this.rows = new ModelRows({
      viewer: this.data.viewer,
      onChoice: () => this.#chosen(),
      onAnswer: () => this.#speak(),
    });
    this.course = h("select", { "aria-label": "Parameter" });
    this.course.addEventListener("change", () => {
      this.key = this.course.value;
      this.#chosen();
    });
    this.slider = h("input", { type: "range", min: 0, step: 1 });
    this.slider.addEventListener("input", () => this.#drag());
    this.slider.addEventListener("change", () => this.#letGo());
    this.value = h("span", { class: "value", "aria-hidden": "true" });
    this.back = h("button", { type: "button", click: () => this.#goBack() }, "The study's image");
    this.hint = h("p", { class: "note hint" });
    this.sentence = h("p", { class: "note sentence" });
    const settings = this.#settings();
    this.curve = new CurvePanel({
      onOpen: (scene) => this.#tell(scene),
      onBusy: (isBusy) => this.#showBusy(isBusy),
      hrefOf: ({ query }, model) => `?${query}&model=${encodeURIComponent(model)}`,
      namesOf: (name) => this.data.checkpoints.find(({ key }) => key === name)?.names ?? {},
    });
    this.live = h("div", { class: "unseen", role: "status" });
    const drag = h(
      "div",
      { class: "drag" },
      h("div", { class: "row" }, this.course, this.value, this.back),
      h("div", { class: "track" }, this.slider),
    );
    this.parts = [this.rows.element, this.hint, drag, settings, this.curve.element];
    this.root = h(
      "div",
      { class: "umnist-controls umnist-breaking", role: "group", "aria-label": "Breaking point" },
      ...[this.sentence, ...this.parts, this.live],
    );
  }

  #settings() {
    this.values = h("input", { type: "text", "aria-label": "Values", spellcheck: "false" });
    this.values.addEventListener("change", () => {
      this.typed.set(this.key ?? "", this.values.value);
      this.#chosen();
    });
    const counts = COUNTS.map((count) => h("option", { value: count }, String(count)));
    this.count = h("select", { "aria-label": "Scenes each" }, ...counts);
    this.count.value = String(COUNT);
    this.count.addEventListener("change", () => this.#chosen());
    const labelled = (text, input) => h("label", {}, h("span", { class: "name" }, text), input);
    this.draw = h("button", { type: "button", class: "main", click: () => this.#begin() });
    this.draw.textContent = "Draw the curve";
    this.cancel = h("button", { type: "button", click: () => this.curve.run.cancel() }, "Cancel");
    const fields = [labelled("Values", this.values), labelled("Scenes each", this.count)];
    const buttons = h("div", { class: "row" }, this.draw, this.cancel);
    return h("div", { class: "settings" }, h("div", { class: "fields" }, ...fields), buttons);
  }

  // -- what is chosen -------------------------------------------------------------------------

  /** @param {import("./courses.js").Asked} asked */
  #take({ key, values, count, others }) {
    this.key = key;
    if (key && values) this.typed.set(key, values);
    if (count) this.count.value = String(count);
    const { checkpoint, checkpoints } = this.data;
    const known = others.filter((name) => checkpoints.some((one) => one.key === name));
    this.rows.choose([checkpoint, ...known.filter((name) => name !== checkpoint)]);
  }

  /** Somebody has chosen: the address of the page says it, and so does a copied link. */
  #chosen() {
    this.#draw();
    const [, ...others] = this.rows.models;
    const values = this.typed.get(this.key ?? "") ?? "";
    const asked = { key: this.key, values, count: Number(this.count.value), others };
    this.channel.setMore({ break: linkText(asked) });
  }

  // -- what is shown ------------------------------------------------------------------------

  /** @returns {SceneName|null} What the viewer shows, if it was generated. */
  get scene() {
    const live = this.channel.live?.panes[0]?.dzi;
    return (live && readScene(live)) || this.data.scene;
  }

  /** The value of a parameter of the image, in its text form. */
  #valueIn(scene, name) {
    return scene.overrides[name] ?? this.data.presets[scene.preset]?.values[name] ?? null;
  }

  /** @returns {import("./courses.js").Course[]} */
  #courses(scene) {
    const planner = this.data.presets[scene.preset]?.planner;
    return coursesOf(this.data.controls[planner] ?? [], (name) => this.#valueIn(scene, name));
  }

  #address(scene) {
    const { pin, tileSize } = this.data;
    return sceneAddress({ ...scene, reference: "" }, scene, { pin, tileSize });
  }

  #stand(checkpoint) {
    const [, ...others] = this.rows.chosen;
    this.rows.choose([checkpoint, ...others.map((one) => (one === checkpoint ? null : one))]);
  }

  // -- dragging -------------------------------------------------------------------------------

  #drag() {
    const { scene } = this;
    const course = scene && this.#courses(scene).find(({ key }) => key === this.key);
    if (!course) return;
    clearTimeout(this.timer);
    const text = textOf(course, course.places[Number(this.slider.value)]);
    const plain = this.data.presets[scene.preset].values[course.parameter] ?? null;
    const next = withValue(scene, course, text, plain);
    const dzi = this.#address(next);
    const side = readSpan(this.#valueIn(next, "canvas") ?? "")?.low ?? 1;
    this.isDragged = true;
    this.isFrozenShown = this.data.isFrozen;
    this.ahead = {
      panes: [scenePane("a", "Image", dzi, side, this.data.tileSize)],
      image: { width: side, height: side },
      subject: subjectOf(dzi),
      compare: "side",
    };
    this.channel.setLive(this.ahead);
  }

  #letGo() {
    clearTimeout(this.timer);
    if (this.data.isFrozen) return;
    const { scene } = this;
    this.timer = setTimeout(() => {
      if (!scene) return;
      this.reported.add(this.#address(scene));
      this.#tell(scene);
    }, REPORT_AFTER_MS);
  }

  /** @param {SceneName} scene */
  #tell(scene) {
    this.told += 1;
    this.callbacks.onScene({ ...scene, told: this.told });
  }

  /** The viewer shows something else: by this slider, by the page's own, or by an answer of the
   *  page to a value that somebody has dragged on from since, which must not take it back. */
  #follow() {
    const { ahead, channel, data, reported } = this;
    if (ahead && channel.live !== ahead) {
      const dzi = channel.live?.panes[0]?.dzi;
      const said = data.scene && this.#address(data.scene);
      const isNew = dzi !== ahead.panes[0].dzi;
      // Nothing: the page's own sliders were put there anew.
      if (isNew && (!dzi || reported.has(dzi) || dzi === said)) {
        channel.setLive(ahead);
        return;
      }
      if (isNew) this.#stay();
    }
    this.#draw();
  }

  /** The page is where the slider is, or somebody went elsewhere. */
  #stay() {
    this.ahead = null;
    this.reported.clear();
  }

  #goBack() {
    this.isFrozenShown = false;
    this.#stay();
    this.channel.setLive(null);
    this.slider.focus();
  }

  // -- the curve ------------------------------------------------------------------------------

  #begin() {
    const { scene, data } = this;
    const course = scene && this.#courses(scene).find(({ key }) => key === this.key);
    if (!course) return;
    const { [course.parameter]: _, ...overrides } = scene.overrides;
    const models = this.rows.models;
    const wish = {
      viewer: data.viewer,
      device: data.device,
      checkpoints: models,
      parameter: course.parameter,
      values: readValues(this.values.value),
      count: Number(this.count.value),
      // Fresh scenes, from the first: what `umnist evaluate` scores unless it is told otherwise.
      scene: this.#address({ ...scene, overrides, split: SPLIT, index: 0 }),
    };
    this.curve.begin({ wish, course, models });
    this.#draw();
  }

  #showBusy(isBusy) {
    const root = /** @type {Document|ShadowRoot} */ (this.root?.getRootNode() ?? document);
    const had = root.activeElement;
    this.draw.hidden = isBusy;
    this.cancel.hidden = !isBusy;
    // The button in focus changes places with the other one.
    if (had === this.draw && isBusy) this.cancel.focus();
    if (had === this.cancel && !isBusy) this.draw.focus();
  }

  // -- drawing --------------------------------------------------------------------------------

  #sized() {
    const width = this.root.clientWidth;
    const was = this.isSeen;
    this.isSeen = width > 0;
    if (this.isSeen) this.curve.resize(width);
    if (was !== this.isSeen) this.#draw();
  }

  #draw() {
    const { scene, data } = this;
    this.root.classList.toggle("dark", data.isDark);
    const sentence = data.sentence ?? (scene ? null : NO_SCENE);
    this.sentence.hidden = !sentence;
    this.sentence.textContent = sentence ?? "";
    for (const part of this.parts) part.hidden = Boolean(data.sentence) || !scene;
    this.rows.element.hidden = Boolean(data.sentence) || !(scene || data.people);
    this.#drawRows(scene);
    if (!scene || data.sentence) return;
    const courses = this.#courses(scene);
    const course = courses.find(({ key }) => key === this.key) ?? firstCourse(courses);
    this.key = course?.key ?? null;
    fillSelect(
      this.course,
      courses.map(({ key, group, label }) => pair(key, `${group}: ${label.toLowerCase()}`)),
      this.key ?? "",
    );
    if (course) this.#drawSlider(course, this.#valueIn(scene, course.parameter));
    this.back.hidden = !this.isFrozenShown;
    this.#drawHint();
    this.#drawValues();
  }

  #drawRows(scene) {
    const { data } = this;
    const side = scene ? (readSpan(this.#valueIn(scene, "canvas") ?? "")?.low ?? 0) : 0;
    const isAsked = this.isSeen && (side <= UNASKED_PX || this.isDragged);
    const address = scene && !data.sentence ? this.#address(scene) : null;
    const people = data.people && {
      ...data.people,
      scene: data.scene ? this.#address(data.scene) : (address ?? ""),
    };
    this.rows.show({
      image: isAsked ? address : null,
      device: data.device,
      models: data.checkpoints,
      people,
    });
  }

  #drawSlider(course, text) {
    const last = course.places.length - 1;
    const span = readSpan(text ?? "");
    this.slider.max = String(last);
    const share = text === null ? 0 : shareOf(course, text);
    const place = Math.round((Number.isNaN(share) ? 0 : share) * last);
    if (Number(this.slider.value) !== place) this.slider.value = String(place);
    const isDrawn = course.upTo === null && (!span || span.low !== span.high);
    const unit = course.unit ? ` ${course.unit}` : "";
    const drawn = text === null ? "as drawn" : `${text}${unit}, each image draws its own`;
    const told = isDrawn ? drawn : `${course.upTo === null ? text : (span?.low ?? text)}${unit}`;
    this.value.textContent = told;
    this.slider.setAttribute("aria-label", `${course.group}: ${course.label.toLowerCase()}`);
    this.slider.setAttribute("aria-valuetext", told);
    this.slider.title = course.meaning;
    this.curve.showNow(isDrawn ? null : text, course);
  }

  #drawValues() {
    const { scene } = this;
    const course = scene && this.#courses(scene).find(({ key }) => key === this.key);
    if (!course) return;
    const values = this.typed.get(course.key) ?? spreadValues(course, VALUES).join(", ");
    if (this.values.value !== values) this.values.value = values;
    this.draw.disabled = this.rows.models.length === 0 || readValues(values).length === 0;
  }

  #drawHint() {
    const hints = this.rows.models.map((name) => this.data.hints[name]).filter(Boolean);
    this.hint.hidden = hints.length === 0;
    this.hint.textContent = [...new Set(hints)].join(" ");
  }

  #speak() {
    if (this.isSeen) this.live.textContent = this.rows.spoken;
  }
}

const NO_SCENE =
  "Only a generated image has noise that can be changed: choose one under “Image and noise”.";
