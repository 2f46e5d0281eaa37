/**
 * What stands around a viewer in a notebook: a shadow root, so that the notebook's rules and ours
 * keep out of each other's way, the notebook's colours, and what is said of the kernel.
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";

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
  }

  /** @param {import("./channel.js").Health} health */
  say(health) {
    this.notice.hidden = health === "well";
    this.notice.dataset.health = health;
    this.notice.textContent = SAID[health];
  }

  close() {
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
