"""How fast the picture follows a slider: the real app, a real browser.

A slider of the Noise lab is dragged with the mouse from place to place. Each place is an
image that was never asked for before: the page asks for it, the server plans, draws,
reduces and encodes it, and the browser decodes and draws it. Time runs, in the page's own
clock, from the slider's ``input`` event to the end of the first frame in which every tile
in view has been drawn. The next change begins when that frame is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from umnist_core.bench.browser import browser_page, running_app, timing_script

if TYPE_CHECKING:
    from playwright.sync_api import Page

DRAW_TIMEOUT_MS = 30_000

SLIDERS = ("checkerboard", "rotation", "shear", "zoom")
"""Each is dragged for an equal share of the changes."""

ADDRESS = "noise_lab?preset=released&checkerboard=12&rotation=0&shear=0&zoom=1&seed=20"

_WATCH = timing_script("input", "umnist-drawn")


@dataclass(frozen=True)
class InteractionFigures:
    """From a slider's event to the frame with the whole new picture, in ms.

    Attributes
    ----------
    p50_ms, p95_ms
        Over all changes.
    p50_ms_low, p50_ms_high
        Smallest and largest median of a slider.
    changes
        How many changes were measured.
    """

    p50_ms: float
    p95_ms: float
    p50_ms_low: float
    p50_ms_high: float
    changes: int


def bench_interaction(changes: int = 100) -> InteractionFigures:
    """Run the app and a headless browser, drag sliders, and time the pictures.

    Parameters
    ----------
    changes
        How many, in equal parts for each of `SLIDERS`; 2 or more for each.

    Raises
    ------
    MissingFileError
        If Playwright or Chromium is not installed.
    NetworkError
        If the app does not start.
    """
    with running_app() as origin, browser_page() as page:
        page.goto(f"{origin}/{ADDRESS}")
        page.wait_for_selector(".umnist-viewer.ready")
        page.wait_for_selector(".umnist-lab")
        page.evaluate(_WATCH)
        per_slider = max(2, changes // len(SLIDERS))
        latencies_ms = [drag_slider(page, name, per_slider) for name in SLIDERS]
    medians = [float(np.median(one)) for one in latencies_ms]
    everything = np.concatenate(latencies_ms)
    return InteractionFigures(
        p50_ms=round(float(np.percentile(everything, 50)), 1),
        p95_ms=round(float(np.percentile(everything, 95)), 1),
        p50_ms_low=round(min(medians), 1),
        p50_ms_high=round(max(medians), 1),
        changes=len(everything),
    )


def drag_slider(page: Page, name: str, changes: int) -> list[float]:
    """Drag a slider to one place after another and return what each took, in ms.

    Parameters
    ----------
    page
        On which a `timing_script` runs, from ``input`` to whatever is waited for.
    name
        Of the slider.
    changes
        How many places, fewer than the slider has.
    """
    _wait_until_idle(page)
    handle = page.locator(f"[data-name={name}] input[type=range]:visible").last
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    first, last = int(handle.input_value()), int(handle.get_attribute("max") or 0)
    thumb_px = 16
    # From where it is towards the end with more room, one place at a time.
    step = 1 if last - first > first else -1
    xs = [
        box["x"] + thumb_px / 2 + (first + step * place) / last * (box["width"] - thumb_px)
        for place in range(changes + 1)
    ]
    middle = box["y"] + box["height"] / 2
    page.evaluate("benchTimes.length = 0")
    page.mouse.move(xs[0], middle)
    page.mouse.down()
    for number, x in enumerate(xs[1:], start=1):
        page.mouse.move(x, middle)
        page.wait_for_function(f"benchTimes.length >= {number}", timeout=DRAW_TIMEOUT_MS)
    page.mouse.up()
    return [float(value) for value in page.evaluate("benchTimes")]


def _wait_until_idle(page: Page) -> None:
    """Wait until the page has nothing left to do for the change before."""
    page.wait_for_timeout(1000)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=DRAW_TIMEOUT_MS * 4)
    page.wait_for_load_state("networkidle")
