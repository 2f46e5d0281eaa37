/** Time of work, split into active, idle and hidden. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ResponseClock, sumOf } from "../../umnist_core/server/static/label/clock.js";

test("all time is active, idle or hidden", () => {
  const clock = new ResponseClock(1000, false);
  clock.touch(4000); // 3 s active
  clock.setHidden(true, 20_000); // 10 s active, 6 s idle
  clock.touch(22_000);
  clock.setHidden(false, 25_000); // 5 s hidden
  const spent = { active_ms: 20_000, idle_ms: 14_000, hidden_ms: 5000 };
  assert.deepEqual(clock.read(40_000), spent); // active to 32 s, 8 s idle
  assert.deepEqual(clock.read(40_000), spent);
});

test("an event that lies before what was read adds nothing and takes nothing", () => {
  const clock = new ResponseClock(0, false);
  clock.read(5000);
  clock.touch(4000);
  for (const at of [4000, 5000]) {
    assert.deepEqual(clock.read(at), { active_ms: 5000, idle_ms: 0, hidden_ms: 0 });
  }
});

test("who begins on a page that is not to be seen is hidden at once", () => {
  const clock = new ResponseClock(0, true);
  clock.setHidden(false, 3000);
  assert.deepEqual(clock.read(5000), { active_ms: 2000, idle_ms: 0, hidden_ms: 3000 });
});

test("the times of two parts add up, each with its own", () => {
  const parts = [
    { active_ms: 1, idle_ms: 10, hidden_ms: 100 },
    { active_ms: 2, idle_ms: 20, hidden_ms: 200 },
  ];
  assert.deepEqual(sumOf(...parts), { active_ms: 3, idle_ms: 30, hidden_ms: 300 });
});
