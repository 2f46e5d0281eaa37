"""Average precision of found boxes, against what can be counted by hand."""

from __future__ import annotations

import pytest

from umnist_core.scoring.average_precision import BoxImage, ScoredBox, average_precision
from umnist_core.scoring.consensus import MarkedBox
from umnist_core.scoring.errors import ScoringInputError


def box(label: int, x: float = 0, width: float = 100) -> MarkedBox:
    """Return a box of 100 px height."""
    return MarkedBox(label, x, 0, width, 100)


def test_perfect_boxes_have_all_and_none_have_nothing() -> None:
    """Whatever the scores; the second class is not found at all."""
    truth = [box(3), box(5, 200)]
    whole = average_precision([BoxImage(truth, [ScoredBox(one, 0.1) for one in truth])])
    assert (whole.mean, whole.at_half, whole.images, whole.boxes) == (1, 1, 1, 2)
    half = average_precision([BoxImage(truth, [ScoredBox(box(3), 0.9)])])
    assert (half.mean, half.at_half) == (0.5, 0.5)
    assert average_precision([BoxImage(truth, [])]).mean == 0


def test_overlap_decides_at_which_thresholds_a_box_counts() -> None:
    """An overlap of 0.8 is enough at 0.5, 0.55 to 0.8: seven of ten."""
    found = average_precision([BoxImage([box(3)], [ScoredBox(box(3, width=80), 0.9)])])
    assert found.at_half == 1
    assert found.mean == pytest.approx(0.7)


def test_one_box_is_found_once_and_surer_mistakes_cost() -> None:
    """A second box of one digit is a mistake, and one that is surer than the truth halves it."""
    images = [BoxImage([box(3)], [ScoredBox(box(3), 0.9), ScoredBox(box(3), 0.8)])]
    assert average_precision(images).at_half == 1
    images = [BoxImage([box(3)], [ScoredBox(box(3, 300), 0.9), ScoredBox(box(3), 0.8)])]
    assert average_precision(images).at_half == 0.5
    images = [BoxImage([box(3)], [ScoredBox(box(3, 300), 0.7), ScoredBox(box(3), 0.8)])]
    assert average_precision(images).at_half == 1


def test_recalls_are_a_hundred_and_one() -> None:
    """One of two digits found without a mistake: recalls from 0 to 0.5 are 51 of 101."""
    images = [BoxImage([box(3)], [ScoredBox(box(3), 0.9)]), BoxImage([box(3)], [])]
    assert average_precision(images).at_half == pytest.approx(51 / 101)


def test_scores_of_all_images_are_in_one_order() -> None:
    """A mistake in another image counts before what is less sure."""
    images = [
        BoxImage([box(3)], [ScoredBox(box(3), 0.5)]),
        BoxImage([], [ScoredBox(box(3), 0.9)]),
    ]
    assert average_precision(images).at_half == 0.5


def test_images_without_boxes_have_no_average_precision() -> None:
    """There is nothing that could be found."""
    with pytest.raises(ScoringInputError, match="1 without any"):
        average_precision([BoxImage([], [])])
