/**
 * What is seen, as a file: PNG at the resolution of the screen, or SVG whose picture is embedded
 * and whose outlines, names and scale bar are vectors.
 */

import { s, set } from "../hall/dom.js";
import { density } from "../hall/view.js";

/** What of the computed style an element outside of the page is drawn by. */
const STYLES = [
  ...["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity"],
  ...["font-size", "font-weight", "font-family", "text-anchor", "dominant-baseline"],
];

const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * @typedef {object} Seen
 * @property {HTMLElement} stage
 * @property {import("./pane.js").Pane[]} panes
 * @property {HTMLElement|null} scale The scale bar, if one is shown.
 */

/**
 * Let the browser save what is seen.
 *
 * @param {Seen} seen
 * @param {"png"|"svg"} kind
 * @returns {Promise<string>} Why it could not; empty where it could.
 */
export async function saveView(seen, kind) {
  try {
    const blob = kind === "svg" ? viewAsSvg(seen) : await viewAsPng(seen);
    saveBlob(blob, fileName(seen.panes[0].title.textContent ?? "", kind));
    return "";
  } catch (error) {
    return `What is seen could not be saved: ${/** @type {Error} */ (error).message}`;
  }
}

/**
 * @param {Seen} seen
 * @returns {Blob}
 */
