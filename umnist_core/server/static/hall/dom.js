/** Making elements, and nothing else. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an HTML element. Attributes that are null or false are left out; functions
 * become listeners of the event they are named after.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/**
 * Make an SVG element, as `h` does.
 *
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string)} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * Listen to an event of our own, by what it tells.
 *
 * @param {EventTarget} target
 * @param {string} name
 * @param {(detail: any) => void} listener
 * @param {AddEventListenerOptions} [options]
 */
export function onDetail(target, name, listener, options) {
  target.addEventListener(
    name,
    (event) => listener(/** @type {CustomEvent} */ (event).detail),
    options,
  );
}

/** @returns {HTMLElement|null} What has the focus, if it is an element of HTML. */
export function focused() {
  const element = document.activeElement;
  return element instanceof HTMLElement ? element : null;
}

/**
 * Set several attributes at once.
 *
 * @param {Element} element
 * @param {Record<string, string|number>} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * Give a list its choices, anew only where they differ: one that is open would close.
 *
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options Values and what they are called.
 * @param {string} value The chosen one.
 */
export function fillSelect(select, options, value) {
  const text = JSON.stringify(options);
  if (select.dataset.options !== text) {
    select.dataset.options = text;
    select.replaceChildren(...options.map(([key, title]) => h("option", { value: key }, title)));
  }
  select.value = value;
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, any>} attributes
 * @param {(Node|string)[]} children
 * @returns {E}
 */
function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** @param {HTMLElement} element */
export function toggleFullScreen(element) {
  if (element.matches(":fullscreen")) document.exitFullscreen();
  else element.requestFullscreen?.();
}
