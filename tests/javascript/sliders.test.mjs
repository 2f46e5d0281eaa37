/** Which values a slider has places for. */

import assert from "node:assert/strict";
import test from "node:test";

import { places } from "../../umnist_core/server/static/lab/sliders.js";

test("logarithmic slider of a number that may be 0 begins with 0 and then 1", () => {
  const found = places({ kind: "label", low: 0, from: 1, to: 20_000, step: 1, scale: "log" });
  assert.deepEqual(found.slice(0, 3), [0, 1, 2]);
  assert.equal(found.at(-1), 20_000);
  assert.deepEqual(
    found,
    [...new Set(found)].sort((a, b) => a - b),
  );
});

test("logarithmic slider of a number that may not be 0 begins where it is told", () => {
  const found = places({ kind: "whole", low: 28, from: 64, to: 16_000, step: 1, scale: "log" });
  assert.deepEqual([found[0], found.at(-1)], [64, 16_000]);
});
