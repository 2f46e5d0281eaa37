/** What the controls were set to before, for undo and redo. */

import { h } from "../hall/dom.js";
import { icon } from "../hall/icons.js";

/** Further back nobody goes. */
const LONGEST = 100;

/** @typedef {import("./lab.js").LabState} LabState */

export class Past {
  /** @type {LabState[]} */
  #before = [];
  /** @type {LabState[]} */
  #after = [];

  /**
   * @param {LabState} state
   * @param {(state: LabState) => void} go Called with what is undone or redone to.
   */
  constructor(state, go) {
    this.now = structuredClone(state);
    this.go = go;
    this.undo = this.#button("Undo", "undo", () => this.#move(this.#before, this.#after));
    this.redo = this.#button("Redo", "redo", () => this.#move(this.#after, this.#before));
    this.buttons = [this.undo, this.redo];
    this.#draw();
  }

  /** @param {HTMLElement} element Ctrl+Z within it undoes; in a field, what was typed. */
  listen(element) {
    element.addEventListener("keydown", (event) => {
      const isTyped = event.target instanceof HTMLInputElement && event.target.type === "number";
      if (isTyped || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
      event.preventDefault();
      (event.shiftKey ? this.redo : this.undo).click();
    });
  }

  /** @param {LabState} state What was set by hand. */
  add(state) {
    if (sameState(state, this.now)) return;
    this.#before.push(this.now);
    this.#before.splice(0, this.#before.length - LONGEST);
    this.#after.length = 0;
    this.now = structuredClone(state);
    this.#draw();
  }

  /**
   * Take a change of the page over: what is undone later is undone in the image that is shown
   * then.
   *
   * @param {LabState} state
   */
  follow(state) {
    const { seed, split, index } = state;
    for (const one of [...this.#before, ...this.#after, this.now]) {
      Object.assign(one, { seed, split, index });
    }
    this.add(state);
  }

  #move(from, to) {
    const state = from.pop();
    if (!state) return;
    to.push(this.now);
    this.now = state;
    this.#draw();
    this.go(structuredClone(state));
  }

  #draw() {
    this.undo.disabled = this.#before.length === 0;
    this.redo.disabled = this.#after.length === 0;
  }

  #button(name, face, click) {
    const title = `${name} the last setting`;
    return h(
      "button",
      { type: "button", class: "small", "aria-label": name, title, click },
      icon(face),
    );
  }
}

/**
 * @param {LabState} one
 * @param {LabState} other
 */
function sameState(one, other) {
  const text = ({ compare, edit, seed, split, index, a, b }) =>
    JSON.stringify([compare, edit, seed, split, index, sorted(a), sorted(b)]);
  return text(one) === text(other);
}

function sorted({ preset, reference, overrides }) {
  return [preset, reference, Object.entries(overrides).sort()];
}
