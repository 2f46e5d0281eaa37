/** What an image is of, whatever its noise: `subject_of` in `umnist_core/server/generated.py`. */

/**
 * @param {string} address Of the image's description.
 * @returns {string} Preset, seed, split and index of a generated image; else the address itself.
 */
export function subjectOf(address) {
  const [path, query = ""] = address.split("?");
  const params = new URLSearchParams(query);
  const names = ["preset", "seed", "split", "index"];
  return params.has("preset") ? names.map((name) => params.get(name)).join(" ") : path;
}
