/** Leaving a study: in the middle or after the end, with what was given kept or deleted. */

import { h } from "../hall/dom.js";
import { postJson, Refusal, sentenceOf } from "./api.js";
import { forgetPages } from "./asked.js";
import { debriefed, messageScreen } from "./screens.js";
import { counted } from "./state.js";

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
    isOver ? "Back" : "Go on",
  );
  const problem = h("p", { class: "problem", role: "alert" });
  const canKeep = !isOver || asked.leave.withdraw;
  /** @type {HTMLElement[]} */
  const choices = [
    ...(canKeep
      ? [
          choice(
            isOver ? "Withdraw, and leave my data in the study" : "Stop for good",
            withdraw,
            problem,
          ),
        ]
      : []),
    ...(asked.leave.erase && !self
      ? [choice("Delete everything I gave", () => confirmErasing(dialog, state, erase), problem)]
      : []),
  ];
  /** @type {HTMLDialogElement} */
  const dialog = h(
    "dialog",
    { class: "pause", "aria-labelledby": "withdraw-title" },
    h("h2", { id: "withdraw-title" }, isOver ? "Withdraw from this study?" : "Stop taking part?"),
    ...(isOver ? [] : [h("p", {}, "You cannot come back to this study afterwards.")]),
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
  const answers = counted(done, "answer", "answers");
  if (self) return [`What you gave (${answers}) stays, and Results has it.`];
  const code = phase === "done" ? "" : ", and you get a completion code";
  const kept =
    done > 0
      ? `What you gave (${answers}) stays in the study${code}, unless you have it deleted.`
      : "You have answered no image, so there is no completion code.";
  const closed =
    "The study is closed, so nothing can be noted in it any more. What it has of you can still be " +
    "deleted; what was published from it stays as it is.";
  return [canKeep ? kept : closed, ...(asked.leave.erase ? [] : ["Nothing can be deleted here."])];
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
    const sure = choice("Delete for good", erase, problem);
    const back = h("button", { type: "button", class: "primary" }, "Back");
    back.addEventListener("click", () => {
      dialog.replaceChildren(...before);
      for (const busy of dialog.querySelectorAll("[aria-busy]")) busy.removeAttribute("aria-busy");
      dialog.querySelector("button")?.focus();
    });
    sure.addEventListener("done", () => resolve());
    dialog.replaceChildren(
      h("h2", { id: "withdraw-title" }, "Delete everything you gave?"),
      h(
        "p",
        {},
        `${counted(done, "answer", "answers")} to images, where you looked, how long it took, and ` +
          "what you answered to questions is deleted from the study at once, and cannot be " +
          "brought back. Copies that were made or published before are not reached by this.",
      ),
      ...(code
        ? [h("p", {}, `Your completion code ${code} cannot be looked up afterwards: use it first.`)]
        : []),
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
        `${counted(deleted.answers, "answer", "answers")} to images, with times and views`,
        `${counted(deleted.pages, "page", "pages")} of questions`,
        `${counted(deleted.practised, "practice answer", "practice answers")}`,
      ]
    : [];
  return messageScreen("deleted", "Everything you gave is deleted", [
    ...(rows.length > 0
      ? [
          h("p", {}, "Deleted from the study:"),
          h("ul", { class: "reasons" }, ...rows.map((row) => h("li", {}, row))),
        ]
      : []),
    "That somebody was here stays noted, without anything of you. Your link leads nowhere any more.",
    ...debriefed(debriefing),
    "You can close this page.",
  ]);
}
