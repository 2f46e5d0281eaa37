/**
 * Watching a model look: what it answers beside the viewer, and where it looked over the
 * image, for one model or two. It follows the picture that the viewer shows.
 *
 * Predictions are the server's (`/inference`); watch_runner.js sees to it that the newest
 * wins. What an older picture gave stays, dimmed, until the newer is there.
 *
 * @typedef {object} WatchData
 * @property {string} bus Name of the viewer's channel.
 * @property {string} viewer Random; of this page in this session.
 * @property {{key: string, title: string, model: string,
 *            names?: import("./outcome.js").Names, about?: string, right?: string|null}[]} checkpoints
 *   `about`: what it is, for which images, and how good; `right`: the share in a word.
 * @property {{key: string, title: string}[]} devices
 * @property {{dzi: string, title: string, width: number, height: number}|null} image
 * @property {{dzi: string}|null} [second] Another picture that is shown beside it.
 * @property {Record<string, number[]>} truth What is known of the image beside what the server
 *   knows of a generated one: the right answers by task.
 * @property {Record<string, string>} [called] What the image's data set calls the right class, by
 *   task: a model has numbers of its own.
 * @property {Record<string, string>} [hints] What to know of a checkpoint with this image.
 * @property {import("./choice.js").Choice} choice
 * @property {{title: string, heat: import("../heat/heat.js").HeatData, answers: number,
 *             dwell: string}|null} people Where people looked, and the id under which the server
 *   compares attention with it.
 * @property {string|null} sentence Why nothing can be predicted, and what to do.
 *
 * @property {string} [home] Before the addresses of the server, where a host answers them.
 * @property {boolean} [isAsked] Whether it predicts without waiting to be asked.
 * @property {{a: string, b: string}} [look] Of which part each map is at first: task, head and
 *   round, with commas, each empty for all.
 *
 * @typedef {object} WatchCallbacks
 * @property {(choice: import("./choice.js").Choice) => void} onChoice
 * @property {(job: import("./runner.js").Job) => void} [onAnswered] The first model's newest.
 *
 * @typedef {object} Slot
 * @property {"a"|"b"} key
 * @property {Runner} runner
 * @property {PlacesLoader} places
 * @property {Outcome} outcome
 * @property {import("./places.js").MapPart} part
 * @property {import("./attention.js").Outline|null} outline
 */

import { join } from "../hall/bus.js";
import { h } from "../hall/dom.js";
import { styleSheet } from "../hall/files.js";
import { subjectOf } from "../hall/subject.js";
import { AnswerBar } from "./answer_bar.js";
import { AttentionPanel, OUTLINED, outlineOf } from "./attention.js";
import { ChoiceRows } from "./choice.js";
import { Outcome, judged, spokenText, truthFor } from "./outcome.js";
import { PlacesLoader, foundMarks, heatOf, patchMarks, scaled } from "./places.js";
import { Runner, isSame } from "./runner.js";
import { Replay, seenMarks } from "./search.js";
import { missedMarks } from "./why.js";
import { PEOPLE, setText } from "./words.js";

/** What takes longer shows that it works. */
const BUSY_AFTER_MS = 500;

/**
 * @param {HTMLElement|ShadowRoot} parentElement
 * @param {WatchData} data
 * @param {WatchCallbacks} callbacks
 * @returns {{update: (data: WatchData) => void, destroy: () => void}}
 */
export function mountWatch(parentElement, data, callbacks) {
  const watch = new Watch(parentElement, data, callbacks);
  return { update: (next) => watch.update(next), destroy: () => watch.destroy() };
}

