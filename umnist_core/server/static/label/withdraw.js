/** Leaving a study: in the middle or after the end, with what was given kept or deleted. */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";
import { postJson, Refusal, sentenceOf } from "./api.js";
import { forgetPages } from "./asked.js";
import { debriefed, messageScreen } from "./screens.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {{answers: number, pages: number, practised: number, events: number}} Deleted
 * @typedef {{withdraw: () => Promise<void>, erase: () => Promise<void>}} Ways
 */

/**
 * Ask whether somebody means to stop for good, or, where the part is over, to withdraw; and
 * what is to become of what they gave.
 *
 * @param {State} state
 * @param {Ways} ways
 * @returns {HTMLDialogElement}
 */
export function leaveDialog(state, { withdraw, erase }) {
  const { asked, self, phase } = state;
  const isOver = phase === "done";
  const stay = h(
    "button",
    { type: "button", class: "primary", autofocus: "" },
    t(isOver ? "action.back" : "action.go_on"),
  );
  const problem = h("p", { class: "problem", role: "alert" });
  const canKeep = !isOver || asked.leave.withdraw;
  /** @type {HTMLElement[]} */
  const choices = [
    ...(canKeep ? [choice(t(isOver ? "withdraw.keep" : "withdraw.stop"), withdraw, problem)] : []),
    ...(asked.leave.erase && !self
      ? [choice(t("withdraw.delete"), () => confirmErasing(dialog, state, erase), problem)]
      : []),
  ];
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { class: "pause", "aria-labelledby": "withdraw-title" },
    h("h2", { id: "withdraw-title" }, t(isOver ? "withdraw.title_over" : "withdraw.title")),
    ...(isOver ? [] : [h("p", {}, t("withdraw.no_return"))]),
    ...whatBecomes(state, canKeep).map((text) => h("p", {}, text)),
    problem,
    h("p", { class: "actions" }, stay, ...choices),
  );
  stay.addEventListener("click", () => dialog.close());
  for (const button of choices) button.addEventListener("done", () => dialog.close());
  return dialog;
}

/**
 * @param {string} text
 * @param {() => Promise<void>} click
 * @param {HTMLElement} problem
 */
function choice(text, click, problem) {
  const button = h("button", { type: "button", class: "plain-button" }, text);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    problem.textContent = "";
    try {
      await click();
      button.dispatchEvent(new Event("done"));
    } catch (error) {
      problem.textContent = sentenceOf(error);
    }
    button.removeAttribute("aria-busy");
  });
  return button;
}

/**
 * @param {State} state
 * @param {boolean} canKeep
 * @returns {string[]}
 */
function whatBecomes({ progress: { done }, self, asked, phase }, canKeep) {
  if (self) return [t("withdraw.self", { count: done })];
  const stays = phase === "done" ? "withdraw.stays" : "withdraw.stays_with_code";
  const kept = done > 0 ? t(stays, { count: done }) : t("outcome.no_code");
  return [
    canKeep ? kept : t("withdraw.closed"),
    ...(asked.leave.erase ? [] : [t("withdraw.no_erasing")]),
  ];
}

/**
 * Deleting is asked for twice: it cannot be taken back.
 *
 * @param {HTMLDialogElement} dialog Shows it in place of what it showed.
 * @param {State} state
 * @param {() => Promise<void>} erase
 * @returns {Promise<void>} Once it is deleted; waits for ever where it is not.
 */
function confirmErasing(dialog, { progress: { done }, code }, erase) {
  const before = [...dialog.childNodes];
  const problem = h("p", { class: "problem", role: "alert" });
  return new Promise((resolve) => {
    const sure = choice(t("erase.sure"), erase, problem);
    const back = h("button", { type: "button", class: "primary" }, t("action.back"));
    back.addEventListener("click", () => {
      dialog.replaceChildren(...before);
      for (const busy of dialog.querySelectorAll("[aria-busy]")) busy.removeAttribute("aria-busy");
      dialog.querySelector("button")?.focus();
    });
    sure.addEventListener("done", () => resolve());
    dialog.replaceChildren(
      h("h2", { id: "withdraw-title" }, t("erase.title")),
      h("p", {}, t("erase.text", { count: done })),
      ...(code ? [h("p", {}, t("erase.code", { code }))] : []),
      problem,
      h("p", { class: "actions" }, back, sure),
    );
    back.focus();
  });
}

/**
 * Have everything deleted that the server has of somebody, and forget what this browser keeps.
 *
 * @param {{base: string, study: string, keep: import("./keep.js").Keep,
 *          outbox: import("./outbox.js").Outbox}} page
 * @param {State|null} state
 * @returns {Promise<{erased: Deleted|null, debriefing: string|null}>} What was deleted; null where
 *   an earlier request did it, whose reply did not come.
 */
export async function eraseAll({ base, study, keep, outbox }, state) {
  /** @type {{erased: Deleted|null, debriefing: string|null}} */
  let reply = { erased: null, debriefing: null };
  try {
    reply = await postJson(`${base}/erase`, {});
  } catch (error) {
    // Somebody whom the server does not know any more was deleted before.
    if (!(error instanceof Refusal && error.code === "no_session")) throw error;
  }
  for (const { key } of [...outbox.waiting, ...outbox.refused]) await outbox.dismiss(key);
  await forgetPages(keep, study);
  for (const one of [state?.trial, state?.next, state?.previous]) {
    if (one) await keep.remove("drafts", one.assignment).catch(() => undefined);
  }
  return reply;
}

/**
 * @param {Deleted|null} deleted null where it was deleted by an earlier request.
 * @param {string|null} debriefing
 * @returns {import("./shell.js").Screen}
 */
export function deletedScreen(deleted, debriefing) {
  const rows = deleted
    ? [
        t("deleted.answers", { count: deleted.answers }),
        t("deleted.pages", { count: deleted.pages }),
        t("deleted.practised", { count: deleted.practised }),
      ]
    : [];
  return messageScreen("deleted", t("deleted.title"), [
    ...(rows.length > 0
      ? [
          h("p", {}, t("deleted.list")),
          h("ul", { class: "reasons" }, ...rows.map((row) => h("li", {}, row))),
        ]
      : []),
    t("deleted.noted"),
    ...debriefed(debriefing),
    t("outcome.close"),
  ]);
}
