/** The order of the table of models: by a column, what is not known last, the best first. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { COLUMNS, sorted } from "../../umnist_core/server/static/models/order.js";

const row = (name, more = {}) => ({
  name,
  order: 0,
  share: null,
  sees: "",
  tier: "published",
  parameters: null,
  seconds: null,
  memory: null,
  year: null,
  ...more,
});
const names = (rows, key, isDown = false) => sorted(rows, { key, isDown }).map((one) => one.name);

test("what is not known comes last, whichever way the rest stands", () => {
  const rows = [row("a"), row("b", { share: 40 }), row("c", { share: 90 })];
  assert.deepEqual(names(rows, "accuracy", true), ["c", "b", "a"]);
  assert.deepEqual(names(rows, "accuracy", false), ["b", "c", "a"]);
});

test("rows that are equal stand by data system, then by accuracy, the best first", () => {
  const rows = [
    row("z", { order: 1, share: 99 }),
    row("b", { share: 10 }),
    row("a", { share: 5 }),
    row("c", { share: 10 }),
  ];
  for (const isDown of [true, false]) {
    assert.deepEqual(names(rows, "tier", isDown), ["b", "c", "a", "z"]);
  }
  assert.deepEqual(names(rows, "system"), ["b", "c", "a", "z"]);
});

test("every column sorts by something, and rows that were given stay as they were", () => {
  const rows = [row("b", { year: 2024 }), row("a", { year: 2019 })];
  for (const { key } of COLUMNS) assert.equal(sorted(rows, { key, isDown: true }).length, 2);
  assert.deepEqual(names(rows, "paper", true), ["b", "a"]);
  assert.deepEqual(names(rows, "paper", false), ["a", "b"]);
  assert.equal(rows[0].name, "b");
});
