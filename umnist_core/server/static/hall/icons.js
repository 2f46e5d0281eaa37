/** The toolbar's pictures: strokes on a 20 x 20 grid. */

import { s } from "./dom.js";

const PATHS = {
  previous: "M12.5 4.5 7 10l5.5 5.5",
  next: "M7.5 4.5 13 10l-5.5 5.5",
  random:
    "M3 6h2.5c3.5 0 5 8 8.5 8h2.5M3 14h2.5c1.2 0 2.2-1 3-2.2M11 8.2c.8-1.2 1.8-2.2 3-2.2h2.5" +
    "M14.5 3.8 16.8 6l-2.3 2.2M14.5 11.8 16.8 14l-2.3 2.2",
  zoomOut: "M4.5 10h11",
  zoomIn: "M4.5 10h11M10 4.5v11",
  whole: "M3.5 3.5h13v13h-13zM7 9V7h2M11 7h2v2M13 11v2h-2M9 13H7v-2",
  range:
    "M2 10h2M9 10h2M16 10h2M4 10a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0" +
    "M11 10a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0",
  fullScreen: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4",
  link:
    "M8.5 11.5a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-1 1M11.5 8.5a3 3 0 0 0-4.3 0l-3 3" +
    "a3 3 0 0 0 4.3 4.3l1-1",
  undo: "M7.5 4 3.5 8l4 4M3.5 8h8a4.5 4.5 0 0 1 0 9H9",
  redo: "M12.5 4 16.5 8l-4 4M16.5 8h-8a4.5 4.5 0 0 0 0 9H11",
  measure: "M3 13 13 3l4 4L7 17zM6.5 9.5 8 11M9 7l2.5 2.5M11.5 4.5 13 6",
  save: "M10 3v9M6.5 8.5 10 12l3.5-3.5M4 13.5v3h12v-3",
  play: "M6 4l10 6-10 6z",
  stop: "M5 5h10v10H5z",
  help: "M7.2 7.5a2.8 2.8 0 1 1 4 2.6c-.8.4-1.2 1-1.2 2M10 14.9v.200",
};

/**
 * @param {keyof typeof PATHS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, path(name));
}

/** @param {keyof typeof PATHS} name */
function path(name) {
  return s("path", { d: PATHS[name] });
}
