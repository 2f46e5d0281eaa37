/** Answers and truths by the names of classes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { truthFor } from "../../umnist_core/server/static/watch/outcome.js";
import { answerText, verdictText } from "../../umnist_core/server/static/watch/words.js";

const NAMES = { class: ["Gold", "Silk", "Woodcut"] };

test("a truth is found by its name among the classes of the model", () => {
  assert.deepEqual(truthFor({ class: [0] }, { class: "Silk" }, NAMES), { class: [1] });
  assert.deepEqual(truthFor({ digit: [3] }, {}, NAMES), { digit: [3] });
});

test("nothing is right or wrong of a class that the model does not know", () => {
  assert.deepEqual(truthFor({ class: [0] }, { class: "Glass" }, NAMES), {});
  assert.deepEqual(truthFor({ class: [0] }, { class: "Silk" }, {}), {});
});

test("answers and verdicts have the names where there are some", () => {
  const task = { name: "class", is_multi: false, is_right: false, truth: [1], classes: 3 };
  assert.equal(answerText([2], NAMES.class), "Woodcut");
  assert.equal(answerText([2]), "2");
  assert.equal(verdictText(task, NAMES.class), "Wrong: it is Silk");
  assert.equal(verdictText(task), "Wrong: it is 1");
});

test("of a number it is told how far off it is", () => {
  const task = { name: "year", is_multi: false, is_right: false, truth: [1730], answer: [1695] };
  assert.equal(verdictText({ ...task, classes: 0 }), "It is 1730, 35 off");
});
