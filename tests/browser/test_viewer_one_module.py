"""The viewer's own tests on the one module that notebooks get, for what matters most."""

from __future__ import annotations

import pytest

from tests.browser import test_viewer_changes, test_viewer_heat, test_viewer_picture
from tests.browser.conftest import OpenViewer, Pixels, TestServer


@pytest.fixture(autouse=True)
def one_module(server: TestServer) -> None:
    """Serve the page with the module that the build makes."""
    server.is_one_module = True


@pytest.mark.parametrize("density", [1, 1.5])
def test_each_pixel_is_exact(open_viewer: OpenViewer, noise: Pixels, density: float) -> None:
    """As with the unbundled modules, and these alone are what the page loads."""
    test_viewer_picture.test_viewer_draws_each_pixel_exactly(open_viewer, noise, "4", density)


def test_the_pixel_under_the_pointer_is_read(open_viewer: OpenViewer, noise: Pixels) -> None:
    """Tiles are read without the app's own addresses."""
    test_viewer_picture.test_viewer_reads_the_pixel_under_the_pointer(open_viewer, noise)


@pytest.mark.parametrize("zoom", [0.37, 2.7])
def test_the_overlay_lies_on_its_digit(open_viewer: OpenViewer, zoom: float) -> None:
    """With the style sheets that are in the module."""
    test_viewer_picture.test_viewer_overlay_lies_on_its_digit(open_viewer, zoom)


def test_the_zoom_has_its_ends(open_viewer: OpenViewer) -> None:
    """From the whole image to 64:1, by keys."""
    test_viewer_picture.test_viewer_reaches_64_screen_pixels_for_one(open_viewer)


def test_panes_move_in_step(open_viewer: OpenViewer) -> None:
    """Two pictures, one view."""
    test_viewer_changes.test_panes_move_in_step(open_viewer, 1)


def test_the_newest_image_is_shown(open_viewer: OpenViewer) -> None:
    """However many were asked for before it."""
    test_viewer_changes.test_viewer_shows_the_newest_image(open_viewer)


def test_heat_lies_where_its_cells_are(open_viewer: OpenViewer) -> None:
    """Attention, as a widget has it."""
    test_viewer_heat.test_heat_lies_where_its_cells_are_and_leaves_the_rest_clear(open_viewer)


def test_nothing_is_left_of_a_viewer(open_viewer: OpenViewer) -> None:
    """As a widget's cell is run again."""
    test_viewer_changes.test_destroy_leaves_nothing(open_viewer)
