/**
 * Where the app lies: at the root of its host, or below a path that a proxy gives it.
 *
 * Addresses of the app's own, in data and in code, begin with "/" and know nothing of that
 * path; it is put before them here, where they are opened. This file's own address tells it.
 */

const HOME = new URL("../../..", import.meta.url);

/**
 * @param {string} address Such as "/tiles/scene.dzi"; any other is left as it is.
 * @returns {string}
 */
export function atHome(address) {
  return address.startsWith("/") ? HOME.href.slice(0, -1) + address : address;
}

/** @returns {string} The path of this page within the app, such as "/label/study". */
export function pathHere() {
  return location.pathname.slice(HOME.pathname.length - 1);
}