class Watch {
  constructor(parentElement, data, callbacks) {
    this.data = data;
    this.callbacks = callbacks;
    this.choice = { ...data.choice };
    /** Whether anything was asked for yet: nothing is predicted unasked. */
    this.isArmed = data.isAsked ?? false;
    this.left = new AbortController();
    const { channel, leave } = join(data.bus);
    this.channel = channel;
    this.leaveBus = leave;
    /** What each job answers. @type {WeakMap<object, import("./runner.js").Wish>} */
    this.wishes = new WeakMap();
    this.slots = ["a", "b"].map((key) => this.#makeSlot(key));
    this.#build();
    this.styles = styleSheet("watch/watch.css", parentElement);
    this.styles.loaded.catch(() => undefined); // it works without looking like itself
    parentElement.append(this.root);
    const { signal } = this.left;
    channel.addEventListener("live", () => this.#somethingChanged(), { signal });
    channel.addEventListener("band", () => this.#placeBar(), { signal });
    this.#placeBar();
    this.#somethingChanged();
  }

  /** @param {WatchData} data */
  update(data) {
    const before = this.data;
    this.data = data;
    this.isArmed ||= data.isAsked ?? false;
    // The page repeats what it was told, perhaps a while after; only its own changes win.
    if (JSON.stringify(data.choice) !== JSON.stringify(before.choice)) {
      this.choice = { ...data.choice };
    }
    this.#somethingChanged();
  }

  destroy() {
    this.left.abort();
    clearTimeout(this.busyTimer);
    this.attention.stop();
    for (const { runner, places } of this.slots) {
      runner.close();
      places.close();
    }
    this.replay.stop();
    this.channel.setLooks(null);
    this.leaveBus();
    this.bar.element.remove();
    this.root.remove();
    this.styles.element.remove();
  }

  /** @returns {Slot} */
  #makeSlot(key) {
    const { viewer, home = "" } = this.data;
    /** @type {Slot} */
    const slot = {
      key,
      runner: new Runner({ viewer, home, slot: key, onChange: () => this.#answered(slot) }),
      places: new PlacesLoader(() => this.#draw(), home),
      outcome: new Outcome(
        (found) => this.#fly(slot, found.box, `Found ${found.label}`),
        ({ box }, name) => this.#fly(slot, box, name),
      ),
      part: readPart(this.data.look?.[key] ?? ""),
      outline: null,
    };
    return slot;
  }

  #build() {
    this.rows = new ChoiceRows((change) => this.#choose(change));
    this.bar = new AnswerBar({
      onPredict: () => this.#predict(),
      onCancel: () => {
        for (const { runner } of this.slots) if (runner.isBusy) runner.cancel();
      },
      onReplay: () => this.#toggleReplay(),
    });
    this.replay = new Replay(() => this.#draw());
    this.sentence = h("p", { class: "failure" });
    this.attention = new AttentionPanel({
      onPart: (key, part) => this.#change(key, (slot) => Object.assign(slot.part, part)),
      onOutline: (key, outline) => this.#change(key, (slot) => (slot.outline = outline)),
      onPlace: (key, { box, weight }) =>
        this.#fly(this.#slot(key), box, `Place of weight ${weight.toPrecision(2)}`),
    });
    this.outcomes = h(
      "div",
      { class: "outcomes" },
      ...this.slots.map(({ outcome }) => outcome.element),
    );
    this.hint = h("p", { class: "note hint" });
    this.note = h("p", { class: "note" });
    this.live = h("div", { class: "unseen", role: "status" });
    this.root = h(
      "div",
      { class: "umnist-controls umnist-watch", role: "group", "aria-label": "Prediction" },
      ...[
        this.rows.element,
        this.sentence,
        this.hint,
        this.note,
        this.outcomes,
        this.attention.element,
        this.live,
      ],
    );
  }

  /** At the viewer, which may come later or anew; without one, first in the panel. */
  #placeBar() {
    (this.channel.band ?? this.root).prepend(this.bar.element);
  }

  #slot(key) {
    return this.slots.find((slot) => slot.key === key);
  }

  // -- what is asked for ------------------------------------------------------------------

  /** What each slot is to predict now; none where nothing can be. */
  #targets() {
    const { checkpoint, device, beside } = this.choice;
    const given = [this.data.image, this.data.second].filter((one) => one != null);
    const pictures = this.channel.live?.panes ?? given;
    if (this.data.sentence || pictures.length === 0) return [];
    const [first, second] = pictures;
    const wish = (name, picture) => ({ checkpoint: name, device, image: picture.dzi });
    // Two pictures beside each other, and one model looks at both.
    if (second) return [wish(checkpoint, first), wish(checkpoint, second)];
    const other = beside && beside !== PEOPLE ? [wish(beside, first)] : [];
    return [wish(checkpoint, first), ...other];
  }

  #choose(change) {
    Object.assign(this.choice, change);
    if (this.choice.beside === this.choice.checkpoint) this.choice.beside = null;
    this.callbacks.onChoice({ ...this.choice });
    this.#somethingChanged();
  }

  #predict() {
    this.isArmed = true;
    this.#targets().forEach((wish, place) => this.slots[place].runner.want(wish));
    this.#draw();
  }

  #somethingChanged() {
    const targets = this.#targets();
    this.slots.forEach(({ runner }, place) => {
      const wish = targets[place];
      if (!wish) runner.clear();
      else if (this.isArmed && this.choice.follow) catchUp(runner, wish);
    });
    this.#draw();
  }

