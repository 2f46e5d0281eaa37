/**
 * In which order the models stand.
 *
 * @typedef {import("./table.js").Row} Row
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} about What it holds, for whoever points at its head.
 * @property {boolean} isDown Whether large values come first when it is chosen.
 * @property {(row: Row) => string|number|null} value That is sorted by; null comes last.
 */

const TIERS = ["here", "published", "people", "chance", "not-learned", "recipe"];

/** @type {Column[]} */
export const COLUMNS = [
  {
    key: "name",
    title: "Model",
    about: "A checkpoint here, or a published method",
    isDown: false,
    value: (row) => row.name.toLowerCase(),
  },
  {
    key: "system",
    title: "Data system",
    about: "Whose images it answers",
    isDown: false,
    value: (row) => row.order,
  },
  {
    key: "accuracy",
    title: "Accuracy",
    about: "Share of right answers, with its 95 % interval",
    isDown: true,
    value: (row) => row.share,
  },
  {
    key: "sees",
    title: "Learned from",
    about: "What it was told of each image",
    isDown: false,
    value: (row) => row.sees || null,
  },
  {
    key: "tier",
    title: "Figure",
    about: "Measured here, or published",
    isDown: false,
    value: (row) => TIERS.indexOf(row.tier),
  },
  {
    key: "size",
    title: "Size",
    about: "Weights, and the file that ships",
    isDown: false,
    value: (row) => row.parameters,
  },
  {
    key: "time",
    title: "Time",
    about: "For an image, drawing included, on the processor that its card names",
    isDown: false,
    value: (row) => row.seconds,
  },
  {
    key: "memory",
    title: "Memory",
    about: "Peak while it answers; of published methods what their papers say",
    isDown: false,
    value: (row) => row.memory,
  },
  {
    key: "paper",
    title: "Paper",
    about: "Year and place of publication",
    isDown: true,
    value: (row) => row.year,
  },
];

/**
 * Sort rows; those that are equal stand by data system, then by accuracy, the best first.
 *
 * @param {Row[]} rows
 * @param {{key: string, isDown: boolean}} order
 * @returns {Row[]} In a new list.
 */
export function sorted(rows, { key, isDown }) {
  const column = COLUMNS.find((one) => one.key === key) ?? COLUMNS[0];
  const way = isDown ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [column.value(one), column.value(other)];
    if (a === null || b === null)
      return Number(a === null) - Number(b === null) || usual(one, other);
    const isText = typeof a === "string" && typeof b === "string";
    const by = isText ? a.localeCompare(b) : Number(a) - Number(b);
    return way * by || usual(one, other);
  });
}

/**
 * @param {Row} one
 * @param {Row} other
 */
function usual(one, other) {
  return (
    one.order - other.order ||
    (other.share ?? -1) - (one.share ?? -1) ||
    one.name.localeCompare(other.name)
  );
}
