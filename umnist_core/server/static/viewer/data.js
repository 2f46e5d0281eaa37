/**
 * What a viewer is given, and what it tells.
 *
 * @typedef {object} ViewerData
 * @property {string} bus Name of the channel that it shares with the answers.
 * @property {import("./pane.js").PaneData[]} panes One, or two that are kept in step.
 * @property {import("../hall/view.js").Size} image The frame of all coordinates, canvas px.
 * @property {string} [subject] What is shown, whatever its noise; another is shown whole.
 * @property {import("../hall/view.js").View|null} [view] Where to look, on mounting and whenever
 *   it changes; null for the whole image; left out, the address or where one is.
 * @property {import("./overlays.js").Digit[]} [digits]
 * @property {import("./overlays.js").Shape[]} [shapes]
 * @property {import("../hall/bus.js").Overlays} [overlays] As `view`.
 * @property {import("../heat/heat.js").HeatData|null} [heat] Drawn over the image, under the digits.
 * @property {Record<string, string|null>|null} [link] What the address holds besides view
 *   and overlays; null leaves the address alone.
 * @property {"side"|"wipe"} [compare] How two panes stand: beside each other, or over each
 *   other with a divider that wipes from one to the other.
 * @property {string|null} [status] A sentence shown above the image.
 * @property {number|string|null} [height] CSS px or a CSS length, instead of the window's.
 * @property {boolean} [plain] For people who are to find the digits themselves: picture, zoom
 *   and minimap alone, without values, scale or lists of keys, and with keys that leave the
 *   figures to the answer.
 *
 * @typedef {object} ViewerCallbacks
 * @property {(view: import("../hall/view.js").View) => void} [onView] The view has come to rest.
 * @property {(where: "next"|"previous"|"random") => void} [onNavigate]
 * @property {() => void} [onReturn] Back or Forward led to an image that has not come yet.
 * @property {(overlays: import("../hall/bus.js").Overlays) => void} [onOverlays]
 * @property {(place: Place) => void} [onPlace] What is in view has changed, at once and in
 *   every frame of a movement.
 * @property {() => void} [onHelp] Shows the keys instead of the viewer's own list.
 *
 * @typedef {object} Place What is in view, and whether the view is at rest.
 * @property {import("../hall/view.js").View} view
 * @property {import("../hall/view.js").Size} size Of the pane, CSS px.
 * @property {boolean} isAtRest
 *
 * @typedef {object} MountedViewer
 * @property {(data: ViewerData) => void} update
 * @property {() => void} showWhole At once, as before another picture.
 * @property {() => void} retry Load a picture again that did not come whole.
 * @property {() => Place|null} place null before anything is shown.
 * @property {() => void} focus
 * @property {() => void} destroy
 */

export {};
