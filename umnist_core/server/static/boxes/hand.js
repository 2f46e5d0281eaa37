/**
 * Drawing, moving and pulling boxes by mouse, pen and finger.
 *
 * While boxes are drawn, a drag draws one; else it moves the image, or the chosen box where that
 * is wholly in view. Handles and labels are taken hold of in either case. A second finger ends
 * what the first began: two fingers always move and zoom the image.
 *
 * @typedef {import("./shapes.js").Point} Point
 * @typedef {import("./shapes.js").Handle} Handle
 * @typedef {import("./drawing.js").KeptBox} KeptBox
 *
 * @typedef {{kind: "draw"|"move"|"press"} | {kind: "pull", handle: Handle}} Grip
 * @typedef {Grip & {pointer: number, from: Point, start: Point, box: KeptBox|null,
 *            isTouch: boolean, isOn: boolean}} Gesture `from` in the pane, `start` in the image.
 */

import { boxBetween, handlesOf, holds, movedBox, pulledBox } from "./shapes.js";

/** Half of what a finger, and a mouse, may be off a handle, CSS px. */
const REACH_PX = { touch: 22, mouse: 9 };

/** A pointer that moves less than this is a click, CSS px. */
const STILL_PX = { touch: 8, mouse: 4 };

export class Hand {
  /**
   * @param {import("./drawing.js").Drawing} drawing
   * @param {import("./layer.js").BoxLayer} layer
   * @param {{image: () => import("../hall/view.js").Size, isDrawing: () => boolean,
   *          isLocked: () => boolean,
   *          onDrawn: () => void, onFull: () => void}} callbacks
   */
  constructor(drawing, layer, callbacks) {
    this.drawing = drawing;
    this.layer = layer;
    this.callbacks = callbacks;
    /** @type {Gesture|null} */
    this.gesture = null;
    /** @type {Set<number>} Fingers on the image. */
    this.fingers = new Set();
    this.isHolding = false;
    this.left = new AbortController();
    layer.holds = () => this.isHolding;
  }

  destroy() {
    this.left.abort();
    this.layer.holds = () => false;
  }

  /** @param {Element} pane Where the image is. */
  attach(pane) {
    this.left.abort();
    this.left = new AbortController();
    const { signal } = this.left;
    this.stage = pane.querySelector(".image") ?? pane;
    /** @type {(name: string, act: (event: PointerEvent) => void) => void} */
    const on = (name, act) =>
      pane.addEventListener(name, (event) => act(/** @type {PointerEvent} */ (event)), {
        signal,
        capture: true,
      });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#lose(event));
  }

