/**
 * The joint between Streamlit's components and ours.
 *
 * Streamlit calls a component's function again whenever its data change, with the
 * same parent; the element that is there is then updated, not made anew. Of the
 * clean-up functions, it calls the last on removal, and one that arrives after a
 * newer call at once: only the last call's may therefore destroy anything. Where two
 * runs of the page follow each other closely, it calls the last one as well and the
 * function again a moment later; whoever is dragging a slider must not lose it by that.
 */

import { mountBreaking } from "./breaking/breaking.js";
import { mountResultGrid } from "./experiments/grid.js";
import { mountFool } from "./fool/fool.js";
import { mountGallery } from "./gallery/gallery.js";
import { mountSums } from "./gallery/sums.js";
import { mountLab } from "./lab/lab.js";
import { mountSheet } from "./lab/sheet.js";
import { mountModelTable } from "./models/table.js";
import { mountOwn } from "./own/own.js";
import { mountStrip } from "./own/strip.js";
import { mountTones } from "./own/tones.js";
import { mountPeople } from "./people/people.js";
import { mountReplay } from "./replay/replay.js";
import { mountAnswers, mountViewer } from "./viewer/viewer.js";
import { mountWatch } from "./watch/watch.js";

/** A component that stands on the page is called again within this time, or never. */
const CALLED_AGAIN_MS = 5000;
const LOOK_MS = 50;

/** @type {WeakMap<Node, {instance: any, component: any}>} */
const mounted = new WeakMap();

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showViewer(component) {
  return attach(component, (parent, data, trigger) =>
    mountViewer(parent, data, {
      ...(data.navigate ? { onNavigate: trigger("navigate") } : {}),
      onReturn: () => trigger("returned")(location.search),
    }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showAnswers(component) {
  return attach(component, (parent, data) => mountAnswers(parent, data));
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showLab(component) {
  return attach(component, (parent, data, trigger) =>
    mountLab(parent, data, { onSettings: trigger("settings") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showSheet(component) {
  return attach(component, (parent, data, trigger) =>
    mountSheet(parent, data, { onOpen: trigger("open") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showWatch(component) {
  return attach(component, (parent, data, trigger) =>
    mountWatch(parent, data, { onChoice: trigger("choice") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showBreaking(component) {
  return attach(component, (parent, data, trigger) =>
    mountBreaking(parent, data, { onScene: trigger("scene") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showFool(component) {
  return attach(component, (parent, data, trigger) =>
    mountFool(parent, data, { onFound: trigger("found") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showGallery(component) {
  return attach(component, (parent, data) => mountGallery(parent, data));
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showSums(component) {
  return attach(component, (parent, data) => mountSums(parent, data));
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showOwn(component) {
  return attach(component, (parent, data, trigger) =>
    mountOwn(parent, data, { onOpen: trigger("open") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showStrip(component) {
  return attach(component, (parent, data, trigger) =>
    mountStrip(parent, data, { onOpen: trigger("open") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showTones(component) {
  return attach(component, (parent, data) => mountTones(parent, data));
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showModelTable(component) {
  return attach(component, (parent, data) => mountModelTable(parent, data));
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showPeople(component) {
  return attach(component, (parent, data, trigger) =>
    mountPeople(parent, data, { onChoose: trigger("chosen") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showResultGrid(component) {
  return attach(component, (parent, data, trigger) =>
    mountResultGrid(parent, data, { onChoose: trigger("chosen") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @returns {() => void} Clean-up.
 */
export function showReplay(component) {
  return attach(component, (parent, data, trigger) =>
    mountReplay(parent, data, { onOpen: trigger("open") }),
  );
}

/**
 * @param {any} component What Streamlit passes to a component's function.
 * @param {(parent: any, data: any, trigger: (name: string) => (value: any) => void) => any} mount
 */
function attach(component, mount) {
  const { parentElement, data } = component;
  const known = mounted.get(parentElement);
  const entry = known ?? { component, instance: null };
  if (known) {
    known.component = component;
    known.instance.update(data);
  } else {
    mounted.set(parentElement, entry);
    /** @type {(name: string) => (value: any) => void} */
    const trigger = (name) => (value) => entry.component.setTriggerValue(name, value);
    entry.instance = mount(parentElement, data, trigger);
  }
  return () => {
    const began = performance.now();
    const leave = () => {
      if (entry.component !== component) return;
      if (parentElement.isConnected && performance.now() - began < CALLED_AGAIN_MS) {
        setTimeout(leave, LOOK_MS);
        return;
      }
      mounted.delete(parentElement);
      entry.instance.destroy();
    };
    leave();
  };
}
