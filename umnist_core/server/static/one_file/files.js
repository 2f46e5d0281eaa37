/** `hall/files.js` where the viewer is one file: what it would load is in that file. */

import OpenSeadragon from "openseadragon";
import { h } from "../hall/dom.js";
import controls from "../hall/controls.css";
import heat from "../heat/heat.css";
import lab from "../lab/lab.css";
import notebook from "../notebook/notebook.css";
import answers from "../viewer/answers.css";
import help from "../viewer/help.css";
import overlays from "../viewer/overlays.css";
import readout from "../viewer/readout.css";
import viewer from "../viewer/viewer.css";
import wipe from "../viewer/wipe.css";
import page from "../one_file/page.css";
import watch from "../watch/watch.css";
import why from "../watch/why.css";

const IMPORTED = /@import[^;]*;/g;

/** @type {Record<string, string>} */
const SHEETS = {
  "heat/heat.css": heat,
  "lab/lab.css": controls + lab.replace(IMPORTED, ""),
  "notebook/notebook.css": notebook,
  "one_file/page.css": page,
  "viewer/answers.css": answers,
  "viewer/help.css": help,
  "viewer/overlays.css": overlays,
  "viewer/readout.css": readout,
  "viewer/viewer.css": viewer,
  "viewer/wipe.css": wipe,
  "watch/watch.css": controls + why + watch.replace(IMPORTED, ""),
};

/**
 * @param {string} name
 * @param {Node} parent
 * @returns {{element: HTMLElement, loaded: Promise<void>}}
 */
export function styleSheet(name, parent) {
  const element = h("style", {}, SHEETS[name]);
  parent.appendChild(element);
  return { element, loaded: Promise.resolve() };
}

/** @returns {Promise<any>} The OpenSeadragon namespace. */
export function loadEngine() {
  return Promise.resolve(OpenSeadragon);
}
