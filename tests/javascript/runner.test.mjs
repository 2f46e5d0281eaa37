/** One slot's predictions: at most one under way, and the newest wish wins. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { atHome } from "../../umnist_core/server/static/hall/home.js";
import { Runner } from "../../umnist_core/server/static/watch/runner.js";
import { settled } from "./stand_ins.mjs";

/** Requests that wait for their reply, in the order in which they came. */
let requests;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  mock.method(performance, "now", () => Date.now());
  requests = [];
  mock.method(globalThis, "fetch", (url, { method = "GET", body = "null", signal } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers();
    signal?.addEventListener("abort", () => reject(signal.reason));
    const asked = `${method} ${url.replace(atHome("/inference/jobs"), "")}`;
    const reply = (text, status = 200) => {
      resolve(new Response(typeof text === "string" ? text : JSON.stringify(text), { status }));
      return settled();
    };
    const fail = () => {
      reject(new TypeError("Failed to fetch"));
      return settled();
    };
    requests.push({ asked, body: JSON.parse(body), signal, reply, fail });
    return promise;
  });
});

afterEach(() => mock.reset());

function wish(image) {
  return { checkpoint: "digit-finder", device: "cpu", image };
}

function job(id, state, more = {}) {
  return { id, state, version: 1, error: null, result: null, ...more };
}

