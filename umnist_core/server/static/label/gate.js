/** The device that a study needs, and what is said on one that does not fit. */

import { t } from "../hall/words.js";
import { ownLink } from "./dialogs.js";
import { messageScreen } from "./screens.js";

/**
 * @typedef {{smallest_side_px: number, touch: "allowed"|"required"|"refused"}} Gate
 * @typedef {{screen: [number, number], touch: boolean, touch_first: boolean}} GateDevice
 */

/** @returns {GateDevice} What the server is told; how the screen is turned changes none of it. */
export function gateDevice() {
  return {
    screen: [screen.width, screen.height],
    touch: matchMedia("(any-pointer: coarse)").matches,
    touch_first: matchMedia("(pointer: coarse)").matches,
  };
}

/**
 * As `misfit_of` of the server, which decides.
 *
 * @param {Gate|null} gate
 * @param {GateDevice} device
 * @returns {{why: string, use: string}|null} Why a device will not do, and what will; null if it
 *   does.
 */
export function misfit(gate, device) {
  if (!gate) return null;
  const side = Math.min(...device.screen);
  if (side < gate.smallest_side_px) {
    return {
      why: t("device.small", { side, needed: gate.smallest_side_px }),
      use: t("device.small_use"),
    };
  }
  if (gate.touch === "required" && !device.touch) {
    return {
      why: t("device.no_touch"),
      use: t("device.no_touch_use"),
    };
  }
  if (gate.touch === "refused" && device.touch_first) {
    return {
      why: t("device.touch"),
      use: t("device.touch_use"),
    };
  }
  return null;
}

/**
 * @param {import("./state.js").State} state
 * @param {{why: string, use: string}} found
 * @param {{look: () => unknown, end: () => unknown}} callbacks
 * @returns {import("./shell.js").Screen}
 */
export function gateScreen({ phase, link }, { why, use }, { look, end }) {
  const isNew = phase === "consent";
  return messageScreen(
    "device",
    t("device.title"),
    [why, ...(link ? [use, ownLink(link)] : []), t(isNew ? "device.new" : "device.begun")],
    [
      { text: t("device.look_again"), click: look, isMain: true },
      { text: t(isNew ? "device.end" : "action.stop"), click: end },
    ],
  );
}
