/** Arithmetic of views: what is drawn pixel for pixel, and where a view may be. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import * as views from "../../umnist_core/server/static/hall/view.js";

const IMAGE = { width: 4000, height: 4000 };
const PANE = { width: 1001, height: 700 };

/** Screen pixels per CSS px of plain, dense and crooked screens. */
const DENSITIES = [1, 2, 1.5, 1.25];

afterEach(() => delete globalThis.devicePixelRatio);

function near(found, wanted, told = "") {
  assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), `${told} ${found}`);
}

/** Where a column of the image begins on the screen, in screen pixels from the pane's side. */
function screenPx(view, column, density) {
  return ((column - view.x) * view.zoom + PANE.width / 2) * density;
}

for (const density of DENSITIES) {
  test(`with ${density} screen pixels for one, exact zooms have whole screen pixels`, () => {
    globalThis.devicePixelRatio = density;
    for (let power = -6; power <= 6; power += 1) {
      const screen = views.exactZoom(2 ** power) * density;
      const whole = screen >= 1 ? screen : 1 / screen;
      near(whole, Math.round(whole), `2^${power}`);
      assert.ok(Math.abs(screen / (2 ** power * density) - 1) <= 0.34, `2^${power}: ${screen}`);
    }
  });

  test(`with ${density} screen pixels for one, aligned views begin on one, and stay`, () => {
    globalThis.devicePixelRatio = density;
    for (const ratio of [1, 4, 16]) {
      const view = { x: 1234.567, y: 7.3, zoom: views.exactZoom(ratio) };
      const aligned = views.alignedView(view, PANE);
      const start = screenPx(aligned, 0, density);
      near(start, Math.round(start));
      assert.ok(Math.abs(start - screenPx(view, 0, density)) <= 0.5 + 1e-9);
      assert.ok(views.sameView(views.alignedView(aligned, PANE), aligned));
    }
  });

  test(`with ${density} screen pixels for one, every step of the ladder is drawn exactly`, () => {
    globalThis.devicePixelRatio = density;
    const smallest = views.wholeZoom(IMAGE, PANE);
    const steps = [smallest];
    for (let zoom = smallest; zoom !== views.nextZoom(zoom, 1, smallest); ) {
      zoom = views.nextZoom(zoom, 1, smallest);
      steps.push(zoom);
    }
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
    );
    near(steps.at(-1), views.exactZoom(views.MAX_RATIO));
    const back = steps.toReversed().map((zoom) => views.nextZoom(zoom, -1, smallest));
    assert.deepEqual(back, [...steps.toReversed().slice(1), smallest]);
    for (const step of steps.slice(1)) near(step, views.exactZoom(step));
  });
}

test("a view between two exact zooms is left where it is", () => {
  const view = { x: 1229.3, y: 1731.2, zoom: 5.37 };
  assert.equal(views.alignedView(view, PANE), view);
});

test("a length is cut until it is whole in CSS px and in screen pixels", () => {
  for (const [density, length, exact] of [
    [1, 701, 701],
    [1.25, 701, 700],
    [1.5, 701, 700],
    [1.1, 709, 700],
    [1.37, 721, 721], // none is near
  ]) {
    globalThis.devicePixelRatio = density;
    assert.equal(views.exactLength(length), exact, `${density}`);
  }
});

test("the whole image fits with a margin, and a small one is enlarged 64 times at most", () => {
  assert.equal(views.wholeZoom(IMAGE, PANE), 680 / 4000);
  assert.equal(views.wholeZoom({ width: 8000, height: 10 }, PANE), 981 / 8000);
  assert.equal(views.wholeZoom({ width: 2, height: 2 }, PANE), views.MAX_RATIO);
  assert.equal(views.wholeZoom(IMAGE, { width: 5, height: 5 }), 1 / 4000);
});

