/**
 * An image and what is asked of it, side by side: the frame of practice and of trials.
 *
 * One viewer stays through all images, so the one before is there until the next one is
 * fully drawn.
 */

import { h } from "../dom.js";
import { mountViewer } from "../viewer.js";

/**
 * @typedef {object} WorkplaceCallbacks
 * @property {(event: KeyboardEvent) => boolean} onKey Whether it was for the answer.
 * @property {() => void} onHelp
 * @property {() => void} [onDrawn] The image asked for is fully drawn.
 * @property {(place: import("../viewer.js").Place) => void} [onPlace]
 */

export class Workplace {
  /** @param {WorkplaceCallbacks} callbacks */
  constructor(callbacks) {
    this.callbacks = callbacks;
    this.left = new AbortController();
    this.stage = h("div", { class: "stage-area" });
    this.panel = h("div", { class: "panel" });
    this.heading = h("h1", { class: "unseen" });
    this.element = h("div", { class: "work" }, this.heading, this.stage, this.panel);
    this.viewer = null;
    this.isDrawn = false;
    this.#listen();
  }

  /**
   * @param {import("./state.js").Image} image
   * @param {string} title
   */
  showImage(image, title) {
    const isNew = image.dzi !== this.image?.dzi;
    this.image = image;
    this.title = title;
    this.heading.textContent = title;
    this.#setDrawn(this.isDrawn && !isNew);
    if (!this.viewer) this.#mount();
    else {
      this.viewer.update(this.#data());
      if (isNew) this.viewer.showWhole();
    }
  }

  /** @param {import("../overlays.js").Digit[]} digits Outlined over the image. */
  showDigits(digits) {
    this.viewer.update({ ...this.#data(), digits, overlays: { answer: true, shapes: false } });
  }

  /** @returns {import("../viewer.js").Place|null} */
  get place() {
    return this.viewer?.place() ?? null;
  }

  /** At once, or as soon as there is a picture. */
  focus() {
    this.wantsFocus = this.viewer === null;
    this.viewer?.focus();
  }

  destroy() {
    this.left.abort();
    this.viewer?.destroy();
  }

  /** Another image is about to be shown; the one before stays to be seen until then. */
  leaveImage() {
    this.element.dataset.drawn = "false";
  }

  #setDrawn(isDrawn) {
    /** Whether the image is fully drawn. */
    this.isDrawn = isDrawn;
    this.element.dataset.drawn = String(isDrawn);
  }

  #mount() {
    const { onHelp, onPlace } = this.callbacks;
    this.viewer = mountViewer(this.stage, this.#data(), { onHelp, onPlace });
    if (this.wantsFocus) this.viewer.focus();
  }

  #data() {
    const { dzi, width, height, tiles } = this.image;
    return {
      bus: "label",
      plain: true,
      height: "100%",
      panes: [{ key: dzi, title: this.title, dzi, width, height, tiles }],
      image: { width, height },
      digits: [],
      overlays: { answer: false, shapes: false },
      link: null,
    };
  }

  #listen() {
    const { signal } = this.left;
    this.element.addEventListener("umnist-drawn", ({ detail }) => {
      if (detail.dzi !== this.image?.dzi) return;
      this.#setDrawn(true);
      this.callbacks.onDrawn?.();
    });
    this.element.addEventListener("mousedown", (event) => this.#keepFocus(event));
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    // A picture that failed for want of a connection is loaded when there is one again.
    addEventListener("online", () => this.#retry(), { signal });
  }

  #retry() {
    const failure = this.stage.querySelector(".failure");
    if (failure && !failure.hidden) this.viewer.retry();
  }

  /** A button that was clicked must not get the Enter that is to submit. */
  #keepFocus(event) {
    if (!event.target.closest("button, label")) return;
    event.preventDefault();
    if (document.activeElement?.closest("button, label, input")) this.focus();
  }

  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (this.callbacks.onKey(event)) event.preventDefault();
  }
}