function viewAsSvg(seen) {
  const text = new XMLSerializer().serializeToString(drawing(seen, true));
  return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${text}`], { type: "image/svg+xml" });
}

/**
 * @param {Seen} seen
 * @returns {Promise<Blob>}
 */
async function viewAsPng(seen) {
  const frame = seen.stage.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(frame.width * density());
  canvas.height = Math.round(frame.height * density());
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = getComputedStyle(seen.stage).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [place, pane] of seen.panes.entries()) drawPixels(context, frame, pane, seen, place);
  const over = new Image();
  const text = new XMLSerializer().serializeToString(drawing(seen, false));
  over.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await over.decode();
  context.drawImage(over, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("No PNG was made."))));
  });
}

/**
 * Let the browser save a file.
 *
 * @param {Blob} blob
 * @param {string} name
 */
function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * A file's name that tells the picture.
 *
 * @param {string} title
 * @param {string} suffix
 */
function fileName(title, suffix) {
  const plain = title.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|-+$/g, "");
  return `${plain.slice(0, 80) || "view"}.${suffix}`;
}

/** Draw a pane's pixels exactly where the screen has them. */
function drawPixels(context, frame, pane, seen, place) {
  const box = placeOf(pane.element, frame, density());
  context.save();
  context.beginPath();
  const left = place > 0 && isWiped(seen) ? wipedAt(seen) * density() : box.x;
  context.rect(left, box.y, box.x + box.width - left, box.height);
  context.clip();
  context.fillStyle = surround(pane);
  context.fillRect(box.x, box.y, box.width, box.height);
  context.imageSmoothingEnabled = false;
  for (const source of pixelsOf(pane)) {
    const { x, y } = placeOf(source, frame, density());
    context.drawImage(source, Math.round(x), Math.round(y));
  }
  context.restore();
}

/**
 * @param {Seen} seen
 * @param {boolean} whole With the pictures, or what lies over them alone.
 * @returns {SVGElement}
 */
function drawing(seen, whole) {
  const frame = seen.stage.getBoundingClientRect();
  const { width, height } = frame;
  const root = s("svg", { xmlns: NAMESPACE, width, height, viewBox: `0 0 ${width} ${height}` });
  if (whole) {
    const fill = getComputedStyle(seen.stage).backgroundColor;
    root.append(s("rect", { width: "100%", height: "100%", fill }));
  }
  seen.panes.forEach((pane, place) => {
    const box = placeOf(pane.element, frame);
    const left = place > 0 && isWiped(seen) ? wipedAt(seen) - box.x : 0;
    const view = `${left} 0 ${box.width - left} ${box.height}`;
    const sizes = { x: box.x + left, y: box.y, width: box.width - left, height: box.height };
    const part = s("svg", { ...sizes, viewBox: view });
    if (whole) part.append(...pictures(pane));
    part.append(copyOf(pane.layer));
    if (seen.panes.length > 1) part.append(...plate(pane.title, pane.element));
    root.append(part);
  });
  if (isWiped(seen)) {
    const line = { x1: wipedAt(seen), x2: wipedAt(seen), y1: 0, y2: height };
    root.append(s("line", { ...line, stroke: "#0c0d10", "stroke-width": 4 }));
    root.append(s("line", { ...line, stroke: "#fff", "stroke-width": 2 }));
  }
  if (seen.scale) root.append(...scaleParts(seen.scale, frame));
  return root;
}

/** The pixels of a pane as embedded pictures, over its surround. */
function pictures(pane) {
  const frame = pane.element.getBoundingClientRect();
  const ground = s("rect", { width: frame.width, height: frame.height, fill: surround(pane) });
  const images = pixelsOf(pane).map((source) =>
    s("image", {
      ...placeOf(source, frame),
      href: source.toDataURL("image/png"),
      preserveAspectRatio: "none",
      style: "image-rendering: pixelated",
    }),
  );
  return [ground, ...images];
}

/** @returns {HTMLCanvasElement[]} */
function pixelsOf(pane) {
  const heat = pane.heat.element;
  return [pane.viewer.drawer.canvas, ...(heat.hidden || !heat.width ? [] : [heat])];
}

/** A copy of a layer whose elements carry what the page's style sheets say of them. */
function copyOf(layer) {
  const copy = s("g");
  for (const child of layer.children) {
    const own = styledCopy(child);
    if (own) copy.append(own);
  }
  return copy;
}

/** @returns {Element|null} null of what is not seen. */
function styledCopy(element) {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.visibility === "hidden") return null;
  const copy = /** @type {SVGElement} */ (element.cloneNode(false));
  copy.removeAttribute("class");
  copy.removeAttribute("style");
  if (element.localName !== "g") {
    for (const name of STYLES) copy.setAttribute(name, style.getPropertyValue(name));
    copy.setAttribute("visibility", "visible");
  } else if (style.opacity !== "1") copy.setAttribute("opacity", style.opacity);
  for (const child of element.childNodes) {
    const own = child instanceof Element ? styledCopy(child) : child.cloneNode();
    if (own) copy.append(own);
  }
  return copy;
}

/** A chip of the page as a plate with its words. */
function plate(chip, parent, words = chip) {
  const frame = parent.getBoundingClientRect();
  const box = placeOf(chip, frame);
  const style = getComputedStyle(chip);
  const text = s("text", { fill: style.color, "dominant-baseline": "central" }, words.textContent);
  const line = placeOf(words, frame);
  const isOwn = words === chip;
  set(text, {
    x: isOwn ? box.x + Number.parseFloat(style.paddingLeft) + 1 : line.x,
    y: line.y + line.height / 2,
    "font-size": style.fontSize,
    "font-family": style.fontFamily,
    // Whoever opens it may have another font.
    textLength: isOwn ? box.width - 2 * Number.parseFloat(style.paddingLeft) - 2 : line.width,
    lengthAdjust: "spacingAndGlyphs",
  });
  return [s("rect", { ...box, rx: 5, fill: style.backgroundColor }), text];
}

function scaleParts(scale, frame) {
  const [words, bar] = scale.children;
  const stage = { getBoundingClientRect: () => frame };
  const { x, y, width, height } = placeOf(bar, frame);
  const stroke = getComputedStyle(bar).borderBottomColor;
  const path = `M${x + 0.75} ${y}V${y + height - 0.75}H${x + width - 0.75}V${y}`;
  return [
    ...plate(scale, stage, words),
    s("path", { d: path, fill: "none", stroke, "stroke-width": 1.5 }),
  ];
}

/** Of a pane that lies over another the ground is that of its picture. */
function surround(pane) {
  const clear = "rgba(0, 0, 0, 0)";
  const own = getComputedStyle(pane.element).backgroundColor;
  return own === clear ? getComputedStyle(pane.stage).backgroundColor : own;
}

function isWiped({ stage }) {
  return stage.classList.contains("wipe");
}

function wipedAt({ stage }) {
  const percent = Number.parseFloat(stage.style.getPropertyValue("--wipe")) || 0;
  return (percent / 100) * stage.getBoundingClientRect().width;
}

/** Where an element is in a frame of the page. */
function placeOf(element, frame, scale = 1) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return {
    x: (left - frame.left) * scale,
    y: (top - frame.top) * scale,
    width: width * scale,
    height: height * scale,
  };
}
