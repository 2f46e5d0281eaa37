/**
 * A contact sheet: small pictures of a setting's samples, each of which opens its sample.
 *
 * @typedef {{index: number, url: string}} SheetSample
 * @typedef {object} SheetData
 * @property {SheetSample[]} samples
 * @property {number} current Index of the sample in the viewer.
 *
 * @typedef {{onOpen: (index: number) => void}} SheetCallbacks
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { atHome } from "../hall/home.js";

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {SheetData} data
 * @param {SheetCallbacks} callbacks
 * @returns {{update: (data: SheetData) => void, destroy: () => void}}
 */
export function mountSheet(parentElement, data, callbacks) {
  const root = h("div", { class: "umnist-sheet", role: "group", "aria-label": "Contact sheet" });
  const styles = styleSheet("lab/sheet.css", parentElement);
  styles.loaded.catch(() => undefined); // it works without looking like itself
  parentElement.append(root);
  const update = (next) => draw(root, next, callbacks);
  update(data);
  const destroy = () => {
    root.remove();
    styles.element.remove();
  };
  return { update, destroy };
}

function draw(root, { samples, current }, { onOpen }) {
  samples.forEach(({ index, url }, place) => {
    const card = root.children[place] ?? root.appendChild(makeCard(onOpen));
    card.dataset.index = String(index);
    card.setAttribute("aria-label", `Open index ${index}`);
    card.setAttribute("aria-current", String(index === current));
    card.querySelector(".index").textContent = String(index);
    const image = card.querySelector("img");
    // The old picture stays until the new one is there, as in the viewer.
    if (image.src !== atHome(url)) image.src = atHome(url);
  });
  while (root.children.length > samples.length) root.lastElementChild.remove();
}

function makeCard(onOpen) {
  // A setting without an image (its digits find no place) is told of in the viewer.
  const none = h("span", { class: "none", hidden: "" }, "No image");
  const show = (isThere) => {
    none.hidden = isThere;
    image.classList.toggle("missing", !isThere);
  };
  const image = h("img", {
    alt: "",
    loading: "lazy",
    decoding: "async",
    load: () => show(true),
    error: () => show(false),
  });
  const card = h(
    "button",
    { type: "button", click: () => onOpen(Number(card.dataset.index)) },
    image,
    none,
    h("span", { class: "index" }),
  );
  return card;
}
