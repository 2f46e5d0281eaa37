"""The picture is the image: every pixel, every value, and nothing in between."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.conftest import (
    MARGIN,
    SIDE_PX,
    SQUARE,
    OpenViewer,
    Pixels,
    ViewerPage,
    pane_data,
    viewer_data,
    wait_until,
)


def shows(image: Pixels, viewer: ViewerPage, scale: int) -> bool:
    """Return whether each image pixel is ``scale`` by ``scale`` screen pixels of its value."""
    view, box, shot = viewer.view(), viewer.box(), viewer.shot()
    left = round(view["x"] * scale + (MARGIN[0] - box["width"] / 2) * viewer.density)
    top = round(view["y"] * scale + (MARGIN[1] - box["height"] / 2) * viewer.density)
    return np.array_equal(shot, enlarged(image, shot.shape, top, left, scale))


def enlarged(image: Pixels, shape: tuple[int, ...], top: int, left: int, scale: int) -> Pixels:
    """Cut a window of ``shape`` out of the image enlarged by ``scale``."""
    rows = (top + np.arange(shape[0])) // scale
    cols = (left + np.arange(shape[1])) // scale
    return image[np.ix_(rows, cols)]


@pytest.mark.parametrize("density", [1, 2, 1.5])
@pytest.mark.parametrize("key", ["1", "4"])
def test_viewer_draws_each_pixel_exactly(
    open_viewer: OpenViewer, noise: Pixels, key: str, density: float
) -> None:
    """At 1:1 and 4:1 the screen shows the image's own values, on plain and dense screens."""
    viewer = open_viewer(viewer_data(pane_data("noise")), device_scale_factor=density)
    viewer.press(key)
    scale = round(int(key) * density)
    viewer.wait_for_view(zoom=scale / density)
    assert viewer.readout("zoom") == f"{key}:1"
    wait_until(
        lambda: shows(noise, viewer, scale), f"The screen does not show the image at {key}:1."
    )


def test_viewer_stays_exact_after_a_drag(open_viewer: OpenViewer, noise: Pixels) -> None:
    """A drag by half a screen pixel more than a whole number ends on whole screen pixels."""
    viewer = open_viewer(viewer_data(pane_data("noise")), device_scale_factor=1.5)
    viewer.press("4")
    viewer.wait_for_view(zoom=4)
    start = viewer.view()
    box = viewer.box()
    mouse = viewer.page.mouse
    mouse.move(box["x"] + 300, box["y"] + 200)
    mouse.down()
    mouse.move(box["x"] + 341, box["y"] + 263, steps=5)
    mouse.up()
    wait_until(lambda: viewer.view() != start, "The drag moved nothing.")
    wait_until(lambda: shows(noise, viewer, 6), "The screen is not exact after a drag.")


def test_viewer_keeps_large_pixels_crisp(open_viewer: OpenViewer, noise: Pixels) -> None:
    """Above 1:1, at any zoom, no value is on screen that is not in the image."""
    viewer = open_viewer(viewer_data(pane_data("square")), query={"view": "1229,1731,5.37"})
    viewer.wait_for_view(zoom=5.37)
    wait_until(lambda: 255 in viewer.shot(), "The white square is not on screen.")
    assert set(np.unique(viewer.shot())) == {0, 255}


def test_viewer_reaches_64_screen_pixels_for_one(open_viewer: OpenViewer) -> None:
    """Zooming in ends at 64:1, and out at the whole image."""
    viewer = open_viewer(viewer_data(pane_data("noise")))
    whole = viewer.view()["zoom"]
    viewer.press(*["+"] * 12)
    viewer.wait_for_view(zoom=64)
    viewer.press(*["-"] * 12)
    viewer.wait_for_view(zoom=whole, x=SIDE_PX / 2, y=SIDE_PX / 2)
    box = viewer.box()
    assert SIDE_PX * whole <= min(box["width"], box["height"])


