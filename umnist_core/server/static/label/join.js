/** The page behind an invite link. Opening it changes nothing: chat programs open links too. */

import { atHome, pathHere } from "../hall/home.js";
import { t } from "../hall/words.js";
import { Refusal, getJson, postJson } from "./api.js";
import { joinScreen, messageScreen } from "./screens.js";
import { Shell } from "./shell.js";

/**
 * A link with this after it goes on by itself: one's own, which nobody but oneself opens.
 * What follows "#" is not sent to the server, nor seen by programs that look at links.
 */
const GO = "#go";

/** @param {HTMLElement} root */
export function startJoin(root) {
  const shell = new Shell(root);
  const ids = takeIds();
  const join = async () => {
    // An open link would make a new person of each try.
    if (!takesCookies()) throw new Error(t("join.no_cookie"));
    const joined = await postJson(pathHere(), { ids }).catch(tellMissing);
    if (!joined) return;
    /** @type {{to: string}} */
    const { to } = joined;
    await expectCookie(to);
    location.replace(atHome(to));
  };
  /** @param {unknown} error */
  const tellMissing = (error) => {
    if (!(error instanceof Refusal) || error.code !== "no_id") throw error;
    shell.show(messageScreen("no-id", t("join.incomplete"), [error.message, openAgain(error)]));
    return null;
  };
  const screen = joinScreen(join);
  shell.show(screen);
  const primary = screen.element.querySelector("button.primary");
  if (location.hash === GO && primary instanceof HTMLElement) primary.click();
}

/** @param {Refusal} refusal */
function openAgain({ values }) {
  return "site" in values ? t("join.again_site", values) : t("join.again");
}

/**
 * The parameters that a site has put into the link. They say who somebody is there, so they do
 * not stay in the address; a reload still has them.
 *
 * @returns {Record<string, string>}
 */
function takeIds() {
  const given = Object.fromEntries(new URLSearchParams(location.search));
  const ids = location.search ? given : (history.state?.ids ?? {});
  history.replaceState({ ids }, "", location.pathname + location.hash);
  return ids;
}

/** Tried, as `navigator.cookieEnabled` is true in some browsers that take none from here. */
function takesCookies() {
  const name = "umnist_try";
  try {
    document.cookie = `${name}=1; SameSite=Strict`;
    const isTaken = document.cookie.includes(`${name}=1`);
    document.cookie = `${name}=; SameSite=Strict; Max-Age=0`;
    return isTaken;
  } catch {
    return false;
  }
}

/**
 * @param {string} study Where the study is.
 * @throws {Error} If the server, which has just said who this is, does not know it.
 */
async function expectCookie(study) {
  try {
    await getJson(`${study}/api/state`);
  } catch (error) {
    if (error instanceof Refusal && error.code === "no_session")
      throw new Error(t("join.no_cookie"));
    // Whatever else is wrong, the study's own page says, and tries again.
  }
}
