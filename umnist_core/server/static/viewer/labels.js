/**
 * Where the digits' labels go, so that none covers another.
 *
 * @typedef {{x: number, y: number, width: number, height: number}} Rect CSS px
 * @typedef {{x: number, y: number, away: boolean, isCrowded: boolean}} LabelPlace Top left of a
 *   label; `away` from its box; `isCrowded` where it covers something for want of room
 */

const GAP_PX = 4;

/** A box up to this size is kept free of other digits' labels; a larger one would leave no room. */
const SMALL_PX = 48;

/** How far a label may go from its box in search of room, in label heights. */
const REACH = 6;

/**
 * Place labels greedily: against their boxes if there is room, else further out.
 *
 * @param {{box: Rect, width: number, height: number}[]} labels
 * @param {import("../hall/view.js").Size} pane
 * @returns {LabelPlace[]} In the order of `labels`.
 */
export function placeLabels(labels, pane) {
  /** @type {Rect[]} */
  const taken = [];
  const small = labels.filter(({ box }) => Math.max(box.width, box.height) <= SMALL_PX);
  return labels.map((label) => {
    const others = small.filter((other) => other !== label).map(({ box }) => box);
    const place = firstFree(label, [...taken, ...others], pane);
    taken.push({ ...place, width: label.width, height: label.height });
    return place;
  });
}

function firstFree(label, taken, pane) {
  let fallback = null;
  for (let step = 0; step <= REACH; step += 1) {
    for (const candidate of candidates(label, step)) {
      const place = inside(candidate, label, pane);
      fallback ??= place;
      if (!taken.some((other) => overlaps({ ...place, ...sizeOf(label) }, other))) {
        return { ...place, away: step > 0, isCrowded: false };
      }
    }
  }
  return { ...fallback, away: false, isCrowded: true };
}

function candidates({ box, width, height }, step) {
  const out = GAP_PX + step * height;
  const [left, right] = [box.x - out - width, box.x + box.width + out];
  const [above, below] = [box.y - out - height, box.y + box.height + out];
  return [
    { x: box.x, y: above },
    { x: box.x, y: below },
    { x: right, y: box.y },
    { x: left, y: box.y },
  ];
}

function inside({ x, y }, { width, height }, pane) {
  return {
    x: Math.min(Math.max(x, GAP_PX), Math.max(pane.width - width - GAP_PX, GAP_PX)),
    y: Math.min(Math.max(y, GAP_PX), Math.max(pane.height - height - GAP_PX, GAP_PX)),
  };
}

function sizeOf({ width, height }) {
  return { width, height };
}

function overlaps(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
