/**
 * The Noise lab's controls: which image, which setting, and whether two are compared.
 *
 * Every change goes to the viewer at once, over the bus, without the server's pages
 * having any part in it: the picture follows the pointer. Only when a control is let go
 * of does the page learn of it, and the link and the figures follow.
 *
 * The state is here while someone works with it. The page's own changes (a file that
 * was loaded, another sample) come with another `revision`, and then win.
 *
 * @typedef {import("./scene_address.js").Setting} Setting
 * @typedef {"one"|"side"|"wipe"} Compare
 * @typedef {import("./scene_address.js").Sample & {compare: Compare, edit: "a"|"b",
 *           a: Setting, b: Setting}} LabState
 *
 * @typedef {import("./sliders.js").ControlSpec & {group: string, replaces: string[],
 *           object_px: number|null, cut_by: string|null,
 *           only_with: [string, string]|null, per_area: [number, number]|null}} LabControl
 *   `replaces`: the parameters that it stands for when it is set, and what that is called;
 *   `object_px`: side of a digit at the value 1; `cut_by`: the parameter that decides whether
 *   its fraction is cut off; `only_with`: another parameter and the value of it without which
 *   this one means nothing; `per_area`: how many its word stands for on a canvas of so many px.
 * @typedef {{key: string, title: string, group: string, preset: string,
 *            overrides: Record<string, string>}} NamedSetting
 *
 * @typedef {object} LabData
 * @property {string} bus
 * @property {number} revision
 * @property {LabState} state
 * @property {NamedSetting[]} named
 * @property {Record<string, {planner: string, noisy: boolean, values: Record<string, string>}>} presets
 *   `noisy`: whether its noise has a seed of its own.
 * @property {Record<string, LabControl[]>} controls By planner.
 * @property {string[]} splits
 * @property {{integer: number[], continuous: [number, number][]}} penWidths How wide a stroke is
 *   drawn, px of 28: for each whole thickness from 1 on; between these pairs of thickness and width.
 * @property {string} pin What pixels depend on beside the scene: the digits and the renderer in use.
 * @property {number} tileSize
 * @property {boolean} [single] One setting alone, without the choice to compare two.
 * @property {boolean} [folded] The sliders are behind a heading that opens them.
 * @property {View[]} [views] What each pane shows of the image; else one pane a setting.
 * @property {{a: Record<string, string>, b: Record<string, string>}} [drawn] What the images of
 *   `state` drew, by the parameter that may be a range.
 *
 * @typedef {object} View
 * @property {string} key
 * @property {string} title
 * @property {Record<string, string>} query Of the image's address, beside the scene.
 * @property {number|null} side Of the pane's pixels; null for the image's own.
 *
 * @typedef {{onSettings: (state: LabState) => void}} LabCallbacks
 */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { subjectOf } from "../hall/subject.js";
import { countNote, cutNote, drawnNote, objectsNote } from "./notes.js";
import { button, numberField, segments } from "./parts.js";
import { Past } from "./past.js";
import { readSpan, sceneAddress, scenePane } from "./scene_address.js";
import { makeControl, refusalLine } from "./sliders.js";

/** Key presses repeat: the page is told once they have stopped. */
const REPORT_AFTER_MS = 250;

const RANDOM_SEEDS = 10_000;

const COMPARES = { one: "One", side: "Side by side", wipe: "Wipe" };

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {LabData} data
 * @param {LabCallbacks} callbacks
 * @returns {{update: (data: LabData) => void, destroy: () => void}}
 */
export function mountLab(parentElement, data, callbacks) {
  const lab = new Lab(parentElement, data, callbacks);
  return { update: (next) => lab.update(next), destroy: () => lab.destroy() };
}

