"""Figures of pixels: known pictures, what leaves them alone, and pieces as OpenCV counts them."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.datasets.decode import decode_grey
from umnist_core.errors import InvalidValueError
from umnist_core.experiments.validation import (
    FIGURE_NAMES,
    FOUND_NAMES,
    PixelFigures,
    found_figures,
    measure_pixels,
)
from umnist_core.experiments.validation.figures import LONG_EDGE_PX, piece_areas
from umnist_core.pyramid.encode import encode_jpeg
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

SIDE = 400
MPX = SIDE * SIDE / 1e6


def picture(*boxes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return a black image with white boxes: row, column, height, width."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    for row, col, height, width in boxes:
        image[row : row + height, col : col + width] = 255
    return image


def test_figures_of_a_known_picture_are_counted_by_hand() -> None:
    """A large box, a small one of 30 px and a speck of 14 px on a black ground."""
    found = measure_pixels(picture((100, 100, 40, 50), (10, 10, 5, 6), (300, 300, 7, 2)))
    edges = (2 * (40 + 5 + 7), 2 * (50 + 6 + 2))
    expected = {
        "white_share": (2000 + 30 + 14) / SIDE**2,
        "edges_along_rows": 1000 * edges[0] / (SIDE * (SIDE - 1)),
        "edges_along_columns": 1000 * edges[1] / (SIDE * (SIDE - 1)),
        "long_edge_share": 180 / sum(edges),
        "corners": 12 / MPX,
        "smallest_pieces": 0,
        "specks": 2048**2 / SIDE**2,
        "small_pieces": 1 / MPX,
        "large_pieces": 2 / MPX,  # the box, and the ground
    }
    assert asdict(found) == pytest.approx(expected)


def test_every_figure_has_a_name() -> None:
    """What is counted can be printed."""
    assert list(FIGURE_NAMES) == [field.name for field in fields(PixelFigures)]


def test_edges_are_long_from_their_least_length_on() -> None:
    """A box one pixel shorter has none."""
    for side, share in ((LONG_EDGE_PX - 1, 0), (LONG_EDGE_PX, 1), (3 * LONG_EDGE_PX + 1, 1)):
        assert measure_pixels(picture((50, 50, side, side))).long_edge_share == share
    assert measure_pixels(np.zeros((5, 7), np.uint8)).long_edge_share == 0


def test_pieces_are_those_that_opencv_counts() -> None:
    """On noise of any density and any shape, for both colours, corners touching."""
    rng = np.random.default_rng(1)
    for height, width in rng.integers(1, 40, (60, 2)).tolist():
        white = rng.random((height, width)) < rng.random()
        areas: list[int] = []
        for colour in (white, ~white):
            found = cv2.connectedComponentsWithStats(colour.astype(np.uint8), connectivity=8)
            areas += found[2][1:, cv2.CC_STAT_AREA].tolist()
        assert sorted(piece_areas(white).tolist()) == sorted(areas)


def test_turned_picture_swaps_rows_and_columns_alone() -> None:
    """Nothing else depends on the direction."""
    image = (np.random.default_rng(2).random((90, 60)) < 0.4).astype(np.uint8) * 255
    found, turned = measure_pixels(image), measure_pixels(np.ascontiguousarray(image.T))
    assert (turned.edges_along_rows, turned.edges_along_columns) == (
        found.edges_along_columns,
        found.edges_along_rows,
    )
    kept = [0, *range(3, len(astuple(found)))]
    assert [astuple(turned)[place] for place in kept] == [astuple(found)[place] for place in kept]


def test_inverted_picture_changes_the_white_share_alone() -> None:
    """Pieces of either colour count alike, as digits invert what is under them."""
    image = (np.random.default_rng(3).random((90, 60)) < 0.3).astype(np.uint8) * 255
    found, inverted = measure_pixels(image), measure_pixels(255 - image)
    assert inverted.white_share == pytest.approx(1 - found.white_share)
    assert astuple(inverted)[1:] == astuple(found)[1:]


def test_jpeg_of_quality_75_changes_no_figure_of_an_image() -> None:
    """So the codec that both sides went through adds nothing, single pixels included."""
    glyphs = segment_glyphs()
    small = {"canvas": "900", "factor": "0.5..8"}
    for index in range(4):
        image = render(
            plan_scene("released", 5, "train", index, glyphs=glyphs, overrides=small), glyphs
        )
        image[np.random.default_rng(index).random(image.shape) < 1e-4] ^= 255
        assert measure_pixels(decode_grey(encode_jpeg(image), "image")) == measure_pixels(image)


def test_line_of_pixels_is_refused() -> None:
    """It has no rows to compare with each other."""
    with pytest.raises(InvalidValueError, match="found 9 x 1 px"):
        measure_pixels(np.zeros((1, 9), np.uint8))


def test_found_digits_become_figures_of_their_image() -> None:
    """Count, sizes and mean class, and zeros where nothing was found."""
    assert list(found_figures([7, 1, 4], [28, 56, 140]).values()) == [3, 28, 56, 140, 4]
    assert found_figures([], []) == dict.fromkeys(FOUND_NAMES, 0)
