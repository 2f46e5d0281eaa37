/** What is shown over everything: the keys, the hints, the pause. */

import { focused, h } from "../hall/dom.js";
import { atHome } from "../hall/home.js";
import { pair } from "../hall/pair.js";
import { t, word } from "../hall/words.js";
import { PLAIN_BINDINGS } from "../viewer/keyboard.js";
import { copyButton } from "./copy.js";
import { guideContent } from "./guide.js";

/** @typedef {[shown: string, does: string]} Key A row of the table of keys. */

/** @returns {Key[]} */
function answerKeys() {
  return [
    ["0 … 9", t("keys.figures")],
    ["Backspace", t("keys.backspace")],
    ["Enter", t("keys.enter")],
  ];
}

/**
 * Show a dialog until it is closed; Escape closes it too, and the focus goes back.
 *
 * @param {HTMLDialogElement} dialog
 * @returns {Promise<void>}
 */
export function showDialog(dialog) {
  const before = focused();
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      // The browser has given it back when the dialog closed, before this event; a key may have
      // moved it since.
      if (document.activeElement === document.body) before?.focus({ preventScroll: true });
      resolve();
    });
  });
}

/**
 * @param {Key[]} more Keys of this screen besides those of answer and image.
 * @param {{answer: Key[], mouse: string}} [hand] Keys of the answer and what a mouse does, where
 *   it is not the sum that is entered.
 * @returns {HTMLDialogElement}
 */
export function keysDialog(more, hand = { answer: answerKeys(), mouse: t("keys.mouse") }) {
  const image = PLAIN_BINDINGS.map(({ shown, does, key }) =>
    pair(shown, key ? word(key, does) : does),
  );
  /** @type {(keys: Key[]) => HTMLElement[]} */
  const rows = (keys) =>
    keys.map(([shown, does]) =>
      h("tr", {}, h("td", {}, ...shown.split(" ").map(keyCap)), h("td", {}, does)),
    );
  /** @type {(name: string, keys: Key[]) => HTMLElement} */
  const table = (name, keys) =>
    h("table", {}, h("caption", {}, name), h("tbody", {}, ...rows(keys)));
  return dialogOf(
    t("keys.title"),
    "keys",
    h(
      "div",
      { class: "tables" },
      ...[table(t("form.answer"), [...hand.answer, ...more]), table(t("keys.image"), image)],
    ),
    h("p", { class: "quiet" }, hand.mouse),
  );
}

/**
 * @param {import("./state.js").Guide} guide
 * @returns {HTMLDialogElement}
 */
export function hintsDialog(guide) {
  const { facts, sheet, destroy } = guideContent(guide);
  const dialog = dialogOf(t("tool.hints"), "hints", h("div", { class: "guide" }, facts, sheet));
  dialog.addEventListener("close", destroy);
  return dialog;
}

/**
 * @param {string|null} link The person's own.
 * @param {() => unknown} [withdraw] To stop taking part.
 * @returns {HTMLDialogElement}
 */
export function pauseDialog(link, withdraw) {
  const goOn = h("button", { type: "button", class: "primary", autofocus: "" }, t("action.go_on"));
  const dialog = h(
    "dialog",
    { class: "pause", "aria-labelledby": "pause-title" },
    h("h2", { id: "pause-title" }, t("pause.title")),
    h("p", {}, t("pause.text")),
    goOn,
    ...(link ? [ownLink(link)] : []),
    ...(withdraw ? [stopButton(() => dialog.close(), withdraw)] : []),
  );
  goOn.addEventListener("click", () => dialog.close());
  return dialog;
}

/**
 * @param {() => void} close
 * @param {() => unknown} withdraw
 */
function stopButton(close, withdraw) {
  const stop = h("button", { type: "button", class: "plain-button" }, t("action.stop"));
  stop.addEventListener("click", () => {
    close();
    withdraw();
  });
  return h("p", {}, stop);
}

/**
 * A person's own link, to come back by.
 *
 * @param {string} link
 * @returns {HTMLElement}
 */
export function ownLink(link) {
  // What follows "#" is never sent; it lets the page go on by itself (join.js).
  const address = `${atHome(link)}#go`;
  return h(
    "div",
    { class: "own-link" },
    h("p", {}, t("link.own")),
    h(
      "p",
      { class: "address" },
      h("code", {}, address),
      copyButton(() => address),
    ),
  );
}

/**
 * @param {string} title
 * @param {string} name
 * @param {...(Node|string)} content
 */
function dialogOf(title, name, ...content) {
  const close = h("button", { type: "button", class: "plain-button" }, t("action.close"));
  const dialog = h(
    "dialog",
    { class: name, "aria-labelledby": `${name}-title` },
    h("div", { class: "dialog-head" }, h("h2", { id: `${name}-title` }, title), close),
    ...content,
  );
  close.addEventListener("click", () => dialog.close());
  return dialog;
}

/** @param {string} key */
function keyCap(key) {
  return key === "…" ? " … " : h("kbd", {}, key);
}
