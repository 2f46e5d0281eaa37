/**
 * Which image a pane shows. The old one stays until every tile in view of the new
 * one is there, so a change never flashes; the newest wish wins.
 *
 * @typedef {{url: string, known: object|null, since: number, stop: AbortController,
 *            item: any, jobs: any[]}} Pending `jobs`: downloads of tiles
 * @typedef {{busy: boolean, error: string|null}} SwapState
 */

import { isHosted, reachPicture } from "../hall/reach.js";
import { fetchSource, knownSource, tileReason } from "./source.js";
import { levelOf } from "../hall/view.js";
import { word } from "../hall/words.js";

/**
 * While images are asked for faster than they load (a slider being dragged), one
 * that is this close to being ready is still shown, or nothing would ever be.
 */
const PATIENCE_MS = 400;

function tileFailed() {
  return word("viewer.tile_failed", "Part of the image did not load.");
}

class MissingTile extends Error {
  /** @param {string} tile Its address. */
  constructor(tile) {
    super(tileFailed());
    this.tile = tile;
  }
}

/** @param {string} url Of a tile that failed. */
async function missingSentence(url) {
  const why = await tileReason(url);
  return why === null ? tileFailed() : `${tileFailed()} ${why}`;
}

/** @param {any} tileSource Whose tiles come from a host, not over the network. */
function useHost(tileSource) {
  tileSource.downloadTileStart = (job) => {
    const stop = new AbortController();
    job.userData.stop = stop;
    reachPicture(job.src, { signal: stop.signal }).then(
      (picture) => job.finish(picture, null, "image"),
      (error) => job.fail(error.message, null),
    );
  };
  tileSource.downloadTileAbort = (job) => job.userData.stop?.abort();
}

export class ImageSwap {
  /**
   * @param {any} engine OpenSeadragon
   * @param {any} viewer An OpenSeadragon viewer
   * @param {{onState: (state: SwapState) => void,
   *          onShown: (source: import("./source.js").Source) => void,
   *          onLoaded: (source: import("./source.js").Source) => void,
   *          onWhole: () => void}} callbacks `onShown`: it is on screen; `onLoaded`: and all of it
   *   that is in view is there; `onWhole`: so is what is in view after a movement
   */
  constructor(engine, viewer, callbacks) {
    this.engine = engine;
    this.viewer = viewer;
    this.callbacks = callbacks;
    /** @type {string|null} */
    this.wanted = null;
    this.known = null;
    /** @type {Pending|null} */
    this.pending = null;
    this.current = null;
    this.asks = false;
    viewer.addHandler("tile-load-failed", ({ tiledImage, tile }) => {
      if (tiledImage === this.current) this.#tellMissing(tiledImage, tile.getUrl());
    });
  }

  /**
   * @param {string} url Address of a `.dzi` description.
   * @param {object|null} [known] What it says, where that is known; saves fetching it.
   */
  show(url, known = null) {
    if (url === this.wanted) return;
    this.wanted = url;
    this.known = known;
    if (!this.pending) this.#load();
    else this.#giveWay(this.pending);
  }

  /** Load the wanted image again, whole. */
  retry() {
    this.pending?.stop.abort();
    if (!this.pending) this.#load();
  }

  close() {
    this.wanted = null;
    this.pending?.stop.abort();
    clearTimeout(this.timer);
  }