class Lab {
  constructor(parentElement, data, callbacks) {
    this.data = data;
    this.callbacks = callbacks;
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    /** @type {Map<string, {spec: LabControl, control: import("./sliders.js").Control}>} */
    this.controls = new Map();
    this.root = h("div", {
      class: "umnist-controls umnist-lab",
      role: "group",
      "aria-label": "Settings",
    });
    this.compareRow = this.#compareRow();
    this.compareRow.hidden = data.single ?? false;
    this.past = new Past(data.state, (state) => this.#goTo(state));
    this.past.listen(this.root);
    this.root.append(this.compareRow, this.#presetRow(), this.#sampleRow(), this.#groups());
    this.styles = styleSheet("lab/lab.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    this.#adopt(data.state);
  }

  /** @param {LabData} data */
  update(data) {
    const before = this.data;
    this.data = data;
    this.compareRow.hidden = data.single ?? false;
    if (data.revision !== before.revision) {
      this.past.follow(data.state);
      this.#adopt(data.state);
      return;
    }
    this.#drawChanges();
    this.#goLive();
  }

  destroy() {
    clearTimeout(this.timer);
    // What others have shown since stays.
    if (this.channel.live === this.shown) this.channel.setLive(null);
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  #adopt(state) {
    clearTimeout(this.timer);
    this.state = structuredClone(state);
    this.#draw();
    this.#goLive();
  }

  /** Undo or redo. */
  #goTo(state) {
    this.#adopt(state);
    this.#report();
  }

  // -- what the state says ------------------------------------------------------------

  /** @returns {Setting} The setting that the controls change. */
  get edited() {
    const { compare, edit } = this.state;
    return this.state[compare === "one" ? "a" : edit];
  }

  /** @returns {string|null} */
  #value(setting, name) {
    return setting.overrides[name] ?? this.data.presets[setting.preset].values[name] ?? null;
  }

  #setValue(setting, name, text) {
    if (text === (this.data.presets[setting.preset].values[name] ?? null)) {
      delete setting.overrides[name];
    } else {
      setting.overrides[name] = text;
    }
  }

