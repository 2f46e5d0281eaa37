/** Text that can be taken along. */

import { copied } from "../hall/clipboard.js";
import { h } from "../hall/dom.js";

/**
 * A button that copies a text and says so.
 *
 * @param {string} name
 * @param {() => string} text
 * @returns {HTMLButtonElement}
 */
export function copyButton(name, text) {
  const said = h("span", { "aria-live": "polite" }, name);
  const click = async () => {
    said.textContent = (await copied(text())) ? "Copied" : "Not copied: select it by hand";
    setTimeout(() => (said.textContent = name), 2500);
  };
  return h("button", { type: "button", class: "plain-button", click }, said);
}
