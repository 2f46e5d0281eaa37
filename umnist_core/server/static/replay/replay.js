/**
 * Replays on Results: the bar at the viewer, the way over the image, and beside them the moments
 * and the answers that can be replayed.
 *
 * @typedef {object} AnswerRow
 * @property {string} key Of the answer.
 * @property {string} image What the image is called.
 * @property {string} person
 * @property {string} pool
 * @property {number} answer
 * @property {number} truth
 * @property {string} reason Why it was wrong; empty where it was right.
 * @property {string} link Query of the page's address that opens it.
 *
 * @typedef {import("./moments.js").WayData & {key: string, answer: number, truth: number,
 *   title: string, reason: string}} ShownReplay
 *
 * @typedef {object} ReplayData
 * @property {string} bus
 * @property {AnswerRow[]} wrong All wrong answers of the study.
 * @property {AnswerRow[]} here All answers to the image that is shown.
 * @property {ShownReplay|null} replay The one that is shown.
 * @property {string} note Said where there is none.
 *
 * @typedef {{onOpen: (key: string) => void}} ReplayCallbacks
 */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { AnswerTable } from "./answers.js";
import { ReplayLayer } from "./layer.js";
import { clockText, momentText, momentsOf, viewAt } from "./moments.js";
import { Player } from "./player.js";

/** Parameter of the address that names the moment, in s. */
const AT = "at";

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {ReplayData} data
 * @param {ReplayCallbacks} callbacks
 * @returns {{update: (data: ReplayData) => void, destroy: () => void}}
 */
export function mountReplay(parentElement, data, callbacks) {
  const replay = new ReplayPage(parentElement, data, callbacks);
  return { update: (next) => replay.update(next), destroy: () => replay.destroy() };
}

class ReplayPage {
  /**
   * @param {HTMLElement|ShadowRoot} parentElement
   * @param {ReplayData} data
   * @param {ReplayCallbacks} callbacks
   */
  constructor(parentElement, data, { onOpen }) {
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    this.left = new AbortController();
    this.isAlong = false;
    /** @type {ShownReplay|null} */
    this.shown = null;
    this.layer = new ReplayLayer();
    this.player = new Player({
      onTime: (t) => this.#draw(t),
      onRest: (t) => this.channel.setMore({ [AT]: (t / 1000).toFixed(1) }),
      onAlong: (isAlong) => {
        this.isAlong = isAlong;
        this.#draw(this.player.t);
      },
    });
    this.title = h("p", { class: "title" });
    this.moments = h("ol", { class: "moments" });
    this.note = h("p", { class: "note" });
    this.table = new AnswerTable(onOpen);
    this.root = h(
      "div",
      { class: "umnist-controls umnist-replay" },
      ...[this.note, this.title, this.moments, this.table.element],
    );
    this.styles = styleSheet("replay/replay.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    channel.addEventListener("band", () => this.#placeBar(), { signal: this.left.signal });
    this.update(data);
  }

  /** @param {ReplayData} data */
  update(data) {
    const { replay } = data;
    this.table.show(data.wrong, data.here, replay?.key ?? null);
    this.note.textContent = data.note;
    this.note.hidden = data.note === "";
    this.title.hidden = this.moments.hidden = !replay;
    if (replay?.key === this.shown?.key) return;
    const isFirst = this.shown === null;
    this.shown = replay;
    if (replay) this.#show(replay, isFirst ? askedTime() : 0);
    else this.#hide();
  }

  destroy() {
    this.left.abort();
    this.#hide();
    this.leaveBus();
    this.root.remove();
    this.styles.element.remove();
  }

  /**
   * @param {ShownReplay} replay
   * @param {number} t
   */
  #show(replay, t) {
    const moments = momentsOf(replay);
    this.title.textContent = replay.title;
    this.layer.show(replay);
    this.channel.setExtra(this.layer);
    const rows = moments.map((one) => {
      const name = `${clockText(one.at_ms)} ${momentText(one, replay, replay)}`;
      const click = () => {
        this.player.play(false);
        this.player.seek(one.at_ms);
      };
      const mark = h("span", { class: `mark ${one.kind}`, "aria-hidden": "true" });
      return h("li", {}, h("button", { type: "button", click }, mark, h("span", {}, name)));
    });
    this.moments.replaceChildren(...rows);
    this.player.show(replay.duration_ms, moments, t);
    this.#placeBar();
  }

  #hide() {
    this.player.close();
    this.channel.setExtra(null);
    this.channel.setMore({ [AT]: null });
  }

  /** At the viewer, which may come later or anew; without one, first in the panel. */
  #placeBar() {
    if (this.shown) (this.channel.band ?? this.root).prepend(this.player.element);
  }

  /** @param {number} t */
  #draw(t) {
    if (!this.shown) return;
    this.layer.seek(t);
    const view = this.isAlong ? viewAt(this.shown, t) : null;
    // Of the person's screen, which may have been another, all that was in view.
    if (view)
      this.channel.look([
        view.x - view.width / 2,
        view.y - view.height / 2,
        view.width,
        view.height,
      ]);
  }
}

/** @returns {number} The moment that the address names, ms. */
function askedTime() {
  const seconds = Number(new URLSearchParams(location.search).get(AT) ?? NaN);
  return seconds >= 0 ? 1000 * seconds : 0;
}
