/**
 * Arithmetic of boxes; no DOM.
 *
 * Boxes are in px of the image, to a tenth, within it, and at least a px wide and high.
 *
 * @typedef {{x: number, y: number}} Point
 * @typedef {{x: number, y: number, width: number, height: number}} Shape
 * @typedef {import("../hall/view.js").Size} Size
 * @typedef {"nw"|"n"|"ne"|"e"|"se"|"s"|"sw"|"w"} Handle
 */

export const LEAST_SIDE = 1;

/** Sides shorter than this on screen have no handle in the middle, CSS px. */
const LEAST_BETWEEN_PX = 72;

/** Handles stand so far outside of boxes that are no larger, CSS px, and leave the digit free. */
const SMALL_PX = 40;
const OUTSIDE_PX = 12;

/** @param {number} value */
export function tenth(value) {
  return Math.round(value * 10) / 10;
}

/**
 * The box between two corners, as much of it as lies within the image.
 *
 * @param {Point} from
 * @param {Point} to
 * @param {Size} image
 * @returns {Shape}
 */
export function boxBetween(from, to, image) {
  const across = span(from.x, to.x, image.width);
  const down = span(from.y, to.y, image.height);
  return { x: across.start, y: down.start, width: across.length, height: down.length };
}

/**
 * @param {number} one
 * @param {number} other
 * @param {number} most Length of the image.
 */
function span(one, other, most) {
  /** @type {(value: number) => number} */
  const within = (value) => tenth(Math.min(Math.max(value, 0), most));
  const [low, high] = [within(Math.min(one, other)), within(Math.max(one, other))];
  const length = Math.max(tenth(high - low), LEAST_SIDE);
  return { start: Math.max(0, tenth(Math.min(low, most - length))), length };
}

/**
 * A box that has moved as far as the image lets it.
 *
 * @param {Shape} box
 * @param {Point} by
 * @param {Size} image
 * @returns {Shape}
 */
export function movedBox({ x, y, width, height }, by, image) {
  /** @type {(value: number, most: number) => number} */
  const within = (value, most) => Math.max(0, tenth(Math.min(value, most)));
  return {
    x: within(x + by.x, image.width - width),
    y: within(y + by.y, image.height - height),
    width,
    height,
  };
}

/**
 * A box one of whose corners or sides is somewhere else; past the opposite one it turns over.
 *
 * @param {Shape} box
 * @param {Handle} handle
 * @param {Point} to
 * @param {Size} image
 * @returns {Shape}
 */
export function pulledBox(box, handle, to, image) {
  const [from, end] = [
    { x: box.x, y: box.y },
    { x: box.x + box.width, y: box.y + box.height },
  ];
  if (handle.includes("w")) from.x = to.x;
  if (handle.includes("e")) end.x = to.x;
  if (handle.includes("n")) from.y = to.y;
  if (handle.includes("s")) end.y = to.y;
  return boxBetween(from, end, image);
}

/**
 * A box that is wider or higher by so much, at its right and lower side.
 *
 * @param {Shape} box
 * @param {Point} by
 * @param {Size} image
 * @returns {Shape}
 */
export function grownBox({ x, y, width, height }, by, image) {
  /** @type {(value: number, most: number) => number} */
  const within = (value, most) => tenth(Math.max(LEAST_SIDE, Math.min(value, most)));
  return {
    x,
    y,
    width: within(width + by.x, image.width - x),
    height: within(height + by.y, image.height - y),
  };
}

/**
 * Where a box on screen is taken hold of, CSS px.
 *
 * @param {Shape} shown
 * @returns {{handle: Handle, x: number, y: number}[]}
 */
export function handlesOf({ x, y, width, height }) {
  const [outX, outY] = [width, height].map((side) => (side < SMALL_PX ? OUTSIDE_PX : 0));
  const [left, right, top, low] = [x - outX, x + width + outX, y - outY, y + height + outY];
  /** @type {{handle: Handle, x: number, y: number}[]} */
  const corners = [
    { handle: "nw", x: left, y: top },
    { handle: "ne", x: right, y: top },
    { handle: "se", x: right, y: low },
    { handle: "sw", x: left, y: low },
  ];
  /** @type {{handle: Handle, x: number, y: number}[]} */
  const across = [
    { handle: "n", x: x + width / 2, y: top },
    { handle: "s", x: x + width / 2, y: low },
  ];
  /** @type {{handle: Handle, x: number, y: number}[]} */
  const down = [
    { handle: "e", x: right, y: y + height / 2 },
    { handle: "w", x: left, y: y + height / 2 },
  ];
  return [
    ...corners,
    ...(right - left < LEAST_BETWEEN_PX ? [] : across),
    ...(low - top < LEAST_BETWEEN_PX ? [] : down),
  ];
}

/**
 * @param {Shape} shown
 * @param {Point} point
 * @param {number} [slack]
 */
export function holds({ x, y, width, height }, point, slack = 0) {
  return (
    point.x >= x - slack &&
    point.y >= y - slack &&
    point.x <= x + width + slack &&
    point.y <= y + height + slack
  );
}
