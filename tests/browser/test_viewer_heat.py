"""Heat over the image: in its place, in its colours, with its values."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.browser.conftest import OpenViewer, ViewerPage, pane_data, viewer_data, wait_until

CELLS = 8
CELL_PX = 500
GREY = 120
"""Value of the whole image below the heat."""

MOST_S = 40.0


def grid_address(values: NDArray[np.float64]) -> str:
    """Return a grid as the viewer takes it: high byte in red, low byte in green."""
    whole = np.round(values / values.max() * 65535).astype(np.uint16)
    blue_green_red = np.zeros((*values.shape, 3), np.uint8)
    blue_green_red[..., 2], blue_green_red[..., 1] = whole >> 8, whole & 255
    png = cv2.imencode(".png", blue_green_red)[1].tobytes()
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def hot_corner() -> NDArray[np.float64]:
    """Return a grid that is hot in rows 0 and 1 of columns 6 and 7, and 0 elsewhere."""
    values = np.zeros((CELLS, CELLS))
    values[:2, 6:] = MOST_S
    values[5, 2] = 13.37
    return values


def heat_data(**more: Any) -> dict[str, Any]:
    """Return the viewer's data with heat over a grey image."""
    heat = {"src": grid_address(hot_corner()), "opacity": 1, "title": "Time on screen", "unit": "s"}
    return viewer_data(pane_data("grey-120"), heat={**heat, "max": MOST_S, **more}, link=None)


def colour_at(viewer: ViewerPage, x: float, y: float) -> tuple[int, ...]:
    """Return blue, green and red on screen where a point of the image is, in a whole view."""
    view, box = viewer.view(), viewer.box()
    left = box["x"] + box["width"] / 2 + (x - view["x"]) * view["zoom"]
    top = box["y"] + box["height"] / 2 + (y - view["y"]) * view["zoom"]
    png = viewer.page.screenshot(clip={"x": left, "y": top, "width": 1, "height": 1})
    pixel = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert pixel is not None
    return tuple(int(value) for value in pixel[0, 0])


def wait_for_heat(viewer: ViewerPage) -> None:
    """Wait until the hot corner has another colour than the image."""
    wait_until(lambda: len(set(colour_at(viewer, 3500, 500))) > 1, "No heat is on screen.")


def point_at(viewer: ViewerPage, x: float, y: float) -> None:
    """Move the pointer to a point of the image."""
    view, box = viewer.view(), viewer.box()
    viewer.page.mouse.move(
        box["x"] + box["width"] / 2 + (x - view["x"]) * view["zoom"],
        box["y"] + box["height"] / 2 + (y - view["y"]) * view["zoom"],
    )


def test_heat_lies_where_its_cells_are_and_leaves_the_rest_clear(open_viewer: OpenViewer) -> None:
    """Hot cells have the last colour, cells of 0 show the image, at every zoom."""
    viewer = open_viewer(heat_data())
    wait_for_heat(viewer)
    for closer in (False, True):
        if closer:
            viewer.page.evaluate("viewer.update({...data, view: {x: 3000, y: 1000, zoom: 1}})")
            viewer.wait_for_view(zoom=1, near=(3000, 1000))
        blue, green, red = colour_at(viewer, 3400, 700)
        assert red > 240
        assert 160 < green < 200
        assert blue < 40
        assert colour_at(viewer, 2600, 1300) == (GREY, GREY, GREY)


def test_heat_value_under_the_pointer_is_told(open_viewer: OpenViewer) -> None:
    """The bar says the value of the cell under the pointer, and of the middle without one."""
    viewer = open_viewer(heat_data())
    wait_for_heat(viewer)
    here = viewer.page.locator("[data-readout=heat]")
    for x, y, said in (
        (2 * CELL_PX + 250, 5 * CELL_PX + 250, "13 s"),
        (3900, 100, "40 s"),
        (100, 100, "0 s"),
    ):
        point_at(viewer, x, y)
        wait_until(
            lambda: here.inner_text() == said,  # noqa: B023 (called at once)
            f"Expected {said} at {x}, {y}, found {here.inner_text()}.",
        )


def test_heat_opacity_can_be_taken_to_nothing_by_keyboard(open_viewer: OpenViewer) -> None:
    """The slider takes the heat off the image, and its keys do not move the image."""
    viewer = open_viewer(heat_data(opacity=0.5))
    wait_for_heat(viewer)
    before = viewer.view()
    slider = viewer.page.get_by_role("slider", name="Opacity of the heat")
    slider.focus()
    for _ in range(10):
        viewer.page.keyboard.press("ArrowLeft")
    wait_until(
        lambda: colour_at(viewer, 3500, 500) == (GREY, GREY, GREY), "The heat is still there."
    )
    assert viewer.view() == before


def test_heat_goes_when_the_data_have_none(open_viewer: OpenViewer) -> None:
    """Without heat there is neither colour nor bar; values beyond the last colour are told so."""
    viewer = open_viewer(heat_data(top=20))
    wait_for_heat(viewer)
    assert "20 s or more" in viewer.page.locator(".heat-bar").inner_text()
    viewer.page.evaluate("viewer.update({...data, heat: null})")
    wait_until(lambda: len(set(colour_at(viewer, 3500, 500))) == 1, "The heat stays.")
    assert viewer.page.locator(".heat-bar").is_hidden()
    assert viewer.page.locator("canvas.heat").is_hidden()
