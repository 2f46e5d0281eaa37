/** What the annotators' page sends is what the server reads: tests/golden/answer.schema.json. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Attempt } from "../../umnist_core/server/static/label/attempt.js";
import { IDLE_AFTER_MS } from "../../umnist_core/server/static/label/clock.js";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../golden/answer.schema.json", import.meta.url), "utf8"),
);
const PLACE = {
  view: { x: 2000, y: 1000.5, zoom: 0.25 },
  size: { width: 1400, height: 900 },
  isAtRest: true,
};
const DEVICE = { screen: [1400, 900], dpr: 2 };

/** Check a value as JSON Schema says, as far as ours goes. */
function check(value, schema, path = "answer") {
  const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const kinds = [schema.type].flat();
  const isWhole = kind === "number" && Number.isInteger(value);
  assert.ok(kinds.includes(kind) || (isWhole && kinds.includes("integer")), `${path} is ${kind}`);
  if (kind === "number") {
    assert.ok(
      value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity),
      path,
    );
  }
  if (kind === "string" && schema.pattern) assert.match(value, new RegExp(schema.pattern), path);
  if (kind === "array") value.forEach((one, at) => check(one, schema.items, `${path}[${at}]`));
  if (kind !== "object" || !schema.properties) return;
  for (const name of schema.required) assert.ok(name in value, `${path}.${name} is missing`);
  for (const [name, one] of Object.entries(value)) {
    assert.ok(name in schema.properties, `${path}.${name} is recorded nowhere`);
    check(one, schema.properties[name], `${path}.${name}`);
  }
}

function attemptAt() {
  let now = 0;
  const attempt = new Attempt("a1", null, () => now);
  return { attempt, at: (ms, act) => ((now = ms), act?.()) };
}

test("what is sent is what the server reads", () => {
  const { attempt, at } = attemptAt();
  at(120, () => attempt.drawn(PLACE));
  at(900, () => attempt.move({ ...PLACE, view: { ...PLACE.view, zoom: 1 } }));
  attempt.entered = { answer: 12, edits: 1, confidence: 75, digits: [3, 9] };
  at(5000);
  const sent = JSON.parse(JSON.stringify(attempt.submission("a-key-of-mine", DEVICE)));
  check(sent, SCHEMA);
  assert.equal(sent.response.first_drawn_ms, 120);
  assert.equal(sent.response.response_ms, 4880);
  const [{ samples, end_ms: end }] = sent.response.parts;
  assert.deepEqual([...samples.map((sample) => sample.t), end], [0, 780, 4880]);
});

test("what was not asked for is sent as nothing", () => {
  const { attempt, at } = attemptAt();
  at(10, () => attempt.drawn(PLACE));
  attempt.entered = { ...attempt.entered, answer: 0 };
  check(JSON.parse(JSON.stringify(attempt.submission("a-key-of-mine", DEVICE))), SCHEMA);
});

test("active, idle and hidden time sum to the response", () => {
  const { attempt, at } = attemptAt();
  at(0, () => attempt.drawn(PLACE));
  at(1000, () => attempt.touch());
  at(1000 + IDLE_AFTER_MS + 3000, () => attempt.setHidden(true));
  at(20_000, () => attempt.setHidden(false));
  at(21_000);
  const { response } = attempt.submission("a-key-of-mine", DEVICE);
  const { active_ms: active, idle_ms: idle, hidden_ms: hidden } = response;
  assert.deepEqual([active, idle, hidden], [1000 + IDLE_AFTER_MS, 3000 + 1000, 6000]);
  assert.equal(response.response_ms, 21_000);
});

test("a reload goes on where it was, and the time between counts for nothing", () => {
  const { attempt, at } = attemptAt();
  at(300, () => attempt.drawn(PLACE));
  attempt.entered = { ...attempt.entered, answer: 7, edits: 1 };
  at(5300);
  const kept = JSON.parse(JSON.stringify(attempt.draft()));
  let now = 90_000;
  const again = new Attempt("a1", kept, () => now);
  now = 90_250;
  again.drawn(PLACE);
  again.setHidden(true);
  now = 92_250;
  const { answer, response } = again.submission("a-key-of-mine", DEVICE);
  const { active_ms: active, idle_ms: idle, hidden_ms: hidden } = response;
  assert.deepEqual([active, idle, hidden, response.response_ms], [5000, 0, 2000, 7000]);
  assert.deepEqual([answer, response.edits, response.first_drawn_ms], [7, 1, 250]);
  assert.deepEqual(
    response.parts.map(({ samples, end_ms: end }) => [samples[0].t, end]),
    [
      [0, 5000],
      [0, 2000],
    ],
  );
});
