/**
 * Examples that show what each model can do and cannot: a small picture and a sentence, and a link
 * that opens the image with the model running.
 *
 * @typedef {{model: string, kind: string, verdict: string, text: string, url: string,
 *            query: string}} Example `kind`: "right", "wrong", "partly" or "warned".
 * @typedef {{examples: Example[], note: string, misses: Record<string, number>}} GalleryData
 *   `misses`: how many each model's card lists, of models whose card lists some.
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { atHome } from "../hall/home.js";

/** So many images are on a sheet. */
const SHEET = 20;

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {GalleryData} data
 * @returns {{update: (data: GalleryData) => void, destroy: () => void}}
 */
export function mountGallery(parentElement, data) {
  const root = h("section", { class: "umnist-controls umnist-gallery", "aria-label": "Gallery" });
  const styles = styleSheet("gallery/gallery.css", parentElement);
  styles.loaded.catch(() => undefined); // it works without looking like itself
  parentElement.append(root);
  let drawn = "";
  /** @param {GalleryData} next */
  const update = (next) => {
    const text = JSON.stringify(next);
    if (text === drawn) return; // links that have the focus keep it
    drawn = text;
    draw(root, next);
  };
  update(data);
  const destroy = () => {
    root.remove();
    styles.element.remove();
  };
  return { update, destroy };
}

/**
 * @param {HTMLElement} root
 * @param {GalleryData} data
 */
function draw(root, { examples, note, misses }) {
  const groups = Map.groupBy(examples, ({ model }) => model);
  root.replaceChildren(
    ...(note ? [h("p", { class: "note" }, note)] : []),
    ...[...groups].flatMap(([model, ones]) => [
      h("h3", {}, model),
      h("ul", {}, ...ones.map((one) => h("li", {}, card(one)))),
      ...(misses[model] ? [sheet(model, misses[model])] : []),
    ]),
  );
}

/**
 * Where a contact sheet of what a model missed is saved from.
 *
 * @param {string} model
 * @param {number} listed
 */
function sheet(model, listed) {
  const count = Math.min(listed, SHEET);
  const link = (suffix, title) => {
    const query = new URLSearchParams({ model, count: String(count) });
    const href = atHome(`/inference/misses.${suffix}?${query}`);
    return h("a", { class: "plain", href, download: "" }, title);
  };
  const words = count === 1 ? "A miss" : `${count} misses`;
  return h("p", {}, `${words} on one sheet: `, link("png", "PNG"), " · ", link("html", "HTML"));
}

/** @param {Example} example */
function card({ kind, verdict, text, url, query }) {
  return h(
    "a",
    { href: `?${query}`, target: "_self", "data-kind": kind },
    h("img", { src: atHome(url), alt: "", loading: "lazy", decoding: "async" }),
    h("span", { class: "words" }, h("span", { class: "verdict" }, verdict), text),
  );
}
