/** A number from the keyboard, figure by figure. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { NumberEntry } from "../../umnist_core/server/static/label/entry.js";

/** Type figures; a space clears, and a number is chosen by its button. */
function entered(...steps) {
  const entry = new NumberEntry(0, 27);
  const said = steps.map((step) => {
    if (step === " ") return entry.clear();
    return typeof step === "number" ? entry.choose(step) : entry.type(step);
  });
  return { value: entry.value, edits: entry.edits, said: said.at(-1) };
}

test("two figures are one number as long as it may be given", () => {
  assert.equal(entered("2").value, 2);
  assert.equal(entered("2", "7").value, 27);
  assert.equal(entered("0", "7").value, 7);
});

test("a figure that would make another number is refused, said, and changes nothing", () => {
  const above = entered("2", "8");
  assert.deepEqual(above, {
    value: 2,
    edits: 0,
    said: { key: "entry.above", values: { value: 28, max: 27 } },
  });
  const third = entered("2", "7", "1");
  assert.equal(entered("0", "0", "7").value, 0);
  assert.deepEqual(third, {
    value: 27,
    edits: 0,
    said: { key: "entry.full", values: { value: 27 } },
  });
});

for (const [steps, edits] of [
  [["2", "7"], 0],
  [[5, 5], 0],
  [[5, 6], 1],
  [["2", " ", "3"], 1],
  [[5, "2", "7"], 1],
  [["2", 5, "7"], 2],
  [["3", "1"], 0],
  [[" ", " "], 0],
  [["2", 9, " "], 2],
]) {
  test(`${JSON.stringify(steps)} is ${edits} edits`, () => {
    assert.equal(entered(...steps).edits, edits);
  });
}

test("what was entered before goes on, and a figure then begins anew", () => {
  const entry = new NumberEntry(0, 27, { answer: 2, edits: 3 });
  entry.type("7");
  assert.deepEqual([entry.value, entry.edits], [7, 4]);
});
