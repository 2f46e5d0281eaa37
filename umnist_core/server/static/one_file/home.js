/** `hall/home.js` where the viewer is one file: there is no app that addresses could be of. */

/**
 * @param {string} address
 * @returns {string}
 */
export function atHome(address) {
  return address;
}

/** @returns {string} */
export function pathHere() {
  return location.pathname;
}
