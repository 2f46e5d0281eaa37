/** Screens of words: joining, consent, instructions, thanks, and what else there is to say. */

import { h } from "../hall/dom.js";
import { atHome } from "../hall/home.js";
import { sentenceOf } from "./api.js";
import { copyButton } from "./copy.js";
import { ownLink } from "./dialogs.js";
import { guideContent } from "./guide.js";
import { leaving } from "./leave.js";
import { counted } from "./state.js";

/**
 * @typedef {import("./shell.js").Screen} Screen
 * @typedef {{text: string, click: () => unknown, isMain?: boolean, again?: string}} Action A
 *   button; `again`: what is said behind an error.
 */

/**
 * A screen with a heading, some sentences and buttons.
 *
 * @param {string} name
 * @param {string} title
 * @param {(string|Node)[]} content Strings become paragraphs.
 * @param {Action[]} [actions]
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

/**
 * @param {() => Promise<void>} join
 * @returns {Screen}
 */
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
export function consentScreen({ texts, asked }, { agree, decline }) {
  const isAmended = asked.consent.is_amended;
  const lead =
    "What you agreed to has changed. Please read it; you are asked once more before you go on.";
  return readingScreen(
    "consent",
    isAmended ? "The consent has changed" : "Before you begin",
    [...(isAmended ? [h("p", {}, lead)] : []), prose(texts.consent, "Consent")],
    [
      { text: "I agree and take part", click: agree, isMain: true },
      { text: "I do not agree", click: decline },
    ],
  );
}

/**
 * @param {import("./state.js").State} state
 * @param {() => Promise<void>} begin
 * @param {HTMLElement[]} [notice] What is said above.
 * @returns {Screen}
 */
export function instructionsScreen(state, begin, notice = []) {
  const { texts, guide, link, progress } = state;
  const hints = guide ? guideContent(guide) : null;
  const begins = progress.practice_total > 0 ? "Begin with practice" : "Begin";
  const start = state.asked.gate ? "Go on to the questions" : begins;
  const content = [
    ...notice,
    h("p", { class: "question" }, texts.question),
    prose(texts.instructions, "Instructions"),
    ...(hints ? [hints.facts] : []),
    ...(link ? [ownLink(link)] : []),
  ];
  const action = { text: start, click: begin, isMain: true };
  const screen = readingScreen("instructions", "What to do", content, [action]);
  if (hints) {
    screen.element.classList.add("wide");
    screen.element.querySelector(".actions")?.before(hints.sheet);
  }
  return { ...screen, destroy: () => hints?.destroy() };
}

/**
 * How a person's part ended, with what is saved of it.
 *
 * @param {import("./state.js").DoneState} state
 * @param {(() => void)|null} change To change the last answer, where that is allowed.
 * @param {() => boolean} mayLeave Whether nothing waits to be sent.
 * @param {() => unknown} leave To withdraw, with what was given or without.
 * @returns {Screen}
 */
export function doneScreen(state, change, mayLeave, leave) {
  const { asked, code, outcome, progress, previous, self, study, leave: site } = state;
  if (self?.summary) return summaryScreen(self.summary, study.id, progress.total);
  const { title, sentences } = ending(outcome, progress, code !== null);
  const content = code
    ? [
        ...sentences,
        "Your completion code:",
        h(
          "p",
          { class: "code" },
          h("code", {}, code),
          copyButton("Copy", () => code),
        ),
      ]
    : sentences;
  const actions = change && previous ? [{ text: changeText(previous), click: change }] : [];
  const { withdraw, erase } = asked.leave;
  const wish = withdraw ? "Withdraw or delete my data" : "Delete my data";
  if (withdraw || erase) actions.push({ text: wish, click: leave });
  const told = debriefed(asked.debriefing);
  if (!site) {
    const all = [...content, ...told, "You can close this page."];
    return messageScreen("done", title, all, actions);
  }
  const { element, action, stop } = leaving(site, study.id, mayLeave);
  const toSite = `Go back to ${site.site} now, so that it knows how this ended.`;
  const all = [...content, toSite, element, ...told];
  const screen = messageScreen("done", title, all, [action, ...actions]);
  return { ...screen, destroy: stop };
}

/**
 * @param {string|null} text
 * @returns {HTMLElement[]} What people read about the study at the end, if there is anything.
 */
export function debriefed(text) {
  return text ? [h("h2", {}, "About this study"), prose(text, "About this study")] : [];
}

/** How each reason of a wrong answer is said, with how many there are before it. */
const REASONS = /** @type {const} */ ([
  ["not_looked_at", "unseen: a digit was never on screen large enough to be read"],
  ["misread", "misread or overlooked"],
  ["misadded", "misadded: every digit was entered right"],
  ["misread_or_misadded", "misread or misadded: the digits were not entered"],
  ["unknown", "without a trace that would tell why"],
]);

/**
 * The end of a study of oneself: what came out.
 *
 * @param {import("./state.js").Summary} summary
 * @param {string} study
 * @param {number} total
 * @returns {Screen}
 */
function summaryScreen({ answered, right, reasons }, study, total) {
  const wrong = REASONS.filter(([reason]) => reasons[reason]);
  const rows = wrong.map(([reason, words]) => h("li", {}, `${reasons[reason]} ${words}`));
  const share = answered > 0 ? ` (${Math.round((100 * right) / answered)} %)` : "";
  const left = total - answered;
  return messageScreen("done", answered > 0 ? "That is it" : "No image was answered", [
    ...(answered > 0 ? [`${right} of ${counted(answered, "sum", "sums")} right${share}.`] : []),
    ...(rows.length > 0 ? ["Wrong:", h("ul", { class: "reasons" }, ...rows)] : []),
    ...(left > 0
      ? [`You ended before ${counted(left, "image was", "images were")} answered.`]
      : []),
    h(
      "p",
      {},
      ...(answered > 0
        ? [h("a", { href: atHome(`/results?study=${study}`) }, "Look at the results"), " · "]
        : []),
      h("a", { href: atHome("/label") }, "Back to Label"),
    ),
  ]);
}

