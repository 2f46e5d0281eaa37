/**
 * A curve of accuracy over one parameter, as SVG: on the page in its colours, or in a file's own.
 *
 * @typedef {object} PlotPoint
 * @property {string} value In its text form.
 * @property {number} share Where it lies on the axis, 0 to 1.
 * @property {number|null} accuracy 0 to 1; null while nothing was answered.
 * @property {number|null} low Ends of the interval.
 * @property {number|null} high
 * @property {number} right
 * @property {number} images
 * @property {number} notDrawn Scenes that cannot be.
 *
 * @typedef {{name: string, place: number, points: PlotPoint[]}} PlotCurve
 *   `place`: 0 to 2, which colour and mark it has.
 *
 * @typedef {object} PlotData
 * @property {PlotCurve[]} curves
 * @property {string} label Of the axis along which they run.
 * @property {number|null} now Where the slider is, 0 to 1.
 * @property {string} title
 *
 * @typedef {{ink: string, quiet: string, line: string, paper: string, curves: string[]}} Palette
 */

import { s } from "../hall/dom.js";

/** Room for the axes; the slider above begins and ends where the curves do. */
export const LEFT = 50;
export const RIGHT = 12;

const TOP = 10;
const FOOT = 44;
const LABEL_ROOM = 30;
const SIDE = 4;

/** Marks that lie at one value stand beside each other. */
const BESIDE = 7;

/** @type {Palette} As the page has them. */
export const ON_PAGE = {
  ink: "var(--ink)",
  quiet: "var(--quiet)",
  line: "var(--line)",
  paper: "var(--paper)",
  curves: ["var(--curve-a)", "var(--curve-b)", "var(--curve-c)"],
};

/** @type {Palette} Okabe and Ito's, darkened for paper. */
export const ON_PAPER = {
  ink: "#1f1f1f",
  quiet: "#595959",
  line: "#d5d8dc",
  paper: "#ffffff",
  curves: ["#0072b2", "#b34700", "#007a5a"],
};

/**
 * @param {PlotData} data
 * @param {{width: number, height: number, palette: Palette, isFile?: boolean}} how
 * @returns {SVGSVGElement} Its points are groups with `data-curve` and `data-value`.
 */
export function drawPlot(data, { width, height, palette, isFile = false }) {
  const names = isFile && data.curves.length ? 18 * data.curves.length + 6 : 0;
  const frame = { left: LEFT, right: width - RIGHT, top: TOP + names, foot: height - FOOT };
  const label = { role: isFile ? "img" : "group", "aria-label": data.title };
  const root = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, ...label });
  if (isFile) {
    root.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    root.setAttribute("font-family", "system-ui, sans-serif");
    root.append(s("title", {}, data.title));
    root.append(s("rect", { width, height, style: `fill: ${palette.paper}` }));
    root.append(...legend(data, palette));
  }
  root.append(
    ...rows(frame, palette),
    ...columns(data, frame, palette),
    ...axes(data, frame, palette),
  );
  if (data.now !== null && !isFile) root.append(nowLine(data.now, frame, palette));
  const beside = (data.curves.length - 1) / 2;
  data.curves.forEach((curve, at) => {
    root.append(curveParts(curve, frame, palette, (at - beside) * BESIDE));
  });
  return root;
}

/**
 * What a point says.
 *
 * @param {string} name Of the model.
 * @param {PlotPoint} point
 * @returns {string}
 */
export function pointText(name, { accuracy, low, high, right, images, notDrawn }) {
  const missing = notDrawn ? `; ${notDrawn} could not be drawn` : "";
  if (accuracy === null) return `${name}: no answer yet${missing}`;
  const range = `${percent(low)} to ${percent(high)}`;
  return `${name}: ${percent(accuracy)} % right (${range}), ${right} of ${images}${missing}`;
}

function percent(share) {
  return String(Math.round(100 * share));
}

function rows({ left, right, top, foot }, palette) {
  return [0, 25, 50, 75, 100].flatMap((tick) => {
    const y = foot - (tick / 100) * (foot - top);
    const line = { x1: left, x2: right, y1: y, y2: y, style: `stroke: ${palette.line}` };
    const at = { x: left - 14, y: y + 4, "text-anchor": "end", "font-size": 12 };
    return [s("line", line), s("text", { ...at, style: `fill: ${palette.quiet}` }, String(tick))];
  });
}

