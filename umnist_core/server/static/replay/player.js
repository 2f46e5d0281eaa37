/**
 * The bar that a replay is played with: it stands at the viewer. Nothing plays by itself.
 *
 * @typedef {import("./moments.js").Moment} Moment
 */

import { fillSelect, h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { icon } from "../hall/icons.js";
import { SPEEDS, clockText, nextMoment, usualSpeed } from "./moments.js";

const STEP_MS = 100;

/** Who wants little motion sees a step of the way no more often than this. */
const STILL_STEP_MS = 500;

export class Player {
  /**
   * @param {{onTime: (t: number) => void, onRest: (t: number) => void,
   *          onAlong: (isAlong: boolean) => void}} callbacks `onRest` once nothing moves any more.
   */
  constructor({ onTime, onRest, onAlong }) {
    this.onTime = onTime;
    this.onRest = onRest;
    this.t = 0;
    this.duration = 0;
    /** @type {Moment[]} */
    this.moments = [];
    /** Chosen by the user. @type {number|null} */
    this.speed = null;
    this.isPlaying = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.toggle = h("button", {
      type: "button",
      class: "main",
      click: () => this.play(!this.isPlaying),
    });
    this.slider = h("input", {
      type: "range",
      min: "0",
      step: String(STEP_MS),
      "aria-label": "Moment of the replay",
      input: () => this.#scrub(Number(this.slider.value)),
    });
    this.marks = h("div", { class: "marks", "aria-hidden": "true" });
    this.clock = h("span", { class: "clock" });
    this.select = h("select", { "aria-label": "Speed", change: () => this.#setSpeed() });
    this.along = h(
      "button",
      {
        type: "button",
        "aria-pressed": "false",
        title: "The image moves as it did for the person",
        click: () => {
          const isAlong = this.along.getAttribute("aria-pressed") !== "true";
          this.along.setAttribute("aria-pressed", String(isAlong));
          onAlong(isAlong);
        },
      },
      "Go along",
    );
    this.element = h(
      "div",
      {
        class: "umnist-replay-bar",
        role: "group",
        "aria-label": "Replay",
        keydown: (event) => this.#key(event),
      },
      this.toggle,
      this.#step("previous", "Previous moment", -1),
      this.#step("next", "Next moment", 1),
      h("div", { class: "line" }, this.slider, this.marks),
      this.clock,
      this.select,
      this.along,
    );
    styleSheet("replay/bar.css", this.element).loaded.catch(() => undefined);
    this.#drawToggle();
  }

  /**
   * @param {number} duration ms
   * @param {Moment[]} moments
   * @param {number} t Where to begin.
   */
  show(duration, moments, t) {
    this.play(false);
    Object.assign(this, { duration, moments });
    this.slider.max = String(Math.max(duration, 1));
    this.marks.replaceChildren(...moments.map((one) => markOf(one, duration)));
    fillSelect(
      this.select,
      SPEEDS.map((one) => [String(one), `${one}×`]),
      String(this.speed ?? usualSpeed(duration)),
    );
    this.seek(t);
  }

  /** @param {number} t */
  seek(t) {
    this.t = Math.min(Math.max(t, 0), this.duration);
    this.slider.value = String(this.t);
    const said = `${clockText(this.t)} of ${clockText(this.duration)}`;
    this.slider.setAttribute("aria-valuetext", said);
    this.clock.textContent = `${clockText(this.t)} / ${clockText(this.duration)}`;
    this.onTime(this.t);
    clearTimeout(this.resting);
    if (!this.isPlaying) this.resting = setTimeout(() => this.onRest(this.t), 300);
  }

  /** @param {boolean} isPlaying From the beginning where it is at the end. */
  play(isPlaying) {
    if (isPlaying === this.isPlaying) return;
    this.isPlaying = isPlaying;
    this.#drawToggle();
    cancelAnimationFrame(this.frame ?? 0);
    if (!isPlaying) return this.seek(this.t);
    if (this.t >= this.duration) this.seek(0);
    let before = performance.now();
    const draw = (now) => {
      const passed = now - before;
      if (!this.still.matches || passed >= STILL_STEP_MS) {
        before = now;
        this.seek(this.t + passed * Number(this.select.value));
      }
      if (this.t >= this.duration) this.play(false);
      else this.frame = requestAnimationFrame(draw);
    };
    this.frame = requestAnimationFrame(draw);
  }

  close() {
    cancelAnimationFrame(this.frame ?? 0);
    clearTimeout(this.resting);
    this.isPlaying = false;
    this.element.remove();
  }

  /**
   * @param {"previous"|"next"} picture
   * @param {string} name
   * @param {1|-1} direction
   */
  #step(picture, name, direction) {
    const click = () => this.#scrub(nextMoment(this.moments, this.t, direction));
    return h("button", { type: "button", "aria-label": name, title: name, click }, icon(picture));
  }

  #setSpeed() {
    this.speed = Number(this.select.value);
  }

  /** @param {number} t Chosen by hand, which ends the playing. */
  #scrub(t) {
    this.play(false);
    this.seek(t);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== " " || event.target !== this.slider) return;
    event.preventDefault();
    this.play(!this.isPlaying);
  }

  #drawToggle() {
    const name = this.isPlaying ? "Pause" : "Play";
    this.toggle.setAttribute("aria-label", name);
    this.toggle.replaceChildren(icon(this.isPlaying ? "stop" : "play"), h("span", {}, name));
  }
}

/**
 * @param {Moment} moment
 * @param {number} duration
 */
function markOf({ at_ms, kind }, duration) {
  const share = duration > 0 ? at_ms / duration : 0;
  return h("span", { class: `mark ${kind}`, style: `--at: ${share}` });
}
