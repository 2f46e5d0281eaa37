/**
 * One tab at a time works on a study. The browser's locks say which, and give way when a
 * tab is closed or dies; browsers offer them only over HTTPS and on loopback, and some refuse
 * them with cookies and storage, so elsewhere the tabs ask each other. Where that is refused
 * too, each tab works as if it were alone, and the server sees to it that nothing counts twice.
 *
 * @typedef {object} TabCallbacks
 * @property {() => void} onActive This tab works from now on.
 * @property {() => void} onOther Another tab does.
 * @property {() => void} onLost Another tab has taken over.
 * @property {() => void} onDeaf Whether another tab works cannot be known.
 *
 * @typedef {{takeOver: () => void}} Tab
 */

/** How long a tab that is being closed or reloaded may take to let go. */
const PATIENCE_MS = 1200;

/** How long another tab may take to answer. */
const ANSWER_MS = 400;

/**
 * @param {string} study
 * @param {TabCallbacks} callbacks
 * @returns {Tab}
 */
export function joinTabs(study, callbacks) {
  const name = `umnist-label-${study}`;
  return navigator.locks ? new LockedTab(name, callbacks) : talkingTab(name, callbacks);
}

/**
 * @param {string} name
 * @param {TabCallbacks} callbacks
 * @returns {Tab}
 */
function talkingTab(name, callbacks) {
  try {
    return new TalkingTab(name, callbacks);
  } catch {
    callbacks.onDeaf();
    callbacks.onActive();
    return { takeOver: () => undefined };
  }
}

class LockedTab {
  /**
   * @param {string} name
   * @param {TabCallbacks} callbacks
   */
  constructor(name, callbacks) {
    this.name = name;
    this.callbacks = callbacks;
    /** Where the browser refuses locks. @type {Tab|null} */
    this.instead = null;
    this.#wait();
  }

  takeOver() {
    if (this.instead) return this.instead.takeOver();
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
    } catch (error) {
      if (!isActive) {
        if (isRefusal(error)) this.#doWithout();
        return; // otherwise given up in order to take over
      }
      this.callbacks.onLost();
      this.#wait(() => undefined); // which says already where it was continued
    }
  }

  #doWithout() {
    this.waiting?.abort();
    this.instead = talkingTab(this.name, this.callbacks);
  }
}

/** @param {unknown} error Whether the browser lends no locks to this page at all. */
function isRefusal(error) {
  return error instanceof DOMException && error.name !== "AbortError";
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
