/** Text that is taken along. */

import { h } from "./dom.js";

/**
 * @param {string} text
 * @returns {Promise<boolean>} Whether it is in the clipboard now.
 */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text); // there is no clipboard over plain HTTP
  }
}

/** @param {string} text */
function copiedTheOldWay(text) {
  const area = h("textarea", { "aria-hidden": "true", style: "position: fixed; opacity: 0" });
  area.value = text;
  const parent = document.activeElement?.closest("dialog") ?? document.body;
  parent.append(area);
  area.select();
  const worked = document.execCommand("copy");
  area.remove();
  return worked;
}