test("the middle stays on the image, and the zoom between whole and 64", () => {
  const whole = views.wholeZoom(IMAGE, PANE);
  for (const [view, clamped] of [
    [
      { x: -5, y: 4001, zoom: 0.01 },
      { x: 0, y: 4000, zoom: whole },
    ],
    [
      { x: 10, y: 20, zoom: 99 },
      { x: 10, y: 20, zoom: 64 },
    ],
    [
      { x: 10, y: 20, zoom: 1 },
      { x: 10, y: 20, zoom: 1 },
    ],
  ]) {
    assert.deepEqual(views.clampedView(view, IMAGE, PANE), clamped);
  }
});

test("a pinch keeps what was between the fingers between them", () => {
  const view = { x: 2000, y: 1500, zoom: 0.5 };
  const [from, to] = [
    { x: 300, y: 200 },
    { x: 420, y: 260 },
  ];
  for (const ratio of [2.5, 0.7]) {
    const after = views.pinchedView(view, { from, to, ratio }, IMAGE, PANE);
    near(after.zoom, 0.5 * ratio);
    for (const [axis, length] of [
      ["x", PANE.width],
      ["y", PANE.height],
    ]) {
      const before = view[axis] + (from[axis] - length / 2) / view.zoom;
      near(after[axis] + (to[axis] - length / 2) / after.zoom, before, axis);
    }
  }
});

test("a pinch beyond the largest zoom moves nothing away under the fingers", () => {
  const view = { x: 2000, y: 1500, zoom: 64 };
  const place = { x: 300, y: 200 };
  const after = views.pinchedView(view, { from: place, to: place, ratio: 3 }, IMAGE, PANE);
  assert.ok(views.sameView(after, view), JSON.stringify(after));
});

test("a box is shown in the middle with as much room again around it", () => {
  const large = views.viewOfBox([100, 200, 2000, 1000], PANE);
  near(large.zoom, (0.5 * PANE.width) / 2000);
  assert.deepEqual([large.x, large.y], [1100, 700]);
  assert.equal(views.viewOfBox([0, 0, 56, 56], PANE).zoom, 4, "6.25, drawn exactly");
  assert.equal(views.viewOfBox([0, 0, 1, 1], PANE).zoom, 16);
});

test("views are the same within a hundredth of a pixel on the screen", () => {
  const view = { x: 10, y: 20, zoom: 4 };
  assert.ok(views.sameView(view, { x: 10.0024, y: 20, zoom: 4 * (1 + 1e-7) }));
  for (const change of [{ x: 10.0026 }, { y: 19.9974 }, { zoom: 4.0001 }]) {
    assert.ok(!views.sameView(view, { ...view, ...change }), JSON.stringify(change));
  }
  assert.ok(views.sameView(null, null));
  assert.ok(!views.sameView(view, null));
});

test("zooms are said as ratios where they are exact, else in percent", () => {
  const said = [1, 4, 64, 0.5, 1.5, 0.0425].map(views.zoomText);
  assert.deepEqual(said, ["1:1", "4:1", "64:1", "50 %", "150 %", "4.3 %"]);
  globalThis.devicePixelRatio = 1.25;
  assert.equal(views.zoomText(views.exactZoom(1)), "1:1");
  assert.equal(views.zoomText(1), "100 %", "1.25 screen pixels for one");
});

test("the scale bar has the longest round length that fits", () => {
  const lengths = [1, 0.17, 10, 100, 1000].map((zoom) => views.roundLength(zoom, 120));
  assert.deepEqual(lengths, [100, 500, 10, 1, 1]);
  assert.equal(views.roundLength(2.4, 120), 50, "120 px exactly");
});

test("a whole image is drawn from the level with 0.6 to 1.2 pixels for a screen pixel", () => {
  const source = { width: 4000, maxLevel: 12 };
  for (const density of DENSITIES) {
    globalThis.devicePixelRatio = density;
    for (const drawnPx of [300, 680, 1500, 2400]) {
      const level = views.levelOf(source, drawnPx);
      const ratio = (drawnPx * density * 2 ** (12 - level)) / 4000;
      assert.ok((ratio >= 0.6 && ratio < 1.2) || (level === 12 && ratio >= 1.2), `${ratio}`);
    }
  }
  assert.equal(views.levelOf(source, 1e9), 12);
  assert.equal(views.levelOf({ width: 4, maxLevel: 2 }, 1e-9), 0);
});
