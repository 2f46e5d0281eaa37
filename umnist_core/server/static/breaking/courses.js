/**
 * Along what a curve may run: a parameter of the image's preset, and its values. No DOM.
 *
 * Titles and ranges are those of the Noise lab's sliders.
 *
 * @typedef {import("../lab/lab.js").LabControl} LabControl
 *
 * @typedef {object} Course
 * @property {string} key
 * @property {string} parameter
 * @property {string} group
 * @property {string} label
 * @property {string} unit
 * @property {string} meaning
 * @property {number[]} places Where the slider stops, ascending.
 * @property {number|null} upTo The other end, where the value is the low end of a range.
 * @property {boolean} isOfDigits Whether the digits themselves change with it.
 *
 * @typedef {{preset: string, seed: number, split: string, index: number,
 *            overrides: Record<string, string>}} SceneName
 *
 * @typedef {object} Asked What somebody chose, as far as it is not what the page would choose.
 * @property {string|null} key Of the course.
 * @property {string} values As they were typed; empty for those that are spread.
 * @property {number|null} count Scenes at each value.
 * @property {string[]} others The models beside the first.
 */

import { numberText, readSpan, spanText } from "../lab/scene_address.js";
import { places } from "../lab/sliders.js";

/** What says which image it is, or how large, and not how hard. */
const NO_COURSE = ["canvas", "label", "largest_sum", "noise_seed"];

/** What is measured unasked, the first that there is. */
const FIRST = ["shape_pairs", "noise_count", "distractors", "scale"];

const NO_OVERRIDE = ["preset", "seed", "split", "index", "tile", "pin", "view", "filter"];

/** Digits of one size find no place where they are larger. */
const LARGEST_FACTOR = 24;

/**
 * @param {LabControl[]} controls Of the image's planner.
 * @param {(name: string) => string|null} value What a parameter is set to.
 * @returns {Course[]}
 */
export function coursesOf(controls, value) {
  return controls
    .filter((spec) => isCourse(spec, value))
    .flatMap((spec) => {
      const course = courseOf(spec);
      const span = readSpan(value(spec.name) ?? "");
      if (spec.name !== "factor") return [course];
      const every = { ...course, label: "Size of every digit", places: upTo(course.places) };
      if (!span || value("scale_distribution") === "fixed") return [every];
      const smallest = { ...course, key: "smallest", label: "Smallest digit", upTo: span.high };
      return [{ ...smallest, places: course.places.filter((one) => one <= span.high) }, every];
    });
}

/** @returns {Course|null} */
export function firstCourse(courses) {
  const named = FIRST.map((name) => courses.find(({ key }) => key === name)).find(Boolean);
  return named ?? courses[0] ?? null;
}

/**
 * @param {Course} course
 * @param {number} value
 * @returns {string} As the command line has it.
 */
export function textOf({ upTo: high }, value) {
  return high === null ? numberText(value) : spanText({ low: value, high: Math.max(value, high) });
}

/**
 * Where a value lies on the slider and on the axis.
 *
 * @param {Course} course
 * @param {string} text
 * @returns {number} 0 to 1; NaN of no number.
 */
export function shareOf({ places: stops }, text) {
  const value = readSpan(text)?.low ?? NaN;
  if (Number.isNaN(value)) return NaN;
  const last = Math.max(stops.length - 1, 1);
  const above = stops.findIndex((one) => one >= value);
  if (above === -1) return 1;
  if (above === 0) return 0;
  const [low, high] = [stops[above - 1], stops[above]];
  return (above - 1 + (value - low) / (high - low)) / last;
}

/**
 * @param {Course} course
 * @param {number} count
 * @returns {string[]} So many values, as evenly over the slider as its places allow.
 */
export function spreadValues(course, count) {
  const last = course.places.length - 1;
  const chosen = Array.from({ length: count }, (_, at) => Math.round((at * last) / (count - 1)));
  return [...new Set(chosen)].map((place) => textOf(course, course.places[place]));
}

/**
 * @param {SceneName} scene
 * @param {Course} course
 * @param {string} text
 * @param {string|null} plain What the preset has.
 * @returns {SceneName} The same image with this value.
 */
export function withValue(scene, { parameter }, text, plain) {
  const overrides = { ...scene.overrides, [parameter]: text };
  if (text === plain) delete overrides[parameter];
  // As many circles as triangles stand for both of them.
  if (parameter === "circles" || parameter === "triangles") delete overrides.shape_pairs;
  return { ...scene, overrides };
}

/**
 * @param {string} address Of an image's description.
 * @returns {SceneName|null} null of what was not generated here.
 */
export function readScene(address) {
  const [path, query = ""] = address.split("?");
  if (!path.endsWith("/tiles/scene.dzi")) return null;
  const fields = new URLSearchParams(query);
  const overrides = [...fields].filter(([name]) => !NO_OVERRIDE.includes(name));
  return {
    preset: fields.get("preset") ?? "released",
    seed: Number(fields.get("seed") ?? 0),
    split: fields.get("split") ?? "train",
    index: Number(fields.get("index") ?? 0),
    overrides: Object.fromEntries(overrides),
  };
}

/**
 * @param {string} text Values with commas between.
 * @returns {string[]} Each once.
 */
export function readValues(text) {
  return [...new Set(text.split(",").map((one) => one.trim()))].filter(Boolean);
}

const PARTS = ";";

/**
 * @param {Asked} asked
 * @returns {string} For an address.
 */
export function linkText({ key, values, count, others }) {
  return [key ?? "", readValues(values).join(","), count ?? "", others.join(",")].join(PARTS);
}

/**
 * @param {string} text As `linkText` writes it, or anything else.
 * @param {number[]} counts That may be chosen.
 * @returns {Asked}
 */
export function readLink(text, counts) {
  const [key = "", values = "", count = "", others = ""] = text.split(PARTS);
  return {
    key: key || null,
    values: readValues(values).join(", "),
    count: counts.find((one) => String(one) === count) ?? null,
    others: readValues(others),
  };
}

function isCourse({ name, kind, word, only_with: only }, value) {
  if (NO_COURSE.includes(name)) return false;
  if (only && value(only[0]) !== only[1]) return false;
  return ["whole", "factor", "number"].includes(kind) || Boolean(word) || name === "control_points";
}

/** @returns {Course} */
function courseOf(spec) {
  const { name, group, label, unit, meaning } = spec;
  const course = { key: name, parameter: name, group, label, unit, meaning, upTo: null };
  return { ...course, places: places(spec), isOfDigits: group === "Digits" };
}

function upTo(stops) {
  return stops.filter((one) => one <= LARGEST_FACTOR);
}