  // -- what came of it ----------------------------------------------------------------------

  #answered(slot) {
    const { job, wish } = slot.runner.answered ?? {};
    if (job && job !== slot.said) {
      slot.said = job;
      this.wishes.set(job, wish);
      const { truth, called = {}, image } = this.data;
      const { names = {} } = this.#checkpoint(slot);
      if (wish.image === image?.dzi) {
        job.result = judged(job.result, truthFor(truth, called, names));
      }
      this.live.textContent = spokenText(this.#title(slot), job.result, names);
      if (slot.key === "a") this.callbacks.onAnswered?.(job);
      this.#draw();
      const told = new CustomEvent("umnist-answered", { bubbles: true, composed: true });
      this.bar.element.dispatchEvent(told);
      return;
    }
    this.#draw();
  }

  #change(key, change) {
    change(this.#slot(key));
    const [a, b] = this.slots.map(({ part }) => partText(part));
    this.channel.setMore({ look: a, "look.b": b });
    this.#draw();
  }

  #fly({ runner }, box, name) {
    this.channel.flyTo(scaled(box, this.#scale(runner.answered.job.result)), name);
  }

  /** The viewer's frame may be that of another picture, or of a larger one. */
  #scale({ image }) {
    const frame = this.channel.live?.image ?? this.data.image ?? image;
    return frame.width / image.width;
  }

