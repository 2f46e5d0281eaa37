/**
 * The view in the address bar, so that every view is a link.
 *
 * This module alone writes the page's query; the server only reads it. Streamlit
 * sends the address bar's query with every rerun for as long as the server has
 * assigned none itself, so `st.query_params` is always up to date; after an
 * assignment on the server it would keep sending that, and drop the view. What the
 * server wants in the link it passes in `data.link`, and the view is added to it
 * here, with replaceState: panning neither reruns the page nor fills its history.
 *
 * @typedef {import("../hall/view.js").View} View
 * @typedef {import("../hall/bus.js").Overlays} Overlays
 */

/** @returns {View|null} The view that the address asks for; null for the whole image. */
export function readView() {
  const numbers = (query().get("view") ?? "").split(",").map(Number);
  if (numbers.length !== 3 || !numbers.every(Number.isFinite) || numbers[2] <= 0) return null;
  const [x, y, zoom] = numbers;
  return { x, y, zoom };
}

/** @returns {Overlays} The overlays that the address asks for. */
export function readOverlays() {
  const shown = (query().get("show") ?? "").split(",");
  return { answer: shown.includes("answer"), shapes: shown.includes("shapes") };
}

/**
 * Write the address; parameters that are not named here stay as they are.
 *
 * @param {Record<string, string|null>} link What the server wants there; null removes.
 * @param {View|null} view null for the whole image
 * @param {Overlays} overlays
 */
export function writeLink(link, view, overlays) {
  const params = query();
  const shown = ["answer", "shapes"].filter((name) => overlays[name]).join(",");
  const all = { ...link, view: view && viewText(view), show: shown || null };
  for (const [name, value] of Object.entries(all)) {
    if (value === null) params.delete(name);
    else params.set(name, value);
  }
  // Commas are legal in a query and far easier to read than %2C.
  const text = params.toString().replaceAll("%2C", ",");
  const address = `${location.pathname}${text ? `?${text}` : ""}${location.hash}`;
  if (address !== `${location.pathname}${location.search}${location.hash}`) {
    history.replaceState(history.state, "", address);
  }
}

function query() {
  return new URLSearchParams(location.search);
}

function viewText({ x, y, zoom }) {
  const short = (value, digits) => String(Number(value.toFixed(digits)));
  return [short(x, 3), short(y, 3), short(zoom, 5)].join(",");
}
