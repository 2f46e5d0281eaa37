/** Boxes around digits: their arithmetic, and every step of drawing them back and forth. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Drawing, MOST_BOXES } from "../../umnist_core/server/static/boxes/drawing.js";
import {
  boxBetween,
  grownBox,
  handlesOf,
  movedBox,
  pulledBox,
  tenth,
} from "../../umnist_core/server/static/boxes/shapes.js";

const IMAGE = { width: 300, height: 200.5 };
const BOX = { x: 10, y: 20, width: 30, height: 40 };

/** Numbers from 0 to 1, the same ones each time. */
function makeDraws(state = 1) {
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function assertIsBox({ x, y, width, height }) {
  const told = JSON.stringify({ x, y, width, height });
  for (const side of [x, y, width, height]) assert.equal(side, tenth(side), told);
  assert.ok(x >= 0 && y >= 0 && width >= 1 && height >= 1, told);
  assert.ok(tenth(x + width) <= IMAGE.width && tenth(y + height) <= IMAGE.height, told);
}

test("a box lies within its image, to a tenth of a px and a px long at least", () => {
  const draw = makeDraws();
  const point = () => ({ x: 500 * draw() - 100, y: 400 * draw() - 100 });
  for (let turn = 0; turn < 2000; turn += 1) {
    const box = boxBetween(point(), point(), IMAGE);
    assertIsBox(box);
    assertIsBox(movedBox(box, point(), IMAGE));
    assertIsBox(grownBox(box, point(), IMAGE));
    for (const { handle } of handlesOf(box)) assertIsBox(pulledBox(box, handle, point(), IMAGE));
  }
});

test("a box is what lies between two corners, whichever they are", () => {
  const [one, other] = [
    { x: 40, y: 20 },
    { x: 10, y: 60 },
  ];
  assert.deepEqual(boxBetween(one, other, IMAGE), BOX);
  assert.deepEqual(boxBetween(other, one, IMAGE), BOX);
  assert.deepEqual(boxBetween({ x: -5, y: -5 }, { x: 20, y: 999 }, IMAGE), {
    ...{ x: 0, y: 0 },
    ...{ width: 20, height: 200.5 },
  });
  assert.deepEqual(boxBetween({ x: 300, y: 0 }, { x: 320, y: 0 }, IMAGE), {
    ...{ x: 299, y: 0 },
    ...{ width: 1, height: 1 },
  });
});

test("a box keeps its size where the image ends, and its place where it grows", () => {
  assert.deepEqual(movedBox(BOX, { x: 999, y: -999 }, IMAGE), { ...BOX, x: 270, y: 0 });
  assert.deepEqual(grownBox(BOX, { x: -999, y: 999 }, IMAGE), { ...BOX, width: 1, height: 180.5 });
});

test("a corner that is pulled leaves the opposite one, and past it the box turns over", () => {
  const pulled = (handle, to) => pulledBox(BOX, handle, to, IMAGE);
  assert.deepEqual(pulled("se", { x: 50, y: 70 }), { ...BOX, width: 40, height: 50 });
  assert.deepEqual(pulled("n", { x: 999, y: 30 }), { ...BOX, y: 30, height: 30 });
  assert.deepEqual(pulled("w", { x: 60, y: 0 }), { ...BOX, x: 40, width: 20 });
});

test("small boxes have handles at the corners alone, which stand outside of the digit", () => {
  const small = handlesOf({ x: 100, y: 100, width: 20, height: 20 });
  assert.deepEqual(
    small.map(({ handle }) => handle),
    ["nw", "ne", "se", "sw"],
  );
  assert.ok(small.every(({ x, y }) => (x < 100 || x > 120) && (y < 100 || y > 120)));
  assert.equal(handlesOf({ x: 0, y: 0, width: 200, height: 200 }).length, 8);
});

/** What is drawn, in a few letters. */
const told = (drawing) => drawing.values.map(({ label, x }) => `${label ?? "?"}@${x}`).join(" ");

test("each step leads back and forth, and a drag is one", () => {
  const drawing = new Drawing();
  const steps = [""];
  const keep = () => steps.push(told(drawing));
  drawing.add(BOX);
  keep();
  drawing.label(7);
  keep();
  drawing.begin();
  for (const x of [11, 12, 13]) drawing.reshape({ ...BOX, x });
  drawing.commit();
  keep();
  drawing.remove(drawing.chosen);
  keep();
  assert.deepEqual(steps, ["", "?@10", "7@10", "7@13", ""]);
  for (const step of [...steps].reverse().slice(1)) {
    drawing.undo();
    assert.equal(told(drawing), step);
  }
  drawing.undo(); // there is nothing more
  for (const step of steps.slice(1)) {
    drawing.redo();
    assert.equal(told(drawing), step);
  }
});

test("a drag that is given up leaves nothing, and what changes nothing is no step", () => {
  const drawing = new Drawing();
  drawing.begin();
  drawing.add(BOX);
  drawing.cancel();
  assert.deepEqual([drawing.boxes, drawing.chosen, drawing.past], [[], null, []]);
  drawing.add(BOX);
  drawing.reshape(BOX);
  drawing.begin();
  drawing.commit();
  assert.equal(drawing.past.length, 1);
});

test("a new step ends the way forth", () => {
  const drawing = new Drawing();
  drawing.add(BOX);
  drawing.undo();
  drawing.add({ ...BOX, x: 50 });
  drawing.redo();
  assert.equal(told(drawing), "?@50");
});

test("the next box is chosen around the end, and other boxes have no way back", () => {
  const drawing = new Drawing();
  drawing.step(1);
  assert.equal(drawing.box, null);
  for (const x of [1, 2, 3]) drawing.add({ ...BOX, x });
  drawing.choose(null);
  const chosen = [1, 1, 1, 1, -1, -1].map((by) => {
    drawing.step(by);
    return drawing.box?.x;
  });
  assert.deepEqual(chosen, [1, 2, 3, 1, 3, 2]);
  drawing.choose(null);
  drawing.step(-1);
  assert.equal(drawing.box?.x, 3);
  drawing.show([{ ...BOX, label: 4 }]);
  drawing.undo();
  assert.equal(told(drawing), "4@10");
});

test("there are a hundred boxes at most", () => {
  const drawing = new Drawing();
  for (let count = 0; count < MOST_BOXES; count += 1) assert.notEqual(drawing.add(BOX), null);
  assert.equal(drawing.add(BOX), null);
  assert.equal(drawing.values.length, MOST_BOXES);
});
