/**
 * A search of the server for noise that fools a model, followed until it ends.
 *
 * @typedef {object} Search As the server tells of it.
 * @property {string} id
 * @property {"running"|"done"|"failed"|"cancelled"} state
 * @property {number} version
 * @property {string} checkpoint
 * @property {number} tried
 * @property {number} tries
 * @property {number} elapsed_s
 * @property {number[]|null} answer To the image that it began with; null before it is known.
 * @property {boolean|null} is_right
 * @property {string} sentence What came of it.
 * @property {Record<string, string>|null} found The address of both images.
 * @property {string|null} error
 *
 * @typedef {{viewer: string, checkpoint: string, device: string, image: string, vary: string,
 *            tries: number}} Question
 */

import { reach } from "../hall/reach.js";

/** How long the server may hold a question whose answer has not changed. */
const WAIT_S = 5;

const RETRIES_MS = [500, 1000, 2000, 4000];

const SILENT = "The server did not answer; search again when it is back.";

/**
 * Begin a search and follow it.
 *
 * @param {Question} question
 * @param {AbortSignal} stop Ends it, here and on the server.
 * @param {(search: Search) => void} onChange
 * @returns {Promise<Search>} As it ended.
 * @throws {Error} With a sentence, if it could not be begun or followed.
 */
export async function follow(question, stop, onChange) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(question);
  let search = await ask("", { method: "POST", headers, body });
  const cancel = () => {
    ask(`/${search.id}`, { method: "DELETE", keepalive: true }).catch(() => undefined);
  };
  if (stop.aborted) cancel();
  stop.addEventListener("abort", cancel, { once: true });
  while (search.state === "running" && !stop.aborted) {
    onChange(search);
    search = await next(search, stop);
  }
  stop.removeEventListener("abort", cancel);
  return search;
}

/** @returns {Promise<Search>} Once it has changed, or a while later. */
async function next({ id, version }, signal) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask(`/${id}?after=${version}&wait_s=${WAIT_S}`, { signal });
    } catch (error) {
      if (error.isRefusal || signal.aborted || attempt === RETRIES_MS.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRIES_MS[attempt]));
    }
  }
}

/** @returns {Promise<Search>} */
async function ask(path, options) {
  let response;
  try {
    response = await reach(`/inference/fool${path}`, options);
  } catch (error) {
    throw new Error(SILENT, { cause: error });
  }
  const found = await response.json().catch(() => null);
  if (response.ok && found) return found;
  const sentence = found?.sentence ?? found?.error?.sentence ?? found?.error;
  const told = typeof sentence === "string" ? sentence : `The server answered ${response.status}.`;
  throw Object.assign(new Error(told), { isRefusal: true });
}

/**
 * How far a search is, in words.
 *
 * @param {Search|null} search
 * @param {number} longestS By when it ends, after its first answer.
 * @returns {string}
 */
export function progressText(search, longestS) {
  if (!search?.answer) return "Asking for the answer to this image…";
  const { tried, tries, elapsed_s: elapsed } = search;
  const left = Math.max(0, Math.round(longestS - elapsed));
  return `Tried ${tried}, ${tries - tried} to go; at most ${left} s more.`;
}
