/** What guided people are told: how large digits are, how many, and what they look like. */

import { h, s } from "../hall/dom.js";
import { figure, t } from "../hall/words.js";
import { mountViewer } from "../viewer/viewer.js";

/**
 * @param {import("./state.js").Guide} guide
 * @returns {{facts: HTMLElement, sheet: HTMLElement, destroy: () => void}}
 */
export function guideContent(guide) {
  const stage = h("div", { class: "sheet-stage" });
  const facts = h("div", { class: "facts" }, ...countFacts(guide), ...sizeFacts(guide));
  const sheet = h(
    "div",
    { class: "sheet" },
    // Nobody knows whose digits are in images that somebody else made.
    h("h2", {}, t(guide.digit_counts ? "guide.all_digits" : "guide.some_digits")),
    h("p", { class: "quiet" }, t(guide.digit_counts ? "guide.columns" : "guide.columns_others")),
    stage,
  );
  const { dzi, width, height, tiles } = guide.sheet;
  const viewer = mountViewer(stage, {
    bus: "sheet",
    plain: true,
    height: "100%",
    panes: [{ key: dzi, title: t("guide.sheet"), dzi, width, height, tiles }],
    image: { width, height },
    // As a whole it is grey: thousands of digits of a pixel each.
    view: { x: width / 2, y: height / 2, zoom: 1 },
    link: null,
  });
  return { facts, sheet, destroy: () => viewer.destroy() };
}

/** @param {import("./state.js").Guide} guide */
function countFacts({ digit_counts: counts }) {
  if (!counts) return [];
  const [fewest, most] = counts;
  const each =
    fewest === most
      ? t("guide.count", { count: most })
      : t("guide.count_range", { fewest, count: most });
  return [h("h2", {}, t("guide.how_many")), h("p", {}, each)];
}

/** @param {import("./state.js").Guide} guide */
function sizeFacts({ sizes_px: sizes, image_px: imagePx }) {
  if (!sizes) return [];
  const [smallest, largest] = sizes;
  const sentence = t(smallest === largest ? "guide.size" : "guide.size_range", {
    ...{ smallest, largest, image: imagePx },
  });
  return [h("h2", {}, t("guide.how_large")), h("p", {}, sentence), sizePicture(sizes, imagePx)];
}

/**
 * The smallest and the largest size in a whole image, to scale.
 *
 * @param {[number, number]} sizes
 * @param {number} imagePx
 */
function sizePicture([smallest, largest], imagePx) {
  const scale = 100 / imagePx;
  const [small, large] = [smallest * scale, largest * scale];
  const fits = large > 25; // its caption, in it
  const picture = s(
    "svg",
    { class: "sizes", viewBox: "-0.5 -0.5 101 101", role: "img" },
    s("title", {}, t("guide.picture", { largest, smallest })),
    s("rect", { class: "frame", x: 0, y: 0, width: 100, height: 100 }),
    s("rect", { class: "size", x: 8, y: 94 - large, width: large, height: large }),
    s("rect", { class: "size", x: 78, y: 20, width: small, height: small }),
    s("circle", { class: "ring", cx: 78 + small / 2, cy: 20 + small / 2, r: 3.5 }),
    fits
      ? caption(11, 101.5 - large, `${figure(largest)} px`, "inside")
      : caption(8, 91.5 - large, `${figure(largest)} px`),
    caption(70.5, 13.5, `${figure(smallest)} px`),
    caption(3, 8, `${figure(imagePx)} px`),
  );
  return picture;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 */
function caption(x, y, text, name = "") {
  return s("text", { x, y, class: name }, text);
}
