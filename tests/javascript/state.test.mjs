/** What may be worked on while answers are under way. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTrial, sumOfDigits } from "../../umnist_core/server/static/label/state.js";

const [FIRST, SECOND] = ["a1", "a2"].map((assignment, place) => ({
  ...{ assignment, number: place + 1 },
}));
/** @param {number} every Images between breaks. */
const asked = (every) => ({ rest: { every, left_s: 0 } });

for (const [answered, trial, next] of [
  [[], FIRST, SECOND],
  [["a1"], SECOND, null],
  [["a2"], FIRST, null],
  [["a1", "a2"], null, null],
  [["another"], FIRST, SECOND],
]) {
  test(`with ${answered.join(" and ") || "nothing"} under way`, () => {
    const state = { trial: FIRST, next: SECOND, asked: asked(0) };
    assert.deepEqual(openTrial(state, new Set(answered)), { trial, next });
  });
}

test("where nothing more is reserved, the answers must be sent first", () => {
  const state = { trial: FIRST, next: null, asked: asked(0) };
  assert.deepEqual(openTrial(state, new Set(["a1"])), { trial: null, next: null });
});

test("no image is opened behind one after which a break is due", () => {
  const open = (every) =>
    openTrial({ trial: FIRST, next: SECOND, asked: asked(every) }, new Set(["a1"])).trial;
  assert.deepEqual([open(1), open(2), open(0)], [null, SECOND, SECOND]);
});

test("digits are added up", () => {
  assert.deepEqual([sumOfDigits([]), sumOfDigits([3, 9])], [0, 12]);
});
