/** Back to the site that somebody came from: a button, and by itself after a while. */

import { h } from "../hall/dom.js";
import { t } from "../hall/words.js";

/**
 * @typedef {{to: string, site: string, countdown_s: number}} Leave
 * @typedef {{element: HTMLElement, action: import("./screens.js").Action, stop: () => void}} Leaving
 */

/**
 * @param {Leave} leave
 * @param {string} study
 * @param {() => boolean} mayGo Whether nothing waits to be sent; it is waited for.
 * @returns {Leaving} What is shown, the button, and what ends the countdown.
 */
export function leaving({ to, site, countdown_s: seconds }, study, mayGo) {
  const go = () => {
    stop();
    location.assign(to);
  };
  const said = h("span", { role: "timer" });
  const stay = h("button", { type: "button", class: "plain-button" }, t("leave.stay"));
  const element = h("div", { class: "leave" }, said, stay);
  let left = seconds;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  let timer;
  const draw = () => {
    said.textContent = t("leave.countdown", { site, seconds: left });
  };
  function stop() {
    clearInterval(timer);
    element.hidden = true;
  }
  stay.addEventListener("click", () => {
    stop();
    const main = document.querySelector("button.primary");
    if (main instanceof HTMLElement) main.focus();
  });
  // Whoever comes back to read their code is not sent away again.
  if (seconds > 0 && isFirst(study)) {
    draw();
    timer = setInterval(() => {
      if (left > 1) left -= 1;
      else if (mayGo()) go();
      draw();
    }, 1000);
  } else element.hidden = true;
  return { element, action: { text: t("leave.back", { site }), click: go, isMain: true }, stop };
}

/** @param {string} study */
function isFirst(study) {
  const name = `umnist_left_${study}`;
  try {
    if (sessionStorage.getItem(name)) return false;
    sessionStorage.setItem(name, "1");
    return true;
  } catch {
    return false;
  }
}