@pytest.mark.parametrize("zoom", [0.2, 0.37, 1, 2.7, 8])
def test_viewer_overlay_lies_on_its_digit(open_viewer: OpenViewer, zoom: float) -> None:
    """The digit's box is within half a CSS px of the digit that is drawn, at any zoom."""
    digit = {"id": 0, "label": 7, "box": SQUARE, "ink": SQUARE, "side": 56}
    x, y = SQUARE[0] + 27.3, SQUARE[1] + 28.8
    viewer = open_viewer(
        viewer_data(pane_data("square"), digits=[digit], label=7),
        query={"view": f"{x},{y},{zoom}", "show": "answer"},
    )
    line = viewer.page.locator("[data-digit='0'] .box.line")
    drawn = [float(line.get_attribute(name) or "nan") for name in ("x", "y", "width", "height")]
    viewer.press("o")
    line.wait_for(state="detached")
    wait_until(lambda: viewer.shot().max() > 200, "The white square is not on screen.")
    found = square_on_screen(viewer.shot(), near=drawn)
    assert np.abs(np.subtract(drawn, found)).max() <= 0.5


def square_on_screen(shot: Pixels, near: list[float]) -> list[float]:
    """Return x, y, width, height of the white square in its pane, to a fraction of a px.

    ``near`` is about where it is; further away, the surround is no darkness.
    """
    window, corner = shot.astype(float) / 255, []
    for axis in (0, 1):
        first = max(int(near[axis] - MARGIN[axis]) - 8, 0)
        corner.append(first + MARGIN[axis])
        span = np.arange(first, min(first + int(near[axis + 2]) + 17, shot.shape[1 - axis]))
        window = window.take(span, axis=1 - axis)
    starts, lengths = [], []
    for axis in (0, 1):
        profile = window.max(axis=axis)
        length = profile.sum()
        middle = (profile * (np.arange(len(profile)) + 0.5)).sum() / length
        starts.append(corner[axis] + middle - length / 2)
        lengths.append(length)
    return [*starts, *lengths]


def test_viewer_reads_the_pixel_under_the_pointer(open_viewer: OpenViewer, noise: Pixels) -> None:
    """The readout names the pixel and its value in the image, zoomed in and out alike."""
    viewer = open_viewer(viewer_data(pane_data("noise")))
    box = viewer.box()
    whole = viewer.view()["zoom"]
    for key, zoom, offset in (
        ("4", 4, (-137, 91)),
        ("0", whole, (201, -57)),
        ("1", 1, (-310, 222)),
    ):
        viewer.press(key)
        viewer.wait_for_view(zoom=zoom)
        place = [box["width"] / 2 + offset[0], box["height"] / 2 + offset[1]]
        viewer.page.mouse.move(box["x"] + place[0], box["y"] + place[1])
        view = viewer.view()
        x = int(view["x"] + offset[0] / view["zoom"] + 1e-6)
        y = int(view["y"] + offset[1] / view["zoom"] + 1e-6)
        viewer.wait_for_readout(str(x), str(y), str(noise[y, x]))


def test_viewer_reads_nothing_beside_the_image(open_viewer: OpenViewer) -> None:
    """On the surround the readout shows no position and no value."""
    viewer = open_viewer(viewer_data(pane_data("noise")))
    box = viewer.box()
    viewer.page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    assert [viewer.readout(name) for name in ("x", "y", "value")] == ["", "", ""]


def test_viewer_scale_bar_is_as_long_as_it_says(open_viewer: OpenViewer) -> None:
    """The bar's length on screen is its length in image pixels times the zoom."""
    viewer = open_viewer(viewer_data(pane_data("noise")))
    for key, zoom in (("0", viewer.view()["zoom"]), ("1", 1), ("4", 4)):
        viewer.press(key)
        viewer.wait_for_view(zoom=zoom)
        said = int(viewer.page.locator(".scale").inner_text().split()[0])
        bar = viewer.page.locator(".scale-line").bounding_box()
        assert bar is not None
        assert bar["width"] == pytest.approx(said * viewer.view()["zoom"], abs=0.1)
        assert bar["width"] <= 132
