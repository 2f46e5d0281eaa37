"""The Noise lab in a real browser with MNIST Large Scale and Needle MNIST."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import Pixels, wait_until
from tests.browser.lab_page import (
    SHOT_PX,
    SLACK_PX,
    asked,
    dragging,
    open_lab,
    shows,
    slider,
    value_of,
)
from umnist_core.datasets.large_scale.ref import DigitRef

ZOOM = 8


def enlarged(ref: DigitRef) -> Pixels:
    """Return what is around the middle of a digit's image, larger than the whole would fit."""
    image = np.kron(ref.draw(), np.ones((ZOOM, ZOOM), np.uint8))
    side = SHOT_PX + 2 * SLACK_PX
    first = (len(image) - side) // 2
    return image[first : first + side, first : first + side]


def test_digit_of_large_scale_follows_the_slider(page: Page, app: str) -> None:
    """While the handle is held, the pixels are those of the value that it shows."""
    open_lab(page, app, preset="large-scale", scale="3", view=f"56,56,{ZOOM}", seed=0, index=4)
    before = enlarged(DigitRef.of({"scale": "3"}, index=4))
    wait_until(lambda: shows(page, before), "The digit is not shown.")
    with dragging(page, "smoothing", 20, 40, 60):
        smoothing = value_of(page, "smoothing")
        assert float(smoothing) > 0.875
        expected = enlarged(DigitRef.of({"scale": "3", "smoothing": smoothing}, index=4))
        assert not np.array_equal(expected, before)
        wait_until(lambda: shows(page, expected), "The digit did not follow the slider.")
    wait_until(lambda: asked(page, "smoothing") == smoothing, "The link did not follow.")
    expect(page.get_by_text("Noise seed")).to_be_hidden()


def test_distractors_are_as_published_until_they_are_set(page: Page, app: str) -> None:
    """By the canvas's area at first; then by a slider that begins where that was."""
    open_lab(page, app, preset="needle", canvas="512")
    number = slider(page, "distractors").locator("input[type=number]:visible")
    expect(number).to_have_value("100")
    expect(number).to_be_disabled()
    expect(slider(page, "distractors").locator(".note")).to_have_text(
        "100 where the 3 is, 101 in an image without it"
    )
    page.get_by_label("As published").uncheck()
    wait_until(lambda: asked(page, "distractors") == "100", "The link did not follow.")
    with dragging(page, "distractors", 10, 30):
        pass
    wait_until(lambda: int(asked(page, "distractors") or 0) > 100, "The slider did nothing.")
    expect(slider(page, "distractors").locator(".note")).to_contain_text(
        f"{int(value_of(page, 'distractors')):,} where the 3 is"
    )
