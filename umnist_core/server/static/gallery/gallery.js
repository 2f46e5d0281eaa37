/**
 * Examples that show what each model can do and cannot: a small picture and a sentence, and a link
 * that opens the image with the model running.
 *
 * @typedef {{model: string, kind: string, verdict: string, text: string, url: string,
 *            query: string}} Example `kind`: "right", "wrong", "partly" or "warned".
 * @typedef {{examples: Example[], note: string}} GalleryData
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { atHome } from "../hall/home.js";

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
function draw(root, { examples, note }) {
  const groups = Map.groupBy(examples, ({ model }) => model);
  root.replaceChildren(
    ...(note ? [h("p", { class: "note" }, note)] : []),
    ...[...groups].flatMap(([model, ones]) => [
      h("h3", {}, model),
      h("ul", {}, ...ones.map((one) => h("li", {}, card(one)))),
    ]),
  );
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
