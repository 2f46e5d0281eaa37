/**
 * The viewer as one module, for notebooks, which can load no modules from each other.
 *
 * The build makes one file of this and all that it imports, with `one_file/files.js` and
 * `one_file/home.js` in place of those of the hall. anywidget takes what is exported by default.
 */

import { View } from "./widget.js";

export { join, openChannels } from "../hall/bus.js";
export { serve } from "../hall/reach.js";
export { mountAnswers, mountViewer } from "../viewer/viewer.js";

export default {
  /**
   * @param {{model: import("./channel.js").Model, el: HTMLElement}} place
   * @returns {() => void} Clean-up.
   */
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.close();
  },
};
