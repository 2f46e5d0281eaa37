/** What a viewer shows: its own data, or what controls beside it show ahead of them. */

/**
 * @typedef {import("./viewer.js").ViewerData} ViewerData
 * @typedef {{heat: import("../heat/heat.js").HeatData|null, marks: import("./look_marks.js").LookMark[],
 *            isStale: boolean, extra: import("../hall/bus.js").Extra|null}} Layer What lies over
 *   one pane.
 */

/**
 * @param {ViewerData} given
 * @param {{live: import("../hall/bus.js").Live|null, looks: import("../hall/bus.js").Look[]|null,
 *          tones: import("../hall/bus.js").Tones|null,
 *          extra?: import("../hall/bus.js").Extra|null}} channel
 * @returns {ViewerData & {layers: Layer[]}} `layers`: one for each pane.
 */
export function mergedData(given, { live, looks, tones, extra = null }) {
  const data = live ? withLive(given, live) : given;
  const known = data.panes.map((pane) => withTones(withTruth(pane, given), tones));
  const panes = looks?.length === 2 && known.length === 1 ? doubled(known[0], looks) : known;
  const layers = panes.map((_, place) => ({
    ...(looks ? layerOf(looks[place]) : { ...NOTHING, heat: data.heat ?? null }),
    extra: place === 0 ? extra : null,
  }));
  return { ...data, panes, layers };
}

/**
 * The page's own data with what controls beside the viewer add to its link.
 *
 * @param {ViewerData} given
 * @param {{tones: import("../hall/bus.js").Tones|null}} channel
 * @returns {ViewerData}
 */
export function linkedData(given, { tones }) {
  return given.link && tones ? { ...given, link: { ...given.link, ...tones.link } } : given;
}

/**
 * The part of the frame of all panes that one of them covers, from the top left.
 *
 * @param {ViewerData} data
 * @param {number} index
 * @returns {import("../hall/view.js").Size}
 */
export function frameOf({ image, panes }, index) {
  return panes[index]?.frame ?? image;
}

/** @type {Layer} */
const NOTHING = { heat: null, marks: [], isStale: false, extra: null };

function withLive(given, live) {
  const addresses = ({ panes }) => panes.map(({ dzi }) => dzi).join(" ");
  // What is known of the given picture is not true of another.
  const ahead = addresses(live) !== addresses(given);
  return { ...given, ...live, ...(ahead ? { digits: [], shapes: [], status: null } : {}) };
}

/** A pane with what is known of its own picture; of another, nothing is. */
function withTruth(pane, given) {
  const same = given.panes.find(({ dzi }) => dzi === pane.dzi);
  const digits = same ? (same.digits ?? given.digits ?? []) : [];
  const shapes = same ? (same.shapes ?? given.shapes ?? []) : [];
  return { ...pane, digits, shapes };
}

/** A pane of a file with its values drawn by a window; those under the pointer stay its own. */
function withTones(pane, tones) {
  if (!tones?.query || !pane.own) return pane;
  return {
    ...pane,
    dzi: `${pane.dzi}?${tones.query}`,
    values: pane.values && { ...pane.values, url: pane.own },
  };
}

function doubled(pane, looks) {
  return looks.map(({ key, title }) => ({ ...pane, key: `${pane.key}-${key}`, title }));
}

function layerOf(look) {
  if (!look) return NOTHING;
  return { ...NOTHING, heat: look.heat, marks: look.marks, isStale: look.isStale ?? false };
}
