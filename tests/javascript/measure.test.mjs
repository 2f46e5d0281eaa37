/** What lies between two pixels, in words. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { measured, pixelAt } from "../../umnist_core/server/static/viewer/measure.js";

test("a distance is that of the middles of two pixels, whichever is first", () => {
  const there = measured("distance", { x: 10, y: 20 }, { x: 13, y: 24 });
  assert.equal(there.short, "5 px");
  assert.equal(there.whole, "10, 20 to 13, 24: 5 px (3 across, 4 down)");
  assert.equal(measured("distance", { x: 13, y: 24 }, { x: 10, y: 20 }).short, "5 px");
  assert.equal(measured("distance", { x: 0, y: 0 }, { x: 1, y: 1 }).short, "1.4 px");
  assert.equal(measured("distance", { x: 4, y: 4 }, { x: 4, y: 4 }).short, "0 px");
});

test("a box holds both of its corner pixels", () => {
  const box = measured("box", { x: 13, y: 20 }, { x: 10, y: 24 });
  assert.equal(box.whole, "x 10, y 20, 4 × 5 px");
  assert.equal(measured("box", { x: 4, y: 4 }, { x: 4, y: 4 }).short, "1 × 1 px");
});

test("a point beside the image is its nearest pixel", () => {
  const size = { width: 100, height: 50 };
  assert.deepEqual(pixelAt({ x: 12.9, y: 3.2 }, size), { x: 12, y: 3 });
  assert.deepEqual(pixelAt({ x: -4, y: 99 }, size), { x: 0, y: 49 });
});
