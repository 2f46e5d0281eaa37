/** The row above a viewer in a notebook: what of the image is shown, and whether attention is. */

import { fillSelect, h } from "../hall/dom.js";

const NOTHING = "";

export class LayerBar {
  /**
   * @param {HTMLElement} parent
   * @param {{onLayers: (layers: string[]) => void,
   *          onAttention: (isShown: boolean) => void}} callbacks
   */
  constructor(parent, { onLayers, onAttention }) {
    const chosen = () =>
      onLayers([this.first.select.value, this.second.select.value].filter(Boolean));
    this.first = list("Show", chosen);
    this.second = list("Beside it", chosen);
    const change = () => onAttention(this.box.checked);
    this.box = h("input", { type: "checkbox", change });
    this.attention = h("label", {}, this.box, "Attention");
    this.parent = parent;
  }

  /**
   * @param {{choices: [string, string][], mayPair: boolean, layers: string[],
   *          attention: boolean|null}} state `attention`: null where there is none.
   */
  show({ choices, mayPair, layers, attention }) {
    const [first, second] = layers;
    fillSelect(this.first.select, choices, first);
    fillSelect(this.second.select, [[NOTHING, "Nothing"], ...choices], second ?? NOTHING);
    this.box.checked = attention === true;
    const hasChoice = choices.length > 1;
    const shown = [
      ...(hasChoice ? [this.first.element] : []),
      ...(hasChoice && mayPair ? [this.second.element] : []),
      ...(attention === null ? [] : [this.attention]),
    ];
    const isSame = shown.every((one, place) => this.parent.children[place] === one);
    if (!isSame || shown.length !== this.parent.children.length) {
      this.parent.replaceChildren(...shown);
    }
  }
}

/**
 * @param {string} name
 * @param {() => void} change
 */
function list(name, change) {
  const select = h("select", { "aria-label": name, change });
  return { select, element: h("label", {}, h("span", {}, name), select) };
}
