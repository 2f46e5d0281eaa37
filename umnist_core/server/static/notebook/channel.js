/**
 * The channel of a widget as a host of addresses: what the viewer asks for goes to the kernel, and
 * comes back in messages with several answers at once.
 *
 * Every ask has a number of its own. What nobody waits for any more is told to the kernel, which
 * then leaves it. A kernel that says nothing for a second while it is asked is busy with something
 * else, or gone; what it works on it says.
 *
 * @typedef {object} Model What anywidget passes on of the widget's model.
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(content: any, callbacks?: any, buffers?: any) => void} send
 * @property {(name: string, listener: (...values: any[]) => void) => void} on
 * @property {(name: string, listener: (...values: any[]) => void) => void} off
 * @property {any} [widget_manager]
 *
 * @typedef {object} Open An ask that has no answer yet.
 * @property {string} address Empty for what is asked for once alone.
 * @property {Set<Waiter>} waiters Who wants it: the picture and the values under the pointer are one.
 * @property {number} heard When it was asked, or the kernel last said that it works on it.
 * @property {Uint8Array[]} parts
 *
 * @typedef {{resolve: (response: Response) => void, reject: (error: any) => void}} Waiter
 * @typedef {"well"|"busy"|"gone"} Health
 */

/** How long a kernel may be silent while it is asked. */
const SILENT_MS = 1000;
const LOOK_MS = 250;

/** A kernel that has nothing to do and answers nothing knows nothing of this widget. */
const FORGOTTEN_MS = 5000;

/** Tiles that are kept, as a browser keeps those of a server. */
const KEPT = 64;

export class KernelChannel {
  /**
   * @param {Model} model
   * @param {(health: Health) => void} onHealth
   */
  constructor(model, onHealth) {
    this.model = model;
    this.onHealth = onHealth;
    this.view = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.last = 0;
    /** @type {Map<number, Open>} */
    this.open = new Map();
    /** Numbers of what is open, by address. @type {Map<string, number>} */
    this.coming = new Map();
    /** @type {Map<string, {body: Blob, status: number, type: string}>} */
    this.kept = new Map();
    /** @type {any[]} */
    this.asks = [];
    /** @type {number[]} */
    this.drops = [];
    /** @type {Health} */
    this.health = "well";
    this.isCut = false;
    this.timer = null;
    this.onMessage = (message, buffers) => this.#take(message, buffers);
    this.onLive = () => this.#liveChanged();
    model.on("msg:custom", this.onMessage);
    model.on("comm_live_update", this.onLive);
  }

  /**
   * Answer an address, as `fetch` does.
   *
   * @param {string} address Begins with "/".
   * @param {{signal?: AbortSignal, method?: string, body?: string}} [options]
   * @returns {Promise<Response>}
   */
  ask(address, { signal, method = "GET", body = "" } = {}) {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const isShared = method === "GET" && !address.startsWith("/inference");
    const kept = isShared ? this.kept.get(address) : null;
    if (kept) return Promise.resolve(responseOf(kept));
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      const n =
        (isShared && this.coming.get(address)) || this.#begin(address, method, body, isShared);
      this.open.get(n).waiters.add(waiter);
      const leave = () => this.#leave(n, waiter, signal.reason);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  #begin(address, method, body, isShared) {
    this.last += 1;
    const n = this.last;
    const named = isShared ? address : "";
    this.open.set(n, { address: named, waiters: new Set(), heard: performance.now(), parts: [] });
    if (isShared) this.coming.set(address, n);
    this.asks.push({ n, address, method, body });
    this.#flushSoon();
    this.timer ??= setInterval(() => this.#look(), LOOK_MS);
    return n;
  }

  /** One who waits does so no longer; what nobody waits for is dropped. */
  #leave(n, waiter, reason) {
    const open = this.open.get(n);
    if (!open?.waiters.delete(waiter)) return;
    waiter.reject(reason);
    if (open.waiters.size === 0) this.#drop(n, reason);
  }

  close() {
    clearInterval(this.timer);
    this.model.off("msg:custom", this.onMessage);
    this.model.off("comm_live_update", this.onLive);
    for (const n of [...this.open.keys()]) this.#drop(n, new Error("The view was closed."));
    this.#flush();
  }

  #flushSoon() {
    if (this.isFlushing) return;
    this.isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush() {
    this.isFlushing = false;
    if (!this.asks.length && !this.drops.length) return;
    const { view, asks, drops } = this;
    this.asks = [];
    this.drops = [];
    try {
      this.model.send({ kind: "asks", view, asks, drops });
    } catch {
      this.isCut = true;
      this.#say("gone");
    }
  }

  /**
   * @param {number} n
   * @param {any} reason
   */
  #drop(n, reason) {
    const open = this.open.get(n);
    if (!open) return;
    this.open.delete(n);
    this.coming.delete(open.address);
    const place = this.asks.findIndex((ask) => ask.n === n);
    if (place >= 0) this.asks.splice(place, 1);
    else this.drops.push(n);
    for (const { reject } of open.waiters) reject(reason);
    this.#flushSoon();
  }

  /**
   * @param {any} message
   * @param {DataView[]} buffers
   */
  #take(message, buffers) {
    if (message.kind === "working") {
      for (const [view, n] of message.keys) {
        const open = view === this.view ? this.open.get(n) : null;
        if (open) open.heard = performance.now();
      }
      this.#look();
    }
    if (message.kind !== "answers") return;
    this.isCut = false;
    message.answers.forEach((answer, place) => {
      if (answer.view === this.view) this.#answer(answer, buffers[place]);
    });
    // What waits behind what has just come is heard of, too.
    for (const open of this.open.values()) open.heard = performance.now();
    this.#look();
  }

  /**
   * @param {{n: number, status: number, type: string, rest: boolean}} answer
   * @param {DataView} buffer
   */
  #answer({ n, status, type, rest }, buffer) {
    const open = this.open.get(n);
    if (!open) return;
    open.parts.push(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
    if (rest) return;
    this.open.delete(n);
    this.coming.delete(open.address);
    const body = new Blob(/** @type {BlobPart[]} */ (open.parts), { type });
    if (open.address && status === 200) this.#keep(open.address, { body, status, type });
    for (const { resolve } of open.waiters) resolve(responseOf({ body, status, type }));
  }

  #keep(address, answer) {
    this.kept.set(address, answer);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }

  #liveChanged() {
    this.isCut = true;
    this.#say("gone");
  }

  /** See whether the kernel has been silent for too long. */
  #look() {
    if (this.open.size === 0 && !this.isCut) {
      clearInterval(this.timer);
      this.timer = null;
      return this.#say("well");
    }
    const since = Math.min(...[...this.open.values()].map(({ heard }) => heard));
    const silent = performance.now() - since;
    if (this.isCut) return this.#say("gone");
    if (silent < SILENT_MS) return this.#say("well");
    const status = this.model.widget_manager?.kernel?.status;
    const isDead = status === "dead" || status === "terminating";
    const hasForgotten = status === "idle" && silent > FORGOTTEN_MS;
    return this.#say(isDead || hasForgotten ? "gone" : "busy");
  }

  /** @param {Health} health */
  #say(health) {
    if (health === this.health) return;
    this.health = health;
    this.onHealth(health);
  }
}

function responseOf({ body, status, type }) {
  return new Response(body, { status, headers: { "content-type": type } });
}
