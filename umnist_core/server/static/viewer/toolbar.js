/** The row of buttons above the image. */

import { copied } from "../hall/clipboard.js";
import { h } from "../hall/dom.js";
import { icon } from "../hall/icons.js";
import { word } from "../hall/words.js";

/**
 * @param {import("./keyboard.js").Actions} actions
 * @param {boolean} [plain] Zoom alone, with the keys of a plain viewer.
 * @param {boolean} [isLinked] Whether the address is a link to what is shown.
 * @returns {HTMLElement}
 */
export function makeToolbar(actions, plain = false, isLinked = false) {
  const { navigate } = actions;
  const groups = [
    navigate && [
      button("Previous sample", "P", icon("previous"), () => navigate("previous")),
      button("Random sample", "X", icon("random"), () => navigate("random")),
      button("Next sample", "N", icon("next"), () => navigate("next")),
    ],
    [
      button(word("viewer.zoom_out", "Zoom out"), "−", icon("zoomOut"), () => actions.zoom(-1)),
      button(word("viewer.zoom_in", "Zoom in"), "+", icon("zoomIn"), () => actions.zoom(1)),
      button(word("viewer.whole", "Whole image"), plain ? "W" : "0", icon("whole"), () =>
        actions.whole(),
      ),
      button(
        word("viewer.one_to_one", "One to one"),
        plain ? null : "1",
        "1:1",
        () => actions.ratio(1),
        isLinked ? "needs-room" : "",
      ),
    ],
    !plain &&
      [
        menuButton(
          "Measure",
          icon("measure"),
          [
            ["Distance", "M", () => actions.measure("distance")],
            ["Box", "B", () => actions.measure("box")],
          ],
          "needs-room",
        ),
        menuButton("Save what is seen", icon("save"), [
          ["As PNG", null, () => actions.save("png")],
          ["As SVG", null, () => actions.save("svg")],
        ]),
        isLinked && linkButton(),
        document.fullscreenEnabled &&
          button("Full screen", "F", icon("fullScreen"), () => actions.fullScreen()),
        button("Keys", "?", icon("help"), () => actions.help(), "needs-keys"),
      ].filter(Boolean),
  ].filter(Boolean);
  return h(
    "div",
    { class: "toolbar", role: "group", "aria-label": word("viewer.tools", "Image") },
    ...groups.map((buttons) => h("div", { class: "group" }, ...buttons)),
  );
}

const SAID_MS = 2500;

/** A button that copies the address, and says so where its name stands. */
function linkButton() {
  const name = "Copy link";
  const element = button(name, null, icon("link"), async () => {
    const tip = /** @type {HTMLElement} */ (element.querySelector(".tip"));
    tip.textContent = (await copied(location.href)) ? "Copied" : "Not copied: take the address";
    element.setAttribute("aria-label", tip.textContent);
    element.classList.add("said");
    setTimeout(() => {
      tip.textContent = name;
      element.setAttribute("aria-label", name);
      element.classList.remove("said");
    }, SAID_MS);
  });
  element.setAttribute("aria-live", "polite");
  return element;
}

/**
 * A button that opens a few others below itself.
 *
 * @param {string} name
 * @param {Node} face
 * @param {[string, string|null, () => void][]} items Name, key and what it does.
 * @param {string} [extra] A class.
 * @returns {HTMLElement}
 */
function menuButton(name, face, items, extra = "") {
  const menu = h("div", { class: "menu", popover: "auto", role: "group", "aria-label": name });
  for (const [title, key, act] of items) {
    const click = () => {
      menu.hidePopover();
      act();
    };
    const caps = key === null ? [] : [h("kbd", { "aria-hidden": "true" }, key)];
    menu.append(h("button", { type: "button", click }, title, ...caps));
  }
  const opener = button(name, null, face, () => {
    const { left, bottom, width } = opener.getBoundingClientRect();
    menu.togglePopover();
    const right = Math.max(document.documentElement.clientWidth - left - width, 0);
    Object.assign(menu.style, { top: `${bottom + 4}px`, right: `${right}px`, left: "auto" });
    if (menu.matches(":popover-open")) menu.querySelector("button")?.focus();
  });
  opener.setAttribute("aria-haspopup", "true");
  opener.setAttribute("aria-expanded", "false");
  menu.addEventListener("toggle", (event) => {
    opener.setAttribute("aria-expanded", String(event.newState === "open"));
  });
  return h("div", { class: `opener ${extra}` }, opener, menu);
}

function button(name, key, face, click, extra = "") {
  const caps = key === null ? [] : [h("kbd", {}, key)];
  const tip = h("span", { class: "tip", "aria-hidden": "true" }, name, ...caps);
  return h("button", { type: "button", class: extra, "aria-label": name, click }, face, tip);
}
