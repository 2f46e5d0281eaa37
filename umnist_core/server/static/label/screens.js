/** Screens of words: joining, consent, instructions, thanks, and what else there is to say. */

import { h } from "../dom.js";
import { copyButton } from "./copy.js";
import { ownLink } from "./dialogs.js";
import { guideContent } from "./guide.js";

/** @typedef {import("./shell.js").Screen} Screen */

/**
 * A screen with a heading, some sentences and buttons.
 *
 * @param {string} name
 * @param {string} title
 * @param {(string|Node)[]} content Strings become paragraphs.
 * @param {{text: string, click: () => unknown, isMain?: boolean}[]} [actions]
 * @returns {Screen}
 */
export function messageScreen(name, title, content, actions = []) {
  const body = content.map((one) => (typeof one === "string" ? h("p", {}, one) : one));
  const problem = h("p", { class: "problem", role: "alert" });
  const buttons = actions.map((action) => actionButton(action, problem));
  const element = h(
    "div",
    { class: "sheet-page short" },
    h("div", { class: "text" }, h("h1", {}, title), ...body),
    h("div", { class: "actions" }, problem, ...buttons),
  );
  return { name, element };
}

/** @returns {Screen} */
export function joinScreen(join) {
  return messageScreen(
    "join",
    "You are invited to take part in a study",
    [
      "You will look at large images and say which digits are hidden in them. It begins with " +
        "what is asked of you and what is recorded; you can stop at any time.",
    ],
    [{ text: "Take part", click: join, isMain: true }],
  );
}

/**
 * @param {import("./state.js").State} state
 * @param {{agree: () => Promise<void>, decline: () => void}} callbacks
 * @returns {Screen}
 */
export function consentScreen({ texts }, { agree, decline }) {
  return readingScreen("consent", "Before you begin", [prose(texts.consent, "Consent")], [
    { text: "I agree and take part", click: agree, isMain: true },
    { text: "I do not agree", click: decline },
  ]);
}

/**
 * @param {import("./state.js").State} state
 * @param {() => Promise<void>} begin
 * @returns {Screen}
 */
export function instructionsScreen(state, begin) {
  const { texts, guide, link, progress } = state;
  const hints = guide ? guideContent(state) : null;
  const start = progress.practice_total > 0 ? "Begin with practice" : "Begin";
  const content = [
    h("p", { class: "question" }, texts.question),
    prose(texts.instructions, "Instructions"),
    ...(hints ? [hints.facts] : []),
    ...(link ? [ownLink(link)] : []),
  ];
  const action = { text: start, click: begin, isMain: true };
  const screen = readingScreen("instructions", "What to do", content, [action]);
  if (hints) {
    screen.element.classList.add("wide");
    screen.element.querySelector(".actions").before(hints.sheet);
  }
  return { ...screen, destroy: () => hints?.destroy() };
}

/**
 * @param {import("./state.js").State} state
 * @param {(() => void)|null} change To change the last answer, where that is allowed.
 * @returns {Screen}
 */
export function doneScreen({ code, progress }, change) {
  const answers = `All ${progress.total} of your answers are saved.`;
  const content = code
    ? [
        answers,
        "Your completion code:",
        h("p", { class: "code" }, h("code", {}, code), copyButton("Copy", () => code)),
      ]
    : [answers, "You can close this page."];
  const actions = change ? [{ text: "Change my last answer", click: change }] : [];
  return messageScreen("done", "Thank you", content, actions);
}

function readingScreen(name, title, content, actions) {
  const problem = h("p", { class: "problem", role: "alert" });
  const buttons = actions.map((action) => actionButton(action, problem));
  const element = h(
    "div",
    { class: "sheet-page" },
    h("div", { class: "text" }, h("h1", {}, title), ...content),
    h("div", { class: "actions" }, problem, ...buttons),
  );
  return { name, element };
}

/** A button that shows that it works, and says it where it fails. */
function actionButton({ text, click, isMain = false }, problem) {
  const button = h("button", { type: "button", class: isMain ? "primary" : "plain-button" }, text);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    problem.textContent = "";
    try {
      await click();
    } catch (error) {
      problem.textContent = `${error.message} Try again.`;
    }
    button.removeAttribute("aria-busy");
  });
  return button;
}

/** Plain text; a blank line begins a paragraph. Long texts scroll, so they take the focus. */
function prose(text, name) {
  const paragraphs = text.split(/\n\s*\n/).map((one) => h("p", {}, one.trim()));
  const attributes = { class: "prose", role: "region", "aria-label": name, tabindex: "0" };
  return h("div", attributes, ...paragraphs);
}
