/** Where the page begins: behind an invite link, or in a study. */

import { App } from "./app.js";
import { startJoin } from "./join.js";

const root = document.getElementById("app");
const [, place, study] = location.pathname.split("/");

if (place === "join") startJoin(root);
else new App(root, study).start();
