/** Where the page begins: behind an invite link, or in a study. */

import { pathHere } from "../hall/home.js";
import { App } from "./app.js";
import { startJoin } from "./join.js";
import { openKeep } from "./keep.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app")); // of label.html
const [, place, study] = pathHere().split("/");

if (place === "join") startJoin(root);
else new App(root, study, await openKeep()).start();
