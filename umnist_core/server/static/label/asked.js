/** Screens of what is asked beside images: pages of questions, the gate, breaks. */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";
import { newKey, postJson } from "./api.js";
import { ownLink } from "./dialogs.js";
import { Field } from "./fields.js";
import { readingScreen } from "./screens.js";

/**
 * @typedef {import("./shell.js").Screen} Screen
 * @typedef {import("./state.js").State} State
 * @typedef {import("./fields.js").Answer} Answer
 *
 * @typedef {object} Way What leads on from these screens.
 * @property {string} study
 * @property {string} base Of the interface's addresses.
 * @property {import("./keep.js").Keep} keep
 * @property {(state: State) => void} go
 * @property {() => unknown} withdraw
 */

/**
 * @param {State} state
 * @param {Way} way
 * @returns {Screen|null} null in phases that are not of this room.
 */
export function askedScreen(state, way) {
  if (state.phase === "questions" && state.asked.page) {
    return questionsScreen(state.asked.page, way);
  }
  if (state.phase === "gate" && state.asked.gate) return gateScreen(state.asked.gate, way);
  return state.phase === "break" ? breakScreen(state, way) : null;
}

/**
 * A page of questions; what is entered is kept in this browser until the server has it.
 *
 * @param {import("./state.js").QuestionPage} page
 * @param {Way} way
 * @returns {Screen}
 */
function questionsScreen(page, { study, base, keep, go }) {
  const id = draftOf(study, page.id);
  const fields = page.questions.map((question) => new Field(question));
  const answers = () => Object.fromEntries(fields.map(({ name, value }) => [name, value]));
  const remember = () => {
    const draft = { assignment: id, answers: answers(), saved_at: Date.now() };
    keep.put("drafts", id, draft).catch(() => undefined);
  };
  const form = formScreen("questions", page.title, {
    lead: [
      ...(page.total > 1
        ? [
            h(
              "p",
              { class: "quiet" },
              t("questions.page", { number: page.number, total: page.total }),
            ),
          ]
        : []),
      ...page.text
        .split(/\n\s*\n/)
        .filter((one) => one.trim())
        .map((one) => h("p", {}, one)),
    ],
    fields,
    action: t("questions.send"),
    send: async (key) => {
      const body = { key, page: page.id, answers: answers() };
      const { state } = await postJson(`${base}/questions`, body);
      await keep.remove("drafts", id).catch(() => undefined);
      go(state);
    },
  });
  form.element.addEventListener("input", remember);
  restore(keep, id, fields);
  return form;
}

/**
 * @param {string} study
 * @param {string} page
 */
function draftOf(study, page) {
  return `questions:${study}:${page}`;
}

/**
 * @param {import("./keep.js").Keep} keep
 * @param {string} id
 * @param {Field[]} fields
 */
async function restore(keep, id, fields) {
  const draft = await keep.find("drafts", id).catch(() => null);
  if (!draft || !("answers" in draft)) return;
  for (const field of fields) {
    // What has been entered meanwhile is newer.
    if (field.isEmpty) field.show(draft.answers[field.name] ?? null);
  }
}

/**
 * Forget what was entered on this study's pages.
 *
 * @param {import("./keep.js").Keep} keep
 * @param {string} study
 */
export async function forgetPages(keep, study) {
  const kept = await keep.all("drafts").catch(() => []);
  const own = kept.filter(({ assignment }) => assignment.startsWith(draftOf(study, "")));
  for (const { assignment } of own) await keep.remove("drafts", assignment).catch(() => undefined);
}

/**
 * @param {import("./state.js").Gate} gate
 * @param {Way} way
 * @returns {Screen}
 */
function gateScreen(gate, { base, go }) {
  const fields = gate.questions.map(
    ({ text, options }, place) =>
      new Field({ ...plainQuestion, name: `gate${place}`, kind: "choice", text, options }),
  );
  return formScreen("gate", t("gate.title"), {
    lead: [
      h(
        "p",
        {},
        `${t("gate.lead", { count: gate.questions.length })} ` +
          t("gate.tries", { count: gate.tries_left }),
      ),
    ],
    fields,
    action: t("gate.check"),
    send: async (key) => {
      const chosen = fields.map(({ value }) => value);
      go((await postJson(`${base}/gate`, { key, chosen })).state);
    },
  });
}

/** @type {import("./state.js").Question} */
const plainQuestion = {
  ...{ name: "", kind: "choice", text: "", required: true, options: [], whole: false },
  ...{ low: null, high: null, low_label: "", high_label: "" },
};

/**
 * What is said above the instructions to somebody who is back at them.
 *
 * @param {State} state
 * @returns {HTMLElement[]}
 */
export function gateNotice({ asked: { gate } }) {
  if (!gate || gate.wrong.length === 0) return [];
  const wrong = gate.wrong.map((text) => h("li", {}, text));
  return [
    h(
      "div",
      { class: "own-link", role: "alert" },
      h("p", {}, h("strong", {}, t("gate.read_again")), " ", t("gate.wrong")),
      h("ul", { class: "reasons" }, ...wrong),
      h("p", {}, t("gate.left", { count: gate.tries_left })),
    ),
  ];
}

/**
 * Fields below a heading and one button that sends them, under one key until they are taken.
 *
 * @param {string} name
 * @param {string} title
 * @param {{lead: HTMLElement[], fields: Field[], action: string,
 *          send: (key: string) => Promise<void>}} parts
 * @returns {Screen}
 */
function formScreen(name, title, { lead, fields, action, send }) {
  const key = newKey();
  const submit = async () => {
    const faults = fields.filter((field) => !field.check());
    if (faults.length === 0) return send(key);
    faults[0].focus();
    throw new Error(t("questions.missing", { count: faults.length }));
  };
  const content = [...lead, ...fields.map(({ element }) => element)];
  const screen = readingScreen(name, title, content, [
    { text: action, click: submit, isMain: true, isFinal: true },
  ]);
  screen.element.classList.add("asked");
  return screen;
}

/**
 * @param {State} state
 * @param {Way} way
 * @returns {Screen}
 */
function breakScreen({ progress: { done, total }, asked: { rest }, link }, way) {
  const key = newKey();
  const until = performance.now() + 1000 * rest.left_s;
  const left = () => Math.max(Math.ceil((until - performance.now()) / 1000), 0);
  const goOn = async () => {
    if (left() > 0) return;
    way.go((await postJson(`${way.base}/rest`, { key })).state);
  };
  const content = [
    h("p", {}, t("break.done", { done, count: total })),
    h("progress", { value: done, max: total, "aria-label": t("break.progress") }),
    h("p", {}, t("break.text")),
    ...(link ? [ownLink(link)] : []),
  ];
  const screen = readingScreen("break", t("break.title"), content, [
    { text: t("action.go_on"), click: goOn, isMain: true },
    { text: t("action.stop"), click: way.withdraw },
  ]);
  screen.element.classList.add("short");
  const button = screen.element.querySelector("button.primary");
  const draw = () => {
    const seconds = left();
    if (!button || seconds === 0) clearInterval(timer);
    if (!button) return;
    button.setAttribute("aria-disabled", String(seconds > 0));
    button.textContent = seconds > 0 ? t("break.wait", { seconds }) : t("action.go_on");
  };
  const timer = setInterval(draw, 250);
  draw();
  return { ...screen, destroy: () => clearInterval(timer) };
}
