/**
 * One OpenSeadragon viewer with the layers over it, in our frame: views are in
 * canvas px, whatever the number of pixels of the image that is shown.
 *
 * Inside OpenSeadragon the image is one unit wide, so a pane whose image has fewer
 * pixels (an image as a model sees it) lies exactly over one that has them all.
 */

import { h, s } from "../hall/dom.js";
import { HeatLayer } from "../heat/heat.js";
import { Overlay } from "./overlays.js";
import { PixelReader } from "./pixels.js";
import { ImageSwap } from "./swap.js";
import * as views from "../hall/view.js";
import { word } from "../hall/words.js";

/**
 * @typedef {import("../hall/view.js").View} View
 * @typedef {object} PaneData
 * @property {string} key
 * @property {string} title
 * @property {string} dzi Address of the image's description.
 * @property {number} width Of the image, in its own px.
 * @property {number} height
 * @property {views.Size} [frame] What its image covers of the frame of all panes, from the top
 *   left, where it is not the whole.
 * @property {{tileSize: number, overlap: number, format: string}} [tiles] What the description
 *   says of its tiles; where it is given, the description is not fetched.
 * @property {import("./overlays.js").Digit[]} [digits] Of its image, where they are not those of
 *   the viewer's data.
 * @property {import("./overlays.js").Shape[]} [shapes]
 * @property {import("./pixels.js").ValueData} [values] Of a file: what its pixels consist of.
 * @property {string} [own] Of a file whose tiles take a window: where its own values are.
 *
 * @typedef {import("./pixels.js").Value[]} Values
 *
 * @typedef {object} PaneCallbacks
 * @property {(pane: Pane) => void} onLead Someone acts on this pane.
 * @property {(pane: Pane) => void} onMove The view changes, in every frame of a movement.
 * @property {(pane: Pane) => void} onRest The view has come to rest.
 * @property {(pane: Pane, heading: View|null) => void} onResize The pane has another size;
 *   `heading` is where a movement that was under way would have ended.
 * @property {(pane: Pane, source: import("./source.js").Source) => void} onShown A new image shows.
 * @property {(pane: Pane, pointer: PointerEvent|null) => void} onPoint null when it has left.
 */

const BUSY_AFTER_MS = 300;

const CANVAS =
  "{title}, {width} × {height} px. Arrow keys move, plus and minus zoom, question mark lists all keys.";

const GESTURES = {
  clickToZoom: false,
  dblClickToZoom: true,
  dblClickDragToZoom: false,
  pinchRotate: false,
};

