/**
 * The deep-zoom viewer: one or two panes in step, and what stands around them.
 *
 * `mountViewer` is framework-free; streamlit.js joins it to Streamlit. `mountAnswers`
 * makes the list of digits beside it.
 *
 * @typedef {import("./data.js").ViewerData} ViewerData
 * @typedef {import("./data.js").ViewerCallbacks} ViewerCallbacks
 * @typedef {import("./data.js").Place} Place
 * @typedef {import("./data.js").MountedViewer} MountedViewer
 */

import { join } from "../hall/bus.js";
import { h, onDetail, toggleFullScreen } from "../hall/dom.js";
import { loadEngine, styleSheet } from "../hall/files.js";
import { HeatBar } from "../heat/bar.js";
import { makeHelp } from "./help.js";
import { listenToKeys } from "./keyboard.js";
import { Address } from "./link.js";
import { frameOf, linkedData, mergedData } from "./looks.js";
import { Measure } from "./measure.js";
import { Minimap } from "./minimap.js";
import { Pane } from "./pane.js";
import { Readout } from "./readout.js";
import { saveView } from "./save.js";
import { ScaleBar } from "./scalebar.js";
import { makeToolbar } from "./toolbar.js";
import * as views from "../hall/view.js";
import { word } from "../hall/words.js";
import { Wipe } from "./wipe.js";

export { mountAnswers } from "./answers.js";

/** In this order: where two rules weigh the same, the later one holds. */
const SHEETS = [
  "viewer/viewer.css",
  "heat/heat.css",
  "viewer/readout.css",
  "viewer/overlays.css",
  "viewer/help.css",
  "viewer/wipe.css",
];

/** Share of the pane that an arrow key moves, and with Shift. */
const STEP = 0.125;
const FAR_STEP = 0.6;
const REPORT_AFTER_MS = 150;

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {ViewerData} data
 * @param {ViewerCallbacks} [callbacks]
 * @returns {MountedViewer}
 */
export function mountViewer(parentElement, data, callbacks = {}) {
  const viewer = new Viewer(parentElement, data, callbacks);
  return {
    update: (next) => viewer.update(next),
    showWhole: () => viewer.showWhole(),
    retry: () => viewer.retry(),
    place: () => viewer.place,
    focus: () => viewer.focus(),
    destroy: () => viewer.destroy(),
  };
}

class Viewer {
  constructor(parentElement, data, callbacks) {
    this.given = data;
    this.data = data;
    this.callbacks = callbacks;
    /** @type {Pane[]} */
    this.panes = [];
    this.leader = null;
    this.pointer = null;
    this.say = null;
    this.left = new AbortController();
    this.address = new Address(this.left.signal, callbacks.onReturn);
    /** @type {import("./link.js").Asked|null} */
    this.asked = null;
    const asked = this.address.read(data);
    this.view = data.view ?? asked?.view ?? null;
    this.whole = !this.view;
    this.#joinBus(data.overlays ?? asked?.overlays ?? {});
    this.data = this.#merged();
    this.#build();
    this.styles = SHEETS.map((name) => styleSheet(name, parentElement));
    parentElement.append(this.root);
    this.#listen();
    this.#begin();
  }

  /** @param {ViewerData} data */
  update(data) {
    this.asked = this.address.return(data, this.given) ?? this.asked;
    this.given = data;
    this.#change(this.#merged());
  }

