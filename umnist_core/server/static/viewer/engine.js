/** OpenSeadragon, loaded once from our own files; it comes as a classic script. */

/** @type {Promise<any>|null} */
let loading = null;

/** @returns {Promise<any>} The OpenSeadragon namespace. */
export function loadEngine() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../vendor/openseadragon.min.js", import.meta.url).href;
    script.addEventListener("load", () => resolve(globalThis.OpenSeadragon));
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      reject(
        new Error("The viewer's code was not found: install umnist again, then reload this page."),
      );
    });
    document.head.append(script);
  });
  return loading;
}
