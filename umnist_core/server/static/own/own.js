/**
 * One's own files: chosen here, dropped anywhere on the page, or opened lately.
 *
 * @typedef {object} OwnData
 * @property {string} place The address of drops, of the app.
 * @property {string[]} suffixes Of the files that are taken.
 * @property {string} stage What of the page an image is shown in, as a selector.
 * @property {boolean} compact Nothing is shown: files are taken where they are dropped.
 * @property {import("./recent.js").Place|null} current What is open; null where it does not last.
 *
 * @typedef {{onOpen: (place: import("./recent.js").Place) => void}} OwnCallbacks
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { atHome } from "../hall/home.js";
import { chosenFiles, droppedFiles, sendFiles, wantedFiles } from "./dropped.js";
import { forgetPlaces, recentPlaces, rememberPlace } from "./recent.js";

/** What Streamlit tells its components alone of the theme. */
const THEME = ["background-color", "text-color", "border-color", "primary-color"]
  .concat("orange-color", "font", "base-radius")
  .map((name) => `--st-${name}`);

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {OwnData} data
 * @param {OwnCallbacks} callbacks
 * @returns {{update: (data: OwnData) => void, destroy: () => void}}
 */
export function mountOwn(parentElement, data, callbacks) {
  const own = new Own(parentElement, data, callbacks);
  return { update: (next) => own.update(next), destroy: () => own.destroy() };
}

class Own {
  constructor(parentElement, data, callbacks) {
    this.callbacks = callbacks;
    this.left = new AbortController();
    /** @type {AbortController|null} */
    this.sending = null;
    this.#build();
    this.styles = [parentElement, this.layer].map((one) => styleSheet("own/own.css", one));
    // It works without looking like itself.
    for (const { loaded } of this.styles) loaded.catch(() => undefined);
    parentElement.append(this.root);
    document.body.append(this.layer);
    this.#listen();
    this.update(data);
  }

  /** @param {OwnData} data */
  update(data) {
    this.data = data;
    if (data.current) rememberPlace(data.current);
    this.root.classList.toggle("compact", data.compact);
    for (const input of [this.files, this.folder]) input.accept = data.suffixes.join(",");
    this.#drawRecent();
  }

  destroy() {
    this.left.abort();
    this.sending?.abort();
    this.root.remove();
    this.layer.remove();
    for (const { element } of this.styles) element.remove();
  }

