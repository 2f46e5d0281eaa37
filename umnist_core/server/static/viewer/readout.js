/** The line below the image: where the pointer is, what the pixel's values are, the zoom. */

import { h } from "../hall/dom.js";
import { zoomText } from "../hall/view.js";

/** The middle of a view at rest may lie this little before the pixel that it means. */
const ROUNDING = 1e-6;

/** A pointer that passes over tiles quickly does not fetch them all. */
const SETTLE_MS = 60;

/** Nor does a picture that another one may follow at once, while a slider is dragged. */
const PICTURE_SETTLE_MS = 300;

export class Readout {
  constructor() {
    this.x = h("span", { class: "figure", "data-readout": "x" });
    this.y = h("span", { class: "figure", "data-readout": "y" });
    this.values = h("span", { class: "values", "data-readout": "value" });
    this.zoom = h("span", { class: "figure", "data-readout": "zoom" });
    this.element = h(
      "div",
      { class: "readout" },
      field("x", this.x),
      field("y", this.y),
      this.values,
      h("span", { class: "field end" }, this.zoom),
    );
    /** Counts the points asked for, so that a late answer to an old one is dropped. */
    this.turn = 0;
  }

  /** @param {number} zoom */
  drawZoom(zoom) {
    this.zoom.textContent = zoomText(zoom);
  }

  /**
   * @param {{x: number, y: number}|null} place In image px
   * @param {import("../hall/view.js").Size} image
   * @param {import("./pane.js").Pane[]} panes
   * @param {boolean} [fresh] Whether the picture has just changed.
   */
  drawPoint(place, image, panes, fresh = false) {
    this.turn += 1;
    clearTimeout(this.timer);
    const point = place && { x: place.x + ROUNDING, y: place.y + ROUNDING };
    const onImage =
      point && point.x >= 0 && point.y >= 0 && point.x < image.width && point.y < image.height;
    this.x.textContent = onImage ? String(Math.floor(point.x)) : "–";
    this.y.textContent = onImage ? String(Math.floor(point.y)) : "–";
    if (!onImage)
      return this.#drawValues(
        panes,
        panes.map(() => null),
      );
    const values = panes.map((pane) => pane.valueAt(point.x, point.y));
    this.#drawValues(
      panes,
      values.map(({ now }) => now),
    );
    if (values.some(({ later }) => later))
      this.#readLater(panes, values, fresh ? PICTURE_SETTLE_MS : SETTLE_MS);
  }

  close() {
    this.turn += 1;
    clearTimeout(this.timer);
  }

  #readLater(panes, values, settleMs) {
    const turn = this.turn;
    this.timer = setTimeout(async () => {
      const read = await Promise.allSettled(
        values.map(({ now, later }) => (later ? later() : now)),
      );
      if (turn === this.turn)
        this.#drawValues(
          panes,
          read.map((one) => (one.status === "fulfilled" ? (one.value ?? null) : null)),
        );
    }, settleMs);
  }

  #drawValues(panes, values) {
    // Two panes may show one picture, each with what is laid over it.
    const isOne = panes.every(({ dzi }) => dzi === panes[0].dzi);
    const parts = panes
      .slice(0, isOne ? 1 : panes.length)
      .flatMap((pane, index) =>
        valueParts(pane, values[index], isOne ? "value" : pane.title.textContent),
      );
    // On a narrow screen many channels get a line of their own: a number cut off is another one.
    const most = Math.max(...panes.map((pane) => pane.values?.names.length ?? 1));
    this.element.classList.toggle("many", most > 2);
    this.values.replaceChildren(...parts);
  }
}

/** All channels of a pixel under their names; the depth, where it is known, closes them. */
function valueParts(pane, values, title) {
  const { names = [], depth = null } = pane.values ?? {};
  const figure = (value) =>
    h("span", { class: "figure" }, value === undefined ? "–" : String(value));
  const parts =
    names.length > 1
      ? names.map((name, channel) => field(name, figure(values?.[channel])))
      : [field(title, figure(values?.[0]))];
  return depth === null ? parts : [...parts, h("span", { class: "depth" }, depth)];
}

function field(name, figure) {
  return h("span", { class: "field" }, h("span", { class: "name" }, name), figure);
}
