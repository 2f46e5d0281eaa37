/**
 * What heat means: its title, its colours, the value under the pointer, its opacity.
 *
 * @typedef {import("./colours.js").ColourMap} ColourMap
 * @typedef {import("./heat.js").HeatData} HeatData
 * @typedef {import("./heat.js").HeatLayer} HeatLayer
 */

import { h } from "../hall/dom.js";
import { COLOUR_MAPS } from "./colours.js";

export class HeatBar {
  /**
   * @param {() => void} onChange Everything that is drawn with it is to be drawn anew.
   * @param {number|null} [opacity] Chosen before, 0 to 1; else it is the heat's own.
   */
  constructor(onChange, opacity = null) {
    this.onChange = onChange;
    /** How all layers look. @type {{opacity: number, map: ColourMap}} */
    this.look = { opacity: opacity ?? 0.7, map: "colours" };
    this.moved = opacity !== null;
    this.title = h("span", { class: "heat-title" });
    this.least = h("span", { class: "figure" }, "0");
    this.most = h("span", { class: "figure" });
    this.here = h("span", { class: "figure", "data-readout": "heat" }, "–");
    this.scale = h("span", { class: "heat-scale", "aria-hidden": "true" });
    this.colours = h("span", {});
    this.scale.append(this.colours);
    this.slider = this.#opacityRange();
    this.element = h(
      "div",
      { class: "heat-bar", role: "group", "aria-label": "Heat", hidden: "" },
      this.title,
      h("span", { class: "field" }, this.least, this.scale, this.most),
      h("span", { class: "field" }, h("span", { class: "name" }, "here"), this.here),
      this.#mapChoice(),
      h("label", { class: "field" }, h("span", { class: "name" }, "Opacity"), this.slider),
    );
    this.#setMap(this.look.map);
    this.#setOpacity(this.look.opacity);
  }

  /** @returns {string|null} The opacity in percent, where somebody chose one. */
  get chosen() {
    return this.moved ? this.slider.value : null;
  }

  /** @param {HeatLayer[]} layers One for each pane. */
  show(layers) {
    const heats = layers.flatMap(({ data }) => data ?? []);
    this.element.hidden = heats.length === 0;
    if (heats.length === 0) return;
    if (!this.moved) this.#setOpacity(heats[0].opacity);
    this.#drawTitle(layers, heats);
    // In words where all that is shown has them.
    const ends = heats.every((heat) => heat.ends) ? heats[0].ends : null;
    this.least.textContent = ends ? ends[0] : "0";
    const most = [...new Set(heats.map(mostText))].join(" and ");
    this.most.textContent = ends ? `${ends[1]}, ${most}` : most;
  }

  /**
   * Say what the value is at a point.
   *
   * @param {number|null} value
   * @param {HeatData|null} data What it is a value of.
   */
  drawValue(value, data) {
    const unit = data?.unit ? ` ${data.unit}` : "";
    this.here.textContent = value === null ? "–" : `${numberText(value)}${unit}`;
  }

  #opacityRange() {
    const range = { type: "range", min: 0, max: 100, step: 5, "aria-label": "Opacity of the heat" };
    const input = () => {
      this.moved = true;
      this.#setOpacity(Number(this.slider.value) / 100);
      this.onChange();
    };
    return h("input", { ...range, input });
  }

  #mapChoice() {
    const options = Object.entries(COLOUR_MAPS).map(([value, { title }]) =>
      h("option", { value }, title),
    );
    const change = () => {
      this.#setMap(/** @type {ColourMap} */ (select.value));
      this.onChange();
    };
    const select = h("select", { class: "end", "aria-label": "Heat as", change }, ...options);
    return select;
  }

  /** @param {ColourMap} map */
  #setMap(map) {
    this.look.map = map;
    this.colours.style.background = COLOUR_MAPS[map].css;
  }

  /** @param {number} opacity */
  #setOpacity(opacity) {
    this.look.opacity = Math.min(Math.max(opacity, 0), 1);
    this.slider.value = String(Math.round(100 * this.look.opacity));
    this.colours.style.opacity = String(this.look.opacity);
  }

  /**
   * @param {HeatLayer[]} layers
   * @param {HeatData[]} heats
   */
  #drawTitle(layers, heats) {
    const titles = [...new Set(heats.map(({ title }) => title))].join(" · ");
    const failed = layers.some((layer) => layer.failed);
    this.title.classList.toggle("failed", failed);
    this.title.textContent = failed ? `${titles} could not be read.` : titles;
  }
}

/** @param {HeatData} data */
function mostText({ top, max, unit }) {
  const last = top ?? max;
  return [numberText(last), unit, last < max && "or more"].filter(Boolean).join(" ");
}

/**
 * Three figures, and no more decimals than they need.
 *
 * @param {number} value
 * @returns {string}
 */
export function numberText(value) {
  if (value === 0) return "0";
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