  #checkpoint(slot) {
    const { checkpoints } = this.data;
    const wish = this.#targets()[this.slots.indexOf(slot)];
    return checkpoints.find(({ key }) => key === wish?.checkpoint) ?? { title: "", model: "" };
  }

  #title(slot) {
    return this.#checkpoint(slot).title;
  }

  // -- drawing ------------------------------------------------------------------------------

  #draw() {
    const targets = this.#targets();
    this.rows.show(this.data, this.choice);
    this.sentence.hidden = !this.data.sentence;
    this.sentence.textContent = this.data.sentence ?? "";
    const states = this.slots.slice(0, targets.length).map((slot, place) => {
      const isStale = isOfAnother(slot.runner.answered, targets[place]);
      this.#drawSlot(slot, isStale);
      // Under other noise it may stay, dimmed; over another scene it would be untrue.
      const isOther = isStale && !isOfSameScene(slot.runner.answered, targets[place]);
      return { ...this.#lookState(slot, isStale), isOther };
    });
    this.outcomes.classList.toggle("two", targets.length > 1);
    this.slots.forEach(({ outcome }, place) => (outcome.element.hidden = place >= targets.length));
    this.#drawHint(targets);
    this.#drawNote(states);
    this.#drawBar(targets, states);
    this.#drawBusy();
    this.attention.show(states);
    this.#sendLooks(states);
  }

  #drawSlot(slot, isStale) {
    const { title, model, names = {} } = this.#checkpoint(slot);
    const { runner } = slot;
    slot.outcome.show({ title, model, names, runner, isStale });
    const { result } = runner.answered?.job ?? {};
    const part = result ? possible(slot.part, result) : slot.part;
    slot.places.show(runner.answered?.job ?? null, part, this.data.people?.dwell ?? null);
  }

  /** @returns {import("./attention.js").LookState & {isStale: boolean}} */
  #lookState(slot, isStale) {
    const { key, runner, places, outline } = slot;
    const job = runner.answered?.job ?? null;
    const part = job ? possible(slot.part, job.result) : slot.part;
    const title = this.#title(slot);
    const { failed } = places;
    // Until the new map is there the old one stays, but not over another scene.
    const of = places.shown && this.wishes.get(places.shown.job);
    const isMeant = of && isOfSameScene({ wish: of }, runner.answered?.wish);
    const shown = isMeant ? places.shown : null;
    const people = this.data.people?.answers ?? 0;
    const { home = "" } = this.data;
    return { key, title, job, part, shown, failed, outline, people, isStale, home };
  }

  #drawBar(targets, states) {
    const isBusy = this.slots.some(({ runner }) => runner.isBusy);
    if (this.replay.job !== replayable(states)) this.replay.stop();
    this.bar.show({
      answers: states.map(({ isStale }, place) => {
        const { title, model, names = {} } = this.#checkpoint(this.slots[place]);
        return { title, model, names, runner: this.slots[place].runner, isStale };
      }),
      isPossible: targets.length > 0,
      note: this.note.hidden || isBusy ? "" : this.note.textContent,
      canReplay: !isBusy && replayable(states) !== null,
      isReplaying: this.replay.job !== null,
    });
  }

  #toggleReplay() {
    if (this.replay.job !== null) return this.replay.stop();
    this.replay.start(this.slots.flatMap(({ runner }) => runner.answered?.job ?? []));
  }

  #drawHint(targets) {
    const hints = targets.map(({ checkpoint }) => this.data.hints?.[checkpoint]).filter(Boolean);
    this.hint.hidden = hints.length === 0;
    this.hint.textContent = [...new Set(hints)].join(" ");
  }

  #drawNote(states) {
    const isBusy = this.slots.some(({ runner }) => runner.isBusy);
    const isStale = !isBusy && states.some((state) => state.isStale);
    const isEmpty = states.length > 0 && !isBusy && states.every(({ job }) => !job);
    const failed = this.slots.some(({ runner }) => runner.failure);
    this.note.hidden = !(isStale || isEmpty) || failed;
    this.note.textContent = isStale
      ? "This was of another picture or model. Predict again."
      : "Predict shows what the model answers and where it looked.";
  }

  #drawBusy() {
    const busy = this.slots.filter(({ runner }) => runner.isBusy);
    this.bar.showBusy(busy.length > 0);
    this.bar.showProgress(busy.length > 0 && Boolean(this.isSlow));
    for (const { runner, outcome } of this.slots) if (!runner.isBusy) outcome.showProgress(false);
    if (busy.length === 0) {
      clearTimeout(this.busyTimer);
      this.busyTimer = null;
      this.isSlow = false;
    } else if (this.isSlow) {
      for (const { outcome } of busy) outcome.showProgress(true);
    } else {
      this.busyTimer ??= setTimeout(() => {
        this.isSlow = true;
        this.#drawBusy();
      }, BUSY_AFTER_MS);
    }
  }

  /** Show over the image what there is; two models are shown beside each other at once. */
  #sendLooks(states) {
    const { people } = this.data;
    const looks = states.map((state) => this.#look(state));
    if (this.choice.beside === PEOPLE && people && looks.length === 1) {
      looks.push({ key: PEOPLE, title: people.title, heat: people.heat, marks: NO_MARKS });
    }
    const isEmpty = looks.length < 2 && looks.every(({ heat, marks }) => !heat && !marks.length);
    const key = JSON.stringify(isEmpty ? null : looks);
    if (key === this.sent) return;
    this.sent = key;
    this.channel.setLooks(isEmpty ? null : looks);
  }

  /** @returns {import("../hall/bus.js").Look} */
  #look(state) {
    const { key, title, job, shown, isStale, isOther } = state;
    const search = this.#searchMarks(state);
    if (!job || isOther) return { key, title, heat: null, marks: search ?? NO_MARKS };
    const answer = setText(job.result.tasks[0]?.answer ?? []);
    const heat = shown ? heatOf(shown, this.data.home) : null;
    return {
      key,
      title: `${title}: ${answer}`,
      heat,
      marks: search ?? this.#marks(state),
      isStale,
    };
  }

  /** What it looked at so far, while it runs or is shown again; else null. */
  #searchMarks({ key, job, isOther }) {
    const running = this.#slot(key).runner.current?.job;
    // Drawing takes the processor that a quick model would be done with.
    if (this.isSlow && running?.seen?.length) {
      const image = this.channel.live?.panes[0] ?? this.data.image;
      const scale = image ? this.#scale({ image }) : 1;
      return seenMarks(running.seen, running.seen.length, scale);
    }
    if (this.replay.job === null || !job || isOther) return null;
    return seenMarks(job.seen ?? [], this.replay.count, this.#scale(job.result));
  }

  #marks(state) {
    const { job, shown } = state;
    const outline = outlineOf(state);
    const scale = this.#scale(job.result);
    if (outline === "none") return NO_MARKS;
    const missed = missedMarks(job.result, scale);
    if (outline === "found") return [...foundMarks(job.result, scale), ...missed];
    return shown ? [...patchMarks(shown.places, OUTLINED[outline], scale), ...missed] : NO_MARKS;
  }
}

