"""Attention against digits: exact areas, chance, and the pointing game."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from umnist_core.attention import AttentionMap, DigitMask, compare
from umnist_core.errors import InvalidValueError

SIDE = 64
SQUARE = DigitMask(8, 16, np.ones((4, 8), np.bool_))
"""Rows 8 to 12, columns 16 to 24: 32 px of 4096."""


def _map(boxes: list[tuple[float, float, float, float]], weights: list[float]) -> AttentionMap:
    total = sum(weights) or 1.0
    shares = np.array([weight / total for weight in weights], np.float32)
    return AttentionMap(
        shares[None, None], np.array(boxes, np.float32).reshape(-1, 4), SIDE, SIDE, ("sum",), "test"
    )


def test_attention_on_a_digit_alone_has_all_its_mass_there() -> None:
    """A box that is the digit: mass 1, a hit, and chance is the digit's share of the image."""
    found = compare(_map([(8, 16, 12, 24)], [1]), [SQUARE])
    assert found.mass == pytest.approx(1)
    assert found.pointing == 1
    assert found.chance == 32 / SIDE**2


def test_even_attention_has_the_mass_of_chance() -> None:
    """One box over the whole image."""
    found = compare(_map([(0, 0, SIDE, SIDE)], [1]), [SQUARE])
    assert found.mass == pytest.approx(found.chance)


def test_mass_is_told_for_each_digit() -> None:
    """Three quarters of the weight on one, a quarter on the other, half of it beside it."""
    other = DigitMask(40, 40, np.ones((4, 4), np.bool_))
    found = compare(_map([(8, 16, 12, 24), (40, 40, 44, 48)], [3, 1]), [SQUARE, other])
    assert found.mass_by_digit == pytest.approx((0.75, 0.125))
    assert found.mass == pytest.approx(0.875)


@given(
    st.tuples(*[st.floats(0, 60, width=32)] * 2, *[st.floats(0.25, 4, width=32)] * 2),
    st.integers(0, 2**32 - 1),
)
def test_mass_is_the_exact_area_of_ink_under_a_box(
    place: tuple[float, float, float, float], seed: int
) -> None:
    """Edges between px count by the part of each px that they cover."""
    row, col, height, width = place
    mask = DigitMask(5, 9, np.random.default_rng(seed).random((50, 40)) < 0.3)
    ink = np.zeros((SIDE, SIDE))
    ink[5:55, 9:49] = mask.ink
    edges = np.arange(SIDE)
    rows = np.clip(np.minimum(edges + 1, row + height) - np.maximum(edges, row), 0, None)
    cols = np.clip(np.minimum(edges + 1, col + width) - np.maximum(edges, col), 0, None)
    expected = rows @ ink @ cols / (height * width)
    found = compare(_map([(row, col, row + height, col + width)], [1]), [mask])
    assert found.mass == pytest.approx(expected, abs=1e-4)


def test_pointing_has_a_tolerance_and_ties_share_the_point() -> None:
    """A px away is a hit within 1 px; of two equal peaks one on the digit is half a hit."""
    beside = (9.0, 24.0, 11.0, 26.0)  # its centre is 1 px right of the ink
    assert compare(_map([beside], [1]), [SQUARE], tolerance_px=1).pointing == 1
    assert compare(_map([beside], [1]), [SQUARE], tolerance_px=0.9).pointing == 0
    tie = _map([(8, 16, 12, 24), (50, 50, 52, 52)], [1, 1])
    assert compare(tie, [SQUARE]).pointing == 0.5


def test_place_without_area_is_the_px_there() -> None:
    """On the digit all of it counts, beside it nothing; never is it no number."""
    for place, expected in (((9.0, 17.0, 9.0, 17.0), 1), ((50.0, 64.0, 54.0, 64.0), 0)):
        assert compare(_map([place], [1]), [SQUARE]).mass == pytest.approx(expected)


def test_map_that_looked_nowhere_has_no_mass_and_no_hit() -> None:
    """Weights of 0, or no places at all, as of a detector that found nothing."""
    for boxes, weights in (([(8.0, 16.0, 12.0, 24.0)], [0.0]), ([], [])):
        found = compare(_map(boxes, weights), [SQUARE])
        assert (found.mass, found.pointing) == (0, 0)


def test_mask_of_another_image_is_refused() -> None:
    """A digit that reaches out of the map's image: a sentence."""
    with pytest.raises(InvalidValueError, match="same image"):
        compare(_map([(0, 0, 4, 4)], [1]), [DigitMask(62, 0, SQUARE.ink)])
