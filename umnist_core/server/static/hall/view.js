/**
 * Arithmetic of views; no DOM.
 *
 * A view is the point of the canvas in the middle of a pane, in image px, and the
 * zoom in CSS px per image px. A size is a pane's, in CSS px.
 *
 * @typedef {{x: number, y: number, zoom: number}} View
 * @typedef {{width: number, height: number}} Size
 */

/** Largest zoom: 64 screen pixels for one pixel of the image. */
export const MAX_RATIO = 64;

/** Surround that stays visible beside the whole image, CSS px. */
const MARGIN_PX = 10;

/** No usual screen needs more: 1.25 screen pixels per CSS px need 3, 1.1 need 9. */
const LONGEST_TRIM_PX = 20;

/** Two zooms closer than this, relatively, are the same zoom. */
const SAME = 1e-6;

/** @returns {number} Screen pixels per CSS px. */
export function density() {
  return globalThis.devicePixelRatio || 1;
}

/** @returns {number} Screen pixels per pixel of a level below which the next coarser is drawn. */
export function minPixelRatio() {
  return 0.6 / density();
}

/**
 * The level that a whole image is drawn from.
 *
 * @param {{width: number, maxLevel: number}} source
 * @param {number} drawnPx Width of the image on the page, CSS px.
 * @returns {number}
 */
export function levelOf({ width, maxLevel }, drawnPx) {
  const level = maxLevel - Math.ceil(Math.log2((width * minPixelRatio()) / drawnPx));
  return Math.min(Math.max(level, 0), maxLevel);
}

/**
 * The zoom that shows one image pixel as `ratio` CSS px, rounded to whole screen
 * pixels: on a screen with 1.25 pixels per CSS px, 1:1 is one screen pixel, for
 * anything else would blur or widen some pixels and not others.
 *
 * @param {number} ratio 1, 2, 4 ... or 1/2, 1/4 ...
 * @returns {number}
 */
export function exactZoom(ratio) {
  const screen = ratio * density();
  return (screen >= 1 ? Math.round(screen) : 1 / Math.round(1 / screen)) / density();
}

/**
 * The longest length up to `length` that is whole both in CSS px and in screen pixels,
 * so that a canvas of that length is shown as it is and not resampled.
 *
 * @param {number} length CSS px
 * @returns {number}
 */
export function exactLength(length) {
  for (let shorter = length; shorter > length - LONGEST_TRIM_PX; shorter -= 1) {
    const screen = shorter * density();
    if (Math.abs(screen - Math.round(screen)) < SAME * screen) return shorter;
  }
  return length;
}

/**
 * The zoom that shows the whole image.
 *
 * @param {Size} image
 * @param {Size} pane
 * @returns {number}
 */
export function wholeZoom(image, pane) {
  const width = Math.max(pane.width - 2 * MARGIN_PX, 1);
  const height = Math.max(pane.height - 2 * MARGIN_PX, 1);
  return Math.min(width / image.width, height / image.height, MAX_RATIO);
}

/**
 * The view of the whole image.
 *
 * @param {Size} image
 * @param {Size} pane
 * @returns {View}
 */
export function wholeView(image, pane) {
  return { x: image.width / 2, y: image.height / 2, zoom: wholeZoom(image, pane) };
}

/**
 * @param {Size} one
 * @param {Size} other
 * @returns {boolean}
 */
export function sameSize(one, other) {
  return one.width === other.width && one.height === other.height;
}

/**
 * The next zoom up or down a ladder of powers of two, whose every step can be drawn
 * pixel for pixel.
 *
 * @param {number} zoom
 * @param {number} direction 1 or -1
 * @param {number} smallest
 * @returns {number}
 */
export function nextZoom(zoom, direction, smallest) {
  const steps = [smallest];
  for (let ratio = 2 ** -20; ratio <= MAX_RATIO; ratio *= 2) {
    const step = exactZoom(ratio);
    if (step > smallest * (1 + SAME)) steps.push(step);
  }
  const beyond =
    direction > 0
      ? steps.filter((step) => step > zoom * (1 + SAME))
      : steps.reverse().filter((step) => step < zoom * (1 - SAME));
  return beyond[0] ?? zoom;
}

/**
 * Move a view by less than a screen pixel, so that image pixels begin on screen
 * pixels. Only where the zoom is a whole number of either per the other.
 *
 * @param {View} view
 * @param {Size} pane
 * @returns {View}
 */
