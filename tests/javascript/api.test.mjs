/** Every failure is one of two: the server refused, or it could not be reached. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, mock, test } from "node:test";

import { atHome } from "../../umnist_core/server/static/hall/home.js";
import { setWords } from "../../umnist_core/server/static/hall/words.js";
import {
  Refusal,
  Unreachable,
  getJson,
  newKey,
  postJson,
  sentenceOf,
} from "../../umnist_core/server/static/label/api.js";

const ENGLISH = new URL("../../umnist_core/labeling/languages/en.json", import.meta.url);
setWords(JSON.parse(readFileSync(ENGLISH, "utf8")));

/** @type {import("node:test").Mock} */
let fetched;

function serverSays(status, text, headers = {}) {
  const respond = async () => new Response(status === 204 ? null : text, { status, headers });
  fetched = mock.method(globalThis, "fetch", respond);
}

afterEach(() => mock.reset());

test("what is posted is JSON, and so is the reply, which is asked for anew", async () => {
  serverSays(200, '{"saved": true}');
  assert.deepEqual(await postJson("/label/s1/api/answers", { answer: 7 }), { saved: true });
  const [url, options] = fetched.mock.calls[0].arguments;
  assert.equal(url, atHome("/label/s1/api/answers"));
  assert.deepEqual(
    [options.method, options.body, options.cache, options.headers["Content-Type"]],
    ["POST", '{"answer":7}', "no-store", "application/json"],
  );
});

test("no content is no body", async () => {
  serverSays(204, "");
  assert.equal(await postJson("/alive", {}), null);
});

for (const text of ["<h1>Welcome to the hotel</h1>", "", '"saved"', "null"]) {
  test(`200 with ${JSON.stringify(text)} is not the study's server`, async () => {
    serverSays(200, text);
    await assert.rejects(getJson("/state"), {
      constructor: Unreachable,
      message: "Something other than the study's server answered.",
    });
  });
}

for (const status of [500, 502, 503, 504, 429, 408]) {
  test(`${status} may be asked again, with the server's own sentence and time`, async () => {
    serverSays(status, '{"error": "The disk is full."}', { "retry-after": "3" });
    await assert.rejects(getJson("/state"), {
      constructor: Unreachable,
      message: "The disk is full.",
      retryAfterMs: 3000,
    });
  });
}

test("trouble without a word of the server's has a sentence, and may be asked again", async () => {
  serverSays(502, "<h1>Bad gateway</h1>");
  await assert.rejects(getJson("/state"), {
    constructor: Unreachable,
    message: "The server is in trouble.",
    retryAfterMs: 0,
  });
});

test("a no of the server's is a refusal, with its sentence, code and state", async () => {
  const state = { phase: "done" };
  serverSays(409, JSON.stringify({ error: "It was answered.", code: "a_new_one", state }));
  await assert.rejects(postJson("/answers", {}), {
    constructor: Refusal,
    message: "It was answered.",
    code: "a_new_one",
    status: 409,
    state,
  });
});

test("what a code says is said in the language of the page, as closely as it can be", async () => {
  const words = {
    language: "de",
    sentences: { "refused.closed": "Zu.", "refused.too.many": "{count} mal." },
  };
  setWords(words);
  serverSays(410, JSON.stringify({ error: "It is closed.", code: "closed", said: "closed.join" }));
  await assert.rejects(getJson("/state"), { message: "Zu.", code: "closed" });
  serverSays(409, JSON.stringify({ code: "too", said: "too.many", values: { count: 2000 } }));
  await assert.rejects(getJson("/state"), { message: "2.000 mal.", values: { count: 2000 } });
  setWords(JSON.parse(readFileSync(ENGLISH, "utf8")));
});

test("a no without a word is a refusal all the same", async () => {
  serverSays(403, "<h1>Forbidden</h1>");
  await assert.rejects(getJson("/state"), {
    constructor: Refusal,
    message: "The server refused this (403).",
    code: "refused",
    state: null,
  });
});

for (const [onLine, message] of [
  [true, "The server did not answer."],
  [false, "There is no connection."],
]) {
  test(`no reply where the browser is ${onLine ? "" : "not "}connected: ${message}`, async () => {
    mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    navigator.onLine = onLine;
    await assert.rejects(getJson("/state"), { constructor: Unreachable, message });
  });
}

test("a reply that is cut off is none", async () => {
  const cut = { headers: new Headers(), text: () => Promise.reject(new TypeError("cut")) };
  mock.method(globalThis, "fetch", async () => cut);
  await assert.rejects(getJson("/state"), Unreachable);
});

test("a request hangs no longer than 20 seconds", async () => {
  const limit = mock.method(AbortSignal, "timeout");
  serverSays(200, "{}");
  await getJson("/state");
  assert.equal(limit.mock.calls[0].arguments[0], 20_000);
  assert.equal(fetched.mock.calls[0].arguments[1].signal, limit.mock.calls[0].result);
});

test("keys are random UUIDs of version 4, and no two are the same", () => {
  const keys = Array.from({ length: 200 }, newKey);
  const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
  for (const key of keys) assert.match(key, uuid);
  assert.equal(new Set(keys).size, keys.length);
});

test("whatever is thrown says something", () => {
  assert.equal(sentenceOf(new Refusal(409, { error: "It was answered." })), "It was answered.");
  assert.equal(sentenceOf("a word"), "a word");
});
