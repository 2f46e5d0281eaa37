/** The whole image, small, with the part that is in view; click or drag to go there. */

import { h } from "../hall/dom.js";
import { isHosted, reachPicture } from "../hall/reach.js";
import { tileUrl } from "./source.js";

/** @typedef {import("../hall/view.js").View} View */

export class Minimap {
  /** @param {(x: number, y: number) => void} onGo Called with a point in image px. */
  constructor(onGo) {
    this.onGo = onGo;
    this.picture = h("img", { alt: "", draggable: "false" });
    this.region = h("div", { class: "region" });
    this.element = h("div", { class: "minimap", "aria-hidden": "true" }, this.picture, this.region);
    this.element.addEventListener("pointerdown", (event) => this.#begin(event));
    this.element.addEventListener("pointermove", (event) => this.#go(event));
  }

  /**
   * @param {import("./source.js").Source} source
   * @param {import("../hall/view.js").Size} image
   */
  show(source, image) {
    this.image = image;
    // The largest level that is certainly one tile.
    const level = Math.min(source.maxLevel, Math.floor(Math.log2(source.tileSize)), 8);
    this.address = tileUrl(source, level, 0, 0);
    this.element.style.aspectRatio = `${image.width} / ${image.height}`;
  }

  /**
   * @param {View} view
   * @param {import("../hall/view.js").Size} pane
   */
  draw(view, pane) {
    if (!this.image) return;
    const { width, height } = this.image;
    const percent = (value) => `${100 * Math.min(Math.max(value, 0), 1)}%`;
    const [halfX, halfY] = [pane.width / view.zoom / 2, pane.height / view.zoom / 2];
    const style = this.region.style;
    style.left = percent((view.x - halfX) / width);
    style.top = percent((view.y - halfY) / height);
    style.right = percent(1 - (view.x + halfX) / width);
    style.bottom = percent(1 - (view.y + halfY) / height);
    const wholeInView = width * view.zoom <= pane.width && height * view.zoom <= pane.height;
    this.element.classList.toggle("needless", wholeInView);
    // Not fetched while nobody sees it.
    if (!wholeInView) this.#fetch();
  }

  async #fetch() {
    const { address } = this;
    if (this.shown === address) return;
    this.shown = address;
    if (!isHosted(address)) {
      this.picture.src = address;
      return;
    }
    try {
      const picture = await reachPicture(address);
      if (address !== this.shown) return;
      picture.alt = "";
      picture.draggable = false;
      this.picture.replaceWith(picture);
      this.picture = picture;
    } catch {
      this.shown = null; // asked for again with the next movement
    }
  }

  #begin(event) {
    this.element.setPointerCapture(event.pointerId);
    this.#go(event);
  }

  #go(event) {
    if (!this.image || !this.element.hasPointerCapture(event.pointerId)) return;
    const box = this.element.getBoundingClientRect();
    this.onGo(
      ((event.clientX - box.left) / box.width) * this.image.width,
      ((event.clientY - box.top) / box.height) * this.image.height,
    );
  }
}
