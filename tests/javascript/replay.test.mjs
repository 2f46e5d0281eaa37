/** The moments of a way over an image. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { stateAt } from "../../umnist_core/server/static/replay/layer.js";
import {
  clockText,
  closeViews,
  momentText,
  momentsOf,
  nextMoment,
  usualSpeed,
  viewAt,
} from "../../umnist_core/server/static/replay/moments.js";

const view = (start_ms, end_ms, zoom) => ({
  ...{ start_ms, end_ms, zoom },
  ...{ x: 0, y: 0, width: 10, height: 10 },
});
const digit = (id, state, legible_ms) => ({
  ...{ id, label: id, box: [0, 0, 20, 20], side: 20, state, largest_px: 5 },
  ...{ legible_ms, looked_ms: legible_ms },
});
const WAY = {
  duration_ms: 9000,
  views: [view(0, 1000, 0.2), view(1000, 3000, 1), view(5000, 9000, 0.2)],
  digits: [digit(3, "skipped", null), digit(7, "misread", 1000), digit(1, "seen", 5000)],
  ...{ legible_zoom: 0.6, legible_px: 12, least_ms: 200 },
};

test("what is in view at a moment, and nothing while the page is hidden", () => {
  assert.equal(viewAt(WAY, 999), WAY.views[0]);
  assert.equal(viewAt(WAY, 1000), WAY.views[1]);
  assert.equal(viewAt(WAY, 4000), null);
  assert.equal(viewAt(WAY, 9000), WAY.views[2]);
  assert.equal(viewAt({ ...WAY, views: [] }, 0), null);
});

test("close views are those at a legible zoom that have begun", () => {
  assert.deepEqual(closeViews(WAY, 999), []);
  assert.deepEqual(closeViews(WAY, 8000), [WAY.views[1]]);
  assert.deepEqual(closeViews({ ...WAY, legible_zoom: null }, 8000), []);
});

test("moments are in order, and what was skipped stands at the answer", () => {
  const moments = momentsOf(WAY);
  assert.deepEqual(
    moments.map(({ at_ms, kind }) => [at_ms, kind]),
    [
      [1000, "misread"],
      [5000, "seen"],
      [9000, "skipped"],
      [9000, "answer"],
    ],
  );
  const said = moments.map((one) => momentText(one, WAY, { answer: 8, truth: 11 }));
  assert.match(said[0], /Digit 7, 20 px: legible, and misread/);
  assert.match(said[2], /never legible, 5 px on screen at most/);
  assert.equal(said[3], "Answered 8, the sum is 11");
});

test("steps go from moment to moment, to the beginning and no further than the end", () => {
  const moments = momentsOf(WAY);
  assert.equal(nextMoment(moments, 0, 1), 1000);
  assert.equal(nextMoment(moments, 1000, 1), 5000);
  assert.equal(nextMoment(moments, 9000, 1), 9000);
  assert.equal(nextMoment(moments, 5000, -1), 1000);
  assert.equal(nextMoment(moments, 1000, -1), 0);
});

test("a digit waits, is legible, and is at the end what the answer made of it", () => {
  const [skipped, misread] = WAY.digits;
  assert.deepEqual(
    [0, 1000, 9000].map((t) => stateAt(misread, t, 9000)),
    ["waiting", "seen", "misread"],
  );
  assert.deepEqual(
    [0, 8999, 9000].map((t) => stateAt(skipped, t, 9000)),
    ["waiting", "waiting", "skipped"],
  );
});

test("times are minutes and seconds, and a long way is played faster", () => {
  assert.equal(clockText(62_540), "1:02.5");
  assert.equal(clockText(0), "0:00.0");
  assert.deepEqual([10_000, 60_000, 1e9].map(usualSpeed), [1, 2, 32]);
});
