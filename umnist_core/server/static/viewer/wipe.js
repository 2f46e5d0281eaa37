/**
 * Two pictures over each other, and a divider that wipes from one to the other.
 *
 * Both panes fill the stage and stay in step; the second is only drawn right of the
 * divider. Where the divider is belongs to the moment and not to the link.
 */

import { h } from "../hall/dom.js";

const STEP = 2;
const FAR_STEP = 10;

export class Wipe {
  /** @param {HTMLElement} stage What holds the panes. */
  constructor(stage) {
    this.stage = stage;
    this.percent = 50;
    this.divider = h(
      "div",
      {
        class: "divider",
        role: "slider",
        tabindex: "0",
        "aria-label": "Divider between A and B",
        "aria-valuemin": "0",
        "aria-valuemax": "100",
        pointerdown: (event) => this.#begin(event),
        pointermove: (event) => this.#drag(event),
        keydown: (event) => this.#key(event),
        dblclick: () => this.#moveTo(50),
      },
      h("span", { class: "grip", "aria-hidden": "true" }),
    );
    this.#moveTo(this.percent);
  }

  /** @param {boolean} wiping */
  show(wiping) {
    this.stage.classList.toggle("wipe", wiping);
    if (wiping) this.stage.append(this.divider);
    else this.divider.remove();
  }

  #begin(event) {
    event.preventDefault();
    this.divider.focus({ preventScroll: true });
    this.divider.setPointerCapture(event.pointerId);
  }

  #drag(event) {
    if (!this.divider.hasPointerCapture(event.pointerId)) return;
    const { left, width } = this.stage.getBoundingClientRect();
    this.#moveTo((100 * (event.clientX - left)) / width);
  }

  #key(event) {
    const step = event.shiftKey ? FAR_STEP : STEP;
    const places = {
      ArrowLeft: this.percent - step,
      ArrowRight: this.percent + step,
      Home: 0,
      End: 100,
    };
    if (!(event.key in places)) return;
    // The viewer's own keys, which move the picture, leave alone what is handled.
    event.preventDefault();
    this.#moveTo(places[event.key]);
  }

  #moveTo(percent) {
    this.percent = Math.min(Math.max(percent, 0), 100);
    const whole = Math.round(this.percent);
    this.stage.style.setProperty("--wipe", `${this.percent}%`);
    this.divider.setAttribute("aria-valuenow", String(whole));
    this.divider.setAttribute("aria-valuetext", `A on the left ${whole} %`);
  }
}
