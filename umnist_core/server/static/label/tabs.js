/**
 * One tab at a time works on a study. The browser's locks say which, and give way when a
 * tab is closed or dies; browsers offer them only over HTTPS and on loopback, so elsewhere
 * the tabs ask each other.
 *
 * @typedef {object} TabCallbacks
 * @property {() => void} onActive This tab works from now on.
 * @property {() => void} onOther Another tab does.
 * @property {() => void} onLost Another tab has taken over.
 */

/** How long a tab that is being closed or reloaded may take to let go. */
const PATIENCE_MS = 1200;

/** How long another tab may take to answer. */
const ANSWER_MS = 400;

/**
 * @param {string} study
 * @param {TabCallbacks} callbacks
 * @returns {{takeOver: () => void}}
 */
export function joinTabs(study, callbacks) {
  const name = `umnist-label-${study}`;
  return navigator.locks ? new LockedTab(name, callbacks) : new TalkingTab(name, callbacks);
}

class LockedTab {
  /**
   * @param {string} name
   * @param {TabCallbacks} callbacks
   */
  constructor(name, callbacks) {
    this.name = name;
    this.callbacks = callbacks;
    this.#wait();
  }

  takeOver() {
    this.waiting?.abort();
    this.#hold({ steal: true });
  }

  /** @param {() => void} [stillWaits] Called when it is no tab that is only being reloaded. */
  #wait(stillWaits = () => this.callbacks.onOther()) {
    this.waiting = new AbortController();
    const { signal } = this.waiting;
    const timer = setTimeout(stillWaits, PATIENCE_MS);
    signal.addEventListener("abort", () => clearTimeout(timer));
    this.#hold({ signal }, () => clearTimeout(timer));
  }

  /**
   * @param {LockOptions} options
   * @param {() => void} [before] Called as soon as it is held.
   */
  async #hold(options, before) {
    let isActive = false;
    const held = () => {
      before?.();
      isActive = true;
      this.callbacks.onActive();
      return new Promise(() => undefined); // until the tab is closed or the lock is taken
    };
    try {
      await navigator.locks.request(this.name, options, held);
    } catch {
      if (!isActive) return; // given up in order to take over
      this.callbacks.onLost();
      this.#wait(() => undefined); // which says already where it was continued
    }
  }
}

class TalkingTab {
  /**
   * @param {string} name
   * @param {TabCallbacks} callbacks
   */
  constructor(name, callbacks) {
    this.callbacks = callbacks;
    this.isActive = false;
    this.channel = new BroadcastChannel(name);
    this.channel.addEventListener("message", ({ data }) => this.#hear(data));
    this.timer = setTimeout(() => this.#activate(), ANSWER_MS);
    this.channel.postMessage("who?");
  }

  takeOver() {
    this.channel.postMessage("mine");
    this.#activate();
  }

  /** @param {unknown} message */
  #hear(message) {
    if (message === "who?" && this.isActive) this.channel.postMessage("me");
    if (message === "me" && !this.isActive) {
      clearTimeout(this.timer);
      this.callbacks.onOther();
    }
    if (message === "mine" && this.isActive) {
      this.isActive = false;
      this.callbacks.onLost();
    }
  }

  #activate() {
    clearTimeout(this.timer);
    this.isActive = true;
    this.callbacks.onActive();
  }
}
