/** What stands around every screen: the header, the progress, messages, what is said aloud. */

import { h } from "../hall/dom.js";
import { icon } from "../hall/icons.js";
import { t } from "../hall/words.js";
import { copyButton } from "./copy.js";
import { FINAL_CODES } from "./outbox.js";

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
      { class: "bar", role: "progressbar", "aria-label": t("progress.name"), "aria-valuemin": "0" },
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
    const mark = origin === "invited" ? name : t(`study.${origin}`, { name });
    this.study.textContent = mark;
    document.title = mark;
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
   * @param {"progress.images"|"progress.practice"} [counted] How it is said.
   */
  setProgress(progress, counted = "progress.images") {
    this.progress.hidden = progress === null;
    if (progress === null) return;
    const { number, total, done } = progress;
    this.count.textContent = t(counted, { number, total });
    this.bar.setAttribute("aria-valuemax", String(total));
    this.bar.setAttribute("aria-valuenow", String(done));
    this.bar.setAttribute("aria-valuetext", t("progress.done", { done, count: total }));
    this.fill.style.width = `${(100 * done) / Math.max(total, 1)}%`;
  }

  /**
   * Say where an answer is: to eyes beside the progress, and aloud.
   *
   * @param {"saving"|"saved"|"none"} where
   */
  setSaving(where) {
    clearTimeout(this.savedTimer);
    this.saving.textContent = where === "none" ? "" : t(`saving.${where}`);
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
    const count = late.length;
    const reason = late.at(-1)?.trouble ?? "";
    const isKept = late.every(({ isKept = true }) => isKept);
    const keeps = t(isKept ? "notice.kept" : "notice.not_kept", { count });
    const kick = () => this.outbox?.kick();
    return h(
      "div",
      { class: "notice", role: "status" },
      h("p", {}, h("strong", {}, t("notice.late", { count })), ` ${reason} ${keeps}`),
      h("button", { type: "button", class: "plain-button", click: kick }, t("notice.send_now")),
    );
  }

  /** @param {import("./outbox.js").RefusedEntry} entry */
  #refusedNotice(entry) {
    const { key, number, body, refusal } = entry;
    const about = t("notice.refused", { answer: Number(body.answer), number });
    const isFinal = FINAL_CODES.includes(refusal.code);
    const again = h(
      "button",
      { type: "button", class: "plain-button", click: () => this.outbox?.again(key) },
      t("notice.send_again"),
    );
    const remove = h(
      "button",
      { type: "button", class: "plain-button", click: () => this.outbox?.dismiss(key) },
      t(isFinal ? "notice.understood" : "notice.remove"),
    );
    return h(
      "div",
      { class: "notice refused", role: "alert" },
      h("p", {}, h("strong", {}, about), ` ${refusal.sentence}`),
      copyButton(() => JSON.stringify(body)),
      ...(isFinal ? [] : [again]),
      remove,
    );
  }
}

function offlineNotice() {
  return h(
    "div",
    { class: "notice", role: "status" },
    h("p", {}, h("strong", {}, t("notice.offline")), ` ${t("notice.offline_kept")}`),
  );
}

/** @param {Tool} tool */
function toolButton({ name, short, key, click }) {
  const face = key === "?" ? icon("help") : (short ?? name);
  const attributes = {
    ...{ type: "button", class: "tool", click, "aria-label": name },
    "aria-keyshortcuts": key ?? null,
    title: key ? `${name} (${key.toUpperCase()})` : null,
  };
  return h("button", attributes, face);
}
