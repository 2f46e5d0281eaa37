"""What is asked of every page, in whatever state: axe's opinion, and that nothing is cut off."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Error, Page

_SETTLED = "() => !document.getAnimations().some((one) => one instanceof CSSTransition)"

_SETTLES_MS = 5000

_VIOLATIONS = {"resultTypes": ["violations"]}

_FINISH_TRANSITIONS = """() => {
  for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
}"""

_CUT_OFF = """() => {
  const roots = [document];
  for (const root of roots) {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) roots.push(element.shadowRoot);
    }
  }
  const wanted = "a, button, input, select, textarea, summary, [role=switch], [role=tab], label";
  const controls = roots.flatMap((root) => [...root.querySelectorAll(wanted)]);
  const parentOf = (element) => element.parentElement ?? element.getRootNode().host ?? null;
  const isCut = (element) => {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return false; // for screen readers alone
    const sidebar = element.closest("[data-testid=stSidebar]");
    if (sidebar && sidebar.getBoundingClientRect().right <= 0) return false; // folded away
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    let [left, right] = [0, innerWidth];
    for (let one = parentOf(element); one; one = parentOf(one)) {
      const { overflowX, position } = getComputedStyle(one);
      if (["auto", "scroll"].includes(overflowX) && one.scrollWidth > one.clientWidth + 1) {
        return false; // it can be brought into sight
      }
      if (overflowX === "hidden" || overflowX === "clip") {
        const around = one.getBoundingClientRect();
        if (around.width < 2) return false; // folded away
        [left, right] = [Math.max(left, around.left), Math.min(right, around.right)];
      }
      if (position === "fixed") break;
    }
    return box.left < left - 1 || box.right > right + 1;
  };
  const nameOf = (element) =>
    (element.getAttribute("aria-label") || element.innerText || element.outerHTML).slice(0, 80);
  return controls.filter(isCut).map(nameOf);
}"""


def check_nothing_is_cut_off(page: Page, where: str) -> None:
    """No control lies outside the screen, or outside what clips it, at either side."""
    assert page.evaluate(_CUT_OFF) == [], where
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.evaluate("innerWidth"), where


_GIVE_HEIGHT = """() => {
  document.body.style.minHeight = "100vh";
}"""
"""Under a dialog of Streamlit the body is cut to its own height of 0: axe holds all for hidden."""


def find_violations(
    page: Page, options: dict[str, Any] | None = None
) -> list[tuple[Any, list[str]]]:
    """Return what axe, with its options, holds for serious or worse."""
    # In the midst of a change of colour, axe would see a contrast that nobody reads by. A page
    # that follows something has always one under way, on a busy machine.
    with suppress(Error):
        page.wait_for_function(_SETTLED, timeout=_SETTLES_MS)
    page.evaluate(_FINISH_TRANSITIONS)
    page.evaluate(_GIVE_HEIGHT)
    found = Axe().run(page, options={**_VIOLATIONS, **(options or {})}).response["violations"]
    return [
        (one["id"], [node["html"][:160] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
