/**
 * What this browser keeps through reloads: answers that are not sent yet, and drafts.
 *
 * IndexedDB first: it writes to the disk before it says so (durability "strict"), and a
 * long trace fits. Where it is switched off (some private windows) localStorage stands in,
 * which holds 5 MB and writes when it pleases; where that is too, memory, and the page says
 * that the tab must stay open.
 *
 * @typedef {object} Shelves What lies on each.
 * @property {import("./outbox.js").Entry} outbox
 * @property {import("./attempt.js").Draft|PageDraft} drafts
 *
 * @typedef {{assignment: string, answers: Record<string, import("./fields.js").Answer>,
 *            saved_at: number}} PageDraft Of a page of questions.
 *
 * @typedef {keyof Shelves} Shelf
 * @typedef {object} Keep
 * @property {boolean} lasts Whether it survives a reload.
 * @property {(shelf: Shelf, id: string, record: object) => Promise<void>} put Done when kept.
 * @property {<S extends Shelf>(shelf: S, id: string) => Promise<Shelves[S]|null>} find null if
 *   there is none
 * @property {<S extends Shelf>(shelf: S) => Promise<Shelves[S][]>} all
 * @property {(shelf: Shelf, id: string) => Promise<void>} remove
 */

const NAME = "umnist-label";
/** @type {Shelf[]} */
const SHELVES = ["outbox", "drafts"];

/** A database that does not open is as good as none. */
const PATIENCE_MS = 4000;

/** @returns {Promise<Keep>} The most lasting that this browser has. */
export async function openKeep() {
  try {
    return new DatabaseKeep(await openDatabase());
  } catch {
    return storageWorks() ? new StorageKeep(localStorage) : new StorageKeep(null);
  }
}

class DatabaseKeep {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
    this.lasts = true;
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   * @param {object} record
   */
  put(shelf, id, record) {
    return this.#write(shelf, (store) => store.put(record, id));
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   */
  remove(shelf, id) {
    return this.#write(shelf, (store) => store.delete(id));
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   */
  async find(shelf, id) {
    return (await this.#read(shelf, (store) => store.get(id))) ?? null;
  }

  /** @param {Shelf} shelf */
  all(shelf) {
    return this.#read(shelf, (store) => store.getAll());
  }

  /**
   * @param {Shelf} shelf
   * @param {(store: IDBObjectStore) => void} act
   * @returns {Promise<void>}
   */
  #write(shelf, act) {
    return new Promise((resolve, reject) => {
      const work = this.database.transaction(shelf, "readwrite", { durability: "strict" });
      work.oncomplete = () => resolve();
      work.onerror = work.onabort = () => reject(work.error);
      act(work.objectStore(shelf));
    });
  }

  /**
   * @template T
   * @param {Shelf} shelf
   * @param {(store: IDBObjectStore) => IDBRequest<T>} act
   * @returns {Promise<T>}
   */
  #read(shelf, act) {
    return new Promise((resolve, reject) => {
      const asked = act(this.database.transaction(shelf).objectStore(shelf));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  }
}

/** In localStorage, or in memory if there is none. */
class StorageKeep {
  /** @param {Storage|null} storage */
  constructor(storage) {
    this.lasts = storage !== null;
    /** @type {Storage|Memory} */
    this.storage = storage ?? new Memory();
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   * @param {object} record
   */
  async put(shelf, id, record) {
    this.storage.setItem(address(shelf, id), JSON.stringify(record));
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   */
  async remove(shelf, id) {
    this.storage.removeItem(address(shelf, id));
  }

  /**
   * @param {Shelf} shelf
   * @param {string} id
   */
  async find(shelf, id) {
    return JSON.parse(this.storage.getItem(address(shelf, id)) ?? "null");
  }

  /** @param {Shelf} shelf */
  async all(shelf) {
    const { length } = this.storage;
    const keys = Array.from({ length }, (_, place) => this.storage.key(place) ?? "");
    const own = keys.filter((key) => key.startsWith(address(shelf, "")));
    return own.map((key) => JSON.parse(this.storage.getItem(key) ?? "null"));
  }
}

/** The part of `Storage` that is used, in memory. */
class Memory {
  /** @type {Map<string, string>} */
  map = new Map();

  get length() {
    return this.map.size;
  }

  /** @param {number} place */
  key(place) {
    return [...this.map.keys()][place];
  }

  /** @param {string} key */
  getItem(key) {
    return this.map.get(key) ?? null;
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  setItem(key, text) {
    this.map.set(key, text);
  }

  /** @param {string} key */
  removeItem(key) {
    this.map.delete(key);
  }
}

/**
 * Keep a draft while the page is being left, when nothing that takes time is finished any
 * more: localStorage alone writes at once.
 *
 * @param {import("./attempt.js").Draft} draft
 */
export function putLast(draft) {
  try {
    localStorage.setItem(address("last", draft.assignment), JSON.stringify(draft));
  } catch {
    // Full or switched off: the draft that was kept a moment ago has to do.
  }
}

/**
 * @param {string} assignment
 * @returns {import("./attempt.js").Draft|null}
 */
export function findLast(assignment) {
  try {
    return JSON.parse(localStorage.getItem(address("last", assignment)) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} assignment Whose draft is of no use any more. */
export function removeLast(assignment) {
  try {
    localStorage.removeItem(address("last", assignment));
  } catch {
    // Switched off: there is nothing in it.
  }
}

/**
 * @param {Shelf|"last"|"probe"} shelf
 * @param {string} id
 */
function address(shelf, id) {
  return `${NAME}:${shelf}:${id}`;
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("The browser's database did not open.")), PATIENCE_MS);
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      for (const shelf of SHELVES) opening.result.createObjectStore(shelf);
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("The browser's database is in use."));
  });
}

function storageWorks() {
  try {
    localStorage.setItem(address("probe", ""), "1");
    localStorage.removeItem(address("probe", ""));
    return true;
  } catch {
    return false;
  }
}
