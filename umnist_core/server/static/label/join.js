/** The page behind an invite link. Opening it changes nothing: chat programs open links too. */

import { atHome, pathHere } from "../hall/home.js";
import { postJson } from "./api.js";
import { joinScreen } from "./screens.js";
import { Shell } from "./shell.js";

/**
 * A link with this after it goes on by itself: one's own, which nobody but oneself opens.
 * What follows "#" is not sent to the server, nor seen by programs that look at links.
 */
const GO = "#go";

/** @param {HTMLElement} root */
export function startJoin(root) {
  const shell = new Shell(root);
  const join = async () => {
    /** @type {{to: string}} */
    const { to } = await postJson(pathHere(), {});
    location.replace(atHome(to));
  };
  const screen = joinScreen(join);
  shell.show(screen);
  const primary = screen.element.querySelector("button.primary");
  if (location.hash === GO && primary instanceof HTMLElement) primary.click();
}