/**
 * What is said of each way in which a part can end; there is a code for every one of them if an
 * image was answered.
 *
 * @param {import("./state.js").Outcome} outcome
 * @param {import("./state.js").Progress} progress
 * @param {boolean} hasCode
 * @returns {{title: string, sentences: string[]}}
 */
function ending(outcome, { done, total }, hasCode) {
  const saved = `${counted(done, "answer of yours is", "answers of yours are")} saved.`;
  const none = hasCode ? [] : ["You answered no image, so there is no completion code."];
  const some = done > 0 ? [saved] : none;
  /** @type {Record<import("./state.js").Outcome, [title: string, sentences: string[]]>} */
  const endings = {
    complete: ["Thank you", ["You have answered every image.", saved]],
    quota_full: [
      "No image is left for you",
      ["Every image has all the answers that it needs, or one of yours.", ...some],
    ],
    screened_out: [
      "You cannot take part in this study",
      ["Thank you for your interest.", ...(done > 0 ? [saved] : [])],
    ],
    ended_early: [
      "Your part has ended",
      [`It was ended before all of your ${total} images were answered.`, ...some],
    ],
    withdrawn: [
      "You have stopped taking part",
      [
        ...some,
        ...(done > 0 ? ["You can have what you gave deleted, now or later by your own link."] : []),
      ],
    ],
  };
  const [title, sentences] = endings[outcome];
  return { title, sentences };
}

/**
 * For somebody whose next image is with others; the page asks again by itself.
 *
 * @param {import("./state.js").HeldState} state
 * @param {{look: () => unknown, withdraw: () => unknown, change: (() => void)|null}} callbacks
 * @returns {Screen}
 */
export function heldScreen({ held, progress, link, previous }, { look, withdraw, change }) {
  const { places, open } = held;
  const others = places - open;
  const where = [
    ...(open > 0 ? [`${open} with ${open === 1 ? "somebody" : "people"} looking at it now`] : []),
    ...(others > 0 ? [`${others} kept for people at work`] : []),
  ];
  const actions = [
    { text: "Look now", click: look, isMain: true },
    ...(change && previous ? [{ text: changeText(previous), click: change }] : []),
    { text: "Stop taking part", click: withdraw },
  ];
  return messageScreen(
    "held",
    "Waiting for an image",
    [
      `Every image that is still needed is with others: ${counted(places, "answer", "answers")} ` +
        `missing, ${where.join(", ")}.`,
      "As soon as one is free, it is shown here; once nothing is missing, this page says so. It " +
        "looks again by itself.",
      progress.done > 0
        ? `You have answered ${progress.done} of ${progress.total}; this is saved.`
        : "You have not answered an image yet.",
      ...(link ? [ownLink(link)] : []),
    ],
    actions,
  );
}

/**
 * @param {string} sentence
 * @param {() => unknown} goOn
 */
export function otherTabScreen(sentence, goOn) {
  const content = [sentence, "What you entered is kept."];
  return messageScreen("other-tab", "One tab at a time", content, [
    { text: "Go on here", click: goOn, isMain: true },
  ]);
}

/** @param {() => unknown} back */
export function declinedScreen(back) {
  const said = "Nothing is recorded. You can close this page, or change your mind.";
  return messageScreen(
    "declined",
    "You are not taking part",
    [said],
    [{ text: "Back", click: back }],
  );
}

/** @param {string} phase */
export function pausedScreen(phase) {
  const said =
    "It goes on later; what you have answered is saved. This page looks again by itself.";
  return phase === "paused"
    ? messageScreen(phase, "The study is paused", [said])
    : messageScreen(phase, "Nothing to do now", ["Please come back later."]);
}

/** @param {() => unknown} kick */
export function waitingScreen(kick) {
  const said =
    "You have answered every image that was loaded. The answers must be sent before the next one " +
    "comes; this goes on by itself. Please leave this page open.";
  return messageScreen(
    "waiting",
    "Waiting for the connection",
    [said],
    [{ text: "Try now", click: kick, isMain: true }],
  );
}

/** @param {import("./state.js").Previous} previous */
export function changeText({ changes_left: left }) {
  return left === 1 ? "Change my last answer (one last time)" : "Change my last answer";
}

/**
 * @param {string} name
 * @param {string} title
 * @param {Node[]} content
 * @param {Action[]} actions
 */
export function readingScreen(name, title, content, actions) {
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

/**
 * A button that shows that it works, and says it where it fails.
 *
 * @param {Action} action
 * @param {HTMLElement} problem
 */
function actionButton({ text, click, isMain = false, again = " Try again." }, problem) {
  const button = h("button", { type: "button", class: isMain ? "primary" : "plain-button" }, text);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    problem.textContent = "";
    try {
      await click();
    } catch (error) {
      problem.textContent = `${sentenceOf(error)}${again}`;
    }
    button.removeAttribute("aria-busy");
  });
  return button;
}

/**
 * Plain text; a blank line begins a paragraph. Long texts scroll, so they take the focus.
 *
 * @param {string} text
 * @param {string} name
 */
export function prose(text, name) {
  const paragraphs = text.split(/\n\s*\n/).map((one) => h("p", {}, one.trim()));
  const attributes = { class: "prose", role: "region", "aria-label": name, tabindex: "0" };
  return h("div", attributes, ...paragraphs);
}
