/**
 * The viewer as one module, for pages and notebooks that cannot load modules from each other.
 *
 * The build makes one file of this and all that it imports, with `one_file/files.js` and
 * `one_file/home.js` in place of those of the hall.
 */

export { join } from "../hall/bus.js";
export { serve } from "../hall/reach.js";
export { mountAnswers, mountViewer } from "../viewer/viewer.js";
