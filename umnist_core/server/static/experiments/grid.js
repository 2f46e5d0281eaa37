/**
 * A published table with ours in its cells. Each cell is a button that shows what stands behind
 * it; on a phone each row is a card.
 *
 * @typedef {object} Line One figure of a cell.
 * @property {"published"|"logs"|"ours"|"others"|"mark"} kind
 * @property {string} text
 * @property {string} about Below the figure, smaller; may be empty.
 *
 * @typedef {{column: string, lines: Line[]}} Cell
 * @typedef {{key: string, title: string, note: string, isOwn: boolean, cells: Cell[]}} Row
 *
 * @typedef {object} GridData
 * @property {string} title
 * @property {string} rowTitle
 * @property {{key: string, title: string}[]} columns
 * @property {Row[]} rows
 * @property {{row: string, column: string}} chosen
 */

import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {GridData} data
 * @param {{onChoose: (cell: {row: string, column: string}) => void}} listeners
 * @returns {{update: (data: GridData) => void, destroy: () => void}}
 */
export function mountResultGrid(parentElement, data, { onChoose }) {
  const root = h("div", { class: "umnist-grid", role: "region", tabindex: 0 });
  const styles = styleSheet("experiments/grid.css", parentElement);
  styles.loaded.catch(() => undefined); // it works without looking like itself
  parentElement.append(root);
  let shown = "";

  /** @param {GridData} next */
  function update(next) {
    const text = JSON.stringify(next);
    if (text === shown) return;
    shown = text;
    const before = focusedKey(root);
    root.setAttribute("aria-label", next.title);
    root.replaceChildren(table(next, onChoose));
    if (before) button(root, before)?.focus({ preventScroll: true });
  }

  update(data);
  return {
    update,
    destroy: () => {
      root.remove();
      styles.element.remove();
    },
  };
}

/**
 * @param {GridData} data
 * @param {(cell: {row: string, column: string}) => void} onChoose
 */
function table(data, onChoose) {
  const titles = new Map(data.columns.map(({ key, title }) => [key, title]));
  const heads = data.columns.map(({ title }) => h("th", { scope: "col" }, title));
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, data.rowTitle), ...heads)),
    h("tbody", {}, ...data.rows.map((row) => line(row, data.chosen, titles, onChoose))),
  );
}

/**
 * @param {Row} row
 * @param {{row: string, column: string}} chosen
 * @param {Map<string, string>} titles
 * @param {(cell: {row: string, column: string}) => void} onChoose
 */
function line(row, chosen, titles, onChoose) {
  const cells = row.cells.map(({ column, lines }) => {
    const title = titles.get(column) ?? "";
    if (!lines.length) {
      return h(
        "td",
        { class: "none", "data-title": title },
        h("span", { class: "dash" }, "\u2013"),
      );
    }
    const isChosen = row.key === chosen.row && column === chosen.column;
    const choose = h(
      "button",
      {
        type: "button",
        "data-key": `${row.key}/${column}`,
        "aria-pressed": String(isChosen),
        click: () => {
          onChoose({ row: row.key, column });
          showPanel();
        },
      },
      h("span", { class: "unseen" }, `${row.title}, ${title}: `),
      ...lines.map(figure),
    );
    return h("td", { "data-title": title }, choose);
  });
  const note = row.note ? h("small", {}, row.note) : "";
  const head = h("th", { scope: "row" }, row.title, note);
  return h("tr", { class: row.isOwn ? "own" : "" }, head, ...cells);
}

/** Bring what stands behind a cell into sight where it is not beside the table but above it. */
function showPanel() {
  if (!matchMedia("(max-width: 900px)").matches) return;
  const panel = document.querySelector(".st-key-result_panel");
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  panel?.scrollIntoView({ behavior: isStill ? "auto" : "smooth", block: "start" });
}

/** @param {Line} told */
function figure({ kind, text, about }) {
  const small = about ? h("small", {}, about) : "";
  return h("span", { class: kind }, h("b", {}, text), small);
}

/**
 * @param {HTMLElement} root
 * @returns {string} Of the cell that has the focus; empty for none.
 */
function focusedKey(root) {
  const scope = root.getRootNode();
  const active = /** @type {Document|ShadowRoot} */ (scope).activeElement;
  return (active instanceof HTMLElement && root.contains(active) && active.dataset.key) || "";
}

/**
 * @param {HTMLElement} root
 * @param {string} key
 * @returns {HTMLButtonElement|null}
 */
function button(root, key) {
  return root.querySelector(`button[data-key="${CSS.escape(key)}"]`);
}
