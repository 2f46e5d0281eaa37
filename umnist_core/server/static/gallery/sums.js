/**
 * A contact sheet with an image of each sum and what the chosen model says of it: the model is asked
 * of one after the other, patiently, and the sheet can then be saved.
 *
 * @typedef {object} SumsData
 * @property {string} bus Name of the viewer's channel.
 * @property {string} viewer Random; of this page in this session.
 * @property {string|null} checkpoint
 * @property {string} device
 * @property {{dzi: string}|null} image Whose kind of images it is.
 * @property {string|null} sentence Why there is none, and what to do.
 */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { atHome } from "../hall/home.js";
import { reach } from "../hall/reach.js";
import { Runner } from "../watch/runner.js";

const FAILED = "The images could not be chosen; try again.";

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {SumsData} data
 * @returns {{update: (data: SumsData) => void, destroy: () => void}}
 */
export function mountSums(parentElement, data) {
  const sums = new Sums(parentElement, data);
  return { update: (next) => sums.update(next), destroy: () => sums.destroy() };
}

class Sums {
  /**
   * @param {HTMLElement|ShadowRoot} parentElement
   * @param {SumsData} data
   */
  constructor(parentElement, data) {
    this.data = data;
    /** @type {{image: string}[]} */
    this.images = [];
    /** @type {string[]} */
    this.said = [];
    this.isRunning = false;
    this.run = 0;
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    const { viewer } = data;
    this.runner = new Runner({ viewer, slot: "s", onChange: () => this.#answered() });
    this.begin = h("button", { type: "button", click: () => this.#begin() }, "Ask for each sum");
    this.cancel = h("button", { type: "button", click: () => this.#cancel() }, "Cancel");
    this.words = h("p", { class: "note", role: "status" });
    this.links = h("p", {});
    this.root = h(
      "section",
      { class: "umnist-controls umnist-gallery", "aria-label": "An image of each sum" },
      h("h3", {}, "An image of each sum"),
      h("p", { class: "note" }, "28 images like the one that is shown, and what the model says."),
      h("div", { class: "row" }, this.begin, this.cancel),
      ...[this.words, this.links],
    );
    this.styles = styleSheet("gallery/gallery.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    this.#draw();
  }

  /** @param {SumsData} data */
  update(data) {
    this.data = data;
    this.#draw();
  }

  destroy() {
    this.run += 1;
    this.runner.close();
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  async #begin() {
    const image = this.channel.live?.panes[0]?.dzi ?? this.data.image?.dzi ?? "";
    this.run += 1;
    const { run } = this;
    this.asked = { image, checkpoint: this.data.checkpoint ?? "", device: this.data.device };
    Object.assign(this, { images: [], said: [], isRunning: true });
    this.runner.clear();
    this.links.replaceChildren();
    this.#say("Choosing the images…");
    this.#draw();
    this.cancel.focus();
    const found = await imagesOf(image).catch(() => ({ images: [], error: FAILED }));
    if (run !== this.run) return;
    this.images = found.images;
    if (found.images.length) this.#next();
    else this.#end(found.error);
  }

  #next() {
    const { checkpoint, device } = this.asked;
    this.#say(`Asked of ${this.said.length} of ${this.images.length} images.`);
    const wish = { checkpoint, device, image: this.images[this.said.length].image };
    this.runner.want(Object.assign(wish, { patient: true }));
  }

  #answered() {
    const { answered, failure, isBusy } = this.runner;
    if (!this.isRunning || isBusy || this.images.length === 0) return;
    if (failure) return this.#end(failure);
    if (answered?.wish.image !== this.images[this.said.length].image) return;
    this.said.push(String(answered.job.result.tasks[0].answer[0]));
    if (this.said.length < this.images.length) this.#next();
    else this.#finish();
  }

  #finish() {
    const { image, checkpoint } = this.asked;
    const query = new URLSearchParams({ image, model: checkpoint, said: this.said.join(",") });
    const link = (kind) => {
      const href = atHome(`/inference/sums.${kind}?${query}`);
      return h("a", { class: "plain", href, download: "" }, kind.toUpperCase());
    };
    this.links.replaceChildren("The sheet: ", link("png"), " · ", link("html"));
    this.#end(`${checkpoint} was asked of ${this.images.length} images.`);
  }

  #cancel() {
    this.run += 1;
    this.isRunning = false; // before the runner tells of it
    this.runner.cancel();
    this.#end(`Stopped after ${this.said.length} images.`);
  }

  #end(text) {
    this.isRunning = false;
    this.#say(text);
    this.#draw();
    this.begin.focus();
  }

  #say(text) {
    this.words.textContent = text;
  }

  #draw() {
    const { sentence, checkpoint } = this.data;
    this.begin.disabled = this.isRunning || sentence !== null || !checkpoint;
    this.cancel.hidden = !this.isRunning;
    if (sentence && !this.isRunning) this.#say(sentence);
  }
}

/**
 * @param {string} image
 * @returns {Promise<{images: {image: string}[], error: string}>}
 */
async function imagesOf(image) {
  const response = await reach(`/inference/sums?${new URLSearchParams({ image })}`);
  const { images = [], error = FAILED } = await response.json();
  return { images, error };
}
