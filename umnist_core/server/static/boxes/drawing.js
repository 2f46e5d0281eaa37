/**
 * The boxes of one image, which of them is chosen, and the way back; no DOM.
 *
 * Events: `change` (boxes, or which is chosen; `detail.isDone` is false while a drag goes on).
 *
 * @typedef {import("./shapes.js").Shape} Shape
 * @typedef {Shape & {label: number|null}} Box `label` null while nobody has said which digit it is.
 * @typedef {Box & {id: number}} KeptBox
 */

export const MOST_BOXES = 100;

/** So many steps lead back. */
const MOST_STEPS = 200;

export class Drawing extends EventTarget {
  constructor() {
    super();
    /** @type {readonly KeptBox[]} */
    this.boxes = [];
    /** @type {number|null} */
    this.chosen = null;
    /** @type {(readonly KeptBox[])[]} */
    this.past = [];
    /** @type {(readonly KeptBox[])[]} */
    this.future = [];
    /** What was there before the drag under way. @type {readonly KeptBox[]|null} */
    this.before = null;
    this.nextId = 1;
  }

  /** @param {readonly Box[]} boxes Other ones, such as those of another image. */
  show(boxes) {
    this.boxes = boxes.map((box) => ({ ...box, id: this.nextId++ }));
    this.chosen = this.before = null;
    this.past = [];
    this.future = [];
    this.#tell();
  }

  /** @returns {Box[]} As they are sent, in the order in which they were drawn. */
  get values() {
    return this.boxes.map(({ label, x, y, width, height }) => ({ label, x, y, width, height }));
  }

  /** @returns {KeptBox|null} */
  get box() {
    return this.boxes.find(({ id }) => id === this.chosen) ?? null;
  }

  get isFull() {
    return this.boxes.length >= MOST_BOXES;
  }

  /** @param {number|null} id */
  choose(id) {
    if (id === this.chosen) return;
    this.chosen = id;
    this.#tell();
  }

  /** @param {1|-1} by The next one or the one before, around the end. */
  step(by) {
    if (this.boxes.length === 0) return;
    const place = this.boxes.findIndex(({ id }) => id === this.chosen);
    const from = place < 0 && by < 0 ? 0 : place;
    this.choose(this.boxes[(from + by + this.boxes.length) % this.boxes.length].id);
  }

  /**
   * @param {Shape} shape
   * @returns {number|null} Its id; null where there are as many as there may be.
   */
  add(shape) {
    if (this.isFull) return null;
    const id = this.nextId++;
    this.chosen = id;
    this.#set([...this.boxes, { ...shape, label: null, id }]);
    return id;
  }

  /** @param {number} digit Which digit the chosen box has. */
  label(digit) {
    this.#change({ label: digit });
  }

  /** @param {Shape} shape Of the chosen box. */
  reshape(shape) {
    this.#change(shape);
  }

  /** @param {number|null} id */
  remove(id) {
    if (!this.boxes.some((one) => one.id === id)) return;
    if (this.chosen === id) this.chosen = null;
    this.#set(this.boxes.filter((one) => one.id !== id));
  }

  // -- drags: many changes that are one step --------------------------------------------

  begin() {
    this.before = this.boxes;
  }

  /** The drag is over: what it changed is one step. */
  commit() {
    const { before } = this;
    this.before = null;
    if (before && before !== this.boxes) this.#keep(before);
    this.#tell();
  }

  /** As if it had not been. */
  cancel() {
    if (!this.before) return;
    this.boxes = this.before;
    this.before = null;
    if (!this.box) this.chosen = null;
    this.#tell();
  }

  // -- the way back ---------------------------------------------------------------------

  undo() {
    this.#walk(this.past, this.future);
  }

  redo() {
    this.#walk(this.future, this.past);
  }

  /**
   * @param {(readonly KeptBox[])[]} from
   * @param {(readonly KeptBox[])[]} to
   */
  #walk(from, to) {
    const there = from.pop();
    if (!there) return;
    to.push(this.boxes);
    this.boxes = there;
    if (!this.box) this.chosen = null;
    this.#tell();
  }

  /** @param {Partial<Box>} change */
  #change(change) {
    const { box } = this;
    if (!box) return;
    const changed = { ...box, ...change };
    if (JSON.stringify(changed) === JSON.stringify(box)) return;
    this.#set(this.boxes.map((one) => (one === box ? changed : one)));
  }

  /** @param {readonly KeptBox[]} boxes */
  #set(boxes) {
    if (!this.before) this.#keep(this.boxes);
    this.boxes = boxes;
    this.#tell();
  }

  /** @param {readonly KeptBox[]} before */
  #keep(before) {
    this.past = [...this.past, before].slice(-MOST_STEPS);
    this.future = [];
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("change", { detail: { isDone: this.before === null } }));
  }
}
