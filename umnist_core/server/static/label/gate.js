/** The device that a study needs, and what is said on one that does not fit. */

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
      why:
        "The images of this study are large, and this screen is too small to see them as they " +
        `are meant to be seen: its shorter side has ${side} px, and ${gate.smallest_side_px} are ` +
        "needed.",
      use: "Please open your own link on a computer or a larger tablet:",
    };
  }
  if (gate.touch === "required" && !device.touch) {
    return {
      why: "This study is made for touch screens, and this device has none.",
      use: "Please open your own link on a phone or a tablet:",
    };
  }
  if (gate.touch === "refused" && device.touch_first) {
    return {
      why: "This study needs a mouse or a touchpad, and this device is used by touch.",
      use: "Please open your own link on a computer:",
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
    "Please use another device",
    [
      why,
      ...(link ? [use, ownLink(link)] : []),
      isNew
        ? "Nothing is lost: you go on there as yourself. If you have no such device, you can end " +
          "here; you cannot begin later then."
        : "What you have answered is saved, and you go on there where you were.",
    ],
    [
      { text: "Look again", click: look, isMain: true },
      { text: isNew ? "I have no such device: end here" : "Stop taking part", click: end },
    ],
  );
}
