/** What guided people are told: how large digits are, how many, and what they look like. */

import { h, s } from "../dom.js";
import { mountViewer } from "../viewer.js";

/** Side of the images that the sizes are of, px. */
const FRAME_PX = 4000;

const ENGLISH = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/**
 * @param {import("./state.js").Guide} guide
 * @returns {{facts: HTMLElement, sheet: HTMLElement, destroy: () => void}}
 */
export function guideContent(guide) {
  const stage = h("div", { class: "sheet-stage" });
  const [fewest, most] = guide.digit_counts;
  const facts = h(
    "div",
    { class: "facts" },
    h("h2", {}, "How many"),
    h("p", {}, `Each image has ${english(fewest)} to ${english(most)} digits.`),
    h("h2", {}, "How large"),
    h("p", {}, sizeSentence(guide.sizes_px)),
    sizePicture(guide.sizes_px),
  );
  const sheet = h(
    "div",
    { class: "sheet" },
    h("h2", {}, "All digits that are used"),
    h("p", { class: "quiet" }, "Zoom in to see how people wrote each of them."),
    stage,
  );
  const { dzi, width, height, tiles } = guide.sheet;
  const viewer = mountViewer(stage, {
    bus: "sheet",
    plain: true,
    height: "100%",
    panes: [{ key: dzi, title: "All digits", dzi, width, height, tiles }],
    image: { width, height },
    link: null,
  });
  return { facts, sheet, destroy: () => viewer.destroy() };
}

function sizeSentence([smallest, largest]) {
  const [small, large, frame] = [smallest, largest, FRAME_PX].map((px) => px.toLocaleString("en"));
  return `From ${small} px to ${large} px wide, in an image of ${frame} px. Drawn to scale:`;
}

/** The smallest and the largest size in a whole image, to scale. */
function sizePicture([smallest, largest]) {
  const scale = 100 / FRAME_PX;
  const [small, large] = [smallest * scale, largest * scale];
  const picture = s(
    "svg",
    { class: "sizes", viewBox: "-0.5 -0.5 101 101", role: "img" },
    s("title", {}, `An image with a square of ${largest} px and a dot of ${smallest} px.`),
    s("rect", { class: "frame", x: 0, y: 0, width: 100, height: 100 }),
    s("rect", { class: "size", x: 8, y: 38, width: large, height: large }),
    s("rect", { class: "size", x: 78, y: 20, width: small, height: small }),
    s("circle", { class: "ring", cx: 78 + small / 2, cy: 20 + small / 2, r: 3.5 }),
    caption(11, 45.5, `${largest.toLocaleString("en")} px`, "inside"),
    caption(70.5, 13.5, `${smallest.toLocaleString("en")} px`),
    caption(3, 8, `${FRAME_PX.toLocaleString("en")} px`),
  );
  return picture;
}

function caption(x, y, text, name = "") {
  return s("text", { x, y, class: name }, text);
}

function english(count) {
  return ENGLISH[count] ?? String(count);
}
