/**
 * Places on the server's machine that were opened lately, kept by this browser.
 *
 * @typedef {{kind: "file"|"folder", path: string}} Place
 */

const KEY = "umnist.recent";
const MOST = 8;

/** @returns {Place[]} The latest first; none where the browser keeps nothing. */
export function recentPlaces() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(isPlace).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** @param {Place} place */
export function rememberPlace({ kind, path }) {
  const others = recentPlaces().filter((one) => one.kind !== kind || one.path !== path);
  keep([{ kind, path }, ...others].slice(0, MOST));
}

export function forgetPlaces() {
  keep([]);
}

/** @param {Place[]} places */
function keep(places) {
  try {
    if (places.length) localStorage.setItem(KEY, JSON.stringify(places));
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing has none.
  }
}

/** @param {any} one */
function isPlace(one) {
  return ["file", "folder"].includes(one?.kind) && typeof one.path === "string";
}