  #build() {
    this.files = this.#input({ multiple: "", "aria-label": "Files of images" });
    this.folder = this.#input({ webkitdirectory: "", "aria-label": "A folder of images" });
    const button = (text, input) =>
      h("button", { type: "button", click: () => input.click() }, text);
    this.choose = h(
      "div",
      { class: "choose" },
      button("Choose files", this.files),
      button("Choose a folder", this.folder),
      h("span", { class: "hint" }, "or drop them on the picture"),
      ...[this.files, this.folder],
    );
    this.list = h("ul");
    const clear = h("button", { type: "button", click: () => this.#clear() }, "Clear this list");
    this.recent = h("details", {}, h("summary", {}, "Recent places"), this.list, clear);
    this.words = h("p", { role: "status" });
    this.stop = h("button", { type: "button", click: () => this.#close() }, "Cancel");
    // In the top layer, over the picture, and not in the panel, which a tab may hide.
    this.sign = h("div", { class: "sign", popover: "manual" }, this.words, this.stop);
    this.layer = h("div", { class: "umnist-own" }, this.sign);
    this.root = h("div", { class: "umnist-own" }, this.choose, this.recent);
  }

  #input(attributes) {
    const input = h("input", {
      type: "file",
      hidden: "",
      ...attributes,
      change: () => {
        const files = chosenFiles(input.files);
        input.value = ""; // the same ones may be chosen again
        this.#take(files);
      },
    });
    return input;
  }

  #listen() {
    const { signal } = this.left;
    let inside = 0;
    const onFiles = (type, act) =>
      document.addEventListener(
        type,
        (event) => {
          if (!event.dataTransfer?.types.includes("Files") || isTaken(event)) return;
          event.preventDefault();
          act(event);
        },
        { signal },
      );
    onFiles("dragenter", () => {
      inside += 1;
      if (!this.sending) this.#say("Drop images or a folder to open them.", "over");
    });
    onFiles("dragover", (event) => (event.dataTransfer.dropEffect = "copy"));
    onFiles("dragleave", () => {
      inside = Math.max(inside - 1, 0);
      if (inside === 0 && this.sign.classList.contains("over")) this.#hide();
    });
    onFiles("drop", async (event) => {
      inside = 0;
      this.#take(await droppedFiles(event.dataTransfer));
    });
  }

  /** @param {import("./dropped.js").DroppedFile[]} all */
  async #take(all) {
    if (this.sending) return;
    const files = wantedFiles(all, this.data.suffixes);
    if (files.length === 0) {
      const found = all.length === 0 ? "nothing" : all.length === 1 ? all[0].path : "other files";
      this.#refuse(`Expected JPEG, PNG, TIFF or WebP images, found ${found}; drop images.`);
      return;
    }
    this.sending = new AbortController();
    const { signal } = this.sending;
    const total = files.length === 1 ? "1 file" : `${files.length} files`;
    const onProgress = (done) => this.#say(`Sent ${done} of ${total}.`, "sending");
    onProgress(0);
    try {
      const place = await sendFiles(files, atHome(this.data.place), { signal, onProgress });
      this.#hide();
      this.callbacks.onOpen(place);
    } catch (error) {
      if (signal.aborted) this.#hide();
      else this.#refuse(error.message);
    } finally {
      this.sending = null;
    }
  }

  #close() {
    if (this.sending) this.sending.abort();
    else this.#hide();
  }

  /** @param {string} sentence */
  #refuse(sentence) {
    this.#say(sentence, "refused");
    this.stop.focus();
  }

  /**
   * Say something over the picture.
   *
   * @param {string} sentence
   * @param {"over"|"sending"|"refused"} state
   */
  #say(sentence, state) {
    const stage = document.querySelector(this.data.stage) ?? document.body;
    const theme = getComputedStyle(this.root);
    for (const name of THEME) this.layer.style.setProperty(name, theme.getPropertyValue(name));
    const { left, top, width, height } = stage.getBoundingClientRect();
    const shown = Math.min(height, innerHeight - Math.max(top, 0));
    this.sign.className = `sign ${state}`;
    Object.assign(this.sign.style, {
      left: `${left}px`,
      top: `${Math.max(top, 0)}px`,
      width: `${width}px`,
      height: state === "over" ? `${Math.max(shown, 120)}px` : "",
    });
    this.words.textContent = sentence;
    this.words.setAttribute("role", state === "refused" ? "alert" : "status");
    this.stop.hidden = state === "over";
    this.stop.textContent = state === "refused" ? "Close" : "Cancel";
    if (!this.sign.matches(":popover-open")) this.sign.showPopover();
  }

  #hide() {
    if (this.sign.matches(":popover-open")) this.sign.hidePopover();
  }

  #drawRecent() {
    const places = recentPlaces();
    this.recent.hidden = places.length === 0;
    this.list.replaceChildren(
      ...places.map((place) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", title: place.path, click: () => this.callbacks.onOpen(place) },
            h("span", { class: "kind" }, place.kind === "file" ? "File" : "Folder"),
            h("bdi", {}, place.path),
          ),
        ),
      ),
    );
  }

  #clear() {
    forgetPlaces();
    this.#drawRecent();
  }
}

/** @param {Event} event Whether somebody else on the page takes files that are dropped there. */
function isTaken(event) {
  return event
    .composedPath()
    .some((node) => node instanceof Element && node.matches("[data-testid=stFileUploader]"));
}
