"""One screen in all the windows that it may be seen in, and at each stop of the Tab key."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations

LAPTOP = (1024, 768)
SIZES = (DESK, LAPTOP, PHONE)
STOPS_MAX = 250
LOOKS = 10
"""Of axe, at what may not be drawn to its end yet."""

_COLOURS_ALONE = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
"""Of axe: all that a theme changes."""

_LIBRARY = """() => {
  const deep = () => {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    return one;
  };
  const nameOf = (one) => {
    const said = one.getAttribute("aria-labelledby");
    const by = said && one.getRootNode().getElementById(said.split(" ")[0]);
    const text = by ? by.textContent : one.labels?.[0]?.textContent;
    const name = one.getAttribute("aria-label") ?? text ?? one.textContent ?? "";
    return name.trim().replace(/\\s+/g, " ");
  };
  const parentOf = (one) => one.parentElement ?? one.getRootNode().host ?? null;
  const lookOf = (one) => {
    for (const each of document.getAnimations()) if (each instanceof CSSTransition) each.finish();
    const near = [one, one.nextElementSibling, one.firstElementChild];
    for (let around = parentOf(one); around && near.length < 8; around = parentOf(around)) {
      near.push(around);
    }
    const wanted = ["outline", "boxShadow", "border", "backgroundColor", "color", "textDecoration"];
    const looks = near.filter(Boolean).flatMap((each) => {
      return ["", "::before", "::after"].flatMap((part) => {
        const style = getComputedStyle(each, part);
        return wanted.map((name) => style[name]);
      });
    });
    return looks.join(" ");
  };
  const isSeen = (one) => {
    const box = (one.matches("input") && one.getBoundingClientRect().width < 3
      ? parentOf(one) : one).getBoundingClientRect();
    const [x, y] = [innerWidth, innerHeight];
    return box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 &&
      box.top < y && box.left < x;
  };
  const groupOf = (one) => {
    // Tab stops once at a group; arrows go on in it.
    const group = one.closest("[role=radiogroup], [role=toolbar]");
    return group ?? (one.type === "radio" && `radio ${one.name}`);
  };
  /** The stop before, where it looks as it did while it had the focus. */
  const left = (one) => {
    const before = window.lastStop;
    window.lastStop = one && { one, look: lookOf(one) };
    if (!before || before.one === one || !before.one.isConnected) return "";
    if (before.one.localName === "canvas") return ""; // it draws its own mark
    return lookOf(before.one) === before.look ? nameOf(before.one) || before.one.localName : "";
  };
  window.stopNow = () => {
    const one = deep();
    if (!one || one === document.body || one === document.documentElement) return null;
    const key = groupOf(one) || one;
    window.stops ??= [];
    if (!window.stops.includes(key)) window.stops.push(key);
    return {
      number: window.stops.indexOf(key), name: nameOf(one).slice(0, 60),
      tag: one.localName, isSeen: isSeen(one), unmarked: left(one),
    };
  };
  window.unreached = () => {
    const dialog = [...document.querySelectorAll("dialog[open], [role=dialog]")].at(-1);
    const roots = [dialog ?? document];
    const found = [];
    for (const root of roots) {
      for (const one of root.querySelectorAll("*")) {
        if (one.shadowRoot) roots.push(one.shadowRoot);
        if (!one.matches("a[href], button, input, select, textarea, summary, [tabindex]")) continue;
        if (one.tabIndex < 0 || one.disabled || one.closest("[inert]")) continue;
        if (!one.checkVisibility({ visibilityProperty: true })) continue;
        if (!one.getClientRects().length) continue;
        if (!window.stops.includes(groupOf(one) || one)) found.push(nameOf(one).slice(0, 60));
      }
    }
    return found;
  };
  window.keepFocus = () => { window.focused = deep(); window.stops = []; window.lastStop = null; };
  window.giveFocus = () => window.focused?.focus({ preventScroll: true });
  window.nameNow = () => {
    const one = deep();
    return !one || one === document.body ? "" : nameOf(one);
  };
}"""


def check_everywhere(
    page: Page,
    name: str,
    settle: Callable[[], None] = lambda: None,
    *,
    walked: Collection[tuple[int, int]] = (DESK, PHONE),
) -> None:
    """See that a screen is whole at all sizes, pleases axe, light and dark, and obeys Tab.

    With ``UMNIST_SHOTS`` a picture of each is kept in that folder. The window ends as it was.

    Parameters
    ----------
    settle
        Waits until the page has taken in that its window is another.
    walked
        Sizes of the window at which Tab goes around.
    """
    before = page.viewport_size
    assert before is not None
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        settle()
        where = f"{name} at {width} px"
        check_nothing_is_cut_off(page, where)
        _wait_until_pleased(page, where, {})
        _keep_picture(page, f"{name}-{width}-light")
        page.emulate_media(color_scheme="dark")
        settle()
        _wait_until_pleased(page, f"{where}, dark", _COLOURS_ALONE)
        _keep_picture(page, f"{name}-{width}-dark")
        page.emulate_media(color_scheme="light")
        if (width, height) in walked:
            check_stops(page, where)
    page.set_viewport_size(before)


def check_stops(page: Page, where: str) -> list[str]:
    """Press Tab once around a screen: all is reached, seen and marked; return the stops' names.

    Whatever had the focus before has it again.
    """
    page.evaluate(_LIBRARY)
    page.evaluate("keepFocus()")
    names: list[str] = []
    outside = 0
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        stop: dict[str, Any] | None = page.evaluate("stopNow()")
        outside = outside + 1 if stop is None else 0
        if outside > 2:  # there is nothing to stop at
            break
        if stop is None:
            continue
        assert stop["unmarked"] == "", f"{where}: the focus cannot be seen on {stop['unmarked']}"
        assert stop["isSeen"], f"{where}: the focus is out of sight: {stop}"
        if names and stop["number"] == 0:
            break
        if stop["number"] == len(names):
            names.append(stop["name"])
    else:
        raise AssertionError(f"{where}: Tab does not come around: {names[-20:]}")
    left = page.evaluate("unreached()")
    assert left == [], f"{where}: Tab does not reach {left}, only {names}"
    page.evaluate("giveFocus()")
    return names


def check_focus(page: Page, where: str) -> None:
    """See that the focus is on something of the screen and not lost."""
    assert _name_now(page) != "", f"{where}: the focus is nowhere."


def tab_to(page: Page, name: str, *, back: bool = False) -> None:
    """Press Tab until what has the focus has a name that begins so."""
    passed: list[str] = []
    for _ in range(STOPS_MAX):
        found = _name_now(page)
        if found.startswith(name):
            return
        passed.append(found[:40])
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Nothing called {name} is reached by Tab; passed {passed}.")


def press(page: Page, name: str, key: str = "Enter", *, back: bool = False) -> None:
    """Reach something by Tab and press a key on it."""
    tab_to(page, name, back=back)
    page.keyboard.press(key)


def _name_now(page: Page) -> str:
    page.evaluate(f"() => {{ if (!window.nameNow) ({_LIBRARY})(); }}")
    return str(page.evaluate("nameNow()"))


def _wait_until_pleased(page: Page, where: str, options: dict[str, Any]) -> None:
    """Wait until axe finds nothing: what is drawn anew is grey for a moment."""
    found = find_violations(page, options)
    for _ in range(LOOKS):
        if not found:
            return
        page.wait_for_timeout(500)
        found = find_violations(page, options)
    raise AssertionError(f"{where}: {found}")


def _keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("UMNIST_SHOTS"):
        before = page.viewport_size
        height = page.evaluate(
            "document.querySelector('[data-testid=stMain]')?.scrollHeight ?? innerHeight"
        )
        if before and height > before["height"]:
            page.set_viewport_size({**before, "height": min(height, 3500)})
            page.wait_for_timeout(700)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
        if before:
            page.set_viewport_size(before)
