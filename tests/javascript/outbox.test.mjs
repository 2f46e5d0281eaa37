/** No answer is lost on its way to the server, and none counts twice. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Refusal, Unreachable } from "../../umnist_core/server/static/label/api.js";
import { openKeep } from "../../umnist_core/server/static/label/keep.js";
import { FINAL_CODES, Outbox } from "../../umnist_core/server/static/label/outbox.js";
import { StandInStorage, settled } from "./stand_ins.mjs";

const STUDY = "s1";

/** What a browser keeps through reloads; each test has its own. */
let storage;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(Math, "random", () => 0.5); // waits are not spread
  storage = new StandInStorage();
  globalThis.localStorage = storage;
});

afterEach(() => mock.reset());

function answer(number, study = STUDY) {
  const [key, assignment] = [`key-${number}`, `a${number}`];
  const body = { key, assignment, answer: number, response: { queued_ms: 0, edits: 0 } };
  const submittedAt = Date.now();
  return { key, study, assignment, number, body, submittedAt, tries: 0, refusal: null };
}

/** A server that takes every answer but those that `troubles` says something else of. */
class StandInServer {
  /** Bodies in the order in which they came. */
  posts = [];

  /** By key: what is done instead of taking it. @type {Map<string, (body: object) => any>} */
  troubles = new Map();

  post = async (body) => {
    this.posts.push(body);
    const trouble = this.troubles.get(body.key);
    return trouble ? trouble(body) : { saved: true, key: body.key, counted: true };
  };

  /** From now on, or until `take`, an answer meets this error. */
  fail(number, error) {
    this.troubles.set(`key-${number}`, () => {
      throw error;
    });
  }

  take(number) {
    this.troubles.delete(`key-${number}`);
  }

  get numbers() {
    return this.posts.map(({ answer: number }) => number);
  }
}

/** A page that was just opened: its outbox, and what that told of. */
async function visit(server, { keep, study = STUDY } = {}) {
  const outbox = new Outbox(keep ?? (await openKeep()), study, server.post);
  const told = [];
  for (const name of ["saved", "refused", "waits", "held"]) {
    outbox.addEventListener(name, ({ detail }) => told.push([name, detail.entry?.number ?? null]));
  }
  await outbox.open();
  await settled();
  return { outbox, told };
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

/** What lies in this browser, by number. */
function kept() {
  const found = [...storage.texts].filter(([key]) => key.includes(":outbox:"));
  return found.map(([, text]) => JSON.parse(text).number);
}

test("an answer is kept before it is sent, and counted as waiting before it is kept", async () => {
  const server = new StandInServer();
  const keep = await openKeep();
  const { promise, resolve } = Promise.withResolvers();
  const slow = { ...methods(keep), put: (...record) => promise.then(() => keep.put(...record)) };
  const { outbox } = await visit(server, { keep: slow });
  const counted = [];
  outbox.addEventListener("change", () => counted.push(outbox.waiting.length));
  outbox.add(answer(1));
  await settled();
  assert.deepEqual(counted, [1]);
  assert.deepEqual([kept(), server.posts], [[], []]);
  server.troubles.set("key-1", ({ key }) => {
    assert.deepEqual(kept(), [1]);
    return { saved: true, key };
  });
  resolve();
  await settled();
  assert.deepEqual([server.numbers, outbox.waiting, kept()], [[1], [], []]);
});

/** The methods of what keeps, to be changed one by one. */
function methods(keep) {
  const names = ["put", "find", "all", "remove"];
  const bound = names.map((name) => [name, (...values) => keep[name](...values)]);
  return { lasts: keep.lasts, ...Object.fromEntries(bound) };
}

test("a server in trouble is asked again after 1, 2, 4, 8, 15, 30 and 30 seconds", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("The disk is full."));
  const { outbox } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  let sent = 1;
  for (const seconds of [1, 2, 4, 8, 15, 30, 30]) {
    await pass(1000 * seconds - 1);
    assert.equal(server.posts.length, sent, `before ${seconds} s`);
    await pass(1);
    assert.equal(server.posts.length, ++sent, `after ${seconds} s`);
  }
  server.take(1);
  await pass(30_000);
  assert.deepEqual([outbox.waiting, kept()], [[], []]);
});

for (const [random, ms] of [
  [0, 750],
  [1, 1250],
]) {
  test(`the waits of many people are spread: the first of one is ${ms} ms`, async () => {
    const server = new StandInServer();
    server.fail(1, new Unreachable("The server did not answer."));
    mock.method(Math, "random", () => random);
    const { outbox } = await visit(server);
    await outbox.add(answer(1));
    await settled();
    await pass(ms - 1);
    assert.equal(server.posts.length, 1);
    await pass(1);
    assert.equal(server.posts.length, 2);
  });
}

