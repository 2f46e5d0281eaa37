"""Attention against people's time on screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from umnist_core.attention import AttentionMap
from umnist_core.attention.dwell import compare_with_dwell, spread_on_grid
from umnist_core.errors import InvalidValueError


def map_of(boxes: Sequence[Sequence[float]], weights: list[float], side: int = 400) -> AttentionMap:
    """Return a map of one task and head."""
    values = np.array(weights, np.float32)[None, None]
    return AttentionMap(values, np.array(boxes, np.float32), side, side, ("sum",), "test")


def test_a_box_over_two_cells_gives_each_the_share_that_lies_in_it() -> None:
    """A box over two cells counts for each with the share that lies in it."""
    found = spread_on_grid(map_of([[0, 50, 100, 150]], [1.0]), (4, 4))
    expected = np.zeros((4, 4))
    expected[0, :2] = 0.5
    np.testing.assert_allclose(found, expected)


def test_overlapping_boxes_add_up_and_the_whole_is_one() -> None:
    """Weights of overlapping boxes add up; the whole is 1."""
    boxes = [[0.0, 0.0, 400.0, 400.0], [300.0, 300.0, 400.0, 400.0]]
    found = spread_on_grid(map_of(boxes, [0.5, 0.5]), (4, 4))
    assert found.sum() == pytest.approx(1)
    assert found[3, 3] == pytest.approx(0.5 + 0.5 / 16)


def test_the_same_map_agrees_wholly_and_another_place_not_at_all() -> None:
    """The same map agrees wholly, another place not at all."""
    seen = map_of([[0, 0, 100, 100]], [1.0])
    dwell = np.zeros((4, 4))
    dwell[0, 0] = 1200.0
    same = compare_with_dwell(seen, dwell)
    assert same.similarity == pytest.approx(1)
    assert same.correlation == pytest.approx(1)
    other = compare_with_dwell(map_of([[200, 200, 300, 300]], [1.0]), dwell)
    assert other.similarity == 0
    assert other.correlation < 0


def test_an_even_map_has_no_correlation() -> None:
    """An even map has a similarity and no correlation."""
    dwell = np.zeros((4, 4))
    dwell[1, 2] = 1.0
    found = compare_with_dwell(map_of([[0, 0, 400, 400]], [1.0]), dwell)
    assert np.isnan(found.correlation)
    assert found.similarity == pytest.approx(1 / 16)


def test_nobody_looked_is_said() -> None:
    """A grid without any time is refused with a sentence."""
    with pytest.raises(InvalidValueError, match="somebody has looked at"):
        compare_with_dwell(map_of([[0, 0, 100, 100]], [1.0]), np.zeros((4, 4)))
