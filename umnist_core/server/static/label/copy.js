/** Text that can be taken along. */

import { copied } from "../hall/clipboard.js";
import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";

/**
 * A button that copies a text and says so.
 *
 * @param {() => string} text
 * @returns {HTMLButtonElement}
 */
export function copyButton(text) {
  const name = t("copy.copy");
  const said = h("span", { "aria-live": "polite" }, name);
  const click = async () => {
    said.textContent = t((await copied(text())) ? "copy.copied" : "copy.failed");
    setTimeout(() => (said.textContent = name), 2500);
  };
  return h("button", { type: "button", class: "plain-button", click }, said);
}
