"""How fast the viewer is in a notebook, beside the app: real JupyterLab, real app, one browser.

*First*: from running a cell that makes a `DeepZoom` to the frame with every visible tile; in the
app, from opening the Explore page with that image. *Pan*: from a key that moves the view by most
of a pane, at 1:1 over places never seen before, to the frame with every tile of the new view.
Rounds of both take turns, each with an image of its own, and movements are not animated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from umnist_core.bench.browser import browser_page, running_app, timing_script
from umnist_core.bench.notebook_lab import OpenNotebook, open_notebook, running_lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIDES_PX = (4000, 100_000)
ROUNDS = 5
PANS = 24
"""Of each round: a walk over the lower half of the image, row by row, from its middle."""

_ROW = 6
_TIMEOUT_MS = 120_000

_FIRST = """() => {
  window.firstMs = null;
  document.addEventListener("umnist-drawn", () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (window.firstMs ??= performance.now());
    port2.postMessage(null);
  }, { once: true });
}"""


@dataclass(frozen=True)
class NotebookFigures:
    """Times in the notebook over those in the app, and both in ms, for an image of each side.

    Attributes
    ----------
    first_over_app, pan_over_app
        The larger of the two images: medians of the first picture, 95th percentiles of a pan.
    first_over_app_4000, first_over_app_100000, pan_over_app_4000, pan_over_app_100000
        Of each.
    first_ms, app_first_ms, pan_p95_ms, app_pan_p95_ms
        By the side of the image in px.
    rounds, pans
        How many were measured of each.
    """

    first_over_app: float
    pan_over_app: float
    first_over_app_4000: float
    first_over_app_100000: float
    pan_over_app_4000: float
    pan_over_app_100000: float
    first_ms: dict[str, float]
    app_first_ms: dict[str, float]
    pan_p95_ms: dict[str, float]
    app_pan_p95_ms: dict[str, float]
    rounds: int
    pans: int


@dataclass
class _Times:
    first_ms: list[float] = field(default_factory=list)
    pans_ms: list[float] = field(default_factory=list)


def bench_notebook(rounds: int = ROUNDS, pans: int = PANS) -> NotebookFigures:
    """Run the app, JupyterLab and a headless browser, and time both viewers.

    Parameters
    ----------
    rounds
        Images of each size and place, 1 or more; one more of each comes first and is not counted.
    pans
        Movements over each image.

    Raises
    ------
    MissingFileError
        If Playwright, Chromium or JupyterLab is not installed.
    NetworkError
        If the app or JupyterLab does not start.
    """
    times = {(place, side): _Times() for place in ("app", "notebook") for side in SIDES_PX}
    with (
        tempfile.TemporaryDirectory(prefix="umnist-") as folder,
        running_app() as origin,
        browser_page() as blank,
        running_lab(Path(folder)) as lab,
    ):
        browser: Browser | None = blank.context.browser
        assert browser is not None
        cells = ["from umnist_core.notebook import DeepZoom", *[""] * 2 * (rounds + 1)]
        cells[0] += "\nfrom umnist_core.scenes import SceneRef"
        places = [(side, number) for number in range(rounds + 1) for side in SIDES_PX]
        for place, (side, seed) in enumerate(places, start=1):
            ref = f"SceneRef.of('released', {{'canvas': '{side}'}}, seed={seed})"
            cells[place] = f"viewer = DeepZoom({ref}, height=700)\nviewer"
        app = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
        with open_notebook(browser, lab, cells, reduced_motion="reduce") as notebook:
            notebook.run(0)
            for place, (side, seed) in enumerate(places, start=1):
                took = _in_app(app.new_page(), origin, side, seed, pans)
                told = _in_notebook(notebook, place, pans)
                if seed > 0:
                    for name, one in (("app", took), ("notebook", told)):
                        times[name, side].first_ms += one.first_ms
                        times[name, side].pans_ms += one.pans_ms
    return _figures(times, rounds, pans)


def _in_app(page: Page, origin: str, side: int, seed: int, pans: int) -> _Times:
    page.add_init_script(f"({_FIRST})()")
    page.goto(f"{origin}/?preset=released&canvas={side}&seed={seed}")
    page.wait_for_function("window.firstMs !== null", timeout=_TIMEOUT_MS)
    first = float(page.evaluate("window.firstMs"))
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=_TIMEOUT_MS)
    page.wait_for_timeout(1000)
    found = _Times([first], _pan(page, ".openseadragon-canvas", pans))
    page.close()
    return found


def _in_notebook(notebook: OpenNotebook, place: int, pans: int) -> _Times:
    page = notebook.page
    page.evaluate(timing_script("keydown", "umnist-drawn"))
    notebook.run(place, is_waited_for=False)
    page.wait_for_function("benchTimes.length >= 1", timeout=_TIMEOUT_MS)
    first = float(page.evaluate("benchTimes[0]"))
    notebook.wait_for(place)
    cell = notebook.cells.nth(place)
    cell.locator(".umnist-viewer").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    canvas = f".jp-CodeCell >> nth={place} >> .openseadragon-canvas"
    found = _Times([first], _pan(page, canvas, pans))
    cell.locator(".jp-InputArea .cm-content").click()
    page.keyboard.press("Escape")
    page.evaluate(  # as if the next cell began a notebook: no viewer is left beside it
        "(place) => document.querySelectorAll('.jp-CodeCell')[place].scrollIntoView()", place
    )
    return found


def _pan(page: Page, canvas: str, pans: int) -> list[float]:
    """Move over the image by keys, and return what each step took, in ms."""
    page.locator(canvas).first.focus()
    page.keyboard.press("1")
    page.wait_for_timeout(1500)
    page.evaluate(timing_script("keydown", "umnist-whole"))
    times: list[float] = []
    for step in range(pans):
        row, place = divmod(step + _ROW // 2, _ROW + 1)
        is_down = place == _ROW
        way = "Right" if row % 2 == 0 else "Left"
        page.evaluate("benchTimes.length = 0")
        page.keyboard.press("Shift+ArrowDown" if is_down else f"Shift+Arrow{way}")
        try:
            page.wait_for_function("benchTimes.length >= 1", timeout=_STEP_TIMEOUT_MS)
        except Exception:  # at the image's edge, or all of it was there already
            continue
        times.append(float(page.evaluate("benchTimes[0]")))
        page.wait_for_timeout(60)
    return times


_STEP_TIMEOUT_MS = 3000


def _figures(times: dict[tuple[str, int], _Times], rounds: int, pans: int) -> NotebookFigures:
    def by_side(place: str, figure: Callable[[_Times], float]) -> dict[str, float]:
        return {str(side): round(figure(times[place, side]), 1) for side in SIDES_PX}

    def first(one: _Times) -> float:
        return float(np.median(one.first_ms))

    def pan(one: _Times) -> float:
        return float(np.percentile(one.pans_ms, 95))

    first_ms, app_first_ms = by_side("notebook", first), by_side("app", first)
    pan_ms, app_pan_ms = by_side("notebook", pan), by_side("app", pan)
    firsts = {side: round(first_ms[side] / app_first_ms[side], 2) for side in first_ms}
    steps = {side: round(pan_ms[side] / app_pan_ms[side], 2) for side in pan_ms}
    small, large = map(str, SIDES_PX)
    return NotebookFigures(
        first_over_app=max(firsts.values()),
        pan_over_app=max(steps.values()),
        first_over_app_4000=firsts[small],
        first_over_app_100000=firsts[large],
        pan_over_app_4000=steps[small],
        pan_over_app_100000=steps[large],
        first_ms=first_ms,
        app_first_ms=app_first_ms,
        pan_p95_ms=pan_ms,
        app_pan_p95_ms=app_pan_ms,
        rounds=rounds,
        pans=pans,
    )
