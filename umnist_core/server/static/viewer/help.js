/** The list of keys, as a dialog: Escape closes it and the focus goes back. */

import { h } from "../hall/dom.js";
import { BINDINGS } from "./keyboard.js";

/**
 * @param {boolean} canNavigate Whether there are other samples to go to.
 * @returns {HTMLDialogElement}
 */
export function makeHelp(canNavigate) {
  const rows = BINDINGS.filter(({ navigates }) => canNavigate || !navigates).map(
    ({ shown, does }) => h("tr", {}, h("td", {}, ...keyCaps(shown)), h("td", {}, does)),
  );
  const close = h("button", { type: "button", click: () => dialog.close() }, "Close");
  const dialog = h(
    "dialog",
    { class: "help", "aria-label": "Keys" },
    h("h2", {}, "Keys"),
    h("table", {}, h("tbody", {}, ...rows)),
    h("p", {}, "Mouse wheel, double click or pinch zoom; drag moves."),
    close,
  );
  return dialog;
}

function keyCaps(shown) {
  return shown.split(" ").map((key) => h("kbd", {}, key));
}
