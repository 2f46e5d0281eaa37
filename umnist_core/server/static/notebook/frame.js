/**
 * What stands around a viewer in a notebook: a shadow root, so that the notebook's rules and ours
 * keep out of each other's way, the notebook's colours, and what is said of the kernel.
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { density } from "../hall/view.js";

const SAID = {
  well: "",
  busy: "The kernel is busy with something else; the picture comes when it is done.",
  gone: "The kernel that drew this is gone; run the cell again.",
};

export class Frame {
  /** @param {HTMLElement} element The notebook's. */
  constructor(element) {
    this.host = h("div", { class: "umnist-notebook", "data-lm-suppress-shortcuts": "true" });
    // Else the notebook would take keys for its own, and delete a cell at "dd".
    element.setAttribute("data-lm-suppress-shortcuts", "true");
    element.append(this.host);
    this.root = this.host.attachShadow({ mode: "open" });
    this.sheet = styleSheet("notebook/notebook.css", this.root);
    this.notice = h("p", { class: "kernel", role: "status", hidden: "" });
    this.bar = h("div", { class: "bar" });
    this.stage = h("div", { class: "stage" });
    this.panel = h("div", { class: "panel" });
    this.body = h("div", { class: "notebook" }, this.bar, this.notice, this.stage, this.panel);
    this.root.append(this.body);
    this.#followTheme();
    this.left = new AbortController();
    const options = { capture: true, passive: true, signal: this.left.signal };
    const settle = () => this.settle();
    document.addEventListener("scroll", () => requestAnimationFrame(settle), options);
    this.host.addEventListener("pointerenter", settle, options);
    this.sizes = new ResizeObserver(settle);
    this.sizes.observe(this.host);
  }

  /**
   * Begin on a whole screen pixel, by layout and not by a transform, which would be blurred too: a notebook's lines have fractions in their heights, and all of
   * the picture would be blurred by as much.
   */
  settle() {
    const { left, top } = this.host.getBoundingClientRect();
    const shift = (place) => {
      const screen = place * density();
      return `${(Math.ceil(screen - 1e-3) - screen) / density()}px`;
    };
    this.body.style.margin = `${shift(top)} 0 0 ${shift(left)}`;
  }

  /** @param {import("./channel.js").Health} health */
  say(health) {
    this.notice.hidden = health === "well";
    this.notice.dataset.health = health;
    this.notice.textContent = SAID[health];
  }

  close() {
    this.left.abort();
    this.sizes.disconnect();
    this.themes.disconnect();
    this.host.remove();
  }

  #followTheme() {
    const draw = () => {
      const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
      const isDark = jpThemeLight === "false" || /dark|black/.test(vscodeThemeKind ?? "");
      const isKnown = jpThemeLight !== undefined || vscodeThemeKind !== undefined;
      this.host.style.colorScheme = isKnown ? (isDark ? "dark" : "light") : "light dark";
    };
    this.themes = new MutationObserver(draw);
    this.themes.observe(document.body, {
      attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
    });
    draw();
  }
}
