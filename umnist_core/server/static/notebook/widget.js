/**
 * One view of a widget: the viewer with its image, and beside it what goes with the widget's kind.
 *
 * The traits are the widget's; several views of it show the same. A view that somebody acts on
 * writes where it is; the others follow, and a view that follows writes nothing, or two of
 * different sizes would move each other for ever.
 *
 * @typedef {import("./channel.js").Model} Model
 *
 * @typedef {object} WidgetData As `_viewer_data` in `umnist_core/notebook` makes it.
 * @property {import("../viewer/pane.js").PaneData[]} panes
 * @property {import("../hall/view.js").Size} image
 * @property {string} subject
 * @property {"side"|"wipe"} compare
 * @property {{label: number|string|null, digits: any[], shapes: any[]}} truth
 * @property {{key: string, title: string, url: string,
 *             places: import("../watch/places.js").Places}[]} looks
 * @property {[string, string][]} choices What may be shown of the image, and its name.
 * @property {boolean} mayPair Whether two of them may stand beside each other.
 */

import { join } from "../hall/bus.js";
import { onDetail } from "../hall/dom.js";
import { serve } from "../hall/reach.js";
import * as views from "../hall/view.js";
import { mountLab } from "../lab/lab.js";
import { mountAnswers, mountViewer } from "../viewer/viewer.js";
import { heatOfTiles, patchMarks } from "../watch/places.js";
import { mountWatch } from "../watch/watch.js";
import { KernelChannel } from "./channel.js";
import { Frame } from "./frame.js";
import { LayerBar } from "./layer_bar.js";

const OUTLINED = 8;

/** Views of this page by widget, in the order in which they were made. @type {Map<string, View[]>} */
const together = new Map();

export class View {
  /**
   * @param {Model} model
   * @param {HTMLElement} element
   */
  constructor(model, element) {
    this.model = model;
    this.frame = new Frame(element);
    this.kernel = new KernelChannel(model, (health) => this.frame.say(health));
    this.home = `umnist-notebook-${this.kernel.view}:`;
    this.stopServing = serve(this.home, (address, options) =>
      this.kernel.ask(address.slice(this.home.length), options),
    );
    this.bus = this.home;
    const { channel, leave } = join(this.bus);
    this.channel = channel;
    this.leaveBus = leave;
    this.#serveSliders();
    /** Whether somebody acted on this view since it last followed another. */
    this.acted = false;
    this.key = model.get("_key");
    together.set(this.key, [...(together.get(this.key) ?? []), this]);
    this.#build();
    this.#listen();
  }

  close() {
    for (const [name, listener] of this.listeners) this.model.off(name, listener);
    for (const part of this.parts) part.destroy();
    this.viewer.destroy();
    this.left.abort();
    this.leaveBus();
    this.stopServing();
    this.kernel.close();
    this.frame.close();
    const others = (together.get(this.key) ?? []).filter((view) => view !== this);
    if (others.length) together.set(this.key, others);
    else together.delete(this.key);
  }

  // -- making ---------------------------------------------------------------------------

