/** Attention is fetched once, what is asked for last is shown, and the old stays until then. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { atHome } from "../../umnist_core/server/static/hall/home.js";
import { PlacesLoader, heatOf } from "../../umnist_core/server/static/watch/places.js";
import { settled } from "./stand_ins.mjs";

const JOB = { id: "j1", result: { attention: {}, image: { width: 3100, height: 2300 } } };
const MEAN = { task: null, head: null, round: null };

/** Requests that wait for their reply, in the order in which they came. */
let requests;

beforeEach(() => {
  requests = [];
  mock.method(globalThis, "fetch", (url, { signal }) => {
    const { promise, resolve, reject } = Promise.withResolvers();
    signal.addEventListener("abort", () => reject(signal.reason));
    const reply = (value, status = 200) => {
      resolve(new Response(JSON.stringify(value), { status }));
      return settled();
    };
    requests.push({ url, reply, signal });
    return promise;
  });
});

afterEach(() => mock.reset());

function round(number) {
  return { ...MEAN, round: number };
}

test("a map is asked for once, however often one comes back to it", async () => {
  const loader = new PlacesLoader(mock.fn());
  for (const number of [0, 1, 0, 1]) {
    loader.show(JOB, round(number), null);
    await requests.at(-1)?.reply({ max: number });
    await settled();
    assert.deepEqual([loader.shown.places.max, loader.shown.part.round], [number, number]);
  }
  assert.deepEqual(
    requests.map(({ url }) => url),
    [0, 1].map((number) => atHome(`/inference/jobs/j1/attention.json?round=${number}&top=200`)),
  );
  assert.equal(loader.onChange.mock.callCount(), 4);
});

test("the whole map came with the answer; a part of it is asked for", async () => {
  const loader = new PlacesLoader(mock.fn());
  const job = { ...JOB, places: { max: 7 } };
  loader.show(job, MEAN, null);
  await settled();
  assert.deepEqual([requests.length, loader.shown.places.max], [0, 7]);
  loader.show(job, round(0), null);
  await requests[0].reply({ max: 8 });
  assert.deepEqual([requests.length, loader.shown.places.max], [1, 8]);
});

test("asking again for what is on its way asks for nothing", async () => {
  const loader = new PlacesLoader(mock.fn());
  loader.show(JOB, MEAN, null);
  loader.show(JOB, { ...MEAN }, null);
  await requests[0].reply({ max: 10 });
  assert.deepEqual([requests.length, loader.shown.places.max], [1, 10]);
});

test("the old map stays until the new one is there, and what comes late is dropped", async () => {
  const loader = new PlacesLoader(mock.fn());
  loader.show(JOB, round(0), null);
  await requests[0].reply({ max: 10 });
  loader.show(JOB, round(1), null);
  loader.show(JOB, round(2), null);
  assert.equal(loader.shown.places.max, 10);
  assert.equal(requests[1].signal.aborted, true);
  await requests[2].reply({ max: 12 });
  await requests[1].reply({ max: 11 });
  assert.deepEqual([loader.shown.places.max, loader.failed], [12, false]);
});

test("what could not be read says so, keeps the old, and can be asked for again", async () => {
  const loader = new PlacesLoader(mock.fn());
  loader.show(JOB, round(0), null);
  await requests[0].reply({ max: 10 });
  loader.show(JOB, round(1), null);
  await requests[1].reply({}, 500);
  assert.deepEqual([loader.failed, loader.shown.places.max], [true, 10]);
  loader.show(JOB, round(0), null);
  await settled();
  loader.show(JOB, round(1), null);
  await requests[2].reply({ max: 11 });
  assert.deepEqual([loader.failed, loader.shown.places.max], [false, 11]);
});

test("where people cannot be compared with, there is still all that the model gave", async () => {
  const loader = new PlacesLoader(mock.fn());
  loader.show(JOB, MEAN, "stimulus");
  assert.match(requests[1].url, /\/inference\/jobs\/j1\/dwell\/stimulus/);
  await requests[1].reply({}, 404);
  await requests[0].reply({ max: 10 });
  assert.deepEqual(loader.shown.places, { max: 10, agreement: null });
});

test("an answer without attention shows none, and asks for none", async () => {
  const loader = new PlacesLoader(mock.fn());
  loader.show(JOB, MEAN, null);
  await requests[0].reply({ max: 10 });
  loader.show({ id: "j2", result: { attention: null } }, MEAN, null);
  assert.deepEqual([loader.shown, requests.length], [null, 1]);
});

test("nothing is drawn where nothing was looked at", () => {
  assert.equal(heatOf({ job: JOB, part: MEAN, places: { max: 0 } }), null);
  assert.equal(heatOf({ job: JOB, part: MEAN, places: { max: 2, last_colour: 1 } }).max, 2);
});
