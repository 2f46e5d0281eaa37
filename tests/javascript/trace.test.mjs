/** Which part of an image was on screen, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Attempt } from "../../umnist_core/server/static/label/attempt.js";
import { MOST_SAMPLES, Trace, thinned } from "../../umnist_core/server/static/label/trace.js";

const SIZE = { width: 800, height: 600 };

/** What is in view with its middle at this column. */
function place(x, isAtRest = true) {
  return { view: { x, y: 5, zoom: 0.5 }, size: SIZE, isAtRest };
}

test("a movement has five samples a second, and one where it ends", () => {
  const trace = new Trace(place(0), true);
  for (let t = 10; t <= 1000; t += 10) trace.move(place(t, false), t);
  trace.move(place(1005), 1005);
  trace.move(place(1005), 5000); // no change
  trace.setVisible(false, 6000);
  trace.setVisible(false, 6500);
  const { samples, end_ms: end, thinned: isThinned } = trace.part(7000);
  const times = samples.map(({ t }) => t);
  assert.deepEqual(times, [0, 200, 400, 600, 800, 1000, 1005, 6000]);
  assert.deepEqual(
    samples.slice(-2).map(({ visible }) => visible),
    [true, false],
  );
  assert.deepEqual([end, isThinned], [7000, undefined]);
});

test("a part that was read does not change afterwards", () => {
  const trace = new Trace(place(0), true);
  const part = trace.part(100);
  trace.move(place(9), 300);
  assert.equal(part.samples.length, 1);
});

test("a sample says place, zoom and size, to a tenth of a pixel", () => {
  const view = { x: 1 / 3, y: 2000.06, zoom: 1 / 3 };
  const trace = new Trace({ view, size: SIZE, isAtRest: true }, true);
  const [sample] = trace.part(0).samples;
  const { width: w, height: h } = SIZE;
  assert.deepEqual(sample, { t: 0, x: 0.3, y: 2000.1, zoom: 0.333333, w, h, visible: true });
});

test("thinning keeps the first, the last, and every coming into sight and going out of it", () => {
  const samples = Array.from({ length: 12 }, (_, t) => ({ t, visible: t !== 7 }));
  assert.deepEqual(
    thinned(samples).map(({ t }) => t),
    [0, 2, 4, 6, 7, 8, 10, 11],
  );
});

test("a long trace is thinned, says so, and reaches over the whole time", () => {
  let now = 0;
  const attempt = new Attempt("a", null, () => now);
  attempt.drawn(place(0));
  for (now = 200; now <= 2_000_000; now += 200) {
    if (now === 300_200) attempt.setCovered(true);
    if (now === 300_400) attempt.setCovered(false);
    attempt.move(place(now));
  }
  const { parts } = attempt.submission("key", {}).response;
  assert.equal(parts.length, 1);
  const [{ samples, thinned: isThinned }] = parts;
  const times = samples.map(({ t }) => t);
  assert.ok(times.length > MOST_SAMPLES / 4 && times.length <= MOST_SAMPLES, `${times.length}`);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.deepEqual([times[0], times.at(-1), isThinned], [0, 2_000_000, true]);
  const unseen = samples.filter(({ visible }) => !visible).map(({ t }) => t);
  assert.ok(unseen.includes(300_200), `${unseen}`);
});

test("samples of all parts together are bounded, and the longest part gives way", () => {
  const long = Array.from({ length: MOST_SAMPLES - 1 }, (_, t) => ({ t, visible: true }));
  const draft = { parts: [{ samples: long, end_ms: 9 }], first_drawn_ms: 0 };
  let now = 0;
  const attempt = new Attempt("a", draft, () => now);
  attempt.drawn(place(0));
  now = 500;
  attempt.move(place(9));
  const [before, present] = attempt.submission("key", {}).response.parts;
  assert.deepEqual([before.samples.length, before.thinned], [MOST_SAMPLES / 2, true]);
  assert.deepEqual([present.samples.length, present.thinned], [2, undefined]);
});
