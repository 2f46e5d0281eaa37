/**
 * The tool with which people draw boxes around digits and say which digit each is.
 *
 *     const tool = mountBoxes({ bus: "label", image: { width, height }, boxes }, { onChange });
 *     panel.append(tool.element);      // buttons, digits and the list of boxes
 *     tool.show(boxes, image);         // those of another image
 *     tool.key(event);                 // whether a key was for it; call it from a keydown
 *     tool.boxes;                      // [{label, x, y, width, height}], label null: not named yet
 *
 * It draws over the viewer that has joined the channel `bus`, whether that is mounted before or
 * after it.
 *
 * @typedef {import("./drawing.js").Box} Box
 * @typedef {import("./drawing.js").KeptBox} KeptBox
 * @typedef {import("../hall/view.js").Size} Size
 *
 * @typedef {object} BoxSetting
 * @property {string} bus
 * @property {Size} image px
 * @property {readonly Box[]} [boxes]
 * @property {readonly HTMLElement[]} [ifEmpty] What stands in the list while there is no box.
 *
 * @typedef {object} BoxCallbacks
 * @property {(boxes: Box[]) => void} [onChange] After each step; not while a drag goes on.
 * @property {() => void} [focusImage] A label is confirmed: keys are the image's again.
 * @property {(sentence: string) => void} [onRefuse] Something cannot be done; why.
 * @property {() => boolean} [isLocked] Whether nothing can be drawn now, beside `setBusy`.
 */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { icon } from "../hall/icons.js";
import { t } from "../hall/words.js";
import { Drawing, MOST_BOXES } from "./drawing.js";
import { Hand } from "./hand.js";
import { BoxLayer } from "./layer.js";
import { BoxList, wordsOf } from "./list.js";
import { boxBetween, grownBox, movedBox, tenth } from "./shapes.js";

const SHEET = "boxes/boxes.css";

/** A box that the keyboard puts into the view takes this share of its shorter side. */
const SHARE = 0.2;

/** A key that is held down moves further each time. */
const HELD = 4;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {BoxSetting} setting
 * @param {BoxCallbacks} [callbacks]
 */
export function mountBoxes(setting, callbacks = {}) {
  return new BoxTool(setting, callbacks);
}

export class BoxTool {
  /**
   * @param {BoxSetting} setting
   * @param {BoxCallbacks} callbacks
   */
  constructor({ bus, image, boxes = [], ifEmpty = [] }, callbacks) {
    this.callbacks = callbacks;
    this.image = image;
    this.isDrawing = false;
    this.isBusy = false;
    /** Whether the boxes are being shown, and not changed by somebody. */
    this.isShowing = false;
    this.left = new AbortController();
    /** @type {Map<Node, HTMLElement>} By where it is. */
    this.styles = new Map();
    this.drawing = new Drawing();
    this.layer = new BoxLayer(this.drawing);
    this.hand = this.#makeHand();
    this.list = new BoxList(
      {
        onReach: (box) => this.#reach(box),
        onGo: (box) => this.#go(box),
        onDelete: (box) => this.#remove(box.id),
      },
      ifEmpty,
    );
    this.live = h("p", { class: "boxes-live", role: "status" });
    this.element = this.#build();
    const { channel, leave } = join(bus);
    this.channel = channel;
    this.leaveBus = leave;
    channel.setExtra(this.layer);
    this.#listen();
    this.show(boxes);
    this.setDrawing(true);
  }

  /** @returns {Box[]} */
  get boxes() {
    return this.drawing.values;
  }

  /** @returns {boolean} Whether a box is chosen, so that keys are its. */
  get hasChosen() {
    return this.drawing.box !== null;
  }

  /**
   * @param {readonly Box[]} boxes
   * @param {Size} [image] Theirs, if it is another.
   */
  show(boxes, image = this.image) {
    this.image = image;
    this.isShowing = true;
    this.drawing.show(boxes);
    this.isShowing = false;
  }

  /** @param {boolean} isBusy Whether nothing can be changed now. */
  setBusy(isBusy) {
    this.isBusy = isBusy;
    this.element.inert = isBusy;
  }

  /** @param {boolean} isDrawing Whether a drag draws a box, or moves the image. */
  setDrawing(isDrawing) {
    this.isDrawing = isDrawing;
    this.drawButton?.setAttribute("aria-pressed", String(isDrawing));
    this.layer.element.closest(".pane")?.classList.toggle("draws", isDrawing);
  }

  /** The first box without a digit is chosen and shown. @returns {boolean} Whether there is one. */
  reachUnnamed() {
    const box = this.drawing.boxes.find(({ label }) => label === null);
    if (!box) return false;
    this.drawing.choose(box.id);
    this.#fly(box);
    return true;
  }

