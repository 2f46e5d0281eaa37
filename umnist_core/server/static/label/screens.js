/** Screens of words: joining, consent, instructions, thanks, and what else there is to say. */

import { h } from "../hall/dom.js";
import { atHome } from "../hall/home.js";
import { t } from "../hall/words.js";
import { sentenceOf } from "./api.js";
import { copyButton } from "./copy.js";
import { ownLink } from "./dialogs.js";
import { guideContent } from "./guide.js";
import { leaving } from "./leave.js";

/**
 * @typedef {import("./shell.js").Screen} Screen
 * @typedef {{text: string, click: () => unknown, isMain?: boolean, isFinal?: boolean}} Action A
 *   button; `isFinal`: an error is said as it is, without that it may be tried again.
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
    t("join.title"),
    [t("join.text")],
    [{ text: t("join.take_part"), click: join, isMain: true }],
  );
}

/**
 * @param {import("./state.js").State} state
 * @param {{agree: () => Promise<void>, decline: () => void}} callbacks
 * @returns {Screen}
 */
export function consentScreen({ texts, asked }, { agree, decline }) {
  const isAmended = asked.consent.is_amended;
  return readingScreen(
    "consent",
    t(isAmended ? "consent.title_amended" : "consent.title"),
    [
      ...(isAmended ? [h("p", {}, t("consent.amended"))] : []),
      prose(texts.consent, t("consent.name")),
    ],
    [
      { text: t("consent.agree"), click: agree, isMain: true },
      { text: t("consent.decline"), click: decline },
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
  const begins = t(progress.practice_total > 0 ? "instructions.practise" : "instructions.begin");
  const start = state.asked.gate ? t("instructions.to_gate") : begins;
  const content = [
    ...notice,
    h("p", { class: "question" }, texts.question),
    prose(texts.instructions, t("instructions.name")),
    ...(hints ? [hints.facts] : []),
    ...(link ? [ownLink(link)] : []),
  ];
  const action = { text: start, click: begin, isMain: true };
  const screen = readingScreen("instructions", t("instructions.title"), content, [action]);
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
        t("outcome.code"),
        h(
          "p",
          { class: "code" },
          h("code", {}, code),
          copyButton(() => code),
        ),
      ]
    : sentences;
  const actions = change && previous ? [{ text: changeText(previous), click: change }] : [];
  const { withdraw, erase } = asked.leave;
  const wish = t(withdraw ? "outcome.withdraw" : "outcome.delete");
  if (withdraw || erase) actions.push({ text: wish, click: leave });
  const told = debriefed(asked.debriefing);
  if (!site) {
    const all = [...content, ...told, t("outcome.close")];
    return messageScreen("done", title, all, actions);
  }
  const { element, action, stop } = leaving(site, study.id, mayLeave);
  const toSite = t("leave.now", { site: site.site });
  const all = [...content, toSite, element, ...told];
  const screen = messageScreen("done", title, all, [action, ...actions]);
  return { ...screen, destroy: stop };
}

/**
 * @param {string|null} text
 * @returns {HTMLElement[]} What people read about the study at the end, if there is anything.
 */
export function debriefed(text) {
  return text ? [h("h2", {}, t("debriefing.title")), prose(text, t("debriefing.title"))] : [];
}

/** Why an answer can be wrong, in the order in which it is said. */
const REASONS = /** @type {const} */ ([
  "not_looked_at",
  "misread",
  "misadded",
  "misread_or_misadded",
  "unknown",
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
  const wrong = REASONS.filter((reason) => reasons[reason]);
  const rows = wrong.map((reason) =>
    h("li", {}, t(`summary.${reason}`, { count: reasons[reason] })),
  );
  const share = Math.round((100 * right) / Math.max(answered, 1));
  const left = total - answered;
  return messageScreen("done", t(answered > 0 ? "summary.title" : "summary.title_none"), [
    ...(answered > 0 ? [t("summary.right", { right, count: answered, share })] : []),
    ...(rows.length > 0 ? [t("summary.wrong"), h("ul", { class: "reasons" }, ...rows)] : []),
    ...(left > 0 ? [t("summary.left", { count: left })] : []),
    h(
      "p",
      {},
      ...(answered > 0
        ? [h("a", { href: atHome(`/results?study=${study}`) }, t("summary.results")), " · "]
        : []),
      h("a", { href: atHome("/label") }, t("summary.label")),
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
  const saved = t("outcome.saved", { count: done });
  const none = hasCode ? [] : [t("outcome.none")];
  const some = done > 0 ? [saved] : none;
  /** @type {Record<import("./state.js").Outcome, [title: string, sentences: string[]]>} */
  const endings = {
    complete: [t("outcome.complete.title"), [t("outcome.complete"), saved]],
    quota_full: [t("outcome.quota_full.title"), [t("outcome.quota_full"), ...some]],
    screened_out: [
      t("outcome.screened_out.title"),
      [t("outcome.screened_out"), ...(done > 0 ? [saved] : [])],
    ],
    ended_early: [
      t("outcome.ended_early.title"),
      [t("outcome.ended_early", { count: total }), ...some],
    ],
    withdrawn: [
      t("outcome.withdrawn.title"),
      [...some, ...(done > 0 ? [t("outcome.withdrawn")] : [])],
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
    ...(open > 0 ? [t("held.open", { count: open })] : []),
    ...(others > 0 ? [t("held.kept", { count: others })] : []),
  ];
  const actions = [
    { text: t("held.look"), click: look, isMain: true },
    ...(change && previous ? [{ text: changeText(previous), click: change }] : []),
    { text: t("action.stop"), click: withdraw },
  ];
  return messageScreen(
    "held",
    t("held.title"),
    [
      t("held.places", { count: places, where: where.join(", ") }),
      t("held.soon"),
      progress.done > 0
        ? t("held.done", { done: progress.done, total: progress.total })
        : t("held.none"),
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
  const content = [sentence, t("tabs.kept")];
  return messageScreen("other-tab", t("tabs.title"), content, [
    { text: t("tabs.go_on"), click: goOn, isMain: true },
  ]);
}

/** @param {() => unknown} back */
export function declinedScreen(back) {
  return messageScreen(
    "declined",
    t("declined.title"),
    [t("declined.text")],
    [{ text: t("action.back"), click: back }],
  );
}

/** @param {string} phase */
export function pausedScreen(phase) {
  return phase === "paused"
    ? messageScreen(phase, t("paused.title"), [t("paused.text")])
    : messageScreen(phase, t("paused.nothing"), [t("paused.later")]);
}

/** @param {() => unknown} kick */
export function waitingScreen(kick) {
  return messageScreen(
    "waiting",
    t("waiting.title"),
    [t("waiting.text")],
    [{ text: t("action.try_now"), click: kick, isMain: true }],
  );
}

/** @param {import("./state.js").Previous} previous */
export function changeText({ changes_left: left }) {
  return t(left === 1 ? "change.last_once" : "change.last");
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
function actionButton({ text, click, isMain = false, isFinal = false }, problem) {
  const button = h("button", { type: "button", class: isMain ? "primary" : "plain-button" }, text);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    problem.textContent = "";
    try {
      await click();
    } catch (error) {
      const said = sentenceOf(error);
      problem.textContent = isFinal ? said : t("problem.try_again", { problem: said });
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
