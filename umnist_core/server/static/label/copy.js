/** Text that can be taken along. */

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

/** @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text); // there is no clipboard over plain HTTP
  }
}

/** @param {string} text */
function copiedTheOldWay(text) {
  const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  const parent = document.activeElement?.closest("dialog") ?? document.body;
  parent.append(area);
  area.select();
  const worked = document.execCommand("copy");
  area.remove();
  return worked;
}
