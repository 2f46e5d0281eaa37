"""How tests open the Noise lab, look at it and take hold of its sliders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import cv2
import numpy as np
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Pixels, wait_until
from umnist_core.digits import GlyphSet
from umnist_core.geometry import Box
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef

SEED, INDEX = 5, 9
SHOT_PX = 300
"""Side of the part of a pane that is compared, around its middle."""

SLACK_PX = 2
"""A view is moved by less than a pixel, and so is its middle in a pane of odd size."""

ONE_TO_ONE = "2000,2000,1"
STILL = {"rotation": "0", "shear": "0", "zoom": "1", "checkerboard": "50"}
"""One value each, so that every slider has one handle; and cells that are smaller than a shot,
so that every change is seen in it."""


def open_lab(page: Page, app: str, **query: Any) -> None:
    """Open the Noise lab and wait until the first picture and the controls are there."""
    page.goto(f"{app}/noise_lab?{urlencode({'seed': SEED, 'index': INDEX, **query}, safe=',')}")
    page.wait_for_selector(".umnist-viewer.ready")
    page.wait_for_selector(".umnist-lab")


def wait_for_rest(page: Page) -> None:
    """Wait until the page has nothing more to do; whatever changes then is the browser's."""
    page.locator(".js-plotly-plot").nth(5).wait_for(timeout=60_000)
    page.wait_for_selector("[data-test-script-state=notRunning]", timeout=60_000)


def asked(page: Page, name: str) -> str | None:
    """Return a parameter of the address bar (``page.url`` lags behind)."""
    values = parse_qs(urlsplit(str(page.evaluate("location.href"))).query).get(name)
    return None if values is None else values[0]


def view_of(page: Page) -> tuple[float, float]:
    """Return the x and y of the view in the address."""
    x, y, _ = (float(part) for part in str(asked(page, "view")).split(","))
    return x, y


def shot(page: Page, pane: int = 0, *, right_px: int = 0) -> Pixels:
    """Return what is on screen around the middle of a pane, or ``right_px`` beside it."""
    box = page.locator(".pane").nth(pane).locator(".image").bounding_box()
    assert box is not None
    clip = {
        "x": box["x"] + box["width"] / 2 - SHOT_PX / 2 + right_px,
        "y": box["y"] + box["height"] / 2 - SHOT_PX / 2,
        "width": SHOT_PX,
        "height": SHOT_PX,
    }
    png = page.screenshot(clip=clip)  # type: ignore[arg-type]
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


def drawn(
    setting: SceneRef,
    glyphs: GlyphSet,
    *,
    right_px: int = 0,
    centre: tuple[float, float] = (2000, 2000),
) -> Pixels:
    """Return the same part of a setting's image at 1:1, `SLACK_PX` wider on each side.

    ``centre`` is the x and y that the view is on.
    """
    side = SHOT_PX + 2 * SLACK_PX
    left, top = (round(place) - side // 2 for place in centre)
    box = Box.from_size(top, left + right_px, side, side)
    return render(setting.plan(glyphs), glyphs, level_box=box)


def shows(page: Page, image: Pixels, pane: int = 0, *, right_px: int = 0) -> bool:
    """Return whether a pane shows an image, which may begin `SLACK_PX` earlier or later."""
    screen = shot(page, pane, right_px=right_px)
    shifts = range(2 * SLACK_PX + 1)
    starts = [(row, col) for row in shifts for col in shifts]
    return any(
        np.array_equal(screen, image[row : row + SHOT_PX, col : col + SHOT_PX])
        for row, col in starts
    )


def wait_for_picture(page: Page, image: Pixels, *, pane: int = 0, right_px: int = 0) -> None:
    """Wait until a pane shows an image."""
    wait_until(
        lambda: shows(page, image, pane, right_px=right_px),
        f"Pane {pane} does not show what it should.",
    )


def setting_of(**overrides: str) -> SceneRef:
    """Return the sample that most tests open, with some parameters changed."""
    return SceneRef.of("released", overrides, seed=SEED, index=INDEX)


def slider(page: Page, name: str) -> Locator:
    """Return the control of one parameter."""
    return page.locator(f"[data-name={name}]")


def value_of(page: Page, name: str) -> str:
    """Return the number that a control of one handle shows."""
    return slider(page, name).locator("input[type=number]:visible").last.input_value()


@contextmanager
def dragging(page: Page, name: str, *steps_px: float) -> Iterator[None]:
    """Take the handle of a slider, move it by some px one after another, and hold it."""
    handle = slider(page, name).locator("input[type=range]:visible").last
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    thumb_px = float(
        handle.evaluate("(i) => getComputedStyle(i).getPropertyValue('--thumb').replace('px','')")
    )
    share = int(handle.input_value()) / int(handle.get_attribute("max") or 1)
    x = box["x"] + thumb_px / 2 + share * (box["width"] - thumb_px)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in steps_px:
        page.mouse.move(x + step, y)
    yield
    page.mouse.up()
