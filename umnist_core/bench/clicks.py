"""How long somebody waits for a model: from the click to its heat, from a slider to the answer.

The real app and a real browser: the page asks for a prediction, the app's inference process
answers, and tiles of the heat are fetched, coloured and drawn. Time runs, in the page's own
clock, from the event of the click to the end of the frame in which all heat in view is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from umnist_core.bench.browser import browser_page, running_app, timing_script
from umnist_core.bench.interaction import drag_slider

if TYPE_CHECKING:
    from playwright.sync_api import Page

DRAW_TIMEOUT_MS = 300_000
SEED = 20_261_121

SLIDERS = ("checkerboard", "rotation")
"""Dragged while a model follows."""

_WATCH = timing_script("click", "umnist-heat")
_FOLLOW = timing_script("input", "umnist-answered")


@dataclass(frozen=True)
class ClickTimes:
    """From clicks to heat, in ms.

    Attributes
    ----------
    first_ms
        The first click on the page after the app was started. Its process starts with the page
        and loads the model that is chosen, and may not have done so yet.
    warm_ms
        The following ones, each for an image that was never asked for.
    """

    first_ms: float
    warm_ms: tuple[float, ...]


def time_clicks(checkpoint: str, preset: str, rounds: int, device: str = "auto") -> ClickTimes:
    """Start the app, and click for one image after another.

    Parameters
    ----------
    checkpoint
        Name of a checkpoint.
    preset
        Of the images.
    rounds
        How many warm clicks, 1 or more.
    device
        ``"auto"``, ``"cpu"``, ``"cuda:0"`` ...

    Raises
    ------
    MissingFileError
        If Playwright or Chromium is not installed.
    NetworkError
        If the app does not start.
    """
    with running_app() as origin, browser_page() as page:
        # A link with a model would predict by itself.
        page.goto(f"{origin}/inference?device={device}&preset={preset}&seed={SEED}")
        page.get_by_label("Again after every change").uncheck()
        page.locator(".umnist-watch select[aria-label=Model]").select_option(checkpoint)
        page.evaluate(_WATCH)
        times = [_click(page, number) for number in range(1 + rounds)]
    return ClickTimes(times[0], tuple(times[1:]))


def time_follows(checkpoint: str, changes: int, device: str = "auto") -> list[float]:
    """Start the app, and drag sliders of the noise while a model follows, place by place.

    Parameters
    ----------
    checkpoint
        Name of a checkpoint that learned from ``released``.
    changes
        How many, in equal parts for each of `SLIDERS`, 1 or more for each.
    device
        As of `time_clicks`.

    Returns
    -------
    list of float
        From a slider's event to the frame with the new answer, in ms.

    Raises
    ------
    MissingFileError, NetworkError
        As `time_clicks` does.
    """
    with running_app() as origin, browser_page() as page:
        query = f"model={checkpoint}&device={device}&preset=released&seed={SEED}"
        page.goto(f"{origin}/inference?{query}&checkerboard=12&rotation=0")
        page.wait_for_selector(".umnist-answer .value", timeout=DRAW_TIMEOUT_MS)
        page.get_by_role("tab", name="Image and noise").click()
        page.evaluate(_FOLLOW)
        each = max(1, changes // len(SLIDERS))
        return [ms for name in SLIDERS for ms in drag_slider(page, name, each)]


def _click(page: Page, number: int) -> float:
    """Go to another image, click, and return how long it took, in ms."""
    if number:
        page.get_by_role("button", name="Next sample").click()
    page.wait_for_timeout(1500)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=DRAW_TIMEOUT_MS)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Predict", exact=True).click()
    page.wait_for_function(f"benchTimes.length > {number}", timeout=DRAW_TIMEOUT_MS)
    found: float = page.evaluate("benchTimes.at(-1)")
    return round(found, 1)
