/** What is shown over everything: the keys, the hints, the pause. */

import { h } from "../dom.js";
import { PLAIN_BINDINGS } from "../keyboard.js";
import { copyButton } from "./copy.js";
import { guideContent } from "./guide.js";

const ANSWER_KEYS = [
  ["0 … 9", "Type the sum: 2, then 7, is 27"],
  ["Backspace", "Clear it"],
  ["Enter", "Submit"],
];

/**
 * Show a dialog until it is closed; Escape closes it too, and the focus goes back.
 *
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<void>}
 */
export function showDialog(dialog) {
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus({ preventScroll: true });
      resolve();
    });
  });
}

/**
 * @param {[string, string][]} more Keys of this screen besides those of answer and image.
 * @returns {HTMLDialogElement}
 */
export function keysDialog(more) {
  const image = PLAIN_BINDINGS.map(({ shown, does }) => [shown, does]);
  const rows = (keys) =>
    keys.map(([shown, does]) =>
      h("tr", {}, h("td", {}, ...shown.split(" ").map(keyCap)), h("td", {}, does)),
    );
  const table = (name, keys) =>
    h("table", {}, h("caption", {}, name), h("tbody", {}, ...rows(keys)));
  return dialogOf(
    "Keys",
    "keys",
    h(
      "div",
      { class: "tables" },
      ...[table("Answer", [...ANSWER_KEYS, ...more]), table("Image", image)],
    ),
    h("p", { class: "quiet" }, "Mouse wheel, double click or pinch zoom; drag moves."),
  );
}

/**
 * @param {import("./state.js").State} state Of somebody who is guided.
 * @returns {HTMLDialogElement}
 */
export function hintsDialog(state) {
  const { facts, sheet, destroy } = guideContent(state);
  const dialog = dialogOf("Hints", "hints", h("div", { class: "guide" }, facts, sheet));
  dialog.addEventListener("close", destroy);
  return dialog;
}

/**
 * @param {string|null} link The person's own.
 * @returns {HTMLDialogElement}
 */
export function pauseDialog(link) {
  const goOn = h("button", { type: "button", class: "primary", autofocus: "" }, "Go on");
  const dialog = h(
    "dialog",
    { class: "pause", "aria-labelledby": "pause-title" },
    h("h2", { id: "pause-title" }, "Paused"),
    h("p", {}, "The image is hidden, and what you have entered is kept."),
    goOn,
    ...(link ? [ownLink(link)] : []),
  );
  goOn.addEventListener("click", () => dialog.close());
  return dialog;
}

/**
 * A person's own link, to come back by.
 *
 * @param {string} link
 * @returns {HTMLElement}
 */
export function ownLink(link) {
  // What follows "#" is never sent; it lets the page go on by itself (join.js).
  const address = `${new URL(link, location.href).href}#go`;
  return h(
    "div",
    { class: "own-link" },
    h("p", {}, "Your own link, to come back later or on another device. Keep it to yourself:"),
    h("p", { class: "address" }, h("code", {}, address), copyButton("Copy", () => address)),
  );
}

function dialogOf(title, name, ...content) {
  const close = h("button", { type: "button", class: "plain-button" }, "Close");
  const dialog = h(
    "dialog",
    { class: name, "aria-labelledby": `${name}-title` },
    h("div", { class: "dialog-head" }, h("h2", { id: `${name}-title` }, title), close),
    ...content,
  );
  close.addEventListener("click", () => dialog.close());
  return dialog;
}

function keyCap(key) {
  return key === "…" ? " … " : h("kbd", {}, key);
}