/** The values that were measured, as many as there is room for. */
function columns({ curves }, { left, right, foot }, palette) {
  const points = curves[0]?.points ?? [];
  let last = -Infinity;
  return points.flatMap(({ share, value }) => {
    const x = left + share * (right - left);
    const text = value.split("..")[0];
    const room = Math.max(LABEL_ROOM, 8 * text.length + 6);
    const line = { x1: x, x2: x, y1: foot, y2: foot + 4, style: `stroke: ${palette.quiet}` };
    if (x - last < room) return [s("line", line)];
    last = x;
    const at = { x, y: foot + 17, "text-anchor": "middle", "font-size": 12 };
    return [s("line", line), s("text", { ...at, style: `fill: ${palette.quiet}` }, text)];
  });
}

function axes({ label }, { left, right, top, foot }, palette) {
  const style = `fill: ${palette.ink}`;
  const middle = { "text-anchor": "middle", "font-size": 12.5, style };
  const height = (top + foot) / 2;
  const turned = { ...middle, transform: `translate(11 ${height}) rotate(-90)` };
  return [
    s("text", { ...middle, x: (left + right) / 2, y: foot + 36 }, label),
    s("text", turned, "Right, %"),
  ];
}

function nowLine(now, { left, right, top, foot }, palette) {
  const x = left + now * (right - left);
  const line = { x1: x, x2: x, y1: top, y2: foot, class: "now" };
  return s("line", { ...line, style: `stroke: ${palette.ink}`, "stroke-dasharray": "3 3" });
}

function curveParts({ name, place, points }, { left, right, top, foot }, palette, beside) {
  const colour = palette.curves[place];
  const y = (share) => foot - share * (foot - top);
  const x = ({ share }) => left + share * (right - left) + beside;
  const known = points
    .filter(({ accuracy, share }) => accuracy !== null && Number.isFinite(share))
    .sort((one, other) => one.share - other.share);
  const path = known.map((point) => `${x(point)},${y(point.accuracy)}`).join(" ");
  const line = s("polyline", { points: path, style: `fill: none; stroke: ${colour}` });
  line.setAttribute("stroke-width", "1.6");
  const marks = known.map((point) => {
    const at = x(point);
    const bar = { x1: at, x2: at, y1: y(point.low), y2: y(point.high) };
    const group = s(
      "g",
      { class: "point", "data-curve": name, "data-value": point.value },
      // What can be pointed at with a finger is wider than what is seen.
      s("rect", { ...room(at, y, point), class: "reach", style: "fill: transparent" }),
      s("line", { ...bar, style: `stroke: ${colour}`, "stroke-width": 1.4 }),
      mark(place, at, y(point.accuracy), `fill: ${colour}; stroke: ${palette.paper}`),
    );
    return group;
  });
  return s("g", { class: "curve" }, line, ...marks);
}

function room(at, y, { low, high }) {
  const top = y(high) - 8;
  return { x: at - 9, y: top, width: 18, height: y(low) + 8 - top };
}

/** Curves can be told apart without their colours. */
function mark(place, x, y, style) {
  if (place === 1) {
    const box = { x: x - SIDE, y: y - SIDE, width: 2 * SIDE, height: 2 * SIDE };
    return s("rect", { ...box, style, class: "mark" });
  }
  if (place === 2) {
    const points = `${x},${y - 5.5} ${x + 5.2},${y + 4} ${x - 5.2},${y + 4}`;
    return s("polygon", { points, style, class: "mark" });
  }
  return s("circle", { cx: x, cy: y, r: 4.5, style, class: "mark" });
}

/**
 * A mark alone, for a row beside the curves.
 *
 * @param {number} place
 * @returns {SVGSVGElement}
 */
export function markOf(place) {
  const box = { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" };
  return s("svg", { ...box, class: "key" }, mark(place, 7, 7, `fill: ${ON_PAGE.curves[place]}`));
}

function legend({ curves }, palette) {
  return curves.flatMap(({ name, place }, at) => {
    const y = TOP + 6 + 18 * at;
    const style = `fill: ${palette.ink}`;
    return [
      mark(place, LEFT + 6, y, `fill: ${palette.curves[place]}`),
      s("text", { x: LEFT + 18, y: y + 4, "font-size": 12.5, style }, name),
    ];
  });
}
