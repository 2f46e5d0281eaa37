/** The address of a scene, as Python writes it: see tests/golden/remake_addresses.py. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  readSpan,
  sceneAddress,
  spanText,
} from "../../umnist_core/server/static/lab/scene_address.js";

const { tiles, cases } = JSON.parse(
  readFileSync(new URL("../golden/scene_addresses.json", import.meta.url), "utf8"),
);

for (const { ref, address } of cases) {
  test(`address of ${address}`, () => {
    const setting = { preset: ref.preset, overrides: ref.overrides, reference: ref.preset };
    const asked = { pin: tiles.pin, tileSize: Number(tiles.tile) };
    assert.equal(sceneAddress(setting, ref, asked), address);
  });
}

test("a range is read as it is written", () => {
  for (const text of ["3", "-10..10", "0.5..75"]) assert.equal(spanText(readSpan(text)), text);
  for (const text of ["", "3..", "1..2..3", "three"]) assert.equal(readSpan(text), null);
});