  /** What the sliders show is at addresses of the app; here it is at ours. */
  #serveSliders() {
    const { channel, home } = this;
    const setLive = channel.setLive.bind(channel);
    channel.setLive = (live) =>
      setLive(live && { ...live, panes: live.panes.map((pane) => atHost(home, pane)) });
  }

  #build() {
    const { model, frame } = this;
    frame.body.style.setProperty("--viewer-height", `${model.get("height")}px`);
    this.viewer = mountViewer(frame.stage, this.#viewerData(model.get("viewport")), {
      onView: () => this.#rested(),
      onOverlays: (overlays) => this.#setOverlays(overlays),
    });
    /** @type {{update: (data: any) => void, destroy: () => void}[]} */
    this.parts = [];
    if (model.get("_lab")) this.#addLab();
    if (model.get("_kind") === "watch") this.#addWatch();
    this.answers = mountAnswers(frame.panel, this.#answersData());
    this.parts.push(this.answers);
    this.bar = new LayerBar(frame.bar, {
      onLayers: (layers) => this.#write("layers", layers),
      onAttention: (attention) => this.#setOverlays({ attention }),
    });
    this.#draw();
  }

  #addLab() {
    this.revision = 0;
    this.lab = mountLab(this.frame.panel, this.#labData(), {
      onSettings: (state) => this.#settled(state),
    });
    this.parts.push(this.lab);
  }

  #addWatch() {
    this.watch = mountWatch(this.frame.panel, this.#watchData(), {
      onChoice: ({ checkpoint, beside, follow }) => {
        this.model.set("model", checkpoint);
        this.model.set("beside", beside);
        this.#write("follow", follow);
      },
      onAnswered: ({ id, result }) => {
        this.model.set("_job", id);
        this.#write("result", result);
      },
    });
    this.parts.push(this.watch);
  }

  #listen() {
    this.left = new AbortController();
    const { signal } = this.left;
    for (const type of ["pointerdown", "wheel", "keydown"]) {
      const act = () => (this.acted = true);
      this.frame.root.addEventListener(type, act, { capture: true, passive: true, signal });
    }
    onDetail(this.channel, "fly", (detail) => this.#flown(detail), { signal });
    /** @type {[string, () => void][]} */
    this.listeners = [
      ["change:_data", () => this.#redraw()],
      ["change:overlays", () => this.#redraw()],
      ["change:layers", () => this.#draw()],
      ["change:viewport", () => this.#follow()],
      ["change:selection", () => this.#select()],
      ["change:setting", () => this.#takeSetting()],
      ["change:beside", () => (this.lab && !this.watch ? this.#takeSetting() : this.#watchAgain())],
      ["change:model", () => this.#watchAgain()],
      ["change:follow", () => this.#watchAgain()],
    ];
    for (const [name, listener] of this.listeners) this.model.on(name, listener);
  }

  // -- what is shown ----------------------------------------------------------------------

  /** @returns {WidgetData} */
  get data() {
    return this.model.get("_data");
  }

  /** @param {import("../hall/view.js").View|null} [view] Where to look from now on. */
  #viewerData(view) {
    const { panes, image, subject, compare, truth } = this.data;
    const { answer, shapes } = this.model.get("overlays");
    return {
      bus: this.bus,
      panes: panes.map((pane) => atHost(this.home, pane)),
      ...{ image, subject, compare, digits: truth.digits, shapes: truth.shapes },
      overlays: { answer, shapes },
      link: null,
      height: this.model.get("height"),
      ...(view === undefined ? {} : { view }),
    };
  }

  #answersData() {
    return { bus: this.bus, ...this.data.truth, image: this.data.image };
  }

  #redraw() {
    this.viewer.update(this.#viewerData(this.seen));
    this.answers.update(this.#answersData());
    this.#watchAgain();
    this.#draw();
  }

  #draw() {
    const { looks, choices, mayPair } = this.data;
    const { attention } = this.model.get("overlays");
    const layers = this.model.get("layers") ?? ["full"];
    this.bar.show({ choices, mayPair, layers, attention: looks.length ? attention : null });
    if (this.watch) return;
    const key = JSON.stringify([looks, attention]);
    if (key === this.sentLooks) return;
    this.sentLooks = key;
    const shown = looks.length && attention ? looks.map((look) => this.#look(look)) : null;
    this.channel.setLooks(shown);
  }

  /** @returns {import("../hall/bus.js").Look} */
  #look({ key, title, url, places }) {
    const heat = heatOfTiles(
      this.home + url,
      /** @type {any} */ ({ image: this.data.image }),
      null,
      places,
    );
    return { key, title, heat, marks: patchMarks(places, OUTLINED, 1) };
  }

  // -- traits -----------------------------------------------------------------------------

  /**
   * @param {string} name
   * @param {any} value
   */
  #write(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  #setOverlays(change) {
    const before = this.model.get("overlays");
    const next = { ...before, ...change };
    const isSame = Object.keys(next).every((name) => next[name] === before[name]);
    if (!isSame) this.#write("overlays", next);
  }

  #rested() {
    this.frame.settle();
    if (!this.acted) return;
    const { view, size } = this.viewer.place();
    const whole = views.wholeView(this.data.image, size);
    const seen = views.sameView(view, whole) ? null : { x: view.x, y: view.y, zoom: view.zoom };
    this.seen = seen;
    this.#write("viewport", seen);
  }

  #follow() {
    const seen = this.model.get("viewport");
    const here = this.seen ?? null;
    this.seen = seen;
    if (views.sameView(seen, here)) return;
    this.acted = false;
    if (seen === null) this.viewer.showWhole();
    this.viewer.update(this.#viewerData(seen));
  }

  /** Somebody clicked a digit or a place, here. */
  #flown({ id, box }) {
    if (this.isSelecting) return;
    this.acted = true;
    this.selected = id ?? box;
    this.#write("selection", id ?? box);
  }

  /** Of several views the first flies there; the others follow it. */
  #select() {
    const selection = this.model.get("selection");
    const isOurs = JSON.stringify(selection) === JSON.stringify(this.selected);
    this.selected = undefined;
    const all = together.get(this.key) ?? [];
    const someoneFlew = all.some(({ selected }) => selected !== undefined);
    if (isOurs || someoneFlew || selection === null || all[0] !== this) return;
    this.isSelecting = true;
    this.acted = true;
    if (Array.isArray(selection)) this.channel.flyTo(selection, "The selection");
    else this.channel.fly(selection);
    this.isSelecting = false;
  }

  // -- sliders ------------------------------------------------------------------------------

  #labData() {
    const { model } = this;
    const setting = model.get("setting");
    const beside = this.model.get("_kind") === "lab" ? model.get("beside") : null;
    const { seed, split, index } = setting;
    const a = part(setting);
    const state = {
      ...{ seed, split, index, a, b: beside ? part(beside) : structuredClone(a) },
      ...{ compare: beside ? "side" : "one", edit: "a" },
    };
    const single = model.get("_kind") === "watch";
    return { bus: this.bus, revision: this.revision, state, ...model.get("_lab"), single };
  }

  #settled(state) {
    const sample = { seed: state.seed, split: state.split, index: state.index };
    const named = (setting) => ({ ...setting, ...sample });
    const beside = state.compare === "one" ? null : named(state.b);
    this.reported = JSON.stringify([plain(named(state.a)), plain(beside)]);
    if (this.model.get("_kind") === "lab") this.model.set("beside", beside);
    this.#write("setting", named(state.a));
  }

  #takeSetting() {
    const beside = this.model.get("_kind") === "lab" ? this.model.get("beside") : null;
    const told = JSON.stringify([plain(this.model.get("setting")), plain(beside)]);
    if (!this.lab || told === this.reported) return;
    this.reported = told;
    this.revision += 1;
    this.lab.update(this.#labData());
  }

  // -- a model ------------------------------------------------------------------------------

  #watchAgain() {
    this.watch?.update(this.#watchData());
  }

  #watchData() {
    const { model, home } = this;
    const { panes, truth } = this.data;
    const { title, dzi, width, height } = panes[0];
    const fixed = model.get("_watch");
    return {
      ...{ bus: this.bus, viewer: this.kernel.view, home, isAsked: model.get("follow") },
      ...fixed,
      image: { dzi: home + dzi, title, width, height },
      truth: typeof truth.label === "number" ? { sum: [truth.label] } : {},
      choice: {
        checkpoint: model.get("model"),
        device: fixed.devices[0]?.key ?? "auto",
        beside: model.get("beside"),
        follow: model.get("follow"),
      },
      people: null,
    };
  }
}

/**
 * A pane whose addresses are the host's.
 *
 * @param {string} home
 * @param {import("../viewer/pane.js").PaneData} pane
 */
function atHost(home, pane) {
  const { dzi, values } = pane;
  const url = values?.url ? home + values.url : null;
  return { ...pane, dzi: home + dzi, ...(values ? { values: { ...values, url } } : {}) };
}

function part({ preset, overrides, reference }) {
  return { preset, overrides: { ...overrides }, reference: reference ?? preset };
}

/** What a setting is, whatever it was compared with. */
function plain(setting) {
  if (!setting) return null;
  const { preset, overrides, seed, split, index } = setting;
  return [preset, Object.entries(overrides).sort(), seed, split, index];
}