/** Which jobs' searches can be shown again; null where none of them tells. */
function replayable(states) {
  const jobs = states.flatMap(({ job, isStale }) =>
    job?.seen?.length && !isStale ? [job.id] : [],
  );
  return jobs.length && jobs.length === states.length ? jobs.join(" ") : null;
}

/** @type {import("../viewer/look_marks.js").LookMark[]} */
const NO_MARKS = [];

/** Have the newest wish answered, if it is not already or about to be. */
function catchUp(runner, wish) {
  const isAnswered = runner.answered && isSame(runner.answered.wish, wish);
  if (!isAnswered) runner.want(wish);
  else if (runner.isBusy) runner.cancel();
}

/** Whether an answer is of another picture or model than is chosen now. */
function isOfAnother(answered, wish) {
  return Boolean(answered && wish) && !isSame({ ...answered.wish, device: wish.device }, wish);
}

function isOfSameScene(answered, wish) {
  return subjectOf(answered.wish.image) === subjectOf(wish.image);
}

/** @returns {import("./places.js").MapPart} */
function readPart(text) {
  const [task = "", head = "", round = ""] = text.split(",");
  const number = (part) => (/^\d{1,4}$/.test(part) ? Number(part) : null);
  return { task: task || null, head: number(head), round: number(round) };
}

/** @returns {string|null} null for the whole map. */
function partText({ task, head, round }) {
  const text = [task ?? "", head ?? "", round ?? ""].join(",");
  return text === ",," ? null : text;
}

/** What was asked for of an earlier answer, as far as this one has it. */
function possible({ task, head, round }, { attention }) {
  const { tasks = [], heads = 0, rounds = 0 } = attention ?? {};
  return {
    task: tasks.length > 1 && tasks.includes(task) ? task : null,
    head: heads > 1 && head !== null && head < heads ? head : null,
    round: round !== null && round < rounds ? round : null,
  };
}
