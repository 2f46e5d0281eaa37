/**
 * Keys. All of them while the focus is in the viewer; those that concern the sample
 * as a whole also while it is anywhere that takes no text. C and R are Streamlit's.
 *
 * @typedef {object} Actions
 * @property {(right: number, down: number, far: boolean) => void} pan -1, 0 or 1 each
 * @property {(direction: number) => void} zoom 1 or -1
 * @property {() => void} whole
 * @property {(ratio: number) => void} ratio
 * @property {() => void} fullScreen
 * @property {() => void} help
 * @property {(tool: "distance"|"box") => void} measure
 * @property {(kind: "png"|"svg") => void} save
 * @property {() => void} answer
 * @property {((where: "next"|"previous"|"random") => void)|null} navigate
 */

/**
 * @typedef {{keys: string[], shown: string, does: string, everywhere?: boolean,
 *            key?: import("../hall/words.js").Key,
 *            navigates?: boolean, run: (actions: Actions, far: boolean) => void}} Binding
 */

/** @type {Binding[]} */
export const BINDINGS = [
  binding(["arrowup", "w"], "↑ W", "Move up; with Shift further", (a, far) => a.pan(0, -1, far)),
  binding(["arrowdown", "s"], "↓ S", "Move down", (a, far) => a.pan(0, 1, far)),
  binding(["arrowleft", "a"], "← A", "Move left", (a, far) => a.pan(-1, 0, far)),
  binding(["arrowright", "d"], "→ D", "Move right", (a, far) => a.pan(1, 0, far)),
  binding(["+", "="], "+", "Zoom in", (a) => a.zoom(1)),
  binding(["-", "_"], "−", "Zoom out", (a) => a.zoom(-1)),
  binding(["0"], "0", "Whole image", (a) => a.whole()),
  binding(["1"], "1", "1:1, one screen pixel for each", (a) => a.ratio(1)),
  binding(["4"], "4", "4:1, four by four screen pixels for each", (a) => a.ratio(4)),
  binding(["f"], "F", "Full screen", (a) => a.fullScreen()),
  binding(["o"], "O", "Show or hide the answer", (a) => a.answer(), { everywhere: true }),
  binding(["m"], "M", "Measure a distance; Enter sets its ends", (a) => a.measure("distance")),
  binding(["b"], "B", "Measure a box; Enter sets its corners", (a) => a.measure("box")),
  navigation("n", "N", "Next sample", "next"),
  navigation("p", "P", "Previous sample", "previous"),
  navigation("x", "X", "Random sample", "random"),
  binding(["?"], "?", "These keys", (a) => a.help()),
];

/**
 * Where figures are the answer's; they hold wherever the focus is.
 *
 * @type {Binding[]}
 */
export const PLAIN_BINDINGS = [
  plain("viewer.up", ["arrowup"], "↑", "Move up; with Shift further", (a, far) =>
    a.pan(0, -1, far),
  ),
  plain("viewer.down", ["arrowdown"], "↓", "Move down", (a, far) => a.pan(0, 1, far)),
  plain("viewer.left", ["arrowleft"], "←", "Move left", (a, far) => a.pan(-1, 0, far)),
  plain("viewer.right", ["arrowright"], "→", "Move right", (a, far) => a.pan(1, 0, far)),
  plain("viewer.zoom_in", ["+", "="], "+", "Zoom in", (a) => a.zoom(1)),
  plain("viewer.zoom_out", ["-", "_"], "−", "Zoom out", (a) => a.zoom(-1)),
  plain("viewer.whole", ["w", "home"], "W Home", "Whole image", (a) => a.whole()),
  plain("viewer.keys", ["?"], "?", "These keys", (a) => a.help()),
];

/**
 * @param {import("../hall/words.js").Key} key Of what it does, in the page's language.
 * @param {string[]} keys
 * @param {string} shown
 * @param {string} does In English.
 * @param {Binding["run"]} run
 * @returns {Binding}
 */
function plain(key, keys, shown, does, run) {
  return { key, ...binding(keys, shown, does, run) };
}

function binding(keys, shown, does, run, where = {}) {
  return { keys, shown, does, run, ...where };
}

function navigation(key, shown, does, where) {
  const run = (actions) => actions.navigate?.(where);
  return binding([key], shown, does, run, { everywhere: true, navigates: true });
}

/**
 * Listen until the returned function is called.
 *
 * @param {HTMLElement} root The viewer.
 * @param {Actions} actions
 * @param {boolean} [plain] Only `PLAIN_BINDINGS`, wherever the focus is.
 * @returns {() => void}
 */
export function listenToKeys(root, actions, plain = false) {
  const bindings = plain ? PLAIN_BINDINGS : BINDINGS;
  const listener = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = event.composedPath();
    // Whoever clicks beside what a dialog asks has the focus nowhere.
    if (plain && document.querySelector("dialog[open]")) return;
    if (path.some((node) => node instanceof HTMLDialogElement) || takesText(path[0])) return;
    const found = bindings.find(({ keys }) => keys.includes(event.key.toLowerCase()));
    if (!found || !(plain || found.everywhere || path.includes(root))) return;
    if (found.keys[0].startsWith("arrow") && takesArrows(path[0])) return;
    event.preventDefault();
    if (!(found.everywhere && event.repeat)) found.run(actions, event.shiftKey);
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}

function takesArrows(target) {
  return target instanceof HTMLInputElement && ["radio", "range"].includes(target.type);
}

function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return !["checkbox", "radio", "range"].includes(target.type);
  return (
    target.isContentEditable || target.matches("textarea, select, [role=combobox], [role=listbox]")
  );
}
