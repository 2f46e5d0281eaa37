/** What a browser keeps through reloads, where it has no database. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import {
  findLast,
  openKeep,
  putLast,
  removeLast,
} from "../../umnist_core/server/static/label/keep.js";
import { StandInStorage, settled } from "./stand_ins.mjs";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));

afterEach(() => {
  mock.reset();
  delete globalThis.localStorage;
  delete globalThis.indexedDB;
});

test("without a database, answers and drafts survive a reload in localStorage", async () => {
  globalThis.localStorage = new StandInStorage();
  const keep = await openKeep();
  assert.equal(keep.lasts, true);
  await keep.put("outbox", "k1", { key: "k1" });
  await keep.put("outbox", "k2", { key: "k2" });
  await keep.put("drafts", "a1", { assignment: "a1" });
  const again = await openKeep();
  assert.deepEqual(await again.all("outbox"), [{ key: "k1" }, { key: "k2" }]);
  assert.deepEqual(await again.all("drafts"), [{ assignment: "a1" }]);
  assert.deepEqual(await again.find("drafts", "a1"), { assignment: "a1" });
  await again.remove("outbox", "k1");
  assert.deepEqual(await keep.all("outbox"), [{ key: "k2" }]);
  assert.equal(await keep.find("outbox", "k1"), null);
});

test("what others keep in localStorage is neither read nor left out of place", async () => {
  globalThis.localStorage = new StandInStorage();
  localStorage.setItem("somebody-else", "no JSON");
  const keep = await openKeep();
  await keep.put("drafts", "a1", { assignment: "a1" });
  assert.deepEqual(await keep.all("drafts"), [{ assignment: "a1" }]);
  assert.equal(localStorage.getItem("somebody-else"), "no JSON");
  assert.equal(localStorage.length, 2, "The probe is gone.");
});

test("where nothing lasts, memory keeps it and says that it does not last", async () => {
  const keep = await openKeep();
  assert.equal(keep.lasts, false);
  await keep.put("outbox", "k1", { key: "k1" });
  assert.deepEqual(await keep.all("outbox"), [{ key: "k1" }]);
  await keep.remove("outbox", "k1");
  assert.deepEqual(await keep.all("outbox"), []);
  const again = await openKeep();
  assert.deepEqual(await again.all("outbox"), []);
});

test("what is kept is as it was then, whatever becomes of the record", async () => {
  const keep = await openKeep();
  const record = { key: "k1", tries: 0 };
  await keep.put("outbox", "k1", record);
  record.tries = 3;
  assert.deepEqual(await keep.all("outbox"), [{ key: "k1", tries: 0 }]);
});

test("a storage that is full says so", async () => {
  globalThis.localStorage = new StandInStorage();
  const keep = await openKeep();
  localStorage.isFull = true;
  await assert.rejects(keep.put("outbox", "k1", { key: "k1" }));
});

for (const [how, open] of [
  ["does not open within 4 seconds", () => undefined],
  ["is in use", (opening) => opening.onblocked()],
  ["is refused", (opening) => opening.onerror()],
]) {
  test(`a database that ${how} is as good as none`, async () => {
    globalThis.localStorage = new StandInStorage();
    globalThis.indexedDB = {
      open: () => {
        const opening = {};
        queueMicrotask(() => open(opening));
        return opening;
      },
    };
    const opened = openKeep();
    await settled();
    mock.timers.tick(4000);
    const keep = await opened;
    await keep.put("outbox", "k1", { key: "k1" });
    assert.deepEqual([keep.lasts, localStorage.length], [true, 1]);
  });
}

test("the draft of a page that is left is there when it comes back, and gone when it is used", () => {
  globalThis.localStorage = new StandInStorage();
  putLast({ assignment: "a1", entered: { answer: 7 } });
  assert.deepEqual(findLast("a1"), { assignment: "a1", entered: { answer: 7 } });
  assert.equal(findLast("a2"), null);
  removeLast("a1");
  assert.equal(findLast("a1"), null);
});

test("a draft that cannot be kept while the page is left breaks nothing", () => {
  putLast({ assignment: "a1" });
  assert.equal(findLast("a1"), null);
  removeLast("a1");
  globalThis.localStorage = new StandInStorage();
  localStorage.isFull = true;
  putLast({ assignment: "a1" });
  assert.equal(findLast("a1"), null);
});
