/**
 * What is asked for: which model, on which device, beside what, and whether by itself.
 *
 * @typedef {object} Choice
 * @property {string} checkpoint
 * @property {string} device
 * @property {string|null} beside Another checkpoint, `people`, or nothing.
 * @property {boolean} follow Whether a change of the picture or the choice predicts anew.
 */

import { fillSelect, h } from "../hall/dom.js";
import { pair } from "../hall/pair.js";
import { PEOPLE } from "./words.js";

const NOTHING = "";

export class ChoiceRows {
  /** @param {(change: Partial<Choice>) => void} onChoice */
  constructor(onChoice) {
    const list = (label, change) => {
      const select = h("select", { "aria-label": label });
      select.addEventListener("change", () => onChoice(change(select.value)));
      return { select, element: h("label", {}, h("span", { class: "name" }, label), select) };
    };
    this.checkpoint = list("Model", (checkpoint) => ({ checkpoint }));
    this.device = list("Runs on", (device) => ({ device }));
    this.beside = list("Beside it", (beside) => ({ beside: beside === NOTHING ? null : beside }));
    this.follow = h("input", { type: "checkbox" });
    this.follow.addEventListener("change", () => onChoice({ follow: this.follow.checked }));
    this.about = h("p", { class: "note about" });
    const fields = [this.device, this.beside].map(({ element }) => element);
    this.element = h(
      "div",
      { class: "rows choice" },
      h("div", { class: "rows" }, this.checkpoint.element, this.about),
      h("div", { class: "fields" }, ...fields),
      h("label", { class: "switch" }, this.follow, "Again after every change"),
    );
  }

  /**
   * @param {import("./watch.js").WatchData} data
   * @param {Choice} choice
   */
  show({ checkpoints, devices, people }, choice) {
    const titled = checkpoints.map(({ key, title, right }) =>
      pair(key, right ? `${title}: ${right}` : title),
    );
    fillSelect(this.checkpoint.select, titled, choice.checkpoint);
    const { about = "" } = checkpoints.find(({ key }) => key === choice.checkpoint) ?? {};
    this.about.textContent = about;
    this.about.hidden = about === "";
    fillSelect(this.device.select, choices(devices), choice.device);
    const others = titled.filter(([key]) => key !== choice.checkpoint);
    const looks = people ? [pair(PEOPLE, people.title)] : [];
    const besides = [pair(NOTHING, "Nothing"), ...looks, ...others];
    fillSelect(this.beside.select, besides, choice.beside ?? NOTHING);
    this.beside.element.hidden = besides.length < 2;
    this.follow.checked = choice.follow;
  }
}

/**
 * @param {{key: string, title: string}[]} named
 * @returns {[string, string][]} As `fillSelect` takes them.
 */
function choices(named) {
  return named.map(({ key, title }) => pair(key, title));
}
