"""Which readings stay where some lie on others."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.models.own.overlaps import Boxes, overlap_shares, without_overlaps


def boxes_of(*squares: tuple[float, float, float]) -> Boxes:
    """Return the squares of digits, each given by its factor, row and column."""
    return np.array([(row, col, row + 28 * k, col + 28 * k) for k, row, col in squares])


def test_overlap_is_the_share_of_the_smaller_square() -> None:
    """A digit within another lies on it, whatever their sizes."""
    boxes = boxes_of((10, 0, 0), (1, 100, 246), (1, 100, 100), (1, 300, 0))
    shares = overlap_shares(boxes)
    np.testing.assert_allclose(shares, shares.T)
    assert shares[0].tolist() == pytest.approx([1, 0.5, 1, 0])


def test_neighbours_whose_squares_are_a_cell_off_do_not_overlap() -> None:
    """Beside a digit of 68 px a cell, a small one is kept though its square is touched."""
    assert overlap_shares(boxes_of((68, 1530, 1827), (6, 1408, 2062)))[0, 1] == 0


def test_digit_beyond_doubt_is_better_than_a_likelier_speck_on_it() -> None:
    """A speck may look like a small digit; beside the digit it may be one."""
    boxes = boxes_of((20, 0, 0), (1, 200, 200), (1, 600, 600))
    assert without_overlaps(boxes, [0.95, 0.999, 0.9]) == [0, 2]
    assert without_overlaps(boxes, [0.6, 0.999, 0.9]) == [1, 2]
    assert without_overlaps(boxes.astype(np.float32), [0.95, 0.999, 0.9], [1, 2]) == [1, 2]


def test_of_two_readings_about_as_large_the_likelier_one_stays() -> None:
    """The same digit on a grid half as coarse again is no speck of it."""
    assert without_overlaps(boxes_of((9, 0, 0), (6, 20, 20)), [0.95, 0.99]) == [1]


def test_misplaced_reading_of_a_digit_hides_nothing_beside_it() -> None:
    """A better reading of the same digit drops it first."""
    boxes = boxes_of((61, 783, 167), (61, 539, 167), (9, 489, 383))
    assert without_overlaps(boxes, [1.0, 0.995, 0.99]) == [0, 2]


def test_nothing_lies_on_nothing() -> None:
    """An image without readings, and one with a single one."""
    assert without_overlaps(np.zeros((0, 4)), []) == []
    assert without_overlaps(boxes_of((1, 0, 0)), [0.01]) == [0]
