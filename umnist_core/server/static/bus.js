/**
 * What the viewer and the answers beside it tell each other, without a round trip to
 * the server. They are separate components, so they meet here, by name.
 *
 * @typedef {{answer: boolean, shapes: boolean}} Overlays
 */

/** @type {Map<string, Channel>} */
const channels = new Map();

/** One viewer's state that others may read, change and follow. */
class Channel extends EventTarget {
  /** @type {Overlays} */
  overlays = { answer: false, shapes: false };
  users = 0;

  /** @param {Partial<Overlays>} change */
  setOverlays(change) {
    const next = { ...this.overlays, ...change };
    if (next.answer === this.overlays.answer && next.shapes === this.overlays.shapes) return;
    this.overlays = next;
    this.dispatchEvent(new CustomEvent("overlays", { detail: next }));
  }

  /** @param {number} id Which digit to show. */
  fly(id) {
    this.dispatchEvent(new CustomEvent("fly", { detail: id }));
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