  destroy() {
    this.left.abort();
    this.hand.destroy();
    if (this.channel.extra === this.layer) this.channel.setExtra(null);
    this.leaveBus();
    this.element.remove();
    for (const sheet of this.styles.values()) sheet.remove();
  }

  // -- keys -----------------------------------------------------------------------------

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether it was for the boxes.
   */
  key(event) {
    if (this.isBusy) return false;
    const { key } = event;
    if (key in ARROWS) return this.#arrow(event);
    if (key === "Enter") return this.#enter(event);
    if (/^[0-9]$/.test(key)) this.name(Number(key));
    else if (key === "Delete" || key === "Backspace") this.#remove(this.drawing.chosen);
    else if (key === "Escape" && this.hasChosen) this.drawing.choose(null);
    else return this.#letter(event);
    return true;
  }

  /** @param {KeyboardEvent} event */
  #letter({ key, shiftKey }) {
    const letter = key.toLowerCase();
    if (letter === "b") {
      this.setDrawing(!this.isDrawing);
      this.#say(t(this.isDrawing ? "box.draws" : "box.moves"));
    } else if (letter === "i") this.insert();
    else if (letter === "n") this.#step(shiftKey ? -1 : 1);
    else return false;
    return true;
  }

  /** @param {number} digit Which digit the chosen box has. */
  name(digit) {
    if (!this.hasChosen) {
      this.callbacks.onRefuse?.(t("box.choose"));
      return;
    }
    this.drawing.label(digit);
    this.#sayBox();
  }

  /** A box in the middle of the view. */
  insert() {
    const { pane, view } = this.layer;
    const side = (SHARE * Math.min(pane.width, pane.height)) / view.zoom;
    const middle = this.layer.toImage({ x: pane.width / 2, y: pane.height / 2 });
    const [from, to] = [-side / 2, side / 2].map((by) => ({ x: middle.x + by, y: middle.y + by }));
    if (this.drawing.add(boxBetween(from, to, this.image)) === null) this.#refuseMore();
    else this.#sayBox();
  }

  /** @param {1|-1} by */
  #step(by) {
    this.drawing.step(by);
    const { box } = this.drawing;
    if (box) this.#showBox(box);
    this.#sayBox();
  }

  /**
   * By a screen pixel, or by more while the key is held down.
   *
   * @param {KeyboardEvent} event
   */
  #arrow({ key, shiftKey, repeat }) {
    const { box } = this.drawing;
    if (!box) return false;
    const step = Math.max(tenth(1 / this.layer.view.zoom), 0.1) * (repeat ? HELD : 1);
    const [x, y] = ARROWS[key].map((direction) => direction * step);
    const changed = shiftKey ? grownBox : movedBox;
    this.drawing.reshape(changed(box, { x, y }, this.image));
    clearTimeout(this.saying);
    this.saying = setTimeout(() => this.#sayBox(), 600);
    return true;
  }

  /**
   * The chosen box is done with, if it has its digit.
   *
   * @param {KeyboardEvent} event
   */
  #enter({ target }) {
    const { box } = this.drawing;
    const isButton = target instanceof Element && target.closest("button") !== null;
    if (!box || (isButton && !this.list.isRow(target))) return false;
    if (box.label === null) {
      this.callbacks.onRefuse?.(t("box.which"));
      return true;
    }
    this.drawing.choose(null);
    this.callbacks.focusImage?.();
    return true;
  }

  /** @param {KeyboardEvent} event With Ctrl, which pages leave to the browser. */
  #control(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || this.isBusy) return;
    if (document.querySelector("dialog[open]") || !this.element.isConnected) return;
    const { target } = event;
    if (target instanceof Element && target.matches("input, textarea, select")) return;
    const letter = event.key.toLowerCase();
    const isRedo = letter === "y" || (letter === "z" && event.shiftKey);
    if (!isRedo && letter !== "z") return;
    event.preventDefault();
    this.#walk(isRedo);
  }

  // -- parts ----------------------------------------------------------------------------

  #makeHand() {
    return new Hand(this.drawing, this.layer, {
      image: () => this.image,
      isDrawing: () => this.isDrawing,
      isLocked: () => this.isBusy || (this.callbacks.isLocked?.() ?? false),
      onDrawn: () => this.#sayBox(),
      onFull: () => this.#refuseMore(),
    });
  }

  #build() {
    return h(
      "section",
      { class: "boxes-panel", "aria-label": t("box.boxes") },
      ...[this.#makeTools(), this.#makeDigits(), this.list.element, this.live],
    );
  }

  #makeTools() {
    this.drawButton = h(
      "button",
      { type: "button", class: "boxes-draw", click: () => this.setDrawing(!this.isDrawing) },
      t("box.draw"),
    );
    this.undo = iconButton("undo", t("box.undo"), () => this.#walk(false));
    this.redo = iconButton("redo", t("box.redo"), () => this.#walk(true));
    const add = iconButton("zoomIn", t("box.insert"), () => this.insert());
    return h("div", { class: "boxes-tools" }, this.drawButton, add, this.undo, this.redo);
  }

  #makeDigits() {
    const digits = Array.from({ length: 10 }, (_, digit) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": t("box.digit", { digit }),
          click: () => this.name(digit),
        },
        String(digit),
      ),
    );
    this.digits = h(
      "div",
      { class: "boxes-digits", role: "group", "aria-label": t("box.which") },
      ...digits,
    );
    return this.digits;
  }

  #listen() {
    const { signal } = this.left;
    document.addEventListener("keydown", (event) => this.#control(event), { signal });
    this.drawing.addEventListener("change", (event) => {
      const { isDone } = /** @type {CustomEvent} */ (event).detail;
      this.#show(isDone);
    });
    this.layer.onPane = (pane) => {
      this.hand.attach(pane);
      this.#dress(pane);
      this.setDrawing(this.isDrawing);
    };
  }

  /** @param {Element} pane The style sheet, where the image is and where the list is. */
  #dress(pane) {
    for (const home of new Set([pane, this.element].map(styleHome))) {
      if (!this.styles.has(home)) this.styles.set(home, styleSheet(SHEET, home).element);
    }
  }

  /** @param {boolean} isDone Whether no drag goes on. */
  #show(isDone) {
    const { drawing } = this;
    this.list.show(drawing);
    this.undo?.setAttribute("aria-disabled", String(drawing.past.length === 0));
    this.redo?.setAttribute("aria-disabled", String(drawing.future.length === 0));
    for (const [digit, button] of [...(this.digits?.children ?? [])].entries()) {
      button.setAttribute("aria-disabled", String(!this.hasChosen));
      button.setAttribute("aria-pressed", String(drawing.box?.label === digit));
    }
    if (!isDone || this.isShowing) return;
    if (drawing.chosen !== null) this.list.reveal(drawing.chosen);
    this.callbacks.onChange?.(this.boxes);
  }

  /** @param {KeptBox} box */
  #reach(box) {
    this.drawing.choose(box.id);
    this.#showBox(box);
  }

  /** @param {KeptBox} box */
  #go(box) {
    this.drawing.choose(box.id);
    this.#fly(box);
  }

  /** @param {KeptBox} box Brought into view where it is not. */
  #showBox(box) {
    if (!this.layer.isInView(box)) this.#fly(box);
  }

  /** @param {KeptBox} box */
  #fly(box) {
    this.channel.flyTo([box.x, box.y, box.width, box.height], t("box.row", wordsOf(box)));
  }

  /** @param {number|null} id */
  #remove(id) {
    if (id === null) return;
    this.drawing.remove(id);
    this.#say(t("box.removed", { count: this.drawing.boxes.length }));
  }

  /** @param {boolean} isRedo Forth, or back. */
  #walk(isRedo) {
    const { drawing } = this;
    if ((isRedo ? drawing.future : drawing.past).length === 0) return;
    isRedo ? drawing.redo() : drawing.undo();
    this.#say(t(isRedo ? "box.redone" : "box.undone", { count: drawing.boxes.length }));
  }

  #refuseMore() {
    this.callbacks.onRefuse?.(t("box.full", { count: MOST_BOXES }));
  }

  #sayBox() {
    const { boxes, box } = this.drawing;
    if (!box) {
      this.#say(t("box.none_chosen"));
      return;
    }
    const number = boxes.indexOf(box) + 1;
    this.#say(t("box.said", { number, total: boxes.length, ...wordsOf(box) }));
  }

  /** @param {string} text */
  #say(text) {
    this.live.textContent = text;
  }
}

/**
 * Where the style sheet of what is drawn belongs: the page's head, or a shadow root of its own.
 *
 * @param {Node} node
 * @returns {Node}
 */
function styleHome(node) {
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root : document.head;
}

/**
 * @param {"undo"|"redo"|"zoomIn"} face
 * @param {string} name
 * @param {() => void} click
 */
function iconButton(face, name, click) {
  return h("button", { type: "button", "aria-label": name, title: name, click }, icon(face));
}
