/** What stands around every screen: the header, the progress, messages, what is said aloud. */

import { h } from "../hall/dom.js";
import { icon } from "../hall/icons.js";
import { copyButton } from "./copy.js";
import { FINAL_CODES } from "./outbox.js";
import { counted } from "./state.js";

/** How long "Saved" is to be seen. */
const SAVED_MS = 4000;

/**
 * @typedef {{name: string, short?: string, key?: string, click: () => void}} Tool A button of
 *   the header.
 * @typedef {object} Screen
 * @property {string} name
 * @property {HTMLElement} element
 * @property {Tool[]} [tools]
 * @property {() => void} [focus]
 * @property {() => void} [destroy]
 */

export class Shell {
  /**
   * @param {HTMLElement} root
   * @param {import("./outbox.js").Outbox|null} outbox
   */
  constructor(root, outbox = null) {
    this.root = root;
    this.outbox = outbox;
    /** @type {Screen|null} */
    this.screen = null;
    this.shownNotices = "";
    /** What this browser refuses. @type {string[]} */
    this.warnings = [];
    this.study = h("span", { class: "study" });
    this.count = h("span", { class: "count" });
    this.fill = h("span", { class: "fill" });
    this.bar = h(
      "span",
      { class: "bar", role: "progressbar", "aria-label": "Images done", "aria-valuemin": "0" },
      this.fill,
    );
    this.progress = h("div", { class: "progress", hidden: "" }, this.count, this.bar);
    this.saving = h("span", { class: "saving", role: "status" });
    this.tools = h("div", { class: "tools" });
    this.header = h("header", {}, this.study, this.progress, this.saving, this.tools);
    this.notices = h("div", { class: "notices" });
    this.main = h("main");
    this.live = h("div", { class: "unseen", role: "status" });
    root.replaceChildren(this.header, this.notices, this.main, this.live);
    outbox?.addEventListener("change", () => this.#drawNotices());
    for (const type of ["online", "offline"]) addEventListener(type, () => this.#drawNotices());
    this.#drawNotices();
  }

  /**
   * @param {string} name Of the study.
   * @param {"invited"|"simulated"|"own"|"self"} [origin] Whose answers; said where they are
   *   marked.
   */
  setStudy(name, origin = "invited") {
    const mark = {
      ...{ invited: "", simulated: " (simulated)", own: " (a try of its makers)" },
      self: " (self)",
    }[origin];
    this.study.textContent = name + mark;
    document.title = name + mark;
  }

  /**
   * @param {Screen} screen Takes the place of the one before.
   */
  show(screen) {
    this.screen?.destroy?.();
    for (const dialog of document.querySelectorAll("dialog")) dialog.close(); // of the screen before
    this.screen = screen;
    this.root.dataset.screen = screen.name;
    this.main.replaceChildren(screen.element);
    this.setTools(screen.tools ?? []);
    if (screen.focus) screen.focus();
    else this.#focusHeading();
  }

  /** @param {Tool[]} tools */
  setTools(tools) {
    this.tools.replaceChildren(...tools.map(toolButton));
  }

  /**
   * @param {{number: number, total: number, done: number}|null} progress
   * @param {string} [noun] What is counted.
   */
  setProgress(progress, noun = "") {
    this.progress.hidden = progress === null;
    if (progress === null) return;
    const { number, total, done } = progress;
    this.count.textContent = `${noun ? `${noun} ` : ""}${number} of ${total}`;
    this.bar.setAttribute("aria-valuemax", String(total));
    this.bar.setAttribute("aria-valuenow", String(done));
    this.bar.setAttribute("aria-valuetext", `${done} of ${total} done`);
    this.fill.style.width = `${(100 * done) / Math.max(total, 1)}%`;
  }

  /**
   * Say where an answer is: to eyes beside the progress, and aloud.
   *
   * @param {"saving"|"saved"|"none"} where
   */
  setSaving(where) {
    clearTimeout(this.savedTimer);
    this.saving.textContent = { saving: "Saving…", saved: "Saved", none: "" }[where];
    this.saving.dataset.where = where;
    if (where === "saved") this.savedTimer = setTimeout(() => this.setSaving("none"), SAVED_MS);
  }

  /** @param {string} text To screen readers. */
  say(text) {
    this.live.textContent = text;
  }

  #focusHeading() {
    const heading = this.main.querySelector("h1");
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }

  /** @param {string} sentence What this browser refuses, and what follows; it stays. */
  warn(sentence) {
    this.warnings.push(sentence);
    this.#drawNotices();
  }

  #drawNotices() {
    const waiting = this.outbox?.waiting ?? [];
    const refused = this.outbox?.refused ?? [];
    // One being sent for the first time is no news: the header says "Saving".
    const late = waiting.filter(({ tries, trouble }) => tries > 1 || trouble);
    const notices = [
      ...(navigator.onLine || late.length > 0 ? [] : [offlineNotice()]),
      ...(late.length > 0 ? [this.#waitingNotice(late)] : []),
      ...refused.map((entry) => this.#refusedNotice(entry)),
      ...this.warnings.map((sentence) => h("div", { class: "notice" }, h("p", {}, sentence))),
    ];
    const shown = notices.map((notice) => notice.textContent).join("\n");
    if (shown === this.shownNotices) return;
    this.shownNotices = shown;
    this.notices.replaceChildren(...notices);
  }

  /** @param {import("./outbox.js").Entry[]} late */
  #waitingNotice(late) {
    const count = counted(late.length, "answer", "answers");
    const reason = late.at(-1)?.trouble ?? "";
    const keeps = late.every(({ isKept = true }) => isKept)
      ? "kept in this browser and sent again by itself."
      : "not kept in this browser: leave this tab open until it is sent.";
    const they = late.length === 1 ? "It is" : "They are";
    const kick = () => this.outbox?.kick();
    return h(
      "div",
      { class: "notice", role: "status" },
      h("p", {}, h("strong", {}, `${count} not sent yet. `), `${reason} ${they} ${keeps}`),
      h("button", { type: "button", class: "plain-button", click: kick }, "Send now"),
    );
  }

  /** @param {import("./outbox.js").RefusedEntry} entry */
  #refusedNotice(entry) {
    const { key, number, body, refusal } = entry;
    const about = `Your answer ${body.answer} to image ${number} was not taken. `;
    const isFinal = FINAL_CODES.includes(refusal.code);
    const again = h(
      "button",
      { type: "button", class: "plain-button", click: () => this.outbox?.again(key) },
      "Send again",
    );
    const remove = h(
      "button",
      { type: "button", class: "plain-button", click: () => this.outbox?.dismiss(key) },
      isFinal ? "Understood" : "Remove",
    );
    return h(
      "div",
      { class: "notice refused", role: "alert" },
      h("p", {}, h("strong", {}, about), refusal.sentence),
      copyButton("Copy", () => JSON.stringify(body)),
      ...(isFinal ? [] : [again]),
      remove,
    );
  }
}

function offlineNotice() {
  const text = "Answers are kept in this browser until there is one.";
  return h(
    "div",
    { class: "notice", role: "status" },
    h("p", {}, h("strong", {}, "No connection. "), text),
  );
}

/** @param {Tool} tool */
function toolButton({ name, short, key, click }) {
  const face = name === "Keys" ? icon("help") : (short ?? name);
  const attributes = {
    ...{ type: "button", class: "tool", click, "aria-label": name },
    "aria-keyshortcuts": key ?? null,
    title: key ? `${name} (${key.toUpperCase()})` : null,
  };
  return h("button", attributes, face);
}