  #isNoisy({ preset }) {
    return this.data.presets[preset].noisy;
  }

  #reference(setting) {
    const { named } = this.data;
    return named.find(({ key }) => key === setting.reference) ?? named[0];
  }

  #isChanged(setting, name) {
    return this.#value(setting, name) !== this.#value(this.#reference(setting), name);
  }

  #title(setting) {
    const names = this.data.controls[this.data.presets[setting.preset].planner];
    const changed = names.filter(({ name }) => this.#isChanged(setting, name)).length;
    return this.#reference(setting).title + (changed ? `, ${changed} changed` : "");
  }

  #side(setting) {
    return readSpan(this.#value(setting, "canvas"))?.low ?? 1;
  }

  #goLive() {
    const { state, data } = this;
    const panes = data.views?.length ? this.#views() : this.#settings();
    const side = this.#side(state.a);
    const image = { width: side, height: side };
    const subject = subjectOf(panes[0].dzi);
    this.shown = { panes, image, subject, compare: state.compare };
    this.channel.setLive(this.shown);
  }

  /** @returns {import("../viewer/pane.js").PaneData[]} */
  #views() {
    const { state, data } = this;
    const own = this.#side(state.a);
    return data.views.map(({ key, title, query, side }) => {
      const dzi = sceneAddress(state.a, state, { pin: data.pin, query });
      const length = Math.min(side ?? own, own);
      return { key, title, dzi, width: length, height: length };
    });
  }

  /** @returns {import("../viewer/pane.js").PaneData[]} */
  #settings() {
    const { state, data } = this;
    const compared = state.compare === "one" ? ["a"] : ["a", "b"];
    return compared.map((name) => {
      const setting = state[name];
      const dzi = sceneAddress(setting, state, data);
      const side = this.#side(setting);
      // Both panes show the frame of A, whose px the scale bar and the readout are in.
      const scaled = side === this.#side(state.a) ? "" : `scaled from ${side} px · `;
      const letter = data.single ? "" : `${name.toUpperCase()} · `;
      const title = `${letter}${scaled}${this.#title(setting)}`;
      return scenePane(name, title, dzi, side, data.tileSize);
    });
  }

  #changed() {
    clearTimeout(this.timer);
    this.#goLive();
  }

  #letGo() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.past.add(this.state);
      this.#report();
    }, REPORT_AFTER_MS);
  }

  #report() {
    this.callbacks.onSettings(structuredClone(this.state));
  }

  /** A change that is made at once, by a button or a list. */
  #act(change) {
    change(this.state);
    this.#draw();
    this.#changed();
    this.#letGo();
  }

  // -- the rows -------------------------------------------------------------------------

  #compareRow() {
    const choose = (compare) => this.#act((state) => Object.assign(state, { compare }));
    const edit = (name) => this.#act((state) => Object.assign(state, { edit: name }));
    this.compares = segments("Compare", COMPARES, choose);
    this.edits = segments("Change", { a: "A", b: "B" }, edit);
    const swap = () => this.#act((state) => ([state.a, state.b] = [state.b, state.a]));
    const copy = () => this.#act((state) => (state.b = structuredClone(state.a)));
    this.pair = h(
      "div",
      { class: "row pair" },
      h("span", { class: "name", "aria-hidden": "true" }, "Change"),
      this.edits.element,
      button("Swap", "Let A and B change places", swap),
      button("Copy A to B", "Make B the same as A", copy),
    );
    return h("div", { class: "rows" }, this.compares.element, this.pair);
  }

  #presetRow() {
    const groups = Map.groupBy(this.data.named, ({ group }) => group);
    this.preset = h(
      "select",
      { "aria-label": "Preset" },
      ...[...groups].map(([group, settings]) =>
        h(
          "optgroup",
          { label: group },
          ...settings.map(({ key, title }) => h("option", { value: key }, title)),
        ),
      ),
    );
    this.preset.addEventListener("change", () => this.#choosePreset(this.preset.value));
    this.reset = button("Reset", "Undo all changes to the preset", () =>
      this.#choosePreset(this.edited.reference),
    );
    const name = h("span", { class: "name" }, "Preset");
    const preset = h("label", { class: "wide" }, name, this.preset);
    return h("div", { class: "row" }, preset, ...this.past.buttons, this.reset);
  }

  #choosePreset(key) {
    const chosen = this.data.named.find((named) => named.key === key);
    this.#act(() => {
      const { edited } = this;
      const { noise_seed: noise } = edited.overrides;
      const kept = noise && this.#isNoisy(chosen) ? { noise_seed: noise } : {};
      const overrides = { ...chosen.overrides, ...kept };
      Object.assign(edited, { preset: chosen.preset, overrides, reference: key });
    });
  }

  #sampleRow() {
    const refusal = refusalLine();
    const field = (label, change, empty = null) =>
      numberField(label, empty, refusal, (value) => this.#act((state) => change(state, value)));
    this.seed = field("Seed", (state, value) => (state.seed = value));
    this.index = field("Index", (state, value) => (state.index = value));
    this.noiseSeed = field("Noise seed", (_, value) => this.#setNoiseSeed(value), "as seed");
    this.split = h(
      "select",
      { "aria-label": "Split" },
      ...this.data.splits.map((split) => h("option", { value: split }, split)),
    );
    this.split.addEventListener("change", () =>
      this.#act((state) => (state.split = this.split.value)),
    );
    const split = h("label", {}, h("span", { class: "name" }, "Split"), this.split);
    const fields = [this.seed, this.noiseSeed, this.index].map(({ element }) => element);
    this.renew = h(
      "div",
      { class: "row" },
      button("New noise, same digits", "", () => this.#newNoise()),
      button("New digits, same noise", "", () => this.#newDigits()),
    );
    return h(
      "div",
      { class: "rows sample" },
      ...[h("div", { class: "fields" }, ...fields, split), refusal.element, this.renew],
    );
  }

  #setNoiseSeed(value) {
    const { overrides } = this.edited;
    if (value === null || value === this.state.seed) delete overrides.noise_seed;
    else overrides.noise_seed = String(value);
  }

  #newNoise() {
    this.#act(() => this.#setNoiseSeed(randomSeed()));
  }

  #newDigits() {
    this.#act((state) => {
      for (const setting of [state.a, state.b].filter((one) => this.#isNoisy(one))) {
        setting.overrides.noise_seed ??= String(state.seed);
      }
      state.seed = randomSeed();
    });
  }

  // -- the sliders ----------------------------------------------------------------------

  #groups() {
    this.groups = h("div", { class: "groups" });
    if (!this.data.folded) return this.groups;
    this.fold = h("details", { class: "fold" }, h("summary", {}, "Change the preset"), this.groups);
    return this.fold;
  }

  /** Make the controls of a planner; they stay until another planner's are wanted. */
  #makeControls(planner) {
    if (planner === this.planner) return;
    this.planner = planner;
    this.controls.clear();
    const groups = Map.groupBy(this.data.controls[planner], ({ group }) => group);
    this.groups.replaceChildren(
      ...[...groups].map(([group, specs]) => {
        const parts = specs.flatMap((spec) => this.#makeControl(spec));
        return h("details", { open: "" }, h("summary", {}, group), ...parts);
      }),
    );
  }

  #makeControl(spec) {
    const control = makeControl(spec, {
      onInput: (text) => {
        this.#setValue(this.edited, spec.name, text);
        this.#drawChanges();
        this.#changed();
      },
      onChange: () => this.#letGo(),
    });
    this.controls.set(spec.name, { spec, control });
    return spec.replaces.length ? [this.#makeSwitch(spec), control.element] : [control.element];
  }

  /** A check box that lets one parameter stand for several. */
  #makeSwitch(spec) {
    const box = h("input", { type: "checkbox", "data-switch": spec.name });
    box.addEventListener("change", () =>
      this.#act(() => {
        const { edited } = this;
        if (box.checked) edited.overrides[spec.name] = this.#value(edited, spec.replaces[0]);
        else delete edited.overrides[spec.name];
      }),
    );
    return h("label", { class: "switch", title: spec.meaning }, box, spec.switch);
  }

  // -- drawing ----------------------------------------------------------------------------

  #draw() {
    const { state, edited } = this;
    this.compares.show(state.compare);
    this.edits.show(state.edit);
    this.pair.hidden = state.compare === "one";
    this.preset.value = this.#reference(edited).key;
    this.seed.show(state.seed);
    this.index.show(state.index);
    this.noiseSeed.show(edited.overrides.noise_seed ?? null);
    this.split.value = state.split;
    const isNoisy = this.#isNoisy(edited);
    for (const element of [this.noiseSeed.element, this.renew]) element.hidden = !isNoisy;
    this.#makeControls(this.data.presets[edited.preset].planner);
    for (const [name, { control }] of this.controls) {
      const text = this.#value(edited, name);
      if (text !== null) control.show(text);
    }
    for (const { spec, control } of this.controls.values()) {
      if (spec.replaces.length) this.#drawSwitch(spec, control);
    }
    this.#drawChanges();
  }

  #drawSwitch(spec, control) {
    const on = this.#value(this.edited, spec.name) !== null;
    const box = this.groups.querySelector(`[data-switch=${spec.name}]`);
    if (box instanceof HTMLInputElement) box.checked = on;
    control.element.hidden = !on;
    for (const name of spec.replaces) this.controls.get(name).control.element.hidden = on;
  }

  /** What follows from the values, and is drawn anew while they change. */
  #drawChanges() {
    const { edited, drawn } = this;
    let changes = 0;
    for (const [name, { spec, control }] of this.controls) {
      const changed = this.#isChanged(edited, name);
      changes += Number(changed);
      control.element.classList.toggle("changed", changed);
      this.#drawNote(spec, control, drawn[name]);
      if (spec.only_with) {
        const [other, wanted] = spec.only_with;
        control.element.hidden = this.#value(edited, other) !== wanted;
      }
    }
    this.reset.disabled = changes === 0;
    if (this.fold && changes > 0) this.fold.open = true;
  }

  #drawNote(spec, control, drawn) {
    const { edited } = this;
    const value = (name) => this.#value(edited, name);
    const sentences = [
      spec.note,
      spec.object_px && objectsNote(spec, value, this.#side(edited)),
      spec.cut_by && cutNote(spec, value, this.data.penWidths),
      spec.per_area && this.#countNote(spec, value, control),
      drawnNote(value(spec.name), drawn),
    ].filter(Boolean);
    const text = sentences.join(" · ");
    if (control.note.textContent === text) return; // a change of nothing is laid out anew, too
    control.note.hidden = !text;
    control.note.textContent = text;
  }

  #countNote(spec, value, control) {
    const { published, text } = countNote(spec, value, this.#side(this.edited));
    control.stand?.(published);
    return text;
  }

  /** What the edited setting's image drew; nothing while the page does not know it yet. */
  get drawn() {
    const { state, data } = this;
    const name = state.compare === "one" ? "a" : state.edit;
    const address = (of) => sceneAddress(of[name], of, data);
    return (address(state) === address(data.state) && data.drawn?.[name]) || {};
  }
}

function randomSeed() {
  return Math.floor(Math.random() * RANDOM_SEEDS);
}
