/**
 * How the viewer's pictures and values come: over the network, or from a host that has no server,
 * such as a page in one file or the channel of a notebook's widget.
 *
 * Hosted addresses begin with a scheme of their own, so that several hosts may serve one page.
 *
 * @typedef {{signal?: AbortSignal, method?: string, body?: string}} Ask As of `fetch`.
 * @typedef {(address: string, options: Ask) => Promise<Response>} Open
 */

import { atHome } from "./home.js";

/** @type {Map<string, Open>} By scheme, such as "umnist-page:". */
const hosts = new Map();

/**
 * Serve the addresses of a scheme until the returned function is called.
 *
 * @param {string} scheme With its colon; of small letters, figures and hyphens.
 * @param {Open} open Answers as `fetch` does.
 * @returns {() => void}
 */
export function serve(scheme, open) {
  hosts.set(scheme, open);
  return () => {
    if (hosts.get(scheme) === open) hosts.delete(scheme);
  };
}

/**
 * @param {string} address
 * @returns {boolean} Whether no element of the page can open it, only `reach`.
 */
export function isHosted(address) {
  return hosts.has(schemeOf(address));
}

/**
 * Open an address.
 *
 * @param {string} address Of a host, of the app ("/tiles/…"), or any other.
 * @param {RequestInit & Ask} [options]
 * @returns {Promise<Response>}
 */
export function reach(address, options = {}) {
  const open = hosts.get(schemeOf(address));
  return open ? open(address, options) : fetch(atHome(address), options);
}

/**
 * The picture at an address, for an element of the page.
 *
 * @param {string} address
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<HTMLImageElement>} Loaded.
 * @throws {Error} If it cannot be had, or is no picture.
 */
export async function reachPicture(address, options = {}) {
  const response = await reach(address, options);
  if (!response.ok) throw new Error(`The picture could not be read: ${response.status}.`);
  const url = URL.createObjectURL(await response.blob());
  const picture = new Image();
  picture.src = url;
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(url);
  }
  return picture;
}

/** @param {string} address */
function schemeOf(address) {
  return /^[a-z0-9-]+:/.exec(address)?.[0] ?? "";
}
