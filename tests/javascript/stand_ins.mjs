/** What stands in for a browser where a module asks for one. */

/** Let everything happen that waits for nothing but its turn; timers that are mocked stay. */
export async function settled() {
  for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A browser's localStorage: texts by key. */
export class StandInStorage {
  texts = new Map();

  /** Whether there is no room for more. */
  isFull = false;

  get length() {
    return this.texts.size;
  }

  key(place) {
    return [...this.texts.keys()][place] ?? null;
  }

  getItem(key) {
    return this.texts.get(key) ?? null;
  }

  setItem(key, text) {
    if (this.isFull) throw new Error("QuotaExceededError");
    this.texts.set(key, String(text));
  }

  removeItem(key) {
    this.texts.delete(key);
  }
}