  /** To what Back or Forward led to, as soon as controls show that image, too. */
  #showAsked() {
    if (!this.asked || this.data.subject !== this.given.subject) return;
    const { view, overlays } = this.asked;
    this.asked = null;
    this.channel.setOverlays(overlays);
    if (!view) return;
    Object.assign(this, { view, whole: false });
    for (const pane of this.panes)
      pane.go(views.clampedView(view, this.data.image, pane.size), true);
  }

  showWhole() {
    this.whole = true;
    this.view = null;
    for (const pane of this.panes) pane.go(this.#wholeView(), true);
  }

  retry() {
    for (const pane of this.panes) pane.swap.retry();
  }

  /** At once, or as soon as there is something to focus, if nothing else has it by then. */
  focus() {
    this.wantsFocus = this.panes.length === 0;
    this.panes[0]?.viewer.canvas.focus({ preventScroll: true });
  }

  /** @returns {Place|null} */
  get place() {
    const pane = this.lead;
    if (!pane) return null;
    const { view, target, size } = pane;
    return { view, size, isAtRest: views.sameView(view, target) };
  }

  /** The data, or what controls beside the viewer show ahead of them. */
  #merged() {
    return mergedData(this.given, this.channel);
  }

  #change(data) {
    const before = this.data;
    this.data = data;
    if (!this.engine) return;
    const isSame = data.subject === before.subject && views.sameSize(data.image, before.image);
    if (!isSame) this.whole = true; // panes of another size are fitted to it as they are shown
    this.#showData();
    if (!isSame && this.lead) this.showWhole();
    if (data.view !== undefined && !views.sameView(data.view ?? null, before.view ?? null)) {
      this.#goTo(data.view ?? this.#wholeView());
    }
    const changed = (name) => data.overlays?.[name] !== before.overlays?.[name];
    if (data.overlays && (changed("answer") || changed("shapes"))) {
      this.channel.setOverlays(data.overlays);
    }
    this.#showAsked();
    this.#writeLink();
  }

  destroy() {
    this.left.abort();
    if (this.root.contains(this.channel.band)) this.channel.setBand(null);
    this.leaveBus();
    this.stopKeys();
    clearTimeout(this.reportTimer);
    this.readout.close();
    for (const pane of this.panes) pane.destroy();
    this.panes = [];
    this.root.remove();
    for (const { element } of this.styles) element.remove();
  }

  #joinBus(overlays) {
    const { channel, leave } = join(this.data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    channel.setOverlays(overlays);
    const { signal } = this.left;
    for (const what of ["live", "looks", "tones", "extra"]) {
      channel.addEventListener(what, () => this.#change(this.#merged()), { signal });
    }
    channel.addEventListener("more", () => this.#writeLink(), { signal });
    onDetail(channel, "fly", (detail) => this.#fly(detail), { signal });
    onDetail(channel, "overlays", (detail) => this.#overlaysChanged(detail), { signal });
  }

  #build() {
    const { data } = this;
    const actions = this.#actions();
    this.help = makeHelp(actions.navigate !== null);
    this.readout = new Readout();
    this.heatBar = new HeatBar(() => this.#drawHeat(), this.address.heat);
    this.scaleBar = new ScaleBar();
    this.minimap = new Minimap((x, y) => this.#goTo({ ...this.lead.target, x, y }));
    this.notice = h("p", { class: "notice", hidden: "" });
    this.stage = h("div", { class: "stage" });
    const band = h("div", { class: "band" });
    this.channel.setBand(band);
    this.wipe = new Wipe(this.stage);
    this.live = h("div", { class: "unseen", role: "status" });
    this.measure = new Measure((text) => (this.live.textContent = text));
    this.root = h(
      "div",
      {
        class: data.plain ? "umnist-viewer plain" : "umnist-viewer",
        role: "group",
        "aria-label": word("viewer.name", "Image viewer"),
      },
      ...[makeToolbar(actions, data.plain, !!data.link), band, this.notice, this.stage],
      ...(data.plain ? [] : [this.heatBar.element, this.measure.element, this.readout.element]),
      ...(data.plain ? [] : [this.help]),
      this.live,
    );
    this.stopKeys = listenToKeys(this.root, actions, data.plain);
  }

  #actions() {
    const { onNavigate } = this.callbacks;
    const withPane =
      (action) =>
      (...values) =>
        this.lead && action(...values);
    return {
      pan: withPane((right, down, far) => this.#pan(right, down, far ? FAR_STEP : STEP)),
      zoom: withPane((direction) => this.#zoom(direction)),
      whole: withPane(() => this.#goTo(this.#wholeView(), word("viewer.whole", "Whole image"))),
      ratio: withPane((ratio) => this.#zoomTo(views.exactZoom(ratio))),
      fullScreen: () => toggleFullScreen(this.root),
      help: () => (this.callbacks.onHelp ? this.callbacks.onHelp() : this.help.showModal()),
      measure: withPane((tool) => this.#measure(tool)),
      save: withPane((kind) => this.#save(kind)),
      answer: () => this.channel.setOverlays({ answer: !this.channel.overlays.answer }),
      navigate: onNavigate ? (where) => onNavigate(where) : null,
    };
  }

  #listen() {
    const { signal } = this.left;
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    this.still = still.matches;
    const changed = ({ matches }) => {
      this.still = matches;
      for (const pane of this.panes) pane.setStill(matches);
    };
    still.addEventListener("change", changed, { signal });
  }

  async #begin() {
    try {
      const styles = this.styles.map(({ loaded }) => loaded);
      const [engine] = await Promise.all([loadEngine(), ...styles]);
      if (this.left.signal.aborted) return;
      this.engine = engine;
      this.root.classList.add("ready");
      this.#showData();
      this.#writeLink();
    } catch (error) {
      this.root.classList.add("ready");
      this.#showNotice(error.message);
    }
  }

  /** Bring everything in line with the data. */
  #showData() {
    const { data } = this;
    const { height } = data;
    const length = typeof height === "number" ? `${height}px` : (height ?? "");
    this.root.style.setProperty("--viewer-height", length);
    this.#showNotice(data.status ?? null);
    while (this.panes.length > data.panes.length) this.#dropPane();
    while (this.panes.length < data.panes.length) this.#addPane();
    for (const element of [this.stage, this.readout.element]) {
      element.classList.toggle("two", this.panes.length > 1);
      element.classList.toggle("three", this.panes.length > 2);
    }
    this.wipe.show(data.compare === "wipe" && this.panes.length === 2);
    this.panes.forEach((pane, index) => {
      const { heat, isStale } = data.layers[index];
      pane.fit(frameOf(data, index));
      pane.update(data.panes[index]);
      pane.heat.show(heat, isStale);
    });
    this.heatBar.show(this.panes.map(({ heat }) => heat));
    this.#drawOverlays();
    this.#drawPoint();
  }

  #addPane() {
    const pane = new Pane(
      this.engine,
      { image: frameOf(this.data, this.panes.length), still: this.still },
      {
        onLead: (leader) => (this.leader = leader),
        onMove: (moving) => this.#moved(moving),
        onRest: (resting) => this.#rested(resting),
        onResize: (resized, heading) => this.#resized(resized, heading),
        onShown: (shown, source) => this.#shown(shown, source),
        onPoint: (pointed, event) => this.#pointed(pointed, event),
      },
    );
    this.panes.push(pane);
    this.measure.attach(pane);
    pane.heat.look = this.heatBar.look;
    pane.heat.onChange = () => this.#drawHeat();
    this.stage.append(pane.element);
    const hasScale = this.panes.length === 1 && !this.data.plain;
    if (hasScale) pane.element.append(this.scaleBar.element);
    // In the last pane, the corner that is furthest from the titles and the scale.
    pane.element.append(this.minimap.element);
    pane.start();
    if (this.wantsFocus && document.activeElement === document.body) this.focus();
  }

  #dropPane() {
    const pane = this.panes.pop();
    if (this.leader === pane) this.leader = null;
    this.measure.detach(pane);
    this.panes.at(-1)?.element.append(this.minimap.element);
    pane.destroy();
  }

  /** @returns {Pane} The pane that others follow: the one last acted on. */
  get lead() {
    return this.leader ?? this.panes[0];
  }

  #wholeView() {
    return views.wholeView(this.data.image, this.lead.size);
  }

  /**
   * @param {import("../hall/view.js").View} view
   * @param {string|null} [say] Said to screen readers on arrival; "" for the place itself.
   */
  #goTo(view, say = null) {
    const pane = this.lead;
    this.say = say;
    const clamped = views.clampedView(view, this.data.image, pane.size);
    pane.go(views.alignedView(clamped, pane.size), false);
  }

  #pan(right, down, share) {
    const { target, size } = this.lead;
    const x = target.x + (right * share * size.width) / target.zoom;
    const y = target.y + (down * share * size.height) / target.zoom;
    this.#goTo({ ...target, x, y }, "");
  }

  #zoom(direction) {
    const { target, size } = this.lead;
    const smallest = views.wholeZoom(this.data.image, size);
    const zoom = views.nextZoom(target.zoom, direction, smallest);
    if (zoom === smallest) this.#goTo(this.#wholeView(), word("viewer.whole", "Whole image"));
    else this.#zoomTo(zoom);
  }

  #zoomTo(zoom) {
    this.#goTo({ ...this.lead.target, zoom }, "");
  }

  /** To a digit of the data, or to a box. */
  #fly({ id, box, name, share }) {
    if (!this.lead) return;
    const digit = (this.data.digits ?? []).find((one) => one.id === id);
    const there = box ?? digit?.box;
    const say = name ?? (digit && word("viewer.digit", "Digit {label}, {side} px", digit));
    if (there) this.#goTo(views.viewOfBox(there, this.lead.size, share), say);
  }

  #measure(tool) {
    this.measure.toggle(tool);
    this.lead.viewer.canvas.focus({ preventScroll: true });
  }

  async #save(kind) {
    const { stage, panes, scaleBar } = this;
    const scale = scaleBar.element.isConnected ? scaleBar.element : null;
    const problem = await saveView({ stage, panes, scale }, kind);
    if (problem) this.#showNotice(problem);
    else this.live.textContent = "Saved what is seen.";
  }

  #moved(pane) {
    if (pane !== this.lead) return;
    this.view = pane.view;
    this.#follow((view) => view);
    this.#drawChrome();
    this.#drawPoint();
    this.measure.follow(pane);
    this.callbacks.onPlace?.({ view: this.view, size: pane.size, isAtRest: false });
  }

  #rested(pane) {
    if (pane !== this.lead) return;
    pane.align();
    this.view = pane.view;
    this.callbacks.onPlace?.({ view: this.view, size: pane.size, isAtRest: true });
    this.whole = views.sameView(this.view, this.#wholeView());
    this.#follow((view, size) => views.alignedView(view, size));
    this.#writeLink();
    if (this.say !== null) this.live.textContent = this.say || this.#placeText();
    this.say = null;
    clearTimeout(this.reportTimer);
    this.reportTimer = setTimeout(() => this.callbacks.onView?.(this.view), REPORT_AFTER_MS);
  }

  /** Put the other panes where the leader is; they never lead back, so nothing swings. */
  #follow(adjusted) {
    for (const pane of this.panes) {
      if (pane !== this.lead) pane.go(adjusted(this.view, pane.size), true);
    }
  }

  #resized(pane, heading) {
    const resting = this.whole || !this.view ? this.#wholeView() : this.view;
    const view = pane === this.lead && heading ? heading : resting;
    const clamped = views.clampedView(view, this.data.image, pane.size);
    pane.go(views.alignedView(clamped, pane.size), true);
    this.#drawChrome();
    this.callbacks.onPlace?.({ view: pane.view, size: pane.size, isAtRest: true });
  }

  #shown(pane, source) {
    if (pane === this.panes[0]) this.minimap.show(source, this.data.image);
    this.#drawChrome();
    this.#drawPoint(true);
  }

  #pointed(pane, event) {
    this.pointer = event && { pane, place: event, touch: event.pointerType !== "mouse" };
    this.#drawPoint();
  }

  /** Read the pixel under the pointer; where there is none, the one in the middle. */
  #drawPoint(fresh = false) {
    const pane = this.lead;
    if (!pane || this.data.plain) return;
    // A finger that drags covers what it points at.
    if (this.pointer?.touch && !views.sameView(pane.view, pane.target)) this.pointer = null;
    const { pointer } = this;
    const point = pointer ? pointer.pane.pointAt(pointer.place) : pane.view;
    for (const other of this.panes) {
      other.overlay.pointer = pointer && other !== pointer.pane ? point : null;
      other.drawOverlay();
    }
    this.readout.element.classList.toggle("centre", !pointer);
    this.readout.drawPoint(point, this.data.image, this.panes, fresh);
    const { heat } = pointer?.pane ?? pane;
    this.heatBar.drawValue(point && heat.valueAt(point, this.data.image), heat.data);
  }

  #drawChrome() {
    const { view, size } = this.lead;
    this.readout.drawZoom(view.zoom);
    this.scaleBar.draw(view.zoom);
    this.minimap.draw(view, size);
  }

  #drawOverlays() {
    this.panes.forEach((pane, index) => {
      const { digits = [], shapes = [] } = this.data.panes[index];
      const { marks, isStale, extra } = this.data.layers[index];
      pane.overlay.showExtra(extra);
      pane.overlay.show(digits, shapes, this.channel.overlays);
      pane.overlay.showLook(marks, isStale);
      pane.drawOverlay();
    });
  }

  #drawHeat() {
    this.heatBar.show(this.panes.map(({ heat }) => heat));
    for (const pane of this.panes) pane.drawOverlay();
    this.#drawPoint();
    this.#writeLink();
  }

  #overlaysChanged(overlays) {
    this.#drawOverlays();
    this.#writeLink();
    this.callbacks.onOverlays?.(overlays);
  }

  #writeLink() {
    // Not what controls show ahead of the page, whose link is not known here.
    const given = linkedData(this.given, this.channel);
    const { overlays, more } = this.channel;
    const all = { ...more, heat: this.heatBar.chosen };
    this.address.write(given, this.whole ? null : this.view, overlays, all);
  }

  #placeText() {
    return word("viewer.place", "{zoom}, centre {x}, {y}", views.placeValues(this.view));
  }

  #showNotice(text) {
    this.notice.hidden = !text;
    this.notice.textContent = text ?? "";
  }
}
