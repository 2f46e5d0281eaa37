/**
 * The viewer's own files that are no modules: style sheets, and OpenSeadragon.
 *
 * Where the viewer is one file, `one_file/files.js` stands in for this one.
 */

import { h } from "./dom.js";
import { word } from "./words.js";

const NO_CODE = "The viewer's code was not found: install umnist again, then reload this page.";

/** @type {Promise<any>|null} */
let loading = null;

/**
 * Load a style sheet of the viewer's files into an element or a shadow root.
 *
 * @param {string} name
 * @param {Node} parent
 * @returns {{element: HTMLElement, loaded: Promise<void>}}
 */
export function styleSheet(name, parent) {
  const element = h("link", {
    rel: "stylesheet",
    href: new URL(`../${name}`, import.meta.url).href,
  });
  /** @type {Promise<void>} */
  const loaded = new Promise((resolve, reject) => {
    element.addEventListener("load", () => resolve());
    element.addEventListener("error", () => reject(new Error(`${name} did not load.`)));
  });
  parent.appendChild(element);
  return { element, loaded };
}

/** @returns {Promise<any>} The OpenSeadragon namespace. */
export function loadEngine() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/openseadragon.min.js", import.meta.url).href;
    script.addEventListener("load", () => resolve(/** @type {any} */ (globalThis).OpenSeadragon));
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      reject(new Error(word("viewer.no_code", NO_CODE)));
    });
    document.head.append(script);
  });
  return loading;
}
