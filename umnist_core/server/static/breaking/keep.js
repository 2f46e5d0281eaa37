/** A curve as files and as text: PNG, SVG, CSV, JSON, the command and the program. */

import { copied } from "../hall/clipboard.js";
import { h } from "../hall/dom.js";
import { ON_PAPER, drawPlot } from "./plot.js";

/** Of a file's figure, px; a PNG has twice as many. */
const FIGURE = { width: 720, height: 420 };
const DENSITY = 2;

export class Keep {
  /**
   * @param {{data: () => import("./plot.js").PlotData, run: import("./series.js").SeriesRun}} of
   */
  constructor({ data, run }) {
    this.data = data;
    this.run = run;
    this.said = h("span", { class: "note", role: "status" });
    const save = (kind) => h("button", { type: "button", click: () => this.#save(kind) }, kind);
    const copy = (text, name) =>
      h("button", { type: "button", click: () => this.#copy(name) }, text);
    const kinds = ["PNG", "SVG", "CSV", "JSON"].map(save);
    this.element = h(
      "div",
      { class: "keep", role: "group", "aria-label": "Keep the curve" },
      h("span", { class: "name" }, "Save"),
      ...kinds,
      copy("Copy as command", "command"),
      copy("Copy as Python", "python"),
      this.said,
    );
  }

  async #save(kind) {
    try {
      const suffix = kind.toLowerCase();
      const { parameter } = this.run.series.plan;
      saveBlob(await this.#blob(suffix), `curve-${parameter}.${suffix}`);
      this.said.textContent = "";
    } catch (error) {
      this.said.textContent = `The curve could not be saved: ${error.message}`;
    }
  }

  #blob(suffix) {
    if (suffix === "svg") return svgOf(this.data());
    return suffix === "png" ? pngOf(this.data()) : this.run.file(suffix);
  }

  /** @param {"command"|"python"} name */
  async #copy(name) {
    const text = this.run.series[name];
    this.said.textContent = (await copied(text)) ? "Copied" : text;
  }
}

/** @param {import("./plot.js").PlotData} data */
function figure(data) {
  const drawn = drawPlot(data, { ...FIGURE, palette: ON_PAPER, isFile: true });
  return new XMLSerializer().serializeToString(drawn);
}

function svgOf(data) {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${figure(data)}\n`;
  return new Blob([text], { type: "image/svg+xml" });
}

/** @returns {Promise<Blob>} */
async function pngOf(data) {
  const canvas = document.createElement("canvas");
  canvas.width = DENSITY * FIGURE.width;
  canvas.height = DENSITY * FIGURE.height;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(figure(data))}`;
  await image.decode();
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no PNG was made."))));
  });
}

function saveBlob(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