  /** @param {PointerEvent} event @returns {Point} CSS px in the pane. */
  #place({ clientX, clientY }) {
    const { left, top } = /** @type {Element} */ (this.stage).getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!(event.target instanceof Node && this.stage?.contains(event.target))) return;
    const isTouch = event.pointerType === "touch";
    if (isTouch) this.fingers.add(event.pointerId);
    if (this.fingers.size > 1) {
      this.#drop();
      return;
    }
    if (!event.isPrimary || event.button !== 0 || this.callbacks.isLocked()) return;
    const from = this.#place(event);
    const grip = this.#grip(from, isTouch);
    const start = this.layer.toImage(from);
    const base = { pointer: event.pointerId, from, start, isTouch, isOn: false };
    const box = grip.kind === "draw" ? null : this.drawing.box;
    this.gesture = { ...grip, ...base, box };
    this.isHolding = grip.kind !== "press";
  }

  /**
   * What a pointer takes hold of.
   *
   * @param {Point} point
   * @param {boolean} isTouch
   * @returns {Grip}
   */
  #grip(point, isTouch) {
    const { drawing, layer, callbacks } = this;
    const reach = isTouch ? REACH_PX.touch : REACH_PX.mouse;
    const { box } = drawing;
    if (box) {
      /** @type {(at: Point) => number} */
      const far = ({ x, y }) => Math.max(Math.abs(x - point.x), Math.abs(y - point.y));
      const near = handlesOf(layer.shown(box)).filter((one) => far(one) <= reach);
      near.sort((a, b) => far(a) - far(b));
      if (near.length > 0) return { kind: "pull", handle: near[0].handle };
    }
    const labelled = [...(box ? [box] : []), ...drawing.boxes].find(({ id }) => {
      const plate = layer.plateOf(id);
      return plate !== null && holds(plate, point, isTouch ? 10 : 0);
    });
    if (labelled) {
      drawing.choose(labelled.id);
      return { kind: "move" };
    }
    if (callbacks.isDrawing()) return { kind: "draw" };
    return box && layer.isInView(box) && holds(layer.shown(box), point)
      ? { kind: "move" }
      : { kind: "press" };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { gesture } = this;
    if (!gesture || gesture.pointer !== event.pointerId || gesture.kind === "press") return;
    const at = this.#place(event);
    const still = gesture.isTouch ? STILL_PX.touch : STILL_PX.mouse;
    if (!gesture.isOn && Math.hypot(at.x - gesture.from.x, at.y - gesture.from.y) < still) return;
    if (!gesture.isOn) {
      gesture.isOn = true;
      this.drawing.begin();
    }
    this.#drag(gesture, this.layer.toImage(at));
  }

  /**
   * @param {Gesture} gesture
   * @param {Point} to In the image.
   */
  #drag(gesture, to) {
    const { drawing } = this;
    const image = this.callbacks.image();
    const { start } = gesture;
    if (gesture.kind === "draw") {
      const shape = boxBetween(start, to, image);
      if (gesture.box && drawing.chosen === gesture.box.id) drawing.reshape(shape);
      else this.#begin(gesture, shape);
      return;
    }
    const { box } = gesture;
    if (!box) return;
    if (gesture.kind === "pull") drawing.reshape(pulledBox(box, gesture.handle, to, image));
    else drawing.reshape(movedBox(box, { x: to.x - start.x, y: to.y - start.y }, image));
  }

  /**
   * The first piece of a new box.
   *
   * @param {Gesture} gesture
   * @param {import("./shapes.js").Shape} shape
   */
  #begin(gesture, shape) {
    if (this.drawing.add(shape) === null) {
      this.#drop();
      this.callbacks.onFull();
      return;
    }
    gesture.box = this.drawing.box;
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.fingers.delete(event.pointerId);
    const { gesture } = this;
    if (!gesture || gesture.pointer !== event.pointerId) return;
    this.gesture = null;
    this.#release();
    if (!gesture.isOn) {
      const at = this.#place(event);
      const still = gesture.isTouch ? STILL_PX.touch : STILL_PX.mouse;
      if (Math.hypot(at.x - gesture.from.x, at.y - gesture.from.y) < still) {
        this.#click(gesture);
      }
      return;
    }
    this.drawing.commit();
    this.callbacks.onDrawn();
  }

  /** @param {Gesture} gesture */
  #click({ kind, from, isTouch }) {
    if (kind === "pull") return;
    const { drawing, layer } = this;
    const slack = isTouch ? 12 : 4;
    const under = drawing.boxes
      .filter((box) => holds(layer.shown(box), from, slack))
      .sort((a, b) => a.width * a.height - b.width * b.height);
    // The label was taken hold of, and has chosen its box.
    if (kind === "move" && under.length === 0) return;
    drawing.choose(under[0]?.id ?? null);
    this.callbacks.onDrawn();
  }

  /** @param {PointerEvent} event */
  #lose(event) {
    this.fingers.delete(event.pointerId);
    if (this.gesture?.pointer === event.pointerId) this.#drop();
  }

  /** Nothing of the drag under way stays. */
  #drop() {
    if (this.gesture?.isOn) this.drawing.cancel();
    this.gesture = null;
    this.isHolding = false;
  }

  /** Once whoever moves the image has seen the end of the drag, too. */
  #release() {
    setTimeout(() => {
      if (!this.gesture) this.isHolding = false;
    });
  }
}