export function alignedView(view, pane) {
  const screen = view.zoom * density();
  const whole = screen >= 1 ? screen : 1 / screen;
  if (Math.abs(whole - Math.round(whole)) > SAME * whole) return view;
  const zoom = (screen >= 1 ? Math.round(whole) : 1 / Math.round(whole)) / density();
  return {
    x: alignedCentre(view.x, pane.width, zoom),
    y: alignedCentre(view.y, pane.height, zoom),
    zoom,
  };
}

/**
 * @param {number} centre Image px.
 * @param {number} length Of the pane, CSS px.
 * @param {number} zoom
 */
function alignedCentre(centre, length, zoom) {
  const startPx = centre * zoom - length / 2;
  return (Math.round(startPx * density()) / density() + length / 2) / zoom;
}

/**
 * Keep the middle of the pane on the image and the zoom within its limits.
 *
 * @param {View} view
 * @param {Size} image
 * @param {Size} pane
 * @returns {View}
 */
export function clampedView(view, image, pane) {
  /** @type {(value: number, low: number, high: number) => number} */
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  return {
    x: clamp(view.x, 0, image.width),
    y: clamp(view.y, 0, image.height),
    zoom: clamp(view.zoom, wholeZoom(image, pane), exactZoom(MAX_RATIO)),
  };
}

/**
 * The view after a step of a pinch: what was between the fingers is between them still.
 *
 * @param {View} view
 * @param {{from: {x: number, y: number}, to: {x: number, y: number}, ratio: number}} pinch
 *   The point between the fingers before and after, CSS px in the pane, and how much further
 *   apart they are.
 * @param {Size} image
 * @param {Size} pane
 * @returns {View}
 */
export function pinchedView(view, { from, to, ratio }, image, pane) {
  const { zoom } = clampedView({ ...view, zoom: view.zoom * ratio }, image, pane);
  /** @type {(axis: "x"|"y", length: number) => number} */
  const moved = (axis, length) =>
    view[axis] + (from[axis] - length / 2) / view.zoom - (to[axis] - length / 2) / zoom;
  return clampedView({ x: moved("x", pane.width), y: moved("y", pane.height), zoom }, image, pane);
}

/**
 * The view that shows a box with room around it, at a zoom that is drawn pixel for
 * pixel where the box is small enough to be enlarged.
 *
 * @param {number[]} box x, y, width, height in image px
 * @param {Size} pane
 * @param {number} [share] Of the pane that the box takes, at most.
 * @returns {View}
 */
export function viewOfBox([x, y, width, height], pane, share = 0.5) {
  const fitting = share * Math.min(pane.width / width, pane.height / height);
  const zoom = fitting < 1 ? fitting : exactZoom(Math.min(2 ** Math.floor(Math.log2(fitting)), 16));
  return { x: x + width / 2, y: y + height / 2, zoom };
}

/**
 * Whether two views put every pixel within a hundredth of a pixel of each other.
 *
 * @param {View|null} a
 * @param {View|null} b
 * @returns {boolean}
 */
export function sameView(a, b) {
  if (!a || !b) return a === b;
  const nearPx = 0.01 / b.zoom;
  return (
    Math.abs(a.zoom / b.zoom - 1) < SAME &&
    Math.abs(a.x - b.x) < nearPx &&
    Math.abs(a.y - b.y) < nearPx
  );
}

/**
 * A zoom as people say it: "4:1" where it is whole, else "25 %".
 *
 * @param {number} zoom
 * @returns {string}
 */
export function zoomText(zoom) {
  const ratio = Math.round(zoom);
  if (ratio >= 1 && Math.abs(zoom - exactZoom(ratio)) < SAME * zoom) return `${ratio}:1`;
  const percent = 100 * zoom;
  return `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/**
 * What stands in the places of a sentence that says what is in view.
 *
 * @param {View} view
 * @returns {{zoom: string, x: string, y: string}}
 */
export function placeValues({ x, y, zoom }) {
  return { zoom: zoomText(zoom), x: String(Math.round(x)), y: String(Math.round(y)) };
}

/**
 * The longest of 1, 2, 5, 10, 20 ... image px that is at most `maxPx` CSS px long.
 *
 * @param {number} zoom
 * @param {number} maxPx
 * @returns {number}
 */
export function roundLength(zoom, maxPx) {
  const longest = Math.max(maxPx / zoom, 1);
  const ten = 10 ** Math.floor(Math.log10(longest));
  return ten * ([5, 2].find((digit) => digit * ten <= longest * (1 + SAME)) ?? 1);
}