test("a server that says when to come back is not asked before", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("The server is busy.", 7000));
  const { outbox } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  await pass(6999);
  assert.equal(server.posts.length, 1);
  await pass(1);
  assert.equal(server.posts.length, 2);
});

test("every sending has the same key and the same answer, and says how long it waited", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("The reply was lost."));
  const { outbox } = await visit(server);
  const entry = answer(1);
  await pass(5); // which the first sending does not count
  await outbox.add(entry);
  await settled();
  await pass(1000);
  await pass(2000);
  const [first, ...others] = server.posts;
  assert.deepEqual(first, answer(1).body);
  assert.equal(others.length, 2);
  others.forEach(({ response, ...body }, place) => {
    assert.deepEqual({ ...body, response: first.response }, first);
    assert.deepEqual(response, { ...first.response, queued_ms: [1005, 3005][place] });
  });
});

test("an answer that the server stumbles over does not hold up the rest", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("The server is in trouble."));
  const { outbox, told } = await visit(server);
  for (const number of [1, 2, 3]) await outbox.add(answer(number));
  await settled();
  await pass(1000);
  assert.deepEqual(server.numbers.slice(0, 3), [1, 2, 3]);
  assert.deepEqual(
    told.filter(([name]) => name === "saved"),
    [
      ["saved", 2],
      ["saved", 3],
    ],
  );
  assert.deepEqual(kept(), [1]);
});

test("what is taken after trouble begins the waits anew", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("The server is in trouble."));
  const { outbox } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  await pass(1000);
  await pass(2000);
  await outbox.add(answer(2));
  await settled();
  assert.deepEqual(server.numbers, [1, 1, 1, 2, 1]);
  await pass(1000);
  assert.deepEqual(server.numbers, [1, 1, 1, 2, 1, 1]);
});

for (const code of ["no_session", "revoked", "expired"]) {
  test(`${code} is of the session: nothing more is sent by itself, and nothing dropped`, async () => {
    const server = new StandInServer();
    server.fail(1, new Refusal(403, { error: "Open your link again.", code }));
    const { outbox, told } = await visit(server);
    outbox.add(answer(1));
    await outbox.add(answer(2));
    await settled();
    await pass(120_000);
    assert.deepEqual(server.numbers, [1]);
    assert.deepEqual(
      outbox.waiting.map(({ number, refusal }) => [number, refusal]),
      [
        [1, null],
        [2, null],
      ],
    );
    assert.ok(told.some(([name]) => name === "held"));
    assert.deepEqual(kept(), [1, 2]);
    server.take(1);
    outbox.kick();
    await settled();
    assert.deepEqual([outbox.waiting, kept()], [[], []]);
  });
}

for (const code of FINAL_CODES) {
  test(`${code} is told, kept to be seen, and not sent again by any visit`, async () => {
    const server = new StandInServer();
    server.fail(1, new Refusal(409, { error: "It was answered already.", code }));
    const { outbox, told } = await visit(server);
    await outbox.add(answer(1));
    await settled();
    assert.deepEqual(told, [["refused", 1]]);
    const refusal = { code, sentence: "It was answered already." };
    assert.deepEqual(outbox.refused[0].refusal, refusal);
    outbox.kick();
    await pass(120_000);
    const later = await visit(server);
    await pass(120_000);
    assert.deepEqual(server.numbers, [1]);
    assert.deepEqual(later.outbox.refused[0].refusal, refusal);
    await later.outbox.dismiss("key-1");
    assert.deepEqual([later.outbox.refused, kept()], [[], []]);
  });
}

test("an answer that was refused for another reason is sent again by the next visit", async () => {
  const server = new StandInServer();
  server.fail(1, new Refusal(422, { error: "The answer is no number.", code: "invalid" }));
  const { outbox } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  await pass(120_000);
  assert.deepEqual([server.numbers, outbox.waiting], [[1], []]);
  server.take(1);
  const later = await visit(server);
  assert.deepEqual([server.numbers, later.outbox.refused, kept()], [[1, 1], [], []]);
});

test("an answer that was refused is sent again when the person wants it", async () => {
  const server = new StandInServer();
  server.fail(1, new Refusal(422, { error: "The answer is no number.", code: "invalid" }));
  const { outbox, told } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  server.take(1);
  await outbox.again("key-1");
  await settled();
  assert.deepEqual([told.at(-1), outbox.refused, kept()], [["saved", 1], [], []]);
});

