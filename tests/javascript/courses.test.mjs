/** Along what a curve may run, the values it is measured at, and where they lie on the axis. */

import assert from "node:assert/strict";
import { test } from "node:test";

const HERE = "../../umnist_core/server/static/breaking/courses.js";
const courses = await import(HERE);
const { coursesOf, firstCourse, linkText, readLink, readScene, readValues } = courses;
const { shareOf, spreadValues, textOf, withValue } = courses;

const spec = (name, more = {}) => ({
  name,
  group: "Shapes",
  label: name,
  kind: "whole",
  low: 0,
  high: 50,
  from: 0,
  to: 20,
  step: 1,
  scale: "linear",
  unit: "",
  meaning: "",
  word: "",
  only_with: null,
  ...more,
});

const CONTROLS = [
  spec("factor", { group: "Digits", kind: "factor", low: 0.5, from: 0.5, to: 142, scale: "log" }),
  spec("label", { kind: "label" }),
  spec("canvas"),
  spec("noise_kind", { kind: "word" }),
  spec("control_points", { kind: "label", only_with: ["noise_kind", "bezier"], from: 2, to: 8 }),
  spec("distractors", { kind: "label", word: "by-area" }),
  spec("shape_pairs"),
  spec("circles"),
];

const keys = (values) => coursesOf(CONTROLS, (name) => values[name] ?? null).map(({ key }) => key);

test("what says which image it is, or means nothing here, is no course", () => {
  const plain = ["smallest", "factor", "distractors", "shape_pairs", "circles"];
  assert.deepEqual(keys({ factor: "0.5..75" }), plain);
  assert.ok(keys({ noise_kind: "bezier" }).includes("control_points"));
  assert.ok(!keys({ factor: "0.5..75", scale_distribution: "fixed" }).includes("smallest"));
});

test("pairs of shapes go first, and else what there is", () => {
  const courses = coursesOf(CONTROLS, () => null);
  assert.equal(firstCourse(courses).key, "shape_pairs");
  assert.equal(firstCourse(courses.slice(0, 1)).key, "factor");
  assert.equal(firstCourse([]), null);
});

test("the smallest digit is the low end of a range whose high end stays", () => {
  const [smallest] = coursesOf(CONTROLS, (name) => (name === "factor" ? "0.5..6" : null));
  assert.equal(textOf(smallest, 2), "2..6");
  assert.equal(textOf(smallest, 6), "6");
  assert.equal(Math.max(...smallest.places), 6);
  assert.equal(shareOf(smallest, "0.5..6"), 0);
  assert.equal(shareOf(smallest, "6"), 1);
});

test("values are spread over the slider, each once, from end to end", () => {
  const course = coursesOf(CONTROLS, () => null).find(({ key }) => key === "shape_pairs");
  assert.deepEqual(spreadValues(course, 5), ["0", "5", "10", "15", "20"]);
  assert.equal(spreadValues(course, 99).length, 21);
  assert.deepEqual(
    [0, 5, 20, 99].map((value) => shareOf(course, String(value))),
    [0, 0.25, 1, 1],
  );
  assert.ok(Number.isNaN(shareOf(course, "by-area")));
});

test("values that are typed are read once each", () => {
  assert.deepEqual(readValues(" 0, 2,2 , 0.5..75,"), ["0", "2", "0.5..75"]);
});

test("an address names the image, and tells nothing of how its tiles are cut", () => {
  const address =
    "/base/tiles/scene.dzi?preset=released&seed=7&split=test&index=3&canvas=600&tile=1024&pin=ab.1";
  assert.deepEqual(readScene(address), {
    preset: "released",
    seed: 7,
    split: "test",
    index: 3,
    overrides: { canvas: "600" },
  });
  assert.equal(readScene("/tiles/file/abc.dzi"), null);
});

test("a value replaces what stood for it, and the preset's own is none", () => {
  const scene = { preset: "released", seed: 1, split: "train", index: 0, overrides: {} };
  const pairs = withValue(scene, { parameter: "shape_pairs" }, "4", null);
  assert.deepEqual(pairs.overrides, { shape_pairs: "4" });
  const circles = withValue(pairs, { parameter: "circles" }, "9", "0..4");
  assert.deepEqual(circles.overrides, { circles: "9" });
  assert.deepEqual(withValue(circles, { parameter: "circles" }, "0..4", "0..4").overrides, {});
});

test("a link says what was chosen, and one that says nothing chooses nothing", () => {
  const asked = { key: "shape_pairs", values: "0, 5, 20", count: 50, others: ["a", "b"] };
  assert.equal(linkText(asked), "shape_pairs;0,5,20;50;a,b");
  assert.deepEqual(readLink(linkText(asked), [20, 50]), asked);
  const nothing = { key: null, values: "", count: null, others: [] };
  assert.deepEqual(readLink("", [20, 50]), nothing);
  assert.deepEqual(readLink(linkText(nothing), [20, 50]), nothing);
  assert.equal(readLink("x;;51;", [20, 50]).count, null);
});
