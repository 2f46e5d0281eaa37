/**
 * The image and its view in the address bar, so that every view is a link.
 *
 * This module alone writes the page's query; the server only reads it, when somebody
 * has come to the page: Streamlit then goes on sending that query with every rerun. After
 * an assignment on the server it would keep sending that, and drop the view. What the
 * server wants in the link it passes in `data.link`, and the view is added to it
 * here, with replaceState: panning neither reruns the page nor fills its history. Another image
 * is another entry of the history, so Back and Forward walk through images; where they lead is
 * read by the page itself, which is run with the address of that entry.
 *
 * Pages are changed without the address's query. What is shown on both is the same image, so
 * its view and its overlays are kept here, in the one document that all pages share.
 *
 * @typedef {import("../hall/view.js").View} View
 * @typedef {import("../hall/bus.js").Overlays} Overlays
 */

/** @typedef {{view: View|null, overlays: Overlays}} Asked A null view is the whole image. */

/** @type {(Asked & {subject: string})|null} What was last written, for the next page. */
let kept = null;

/** What a page does not answer by then, such as a value that is written otherwise, is written. */
const LONGEST_ANSWER_MS = 10_000;
const REMIND_AFTER_MS = 2000;

/** When Back or Forward were last pressed; before this file was loaded, the page has followed. */
let poppedAt = -Infinity;
globalThis.addEventListener?.("popstate", () => (poppedAt = performance.now()));

/** The address of one viewer, whose data say in `link` what belongs there. */
export class Address {
  /** @type {string|undefined} The image that the address was last written for. */
  #subject;
  #isWritten = false;
  #leftAt = -Infinity;

  /**
   * @param {AbortSignal} signal Ends it.
   * @param {() => void} [ask] Ask the page for the image of the address.
   */
  constructor(signal, ask) {
    this.signal = signal;
    this.ask = ask;
    addEventListener("popstate", () => this.#leave(), { signal });
  }

  #leave() {
    this.#leftAt = performance.now();
    // A run of the page that was under way may have kept it from following.
    const remind = () => this.#isLeft && !this.signal.aborted && this.ask?.();
    setTimeout(remind, REMIND_AFTER_MS);
  }

  /** Whether the page has yet to answer with the image of the address. */
  get #isLeft() {
    return performance.now() - this.#leftAt < LONGEST_ANSWER_MS;
  }

  /** @returns {number|null} The opacity of heat that the address asks for, 0 to 1. */
  get heat() {
    const percent = Number(query().get("heat") || NaN);
    return percent >= 0 && percent <= 100 ? percent / 100 : null;
  }

  /**
   * What the address asks for; where it names no image, what was last seen of this one.
   *
   * @param {import("./viewer.js").ViewerData} data
   * @returns {Asked|null} null where the address is left alone.
   */
  read({ link, subject }) {
    if (!link) return null;
    const params = query();
    const isTold = ["view", "show", ...Object.keys(link)].some((name) => params.has(name));
    // Of Back pressed twice in a hurry, the page has yet to answer the second.
    const isOther = ([name, value]) => value !== null && (params.get(name) ?? value) !== value;
    const isFresh = performance.now() - poppedAt < LONGEST_ANSWER_MS;
    if (isFresh && Object.entries(link).some(isOther)) this.#leave();
    if (!isTold && kept && kept.subject === subject) return kept;
    return askedFor(params);
  }

  /**
   * After Back or Forward: what the address that was come to asks for, once its image is here.
   *
   * @param {import("./viewer.js").ViewerData} data New data of the page.
   * @param {import("./viewer.js").ViewerData} before
   * @returns {Asked|null} null as a rule.
   */
  return({ link, subject }, before) {
    if (!this.#isLeft || !link) return null;
    const params = query();
    const isHere = Object.entries(link).every(([name, value]) => params.get(name) === value);
    // A page that shows something else instead, such as the default, writes that.
    if (isHere || JSON.stringify(link) !== JSON.stringify(before.link)) this.#leftAt = -Infinity;
    if (isHere) this.#subject = subject;
    return isHere ? askedFor(params) : null;
  }

  /**
   * Write the address; parameters that the link does not name stay as they are.
   *
   * @param {import("./viewer.js").ViewerData} data
   * @param {View|null} view null for the whole image
   * @param {Overlays} overlays
   * @param {Record<string, string|null>} [more] What others beside the viewer want there.
   */
  write({ link, subject }, view, overlays, more = {}) {
    if (!link || this.#isLeft) return;
    const isAnother = this.#isWritten && subject !== this.#subject;
    this.#isWritten = true;
    this.#subject = subject;
    kept = subject === undefined ? null : { subject, view, overlays };
    const text = queryText({
      ...link,
      ...more,
      view: view && viewText(view),
      show: shownText(overlays),
    });
    const address = `${location.pathname}${text}${location.hash}`;
    if (address === `${location.pathname}${location.search}${location.hash}`) return;
    if (isAnother) history.pushState({}, "", address);
    else history.replaceState(history.state, "", address);
  }
}

function query() {
  return new URLSearchParams(location.search);
}

/**
 * @param {URLSearchParams} params
 * @returns {Asked}
 */
function askedFor(params) {
  const numbers = (params.get("view") ?? "").split(",").map(Number);
  const isView = numbers.length === 3 && numbers.every(Number.isFinite) && numbers[2] > 0;
  const [x, y, zoom] = numbers;
  const shown = (params.get("show") ?? "").split(",");
  return {
    view: isView ? { x, y, zoom } : null,
    overlays: { answer: shown.includes("answer"), shapes: shown.includes("shapes") },
  };
}

/** @param {Record<string, string|null>} values null removes. */
function queryText(values) {
  const params = query();
  for (const [name, value] of Object.entries(values)) {
    if (value === null) params.delete(name);
    else params.set(name, value);
  }
  // Commas are legal in a query and far easier to read than %2C.
  const text = params.toString().replaceAll("%2C", ",");
  return text && `?${text}`;
}

function shownText(overlays) {
  return ["answer", "shapes"].filter((name) => overlays[name]).join(",") || null;
}

function viewText({ x, y, zoom }) {
  const short = (value, digits) => String(Number(value.toFixed(digits)));
  return [short(x, 3), short(y, 3), short(zoom, 5)].join(",");
}
