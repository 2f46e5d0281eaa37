"""Digits found: class and place must both be right, and one counts once."""

from __future__ import annotations

import pytest

from tests.training.tiny import OVERRIDES
from umnist_core.datasets import Recipe
from umnist_core.geometry import Box
from umnist_core.models.base import FoundDigit
from umnist_core.scenes import Digit
from umnist_core.training.data import SceneSamples
from umnist_core.training.found import digits_right, intersection_over_union


@pytest.fixture
def digits() -> tuple[Digit, ...]:
    """Plan three digits of 14 px."""
    scene = SceneSamples(Recipe(1, overrides=OVERRIDES)).get(0).scene
    assert scene is not None
    return scene.digits


def _found(digit: Digit, *, right_px: float = 0, label: int | None = None) -> FoundDigit:
    side = float(digit.side_px)
    named = digit.label if label is None else label
    return FoundDigit(named, 0.9, digit.row, digit.col + right_px, side, side)


def test_digit_in_its_place_with_its_class_is_right(digits: tuple[Digit, ...]) -> None:
    """And the others, which nobody found, are not."""
    assert digits_right(digits, [_found(digits[1])]) == [False, True, False]
    assert digits_right(digits, []) == [False] * 3


def test_digit_of_another_class_or_too_far_away_is_not_right(digits: tuple[Digit, ...]) -> None:
    """14-px squares that are 4 px apart overlap by 10 / 18, those 5 px apart by 9 / 19."""
    first = digits[0]
    assert not any(digits_right(digits[:1], [_found(first, label=(first.label + 1) % 10)]))
    assert all(digits_right(digits[:1], [_found(first, right_px=4)]))
    assert not any(digits_right(digits[:1], [_found(first, right_px=5)]))


def test_one_that_was_found_counts_once(digits: tuple[Digit, ...]) -> None:
    """Two digits in one place, one found: one is right."""
    assert digits_right([digits[0], digits[0]], [_found(digits[0])]).count(True) == 1


def test_overlap_is_common_area_over_the_area_of_either() -> None:
    """Half of each: a third; apart: 0."""
    box = Box(0, 0, 10, 10)
    assert intersection_over_union(box, FoundDigit(1, 1, 0, 5, 10, 10)) == pytest.approx(1 / 3)
    assert intersection_over_union(box, FoundDigit(1, 1, 20, 20, 10, 10)) == 0
