/** What an answer was given on. */

/** @returns {object} As the record of an answer has it. */
export function describeDevice() {
  return {
    screen: [screen.width, screen.height],
    window: [innerWidth, innerHeight],
    dpr: devicePixelRatio,
    touch: matchMedia("(any-pointer: coarse)").matches,
    drawer: "canvas",
    user_agent: navigator.userAgent.slice(0, 400),
    reduced_motion: matchMedia("(prefers-reduced-motion: reduce)").matches,
    theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
  };
}
