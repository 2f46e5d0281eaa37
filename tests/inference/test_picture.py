"""Pictures of attention: places where they are, colours as in the viewer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.inference.picture import FADE, OPACITY, STOPS, attention_picture
from umnist_core.pyramid import ArraySource

COLOURS = (
    Path(__file__).resolve().parents[2]
    / "umnist_core"
    / "server"
    / "static"
    / "heat"
    / "colours.js"
)


def _map(boxes: list[list[float]], weights: list[float], height: int, width: int) -> AttentionMap:
    return AttentionMap(
        np.array(weights, np.float32)[None, None],
        np.array(boxes, np.float32).reshape(-1, 4),
        height,
        width,
        ("sum",),
        "test",
    )


def test_colours_are_those_of_the_viewer() -> None:
    """The same numbers stand in the viewer's module."""
    text = COLOURS.read_text()
    stops = re.findall(r"\[(\d+), (\d+), (\d+)\],", text.partition("const STOPS")[2])
    assert tuple(tuple(map(int, stop)) for stop in stops[: len(STOPS)]) == STOPS
    assert float(re.findall(r"const FADE = ([\d.]+)", text)[0]) == FADE


def test_place_is_coloured_where_it_is_and_nothing_else_changes() -> None:
    """The heaviest place has the last colour over the image; all around is the image itself."""
    image = np.full((40, 60), 200, np.uint8)
    picture = attention_picture(ArraySource(image), _map([[10, 20, 15, 50]], [1], 40, 60))
    inside = np.zeros((40, 60), bool)
    inside[10:15, 20:50] = True
    assert (picture[~inside] == 200).all()
    expected = np.rint(200 * (1 - OPACITY) + np.array(STOPS[-1]) * OPACITY)
    assert (picture[inside] == expected).all()


def test_large_image_is_reduced_and_places_with_it() -> None:
    """At most 2048 px; a place of an image of 5000 px lies at a quarter of its coordinates."""
    image = np.zeros((1000, 5000), np.uint8)
    found = _map([[400, 4000, 800, 4800], [0, 0, 4, 4]], [0.5, 0.5], 1000, 5000)
    picture = attention_picture(ArraySource(image), found)
    assert picture.shape == (250, 1250, 3)
    rows, cols = np.nonzero(picture.any(axis=2))
    assert set(zip(rows.tolist(), cols.tolist(), strict=True)) == {(0, 0)} | {
        (row, col) for row in range(100, 200) for col in range(1000, 1200)
    }


def test_map_of_another_image_is_refused() -> None:
    """A sentence names both sizes."""
    with pytest.raises(InvalidValueError, match="60 x 40 px, found attention to one of 50 x 40"):
        attention_picture(ArraySource(np.zeros((40, 60), np.uint8)), _map([], [], 40, 50))