  #giveWay(pending) {
    clearTimeout(this.timer);
    const wait = Math.max(PATIENCE_MS - (performance.now() - pending.since), 0);
    this.timer = setTimeout(() => {
      if (pending.url !== this.wanted) pending.stop.abort();
    }, wait);
  }

  async #load() {
    const pending = {
      url: this.wanted,
      known: this.known,
      since: performance.now(),
      stop: new AbortController(),
      item: null,
      jobs: [],
    };
    this.pending = pending;
    this.callbacks.onState({ busy: true, error: null });
    let error = null;
    try {
      const source = await this.#describe(pending);
      await this.#add(pending, source);
      this.callbacks.onLoaded(source);
    } catch (failure) {
      this.#discard(pending);
      if (!pending.stop.signal.aborted) error = await this.#reason(pending, failure);
    }
    this.#finish(pending, error);
  }

  /** Say that a part is missing, and then why; of the many parts that may be, one is asked for. */
  async #tellMissing(item, url) {
    this.callbacks.onState({ busy: false, error: tileFailed() });
    if (this.asks) return;
    this.asks = true;
    const error = await missingSentence(url);
    this.asks = false;
    const isShown = item === this.current && !this.pending && this.wanted !== null;
    if (isShown) this.callbacks.onState({ busy: false, error });
  }

  #describe({ url, known, stop }) {
    return known ? knownSource(url, known) : fetchSource(url, stop.signal);
  }

  /** A tile that fails says nothing; the description of the same image may, or the tile itself. */
  async #reason({ url, known, stop }, failure) {
    const missing = () => (failure.tile ? missingSentence(failure.tile) : failure.message);
    if (!known) return missing();
    return fetchSource(url, stop.signal).then(missing, ({ message }) => message);
  }

  #finish(pending, error) {
    this.pending = null;
    if (this.wanted === null) return;
    const again = pending.url !== this.wanted || pending.stop.signal.aborted;
    if (again) this.#load();
    else this.callbacks.onState({ busy: false, error });
  }

  /** Add the image, invisible above the old one, and wait until all of it in view is there. */
  async #add(pending, source) {
    const first = this.current === null;
    pending.item = await this.#addItem(pending, source, first);
    pending.stop.signal.throwIfAborted();
    if (first) this.#replace(pending.item, source);
    await this.#whenLoaded(pending, () => this.#replace(pending.item, source));
  }

  #addItem(pending, source, first) {
    const level = this.#wholeLevel(source);
    // What is not shown before it is all there needs no coarser levels to begin with, each
    // of which would be a request.
    const levels = first || !pending.known ? {} : { minLevel: level, getClosestLevel: () => level };
    const tileSource = new this.engine.DziTileSource({
      width: source.width,
      height: source.height,
      tileSize: source.tileSize,
      tileOverlap: source.overlap,
      ...levels,
      tilesUrl: source.tilesUrl,
      fileFormat: source.format,
      queryParams: source.query,
    });
    if (isHosted(source.dzi)) useHost(tileSource);
    const download = tileSource.downloadTileStart;
    tileSource.downloadTileStart = (job) => {
      if (this.pending === pending) pending.jobs.push(job);
      download.call(tileSource, job);
    };
    return new Promise((resolve, reject) => {
      this.viewer.addTiledImage({
        tileSource,
        opacity: first ? 1 : 0,
        width: 1,
        preload: true,
        success: ({ item }) => resolve(item),
        error: ({ message }) => reject(new Error(message)),
      });
    });
  }

  /** The level that the whole image is drawn from in a pane of this size. */
  #wholeLevel(source) {
    const { viewport } = this.viewer;
    return levelOf(source, viewport.getMinZoom() * viewport.getContainerSize().x);
  }

  /**
   * Wait until all in view is there, and act on it in the same frame: what is done after
   * a promise would be drawn one frame later.
   */
  #whenLoaded({ item, stop }, act) {
    return new Promise((resolve, reject) => {
      const failed = ({ tiledImage, tile }) =>
        tiledImage === item && done(new MissingTile(tile.getUrl()));
      const changed = ({ fullyLoaded }) => fullyLoaded && done(null);
      const aborted = () => done(stop.signal.reason);
      const done = (error) => {
        this.viewer.removeHandler("tile-load-failed", failed);
        item.removeHandler("fully-loaded-change", changed);
        stop.signal.removeEventListener("abort", aborted);
        if (error) return reject(error);
        act();
        return resolve();
      };
      this.viewer.addHandler("tile-load-failed", failed);
      item.addHandler("fully-loaded-change", changed);
      stop.signal.addEventListener("abort", aborted);
      // Ask for its tiles now and not in the next frame.
      item.update(true);
      if (item.getFullyLoaded()) done(null);
    });
  }

  #replace(item, source) {
    const old = this.current;
    if (item === old) return;
    item.setOpacity(1);
    item.addHandler(
      "fully-loaded-change",
      ({ fullyLoaded }) => fullyLoaded && this.callbacks.onWhole(),
    );
    this.current = item;
    if (old) this.viewer.world.removeItem(old);
    this.callbacks.onShown(source);
  }

  #discard({ item, jobs }) {
    // OpenSeadragon forgets the tiles of an image that is removed, and loads them all the
    // same; its way of stopping a download reports a failure, which this is not.
    for (const job of jobs) {
      clearTimeout(job.jobId);
      job.source.downloadTileAbort(job);
    }
    // After the viewer is destroyed there is no world, and nothing to discard.
    if (item && item !== this.current) this.viewer.world?.removeItem(item);
  }
}
