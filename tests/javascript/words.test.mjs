/** Sentences in the language of the page: places, numbers, plural forms, and where there are none. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { figure, hasWord, setWords, t, word } from "../../umnist_core/server/static/hall/words.js";

test("without sentences the viewer speaks English, and a key stands for itself", () => {
  assert.equal(
    word("viewer.digit", "Digit {label}, {side} px", { label: "7", side: 4096 }),
    "Digit 7, 4,096 px",
  );
  assert.equal(t("page.title"), "page.title");
  assert.equal(hasWord("toString"), false);
});

test("places are filled in once, and numbers are written as the language does", () => {
  setWords({ language: "de", sentences: { "guide.size": "{largest} von {image} px, {other}" } });
  const values = { largest: 4096, image: "{largest}" };
  assert.equal(t("guide.size", values), "4.096 von {largest} px, {other}");
  assert.equal(figure(8192), "8.192");
  assert.equal(word("guide.size", "English", values), "4.096 von {largest} px, {other}");
});

test("the plural form is the one that the language takes, or the last there is", () => {
  const forms = { one: "{count} plik", few: "{count} pliki", many: "{count} plików", other: "?" };
  setWords({
    language: "pl",
    sentences: { "gate.tries": forms, "gate.lead": { other: "{count}" } },
  });
  const said = [1, 2, 5, 22, 1.5].map((count) => t("gate.tries", { count }));
  assert.deepEqual(said, ["1 plik", "2 pliki", "5 plików", "22 pliki", "?"]);
  assert.equal(t("gate.lead", { count: 1 }), "1");
});

test("a tag that the browser cannot read writes numbers as English does", () => {
  setWords({ language: "x_y", sentences: {} });
  assert.equal(figure(8192), "8,192");
});
