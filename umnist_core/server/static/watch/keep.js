/**
 * What can be kept of an answer: figures and data as files, and how to ask for it again as a
 * command or as Python, copied.
 */

import { copied } from "../hall/clipboard.js";
import { h } from "../hall/dom.js";
import { isHosted, reach } from "../hall/reach.js";
import { addressOf } from "./places.js";

const SAID_MS = 2500;

const COPIES = {
  command: "Copy as command",
  python: "Copy as Python",
};

const NONE = "No command names this image; copy as Python";

export class KeepRow {
  constructor() {
    this.files = h("span", { class: "files" });
    this.copies = Object.entries(COPIES).map(([kind, title]) => {
      const button = h("button", { type: "button", "data-copy": kind }, title);
      button.addEventListener("click", () => this.#copy(kind, button));
      return button;
    });
    this.said = h("span", { class: "unseen", role: "status" });
    this.element = h(
      "div",
      { class: "keep", role: "group", "aria-label": "Keep this answer" },
      h("p", { class: "links" }, "This answer as ", this.files),
      h("div", { class: "row" }, ...this.copies, this.said),
    );
  }

  /**
   * @param {import("./runner.js").Job} job
   * @param {import("./places.js").MapPart} part Of which map the figures are.
   * @param {string} home As of `PlacesLoader`; a host has no figures.
   */
  show(job, part, home) {
    const address = (name) => addressOf(home, job.id, name, part, {});
    this.again = addressOf(home, job.id, "again", { task: null, head: null, round: null }, {});
    this.element.hidden = isHosted(address("figure.png"));
    const key = address("");
    if (key === this.key) return; // links that have the focus keep it
    this.key = key;
    const link = (name, title) => h("a", { href: address(name), download: "" }, title);
    this.files.replaceChildren(
      ...[link("figure.png", "PNG"), " · ", link("figure.svg", "SVG"), " · "],
      link("answer.json", "JSON"),
    );
  }

  async #copy(kind, button) {
    const text = await this.#read(kind);
    const isCopied = text !== null && text !== "" && (await copied(text));
    const failed = text === "" ? NONE : "Could not be copied";
    button.textContent = isCopied ? "Copied" : failed;
    this.said.textContent = button.textContent;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const one of this.copies) one.textContent = COPIES[one.dataset.copy ?? ""];
      this.said.textContent = "";
    }, SAID_MS);
  }

  /** @returns {Promise<string|null>} Empty where there is none; null where it cannot be read. */
  async #read(kind) {
    try {
      const response = await reach(this.again);
      return response.ok ? ((await response.json())[kind] ?? "") : null;
    } catch {
      return null;
    }
  }
}