export class Pane {
  /**
   * @param {any} engine OpenSeadragon
   * @param {{image: views.Size, still: boolean}} setting `still`: without animation
   * @param {PaneCallbacks} callbacks
   */
  constructor(engine, { image, still }, callbacks) {
    this.engine = engine;
    this.image = image;
    this.still = still;
    this.callbacks = callbacks;
    /** @type {views.Size} */
    this.size = { width: 1, height: 1 };
    /** Address of the picture that is asked for. @type {string|null} */
    this.dzi = null;
    /** @type {import("./pixels.js").ValueData|null} */
    this.values = null;
    /** @type {PixelReader|null} */
    this.reader = null;
    this.#build();
    this.viewer = engine(this.#options());
    this.#nameCanvas();
    this.#listen();
    this.swap = new ImageSwap(engine, this.viewer, {
      onState: (state) => this.#showState(state),
      onShown: (source) => this.#shown(source),
      onLoaded: (source) => this.#loaded(source),
      onWhole: () => this.#tellDrawn("umnist-whole", {}),
    });
    this.resizing = new ResizeObserver(() => this.#measure());
  }

  /** Begin, once the element is in the document. */
  start() {
    this.#measure();
    this.resizing.observe(this.element);
  }

  /** @param {PaneData} data */
  update(data) {
    this.title.textContent = data.title;
    this.viewer.canvas.setAttribute(
      "aria-label",
      word("viewer.canvas", CANVAS, { title: data.title, ...this.image }),
    );
    const { dzi, width, height, tiles, values } = data;
    this.dzi = dzi;
    this.values = values ?? null;
    this.swap.show(dzi, tiles ? { ...tiles, width, height } : null);
  }

  /** @returns {View} What is on screen now, within a movement too. */
  get view() {
    return this.#view(true);
  }

  /** @returns {View} Where a movement under way will end. */
  get target() {
    return this.#view(false);
  }

  /**
   * @param {View} view
   * @param {boolean} immediately
   */
  go({ x, y, zoom }, immediately) {
    const { width, height } = this.size;
    const unit = 1 / this.image.width;
    const bounds = new this.engine.Rect(
      (x - width / zoom / 2) * unit,
      (y - height / zoom / 2) * unit,
      (width / zoom) * unit,
      (height / zoom) * unit,
    );
    this.viewer.viewport.fitBounds(bounds, immediately || this.still);
  }

  /** Let image pixels begin on screen pixels. */
  align() {
    this.#settle();
    const view = this.view;
    const aligned = views.alignedView(view, this.size);
    if (!views.sameView(view, aligned)) this.go(aligned, true);
  }

  /** @param {boolean} still Without animation. */
  setStill(still) {
    this.still = still;
    const { zoomSpring, centerSpringX, centerSpringY } = this.viewer.viewport;
    for (const spring of [zoomSpring, centerSpringX, centerSpringY]) {
      spring.animationTime = still ? 0 : this.viewer.animationTime;
    }
  }

  /**
   * The values of the pane's own pixel under a point of the canvas, one for each channel.
   *
   * @param {number} x
   * @param {number} y
   * @returns {{now: Values|null, later: (() => Promise<Values>)|null}}
   */
  valueAt(x, y) {
    if (!this.reader) return { now: null, later: null };
    const { reader, image } = this;
    const { width, height } = reader.source;
    const column = Math.min(Math.floor((x / image.width) * width), width - 1);
    const row = Math.min(Math.floor((y / image.height) * height), height - 1);
    const now = reader.peek(column, row);
    return { now, later: now === null ? () => reader.read(column, row) : null };
  }

  destroy() {
    this.resizing.disconnect();
    clearTimeout(this.busyTimer);
    this.swap.close();
    this.reader?.close();
    this.heat.close();
    this.viewer.destroy();
    this.element.remove();
  }

  #build() {
    this.stage = h("div", { class: "image" });
    this.layer = s("svg", { class: "layer", "aria-hidden": "true" });
    this.overlay = new Overlay(this.layer);
    this.heat = new HeatLayer();
    this.title = h("div", { class: "chip title" });
    this.busy = h("div", { class: "busy", hidden: "" });
    this.sentence = h("span");
    const retry = h(
      "button",
      { type: "button", click: () => this.swap.retry() },
      word("viewer.retry", "Retry"),
    );
    this.failure = h("div", { class: "failure", role: "alert", hidden: "" }, this.sentence, retry);
    this.element = h(
      "div",
      { class: "pane" },
      ...[this.stage, this.heat.element, this.layer, this.title, this.busy, this.failure],
    );
  }

  #options() {
    return {
      element: this.stage,
      // Twice as fast as WebGL where there is no GPU, and exact.
      drawer: "canvas",
      keyboardNavEnabled: false, // its r and f turn and mirror; a turned 6 is a 9
      showNavigationControl: false,
      showSequenceControl: false,
      gestureSettingsMouse: GESTURES,
      gestureSettingsTouch: { ...GESTURES, dblClickDragToZoom: true, flickEnabled: !this.still },
      gestureSettingsPen: GESTURES,
      gestureSettingsUnknown: GESTURES,
      animationTime: this.still ? 0 : 0.5,
      springStiffness: 8,
      zoomPerDblClickDrag: 2,
      visibilityRatio: 0.3,
      preserveViewport: true,
      autoResize: false, // its own keeps the diagonal's zoom, not ours; see #measure
      // A level is enlarged by at most a fifth on the screen, else the next finer one is drawn.
      minPixelRatio: views.minPixelRatio(),
      // Above this zoom it would draw at 1:1 first and blow that up, smoothed.
      smoothTileEdgesMinZoom: Infinity,
      maxTilesPerFrame: 8,
    };
  }