for (const reply of [
  null,
  { welcome: "to the hotel" },
  { saved: true },
  { saved: true, key: "x" },
]) {
  test(`${JSON.stringify(reply)} does not say that the answer is saved`, async () => {
    const server = new StandInServer();
    server.troubles.set("key-1", () => reply);
    const { outbox, told } = await visit(server);
    await outbox.add(answer(1));
    await settled();
    assert.deepEqual([outbox.waiting.length, kept(), told], [1, [1], [["waits", 1]]]);
    server.take(1);
    await pass(1000);
    assert.deepEqual([told.at(-1), kept()], [["saved", 1], []]);
  });
}

test("what a visit left unsent the next one sends, oldest first, and of its own study", async () => {
  const away = new StandInServer();
  for (const number of [1, 2, 3]) away.fail(number, new Unreachable("There is no connection."));
  const { outbox } = await visit(away);
  await outbox.add({ ...answer(3), submittedAt: 300 });
  await outbox.add({ ...answer(1), submittedAt: 100 });
  const other = await visit(away, { study: "s2" });
  await other.outbox.add(answer(2, "s2"));
  await settled();
  outbox.close();
  other.outbox.close();
  await pass(1000);
  const back = new StandInServer();
  const later = await visit(back);
  assert.deepEqual(back.numbers, [1, 3]);
  assert.deepEqual(
    back.posts.map(({ response }) => response.queued_ms),
    [900, 700],
  );
  assert.deepEqual([later.outbox.waiting, kept()], [[], [2]]);
});

test("a tab that another took over from sends nothing more, and leaves all for it", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("There is no connection."));
  const { outbox } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  outbox.close();
  await pass(120_000);
  assert.deepEqual([server.numbers, outbox.waiting, kept()], [[1], [], [1]]);
});

test("where nothing can be kept, the answer says so and is sent all the same", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("There is no connection."));
  const { outbox } = await visit(server);
  storage.isFull = true;
  await outbox.add(answer(1));
  await settled();
  assert.deepEqual(
    outbox.waiting.map(({ isKept }) => isKept),
    [false],
  );
  server.take(1);
  await pass(1000);
  assert.deepEqual([server.numbers, outbox.waiting], [[1, 1], []]);
});

test("an answer is saved even where what was kept of it cannot be removed", async () => {
  const server = new StandInServer();
  const keep = { ...methods(await openKeep()), remove: () => Promise.reject(new Error("broken")) };
  const { outbox, told } = await visit(server, { keep });
  await outbox.add(answer(1));
  await settled();
  assert.deepEqual([told, outbox.waiting, kept()], [[["saved", 1]], [], [1]]);
  await visit(server);
  assert.deepEqual([server.posts[0], kept()], [server.posts[1], []]);
});

test("what is kept cannot be read: what comes now is sent", async () => {
  const server = new StandInServer();
  const keep = { ...methods(await openKeep()), all: () => Promise.reject(new Error("broken")) };
  const { outbox } = await visit(server, { keep });
  await outbox.add(answer(1));
  await settled();
  assert.deepEqual([server.numbers, outbox.waiting], [[1], []]);
});

test("the draft of an answer goes when the answer is saved, and not before", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("There is no connection."));
  const keep = await openKeep();
  await keep.put("drafts", "a1", { assignment: "a1" });
  const { outbox } = await visit(server, { keep });
  await outbox.add(answer(1));
  await settled();
  assert.notEqual(await keep.find("drafts", "a1"), null);
  server.take(1);
  await pass(1000);
  assert.equal(await keep.find("drafts", "a1"), null);
});

test("whoever waits for a slow server may go on after 5 seconds", async () => {
  const server = new StandInServer();
  server.troubles.set("key-1", () => new Promise(() => undefined));
  const { outbox, told } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  await pass(4999);
  assert.deepEqual(told, []);
  await pass(1);
  assert.deepEqual(told, [["waits", 1]]);
});

test("a connection that is back is used at once, and one sending at a time", async () => {
  const server = new StandInServer();
  server.fail(1, new Unreachable("There is no connection."));
  const { outbox } = await visit(server);
  await outbox.add(answer(1));
  await settled();
  const { promise, resolve } = Promise.withResolvers();
  server.troubles.set("key-1", ({ key }) => promise.then(() => ({ saved: true, key })));
  outbox.kick();
  outbox.kick();
  await settled();
  outbox.kick();
  assert.deepEqual(server.numbers, [1, 1]);
  resolve();
  await settled();
  assert.deepEqual([server.numbers, outbox.waiting], [[1, 1], []]);
});
