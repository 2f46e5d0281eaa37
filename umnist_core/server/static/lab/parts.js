/** Pieces of the Noise lab's controls: buttons, and a field for a seed. */

import { h } from "../hall/dom.js";

/** `MAX_SEED` in `umnist_core/seeds.py`. */
const MOST_SEED = Number.MAX_SAFE_INTEGER;

export function button(text, title, click) {
  return h("button", { type: "button", title: title || false, click }, text);
}

/** Buttons of which one is pressed. */
export function segments(label, choices, choose) {
  const buttons = Object.entries(choices).map(([value, text]) =>
    h("button", { type: "button", "data-value": value, click: () => choose(value) }, text),
  );
  const element = h("div", { class: "segments", role: "group", "aria-label": label }, ...buttons);
  const show = (value) => {
    for (const one of buttons)
      one.setAttribute("aria-pressed", String(one.dataset.value === value));
  };
  return { element, show };
}

/** A whole number of 0 or more; with `empty`, also none, and what is said instead. */
export function numberField(label, empty, refusal, change) {
  const input = h("input", {
    type: "number",
    min: 0,
    max: MOST_SEED,
    step: 1,
    placeholder: empty,
    required: empty === null,
  });
  input.addEventListener("change", () => {
    if (!input.checkValidity()) {
      refusal.refuse(input, `${label} is a whole number from 0 to ${MOST_SEED}`);
      return;
    }
    refusal.clear();
    change(input.value === "" ? null : Number(input.value));
  });
  const show = (value) => (input.value = value === null ? "" : String(value));
  return { element: h("label", {}, h("span", { class: "name" }, label), input), show };
}
