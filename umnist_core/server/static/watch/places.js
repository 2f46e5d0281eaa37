/**
 * One slot's attention as the viewer shows it: the heat of a task, head and round, and the
 * strongest places. What is asked for last is what is shown, and the old stays until then.
 *
 * @typedef {{task: string|null, head: number|null, round: number|null}} MapPart null: the mean over
 *   all tasks or heads, and the map after the last round.
 * @typedef {{box: number[], weight: number, rank: number}} Place
 * @typedef {{similarity: number, correlation: number|null}} Agreement With where people looked.
 * @typedef {{kind: string, max: number, last_colour: number, places: Place[], count: number,
 *            agreement: Agreement|null}} Places
 */

import { numberText } from "../heat/bar.js";
import { atHome } from "../hall/home.js";
import { reach } from "../hall/reach.js";
import { percentText } from "./words.js";

const TILE_PX = 512;

/** So many places are fetched; there may be thousands. */
export const FETCHED = 200;

const OPACITY = 0.65;

/** What the colours mean. @type {[string, string]} */
const ENDS = ["no weight", "strongest"];

/** A score that rounds to 100 % need not be said. */
const SURE = 0.995;

/** Answers kept, so that going through the rounds again asks for nothing. */
const KEPT = 64;

export class PlacesLoader {
  /**
   * @param {() => void} onChange
   * @param {string} [home] Before the addresses, where a host answers them.
   */
  constructor(onChange, home = "") {
    this.onChange = onChange;
    this.home = home;
    /** @type {Map<string, Places>} */
    this.kept = new Map();
    /** @type {{job: import("./runner.js").Job, part: MapPart, places: Places}|null} */
    this.shown = null;
    this.wanted = null;
    this.failed = false;
    this.stop = new AbortController();
  }

  /**
   * @param {import("./runner.js").Job|null} job
   * @param {MapPart} part
   * @param {string|null} dwell What it is compared with: people's time on the image, by its id.
   */
  async show(job, part, dwell) {
    const address = job?.result.attention
      ? addressOf(this.home, job.id, "attention.json", part, { top: FETCHED })
      : null;
    const wanted = address && `${address} ${dwell}`;
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.failed = false;
    this.stop.abort();
    if (address === null) {
      this.shown = null;
      return;
    }
    this.stop = new AbortController();
    try {
      const places = this.kept.get(wanted) ?? (await this.#fetch(address, job, part, dwell));
      if (wanted !== this.wanted) return;
      this.#keep(wanted, places);
      this.shown = { job, part, places };
    } catch {
      if (wanted !== this.wanted) return;
      this.failed = true;
    }
    this.onChange();
  }

  close() {
    this.wanted = null;
    this.stop.abort();
  }

  /** @returns {Promise<Places>} */
  async #fetch(address, job, part, dwell) {
    const { signal } = this.stop;
    // Those of the whole map came with the answer.
    const own = Object.values(part).every((one) => one === null) ? job.places : null;
    const compared = dwell && addressOf(this.home, job.id, `dwell/${dwell}`, part, {});
    const [places, agreement] = await Promise.all([
      own ?? fetchJson(address, signal),
      // Without it there is still all that the model gave.
      compared ? fetchJson(compared, signal).catch(() => null) : null,
    ]);
    return { ...places, agreement };
  }

  #keep(wanted, places) {
    this.kept.delete(wanted);
    this.kept.set(wanted, places);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }
}

/**
 * What lies over the image.
 *
 * @param {{job: import("./runner.js").Job, part: MapPart, places: Places}} shown
 * @param {string} [home] As of `PlacesLoader`.
 * @returns {import("../heat/heat.js").HeatData|null} null where nothing was looked at.
 */
export function heatOf({ job, part, places }, home = "") {
  const url = addressOf(home, job.id, "heat/{level}/{column}_{row}.png", part, { tile: TILE_PX });
  return heatOfTiles(url, job.result, part.task, places);
}

/**
 * The same of tiles that lie elsewhere.
 *
 * @param {string} url With {level}, {column} and {row} in it.
 * @param {import("./outcome.js").Result} result
 * @param {string|null} task
 * @param {Pick<Places, "max"|"last_colour">} places
 * @returns {import("../heat/heat.js").HeatData|null} null where nothing was looked at.
 */
export function heatOfTiles(url, result, task, { max, last_colour: top }) {
  if (!(max > 0)) return null;
  const { width, height } = result.image;
  const title = task === null ? "Attention" : `Attention: ${task}`;
  return {
    tiles: { url, tileSize: TILE_PX, width, height },
    ...{ opacity: OPACITY, title, unit: "", max, top, ends: ENDS },
  };
}

/**
 * The outlines over the image.
 *
 * @param {Places} places
 * @param {number} most
 * @param {number} scale Px of the viewer's frame per px of the image that was looked at.
 * @returns {import("../viewer/look_marks.js").LookMark[]}
 */
export function patchMarks({ places, max }, most, scale) {
  return places
    .filter(({ weight }) => weight > 0)
    .slice(0, most)
    .map(({ box, weight }) => ({
      box: scaled(box, scale),
      text: numberText(weight),
      strength: weight / max,
      kind: "patch",
    }));
}

/**
 * @param {import("./outcome.js").Result} result
 * @param {number} scale As of `patchMarks`.
 * @returns {import("../viewer/look_marks.js").LookMark[]}
 */
export function foundMarks({ found }, scale) {
  return (found ?? []).map(({ label, score, box }) => ({
    box: scaled(box, scale),
    text: score < SURE ? `${label} · ${percentText(score)}` : String(label),
    strength: score,
    kind: "found",
  }));
}

/**
 * @param {number[]} box
 * @param {number} scale
 * @returns {number[]}
 */
export function scaled(box, scale) {
  return box.map((one) => one * scale);
}

/**
 * Addresses of what can be kept: the map that is shown, all maps, and a page with everything.
 *
 * @param {string} id
 * @param {MapPart} part
 * @param {string|null} beside Another job of the same image.
 * @param {string} [home] As of `PlacesLoader`.
 * @returns {{json: string, npy: string, page: string}}
 */
export function downloads(id, part, beside, home = "") {
  return {
    json: addressOf(home, id, "attention.json", part, { top: "all", download: 1 }),
    npy: placed(home, `/inference/jobs/${id}/attention.npy`),
    page: placed(home, `/inference/jobs/${id}/page.html${beside ? `?beside=${beside}` : ""}`),
  };
}

/**
 * @param {string} home As of `PlacesLoader`.
 * @param {string} id Of a job.
 * @param {string} file What of it.
 * @param {MapPart} part
 * @param {Record<string, string|number|null>} more Of the query.
 */
export function addressOf(home, id, file, part, more) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...part, ...more })) {
    if (value !== null) query.set(name, String(value));
  }
  return placed(home, `/inference/jobs/${id}/${file}?${query}`);
}

function placed(home, path) {
  return home ? home + path : atHome(path);
}

async function fetchJson(address, signal) {
  const response = await reach(address, { signal });
  if (!response.ok) throw new Error(`Attention could not be read: ${response.status}.`);
  return response.json();
}