function start() {
  return new Runner({ viewer: "v", slot: "a", onChange: mock.fn() });
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

/** What was asked for, without what stands behind the question mark. */
function asked() {
  return requests.map((one) => one.asked.split("?")[0].trim());
}

/** A runner with one answer, to the picture `old`. */
async function answeredOnce() {
  const runner = start();
  runner.want(wish("old"));
  await requests[0].reply(job("j0", "done"));
  requests = [];
  return runner;
}

test("a wish is asked for, followed until it is done, and answered", async () => {
  const runner = start();
  runner.want(wish("1"));
  assert.equal(runner.isBusy, true);
  const { body } = requests[0];
  assert.deepEqual(body, { viewer: "v", slot: "a", turn: 1_000_000, ...wish("1") });
  await requests[0].reply(job("j1", "running", { version: 3 }));
  assert.equal(requests[1].asked, "GET /j1?after=3&wait_s=5&places=200");
  await requests[1].reply(job("j1", "running", { version: 4 }));
  assert.equal(requests[2].asked, "GET /j1?after=4&wait_s=5&places=200");
  const done = job("j1", "done", { result: { tasks: [] } });
  await requests[2].reply(done);
  assert.deepEqual(runner.answered, { wish: wish("1"), job: done });
  assert.deepEqual([runner.isBusy, runner.failure, requests.length], [false, null, 3]);
  assert.equal(runner.onChange.mock.callCount(), 4, "It tells of every change.");
});

test("of many wishes while one is under way, only the newest is asked for", async () => {
  const runner = start();
  runner.want(wish("1"));
  await requests[0].reply(job("j1", "running"));
  for (const image of ["2", "3", "4"]) {
    runner.want(wish(image));
    await pass(100);
  }
  assert.deepEqual(asked(), ["POST", "GET /j1"]);
  await pass(100); // 400 ms since the first began
  assert.deepEqual(asked(), ["POST", "GET /j1", "POST"]);
  assert.equal(requests[1].signal.aborted, true, "Nobody waits for the first any more.");
  assert.equal(requests[2].body.image, "4");
  await requests[2].reply(job("j2", "done"));
  await pass(10_000);
  assert.deepEqual([runner.answered.wish.image, requests.length], ["4", 3]);
});

test("what has run longer gives way at once", async () => {
  const runner = start();
  runner.want(wish("1"));
  await requests[0].reply(job("j1", "running"));
  await pass(3000);
  runner.want(wish("2"));
  await pass(0);
  assert.equal(requests.at(-1).body.image, "2");
});

test("what is done before it gives way is answered, and then the newest wish begins", async () => {
  const runner = start();
  runner.want(wish("1"));
  runner.want(wish("2"));
  await requests[0].reply(job("j1", "done"));
  assert.equal(runner.answered.wish.image, "1");
  assert.deepEqual([requests.length, requests[1].body.image], [2, "2"]);
});

test("going back to what is under way asks for nothing", async () => {
  const runner = start();
  runner.want(wish("1"));
  runner.want(wish("2"));
  runner.want(wish("1"));
  await pass(10_000);
  await requests[0].reply(job("j1", "done"));
  assert.deepEqual([asked(), runner.answered.wish.image], [["POST"], "1"]);
});

test("turns ascend, within the same moment and after a clock that was set back", async () => {
  const runner = start();
  const turns = [];
  for (const image of ["1", "2", "3"]) {
    runner.want(wish(image));
    turns.push(requests.at(-1).body.turn);
    await requests.at(-1).reply(job("j", "done"));
    mock.timers.setTime(image === "1" ? 1_000_000 : 5);
  }
  assert.deepEqual(turns, [1_000_000, 1_000_001, 1_000_002]);
});

for (const late of ["the request's answer", "the result"]) {
  test(`${late} that comes late never replaces a newer one`, async () => {
    const runner = start();
    runner.want(wish("1"));
    if (late === "the result") await requests[0].reply(job("j1", "running"));
    const held = requests.at(-1);
    runner.want(wish("2"));
    await pass(400);
    await requests.at(-1).reply(job("j2", "done"));
    const { length } = requests;
    await held.reply(job("j1", late === "the result" ? "done" : "running"));
    await pass(10_000);
    assert.deepEqual([runner.answered.wish.image, runner.failure], ["2", null]);
    assert.equal(requests.length, length, "It is not followed.");
  });
}

test("cancelling stops it on the server, forgets the next, and keeps the last answer", async () => {
  const runner = await answeredOnce();
  runner.want(wish("1"));
  await requests[0].reply(job("j1", "running"));
  runner.want(wish("2"));
  runner.cancel();
  assert.deepEqual(asked(), ["POST", "GET /j1", "DELETE /j1"]);
  await pass(10_000);
  assert.deepEqual([requests.length, runner.isBusy, runner.failure], [3, false, null]);
  assert.equal(runner.answered.wish.image, "old");
});

test("what the server takes on after it was cancelled is stopped there too", async () => {
  const runner = await answeredOnce();
  runner.want(wish("1"));
  runner.cancel();
  assert.deepEqual(asked(), ["POST"]);
  await requests[0].reply(job("j1", "running"));
  assert.deepEqual(asked(), ["POST", "DELETE /j1"]);
  await requests[1].reply(job("j1", "cancelled"));
  assert.deepEqual([runner.answered.wish.image, runner.failure], ["old", null]);
});

test("a server that is silent is asked after 0.5, 1, 2 and 4 s, and then it is said", async () => {
  const runner = await answeredOnce();
  runner.want(wish("1"));
  await requests[0].reply(job("j1", "running"));
  for (const ms of [500, 1000, 2000, 4000]) {
    const { length } = requests;
    await requests.at(-1).fail();
    await pass(ms - 1);
    assert.equal(requests.length, length);
    await pass(1);
    assert.equal(requests.length, length + 1, `after ${ms} ms`);
  }
  await requests.at(-1).fail();
  assert.equal(runner.failure, "The server did not answer; predict again when it is back.");
  assert.deepEqual([runner.isBusy, runner.answered.wish.image], [false, "old"]);
});

test("a server that comes back within that time is followed on", async () => {
  const runner = start();
  runner.want(wish("1"));
  await requests[0].reply(job("j1", "running"));
  await requests[1].fail();
  await pass(500);
  await requests[2].reply(job("j1", "done"));
  assert.deepEqual([runner.answered.wish.image, runner.failure], ["1", null]);
});

for (const [text, status, sentence] of [
  [
    '{"error": {"sentence": "No such model; choose one of the list."}}',
    404,
    "No such model; choose one of the list.",
  ],
  ['{"error": "Too many wait."}', 429, "Too many wait."],
  ["Not here.", 404, "Not here."],
  ["<h1>Bad gateway</h1>", 502, "The server answered 502; predict again."],
  ["", 500, "The server answered 500; predict again."],
]) {
  test(`a refusal is told and not repeated: ${sentence}`, async () => {
    const runner = start();
    runner.want(wish("1"));
    await requests[0].reply(job("j1", "running"));
    await requests[1].reply(text, status);
    await pass(10_000);
    assert.deepEqual([runner.failure, requests.length, runner.isBusy], [sentence, 2, false]);
  });
}

for (const [state, error, failure] of [
  [
    "failed",
    { sentence: "Expected enough memory.", code: "out_of_memory" },
    "Expected enough memory.",
  ],
  ["failed", null, "The prediction failed; predict again."],
  ["cancelled", null, "The prediction was stopped on the server; predict again."],
  ["superseded", null, null],
]) {
  test(`a prediction that ended as ${state} leaves the last answer: ${failure}`, async () => {
    const runner = await answeredOnce();
    runner.want(wish("1"));
    await requests[0].reply(job("j1", state, { error }));
    assert.deepEqual([runner.failure, runner.answered.wish.image], [failure, "old"]);
    runner.want(wish("2"));
    assert.equal(runner.failure, null, "It goes with the next.");
  });
}

test("what is cleared is forgotten, and what is closed tells nothing more", async () => {
  const runner = await answeredOnce();
  runner.clear();
  assert.equal(runner.answered, null);
  runner.want(wish("1"));
  await requests[0].reply(job("j1", "running"));
  const { onChange } = runner;
  const before = onChange.mock.callCount();
  runner.close();
  assert.deepEqual(asked(), ["POST", "GET /j1", "DELETE /j1"]);
  await pass(10_000);
  assert.equal(onChange.mock.callCount(), before);
});
