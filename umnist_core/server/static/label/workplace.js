/**
 * An image and what is asked of it, side by side: the frame of practice and of trials.
 *
 * One viewer stays through all images, so the one before is there until the next one is
 * fully drawn.
 */

import { focused, h, onDetail } from "../hall/dom.js";
import { mountViewer } from "../viewer/viewer.js";
import { showDialog } from "./dialogs.js";

/**
 * @typedef {object} WorkplaceCallbacks
 * @property {(event: KeyboardEvent) => boolean} onKey Whether it was for the answer.
 * @property {() => void} onHelp
 * @property {() => void} [onDrawn] The image asked for is fully drawn.
 * @property {(place: import("../viewer/viewer.js").Place) => void} [onPlace]
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
    /** @type {import("../viewer/viewer.js").MountedViewer|null} */
    this.viewer = null;
    /** @type {import("./state.js").Image|null} */
    this.image = null;
    this.title = "";
    /** Whether the image is fully drawn. */
    this.isDrawn = false;
    this.wantsFocus = false;
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
    if (!this.viewer) this.#mount(image);
    else {
      this.viewer.update(this.#data(image));
      if (isNew) this.viewer.showWhole();
    }
  }

  /** @param {import("../viewer/overlays.js").Digit[]} digits Outlined over the image. */
  showDigits(digits) {
    if (!this.image) return; // there is nothing yet that they lie in
    const overlays = { answer: true, shapes: false };
    this.viewer?.update({ ...this.#data(this.image), digits, overlays });
  }

  /** @returns {import("../viewer/viewer.js").Place|null} */
  get place() {
    return this.viewer?.place() ?? null;
  }

  /** At once, or as soon as there is a picture; what has it now loses it in any case. */
  focus() {
    this.wantsFocus = this.viewer === null;
    // Another screen has it by now, or a dialog.
    if (this.left.signal.aborted || document.querySelector("dialog[open]")) return;
    focused()?.blur();
    this.viewer?.focus();
  }

  /**
   * Show a dialog until it is closed; the focus is on the image then, whatever opened it.
   *
   * @param {HTMLDialogElement} dialog
   * @returns {Promise<void>}
   */
  async showDialog(dialog) {
    this.focus(); // the browser gives it back to what had it when the dialog opened
    await showDialog(dialog);
    // It may be too late for that: whoever was quicker keeps what they reached by a key.
    if (document.activeElement === document.body) this.focus();
  }

  destroy() {
    this.left.abort();
    this.viewer?.destroy();
  }

  /** Another image is about to be shown; the one before stays to be seen until then. */
  leaveImage() {
    this.element.dataset.drawn = "false";
  }

  /** @param {boolean} isDrawn */
  #setDrawn(isDrawn) {
    this.isDrawn = isDrawn;
    this.element.dataset.drawn = String(isDrawn);
  }

  /** @param {import("./state.js").Image} image */
  #mount(image) {
    const { onHelp, onPlace } = this.callbacks;
    this.viewer = mountViewer(this.stage, this.#data(image), { onHelp, onPlace });
    // Whoever has reached something else by a key since then keeps it.
    if (this.wantsFocus && document.activeElement === document.body) this.viewer.focus();
  }

  /**
   * @param {import("./state.js").Image} image
   * @returns {import("../viewer/viewer.js").ViewerData}
   */
  #data({ dzi, width, height, tiles }) {
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
    onDetail(this.element, "umnist-drawn", ({ dzi }) => {
      if (dzi !== this.image?.dzi) return;
      this.#setDrawn(true);
      this.callbacks.onDrawn?.();
    });
    document.addEventListener("mousedown", (event) => this.#keepFocus(event), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    // A picture that failed for want of a connection is loaded when there is one again.
    addEventListener("online", () => this.#retry(), { signal });
  }

  #retry() {
    const failure = this.stage.querySelector(".failure");
    if (failure instanceof HTMLElement && !failure.hidden) this.viewer?.retry();
  }

  /**
   * A button that was clicked must not get the Enter that is to submit, wherever it stands;
   * nor must a choice that was clicked get the arrows that are to move the image.
   *
   * @param {MouseEvent} event
   */
  #keepFocus(event) {
    const { target } = event;
    if (!(target instanceof Element) || target.closest("dialog")) return;
    if (!target.closest("button, label")) return;
    event.preventDefault();
    // Who enters digits by keyboard goes on after a click among them.
    if (document.activeElement !== target.closest("fieldset")) this.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (this.callbacks.onKey(event)) event.preventDefault();
  }
}