  #nameCanvas() {
    this.viewer.canvas.setAttribute("role", "application");
    this.viewer.canvas.setAttribute("aria-roledescription", "zoomable image");
  }

  #listen() {
    const lead = () => this.callbacks.onLead(this);
    for (const type of ["pointerdown", "wheel", "focusin"]) {
      this.element.addEventListener(type, lead, { capture: true, passive: true });
    }
    const point = (event) => this.callbacks.onPoint(this, event);
    this.element.addEventListener("pointermove", point, { capture: true });
    this.element.addEventListener("pointerdown", point, { capture: true });
    this.element.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.callbacks.onPoint(this, null);
    });
    this.viewer.addHandler("viewport-change", () => {
      this.#setSmoothing();
      this.callbacks.onMove(this);
    });
    const stay = (event) => {
      if (this.overlay.extra?.holds?.()) event.preventDefaultAction = true;
    };
    for (const name of ["canvas-drag", "canvas-drag-end", "canvas-double-click"]) {
      this.viewer.addHandler(name, stay);
    }
    this.viewer.addHandler("canvas-pinch", (event) => this.#pinch(event));
    this.viewer.addHandler("update-viewport", () => this.drawOverlay());
    this.viewer.addHandler("animation-finish", () => this.callbacks.onRest(this));
  }

  /**
   * The point of the canvas under a point of the page.
   *
   * @param {{clientX: number, clientY: number}} place
   * @returns {{x: number, y: number}}
   */
  pointAt({ clientX, clientY }) {
    const box = this.stage.getBoundingClientRect();
    const { x, y, zoom } = this.view;
    return {
      x: x + (clientX - box.left - this.size.width / 2) / zoom,
      y: y + (clientY - box.top - this.size.height / 2) / zoom,
    };
  }

  /**
   * Two fingers have moved. OpenSeadragon zooms about the point between them as it was before
   * it moved the image there, and then pulls the image towards its limits: at 2.5 times, the
   * point was up to 160 px from the fingers.
   */
  #pinch(event) {
    event.preventDefaultPanAction = true;
    event.preventDefaultZoomAction = true;
    const { lastCenter: from, center: to, lastDistance, distance } = event;
    if (!(distance > 0 && lastDistance > 0)) return;
    const pinch = { from, to, ratio: distance / lastDistance };
    this.go(views.pinchedView(this.view, pinch, this.image, this.size), true);
  }

  /** Draw the layers over the image where the image is drawn. */
  drawOverlay() {
    const view = this.view;
    this.heat.draw(view, this.size, this.image);
    this.overlay.draw(view, this.size);
  }

  #view(current) {
    const { viewport } = this.viewer;
    const centre = viewport.getCenter(current);
    const { width } = this.image;
    return {
      x: centre.x * width,
      y: centre.y * width,
      zoom: (viewport.getZoom(current) * this.size.width) / width,
    };
  }

  /** @param {View|null} heading */
  #measure(heading = this.#heading()) {
    const width = views.exactLength(this.element.clientWidth);
    const height = views.exactLength(this.element.clientHeight);
    if (width <= 0 || height <= 0) return;
    this.stage.style.width = `${width}px`;
    this.stage.style.height = `${height}px`;
    this.size = { width, height };
    const { viewport } = this.viewer;
    viewport.resize(new this.engine.Point(width, height), true);
    const unit = this.image.width / width;
    viewport.minZoomLevel = views.wholeZoom(this.image, this.size) * unit;
    viewport.maxZoomLevel = views.exactZoom(views.MAX_RATIO) * unit;
    this.viewer.forceRedraw();
    this.callbacks.onResize(this, heading);
  }

  #heading() {
    const { view, target } = this;
    return views.sameView(view, target) ? null : target;
  }

  /**
   * Begin the picture on a whole screen pixel, wherever the page has put the pane; on
   * screens with 1.25 or 1.5 pixels per CSS px it may be a fraction off, and all of
   * the picture would be blurred by as much.
   */
  #settle() {
    const { left, top } = this.element.getBoundingClientRect();
    const shift = (place) => {
      const screen = place * views.density();
      return `${(Math.ceil(screen - 1e-3) - screen) / views.density()}px`;
    };
    const both = `${shift(left)} ${shift(top)}`;
    this.stage.style.translate = both;
    this.layer.style.translate = both;
    this.heat.element.style.translate = both;
  }

  /** @param {views.Size} image What the pane's image covers; nothing is done where it did. */
  fit(image) {
    const { width, height } = this.image;
    if (image.width !== width || image.height !== height) this.setImage(image);
  }

  /** @param {views.Size} image The frame of all views from now on. */
  setImage(image) {
    this.image = image;
    this.#measure(null);
  }

  #setSmoothing() {
    if (!this.reader) return;
    const ratio = this.view.zoom * views.density() * (this.image.width / this.reader.source.width);
    const smooth = ratio < 1 - 1e-6;
    if (smooth === this.smooth) return;
    this.smooth = smooth;
    this.viewer.drawer.setImageSmoothingEnabled(smooth);
  }

  #shown(source) {
    this.reader?.close();
    this.reader = new PixelReader(source, source.dzi === this.dzi ? this.values : null);
    this.#setSmoothing();
    this.callbacks.onShown(this, source);
  }

  /** Tell whoever measures when the whole picture has been drawn. */
  #loaded({ dzi }) {
    this.#tellDrawn("umnist-drawn", { dzi });
  }

  #tellDrawn(name, detail) {
    const drawn = new CustomEvent(name, { bubbles: true, composed: true, detail });
    this.viewer.addOnceHandler("update-viewport", () => this.element.dispatchEvent(drawn));
    this.viewer.forceRedraw();
  }

  #showState({ busy, error }) {
    clearTimeout(this.busyTimer);
    if (busy) this.busyTimer = setTimeout(() => (this.busy.hidden = false), BUSY_AFTER_MS);
    else this.busy.hidden = true;
    this.failure.hidden = error === null;
    if (error !== null) this.sentence.textContent = error;
  }
}
