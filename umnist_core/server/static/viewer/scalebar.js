/** A bar of round length in image pixels. */

import { h } from "../hall/dom.js";
import { roundLength } from "../hall/view.js";

const LONGEST_PX = 132;

export class ScaleBar {
  constructor() {
    this.text = h("span");
    this.line = h("span", { class: "scale-line" });
    this.element = h("div", { class: "chip scale", "aria-hidden": "true" }, this.text, this.line);
  }

  /** @param {number} zoom CSS px per image px */
  draw(zoom) {
    const length = roundLength(zoom, LONGEST_PX);
    this.text.textContent = `${length} px`;
    this.line.style.width = `${length * zoom}px`;
  }
}
