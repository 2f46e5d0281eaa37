/**
 * One button that searches for noise under which the chosen model answers otherwise, over the
 * same digits; what it finds is shown beside the image, and is a link.
 *
 * @typedef {object} FoolData
 * @property {string} bus Name of the viewer's channel.
 * @property {string} viewer Random; of this page in this session.
 * @property {string|null} checkpoint
 * @property {string} device
 * @property {{dzi: string}|null} image
 * @property {string|null} sentence Why nothing can be searched, and what to do.
 * @property {{key: string, title: string}[]} varies What may be changed of the noise.
 * @property {number} longestS By when a search ends.
 *
 * @typedef {{onFound: (query: Record<string, string>) => void}} FoolCallbacks
 *
 * @typedef {{image: string, checkpoint: string, text: string, isFailure: boolean,
 *            found: Record<string, string>|null}} Result
 */

import { join } from "../hall/bus.js";
import { copied } from "../hall/clipboard.js";
import { fillSelect, h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { follow, progressText } from "./search.js";

const TRIES = ["12", "24", "50", "100"];

/** What takes longer shows that it works. */
const TICK_MS = 1000;

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {FoolData} data
 * @param {FoolCallbacks} callbacks
 * @returns {{update: (data: FoolData) => void, destroy: () => void}}
 */
export function mountFool(parentElement, data, callbacks) {
  const fool = new Fool(parentElement, data, callbacks);
  return { update: (next) => fool.update(next), destroy: () => fool.destroy() };
}

class Fool {
  /**
   * @param {HTMLElement|ShadowRoot} parentElement
   * @param {FoolData} data
   * @param {FoolCallbacks} callbacks
   */
  constructor(parentElement, data, callbacks) {
    this.data = data;
    this.callbacks = callbacks;
    /** @type {AbortController|null} */
    this.stop = null;
    /** @type {import("./search.js").Search|null} */
    this.search = null;
    this.begun = 0;
    /** @type {Result|null} */
    this.result = null;
    this.left = new AbortController();
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    this.#build();
    this.styles = styleSheet("fool/fool.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    channel.addEventListener("live", () => this.#draw(), { signal: this.left.signal });
    this.#draw();
  }

  /** @param {FoolData} data */
  update(data) {
    this.data = data;
    this.#draw();
  }

  destroy() {
    this.left.abort();
    this.stop?.abort();
    clearInterval(this.timer);
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  #build() {
    this.vary = h("select", { "aria-label": "What is changed" });
    this.tries = h(
      "select",
      { "aria-label": "Tries" },
      ...TRIES.map((count) => h("option", { value: count }, count)),
    );
    this.tries.value = "24";
    this.begin = h(
      "button",
      { type: "button", class: "main", click: () => this.#begin() },
      "Fool it",
    );
    this.cancel = h("button", { type: "button", click: () => this.#cancel() }, "Cancel");
    this.words = h("p", { class: "state" });
    this.bar = h("span", {});
    this.meter = h(
      "div",
      { class: "meter", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0 },
      this.bar,
    );
    this.progress = h("div", { class: "progress" }, this.words, this.meter);
    this.said = h("p", { class: "said", role: "status" });
    this.link = h("a", { target: "_blank" }, "Both images");
    this.copy = h("button", { type: "button", click: () => this.#copy() }, "Copy link");
    this.links = h("div", { class: "row links" }, this.link, this.copy);
    const named = (name, field) => h("label", {}, h("span", { class: "name" }, name), field);
    this.root = h(
      "section",
      { class: "umnist-controls umnist-fool", "aria-label": "Fool it" },
      h("h3", {}, "Fool it"),
      h(
        "p",
        { class: "note" },
        "Draws other noise over the same digits until the model answers otherwise, and shows both.",
      ),
      h("div", { class: "fields" }, named("Change", this.vary), named("Tries", this.tries)),
      h("div", { class: "row" }, this.begin, this.cancel),
      ...[this.progress, this.said, this.links],
    );
  }

  // -- what is asked ----------------------------------------------------------------------

  /** @returns {string} The image that the viewer shows first. */
  get image() {
    return this.channel.live?.panes[0]?.dzi ?? this.data.image?.dzi ?? "";
  }

  async #begin() {
    const { viewer, checkpoint, device } = this.data;
    const { image } = this;
    if (!checkpoint || !image) return;
    this.stop?.abort();
    const stop = new AbortController();
    Object.assign(this, { stop, search: null, result: null, begun: performance.now() });
    this.#tick();
    this.#draw();
    this.cancel.focus();
    const vary = this.vary.value;
    const question = { viewer, checkpoint, device, image, vary, tries: Number(this.tries.value) };
    const result = { image, checkpoint, text: "", isFailure: false, found: null };
    try {
      const search = await follow(question, stop.signal, (next) => this.#follow(stop, next));
      const isDone = search.state === "done";
      const text = isDone ? search.sentence : (search.error ?? stoppedText(search));
      Object.assign(result, { text, isFailure: search.state === "failed", found: search.found });
    } catch (error) {
      Object.assign(result, { text: error.message, isFailure: true });
    }
    if (stop !== this.stop) return;
    this.#end(result);
    if (result.found) this.callbacks.onFound(result.found);
  }

  #follow(stop, search) {
    if (stop !== this.stop) return;
    this.search = search;
    this.#draw();
  }

  #cancel() {
    const { stop, search } = this;
    if (!stop) return;
    stop.abort();
    const text = stoppedText(search);
    this.#end({ image: this.image, checkpoint: "", text, isFailure: false, found: null });
  }

  /** @param {Result} result */
  #end(result) {
    const hadFocus = this.root.contains(focusedIn(this.root));
    this.stop = null;
    this.result = result;
    clearInterval(this.timer);
    this.#draw();
    if (hadFocus) this.begin.focus();
  }

  #tick() {
    clearInterval(this.timer);
    this.timer = setInterval(() => this.#drawProgress(), TICK_MS);
  }

  async #copy() {
    this.copy.textContent = (await copied(this.link.href)) ? "Copied" : "Could not be copied";
    setTimeout(() => (this.copy.textContent = "Copy link"), 2000);
  }

  // -- drawing ------------------------------------------------------------------------------

  #draw() {
    const { data, stop, result } = this;
    const isRunning = stop !== null;
    const refused = data.sentence ?? (data.checkpoint ? null : "Choose a model first.");
    if (this.vary.value === "" || !isRunning) {
      const options = data.varies.map(
        ({ key, title }) => /** @type {[string, string]} */ ([key, title]),
      );
      const chosen = options.some(([key]) => key === this.vary.value)
        ? this.vary.value
        : "noise_seed";
      fillSelect(this.vary, options, chosen);
    }
    for (const field of [this.vary, this.tries]) field.disabled = isRunning || refused !== null;
    this.begin.disabled = isRunning || refused !== null;
    this.cancel.hidden = !isRunning;
    this.progress.hidden = !isRunning;
    const isShown = result !== null && result.image === this.image && !isRunning;
    const text = refused ?? (isShown ? result.text : "");
    if (this.said.textContent !== text) this.said.textContent = text;
    this.said.classList.toggle("failure", refused === null && isShown && result.isFailure);
    this.links.hidden = !(isShown && result.found);
    if (isShown && result.found) this.link.href = linkOf(result);
    this.#drawProgress();
  }

  #drawProgress() {
    if (!this.stop) return;
    const { search } = this;
    const passed = (performance.now() - this.begun) / 1000;
    const now = search && { ...search, elapsed_s: Math.max(search.elapsed_s, passed) };
    this.words.textContent = progressText(now, this.data.longestS);
    const percent = search ? (100 * search.tried) / search.tries : 0;
    this.meter.setAttribute("aria-valuenow", String(Math.round(percent)));
    this.bar.style.width = `${percent}%`;
  }
}

/** @param {Result} result */
function linkOf({ found, checkpoint }) {
  const query = new URLSearchParams({ ...found, model: checkpoint });
  return `${location.origin}${location.pathname}?${query}`;
}

/** @param {import("./search.js").Search|null} search */
function stoppedText(search) {
  const tried = search?.tried ?? 0;
  return `Stopped after ${tried} ${tried === 1 ? "try" : "tries"}.`;
}

/** @param {HTMLElement} element */
function focusedIn(element) {
  const root = element.getRootNode();
  return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
}
