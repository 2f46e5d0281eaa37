/**
 * What the viewer and the answers beside it tell each other, without a round trip to
 * the server. They are separate components, so they meet here, by name.
 *
 * @typedef {{answer: boolean, shapes: boolean}} Overlays
 *
 * @typedef {object} Live What controls show in the viewer ahead of the page's data, which
 *   follow when the controls are let go of.
 * @property {import("../viewer/pane.js").PaneData[]} panes
 * @property {import("./view.js").Size} image
 * @property {"side"|"wipe"} compare
 * @property {string} [subject] As of the viewer's data.
 *
 * @typedef {object} Look Where a model, or people, looked: what lies over one pane.
 * @property {string} key
 * @property {string} title Of the pane, where the picture is shown twice.
 * @property {import("../heat/heat.js").HeatData|null} heat
 * @property {import("../viewer/look_marks.js").LookMark[]} marks
 * @property {boolean} [isStale] Whether it was of a picture that is no longer shown.
 *
 * @typedef {object} Extra What somebody beside the viewer draws over the image, in every frame.
 * @property {SVGElement} element
 * @property {(toScreen: (x: number, y: number) => {x: number, y: number}, zoom: number,
 *   pane: import("./view.js").Size) => void} draw
 * @property {() => boolean} [holds] Whether the image stays where it is under a drag.
 *
 * @typedef {object} Tones Which of a file's own values are drawn black and white.
 * @property {string} query What is added to the address of its tiles.
 * @property {Record<string, string|null>} link What stands in the page's address.
 */

/** @type {Map<string, Channel>} */
const channels = new Map();

/** One viewer's state that others may read, change and follow. */
class Channel extends EventTarget {
  /** @type {Overlays} */
  overlays = { answer: false, shapes: false };
  /** @type {Live|null} */
  live = null;
  /** @type {Look[]|null} */
  looks = null;
  /** @type {Tones|null} */
  tones = null;
  /** What else is drawn over the image. @type {Extra|null} */
  extra = null;
  /** What else belongs into the address of what is shown. @type {Record<string, string|null>} */
  more = {};
  /** Where the viewer lets others say something. @type {HTMLElement|null} */
  band = null;
  users = 0;

  /** @param {Partial<Overlays>} change */
  setOverlays(change) {
    const next = { ...this.overlays, ...change };
    if (next.answer === this.overlays.answer && next.shapes === this.overlays.shapes) return;
    this.overlays = next;
    this.dispatchEvent(new CustomEvent("overlays", { detail: next }));
  }

  /** @param {Live|null} live What the viewer shows from now on; null for its own data. */
  setLive(live) {
    this.live = live;
    this.dispatchEvent(new CustomEvent("live"));
  }

  /** @param {Look[]|null} looks One, or two that are shown beside each other. */
  setLooks(looks) {
    this.looks = looks;
    this.dispatchEvent(new CustomEvent("looks"));
  }

  /** @param {Tones|null} tones null for the rule by which all files are shown. */
  setTones(tones) {
    this.tones = tones;
    this.dispatchEvent(new CustomEvent("tones"));
  }

  /** @param {Extra|null} extra */
  setExtra(extra) {
    this.extra = extra;
    this.dispatchEvent(new CustomEvent("extra"));
  }

  /** @param {Record<string, string|null>} change What others set stays; null removes. */
  setMore(change) {
    const more = { ...this.more, ...change };
    if (JSON.stringify(more) === JSON.stringify(this.more)) return;
    this.more = more;
    this.dispatchEvent(new CustomEvent("more"));
  }

  /** @param {HTMLElement|null} band null where there is no viewer any more. */
  setBand(band) {
    this.band = band;
    this.dispatchEvent(new CustomEvent("band"));
  }

  /** @param {number} id Which digit to show. */
  fly(id) {
    this.dispatchEvent(new CustomEvent("fly", { detail: { id } }));
  }

  /**
   * @param {number[]} box What to show: x, y, width, height in image px.
   * @param {string} name Said to screen readers on arrival.
   */
  flyTo(box, name) {
    this.dispatchEvent(new CustomEvent("fly", { detail: { box, name } }));
  }

  /** @param {number[]} box What is to fill the pane, with nothing said. */
  look(box) {
    this.dispatchEvent(new CustomEvent("fly", { detail: { box, share: 1 } }));
  }
}

/**
 * Join a channel. It lasts until everyone who joined has left.
 *
 * @param {string} name
 * @returns {{channel: Channel, leave: () => void}}
 */
export function join(name) {
  let channel = channels.get(name);
  if (!channel) {
    channel = new Channel();
    channels.set(name, channel);
  }
  channel.users += 1;
  const leave = () => {
    channel.users -= 1;
    if (channel.users === 0) channels.delete(name);
  };
  return { channel, leave };
}

/** @returns {string[]} Names of the channels in use. */
export function openChannels() {
  return [...channels.keys()];
}
