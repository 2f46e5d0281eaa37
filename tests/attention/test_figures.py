"""Figures of attention against brute force: every quarter of a pixel is counted by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from umnist_core.attention import (
    AttentionMap,
    Comparer,
    DigitMask,
    compare,
    effective_places,
    sort_chosen,
)

HEIGHT, WIDTH = 24, 32
FINE = 4
"""Parts of a px along each side that boxes begin and end at."""

Grid = NDArray[np.float64]


def _random_map(rng: np.random.Generator, places: int) -> AttentionMap:
    """Return a map of two tasks whose boxes begin and end at quarters of a px and may overlap."""
    first = np.stack(
        [rng.integers(0, FINE * HEIGHT - 1, places), rng.integers(0, FINE * WIDTH - 1, places)], 1
    )
    size = rng.integers(1, 40, (places, 2))
    last = np.minimum(first + size, [FINE * HEIGHT, FINE * WIDTH])
    weights = rng.random((2, 1, places)) * (rng.random((2, 1, places)) < 0.6)
    sums = weights.sum(axis=2, keepdims=True)
    weights = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    boxes = np.concatenate([first, last], axis=1) / FINE
    return AttentionMap(
        weights.astype(np.float32), boxes.astype(np.float32), HEIGHT, WIDTH, ("a", "b"), "test"
    )


def _random_masks(rng: np.random.Generator) -> list[DigitMask]:
    """Return up to four digits, whose boxes may overlap."""
    masks = []
    for _ in range(rng.integers(0, 5)):
        height, width = rng.integers(1, 12, 2)
        row, col = rng.integers(0, HEIGHT - height + 1), rng.integers(0, WIDTH - width + 1)
        masks.append(DigitMask(int(row), int(col), rng.random((height, width)) < 0.4))
    return masks


def _fine(pixels: NDArray[np.bool_]) -> Grid:
    return np.repeat(np.repeat(pixels, FINE, axis=0), FINE, axis=1).astype(np.float64)


def _whole(mask: DigitMask, *, is_boxed: bool = False) -> NDArray[np.bool_]:
    image = np.zeros((HEIGHT, WIDTH), np.bool_)
    row0, col0, row1, col1 = mask.ends
    image[row0:row1, col0:col1] = True if is_boxed else mask.ink
    return image


def _shares(found: AttentionMap, fine: Grid) -> Grid:
    """Return the share of each place that a picture in quarters of px covers."""
    ends = np.rint(found.boxes * FINE).astype(int)
    return np.array([fine[r0:r1, c0:c1].mean() for r0, c0, r1, c1 in ends])


def _perfect(shares: Grid) -> float:
    return float(shares[shares > 0].mean()) if (shares > 0).any() else 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_figures_are_those_of_counted_pixels(seed: int) -> None:
    """Mass, chance and what a perfect model has, on ink and within boxes, for each task."""
    rng = np.random.default_rng(seed)
    found, masks = _random_map(rng, int(rng.integers(1, 12))), _random_masks(rng)
    by_digit = [_shares(found, _fine(_whole(mask))) for mask in masks]
    ink = sum(by_digit, np.zeros(len(found.boxes)))
    boxed_image = np.zeros((HEIGHT, WIDTH), np.bool_)
    for mask in masks:
        boxed_image |= _whole(mask, is_boxed=True)
    boxed = _shares(found, _fine(boxed_image))
    comparer = Comparer(found, masks)
    for task in found.tasks:
        weights = found.place_weights(task).astype(np.float64)
        own = comparer.compare(task)
        assert own == compare(found, masks, task=task)
        assert own.ink.mass == pytest.approx(float(ink @ weights), abs=1e-6)
        assert own.ink.chance == pytest.approx(sum(_whole(mask).mean() for mask in masks))
        assert own.ink.perfect == pytest.approx(_perfect(ink), abs=1e-6)
        assert own.boxes.mass == pytest.approx(float(boxed @ weights), abs=1e-6)
        assert own.boxes.chance == pytest.approx(boxed_image.mean())
        assert own.boxes.perfect == pytest.approx(_perfect(boxed), abs=1e-6)
        assert own.mass_by_digit == pytest.approx([float(one @ weights) for one in by_digit])
        assert own.chance_by_digit == pytest.approx([_whole(mask).mean() for mask in masks])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_chosen_places_are_sorted_as_counted_pixels_are(seed: int) -> None:
    """On a digit with any px of its ink; else on noise unless all its px are alike."""
    rng = np.random.default_rng(seed)
    found, masks = _random_map(rng, int(rng.integers(1, 12))), _random_masks(rng)
    image = np.where(rng.random((HEIGHT, WIDTH)) < 0.03, 255, 0).astype(np.uint8)
    ink = np.zeros((HEIGHT, WIDTH), np.bool_)
    for mask in masks:
        ink |= _whole(mask)
    counts = {"digit": 0, "noise": 0, "nothing": 0}
    seen = np.zeros_like(ink)
    for box in found.boxes:
        rows = slice(int(np.floor(box[0])), int(np.ceil(box[2])))
        cols = slice(int(np.floor(box[1])), int(np.ceil(box[3])))
        seen[rows, cols] = True
        px = image[rows, cols]
        kind = "digit" if ink[rows, cols].any() else "noise" if np.ptp(px) else "nothing"
        counts[kind] += 1

    def is_blank(ends: tuple[int, int, int, int]) -> bool:
        row0, col0, row1, col1 = ends
        return not np.ptp(image[row0:row1, col0:col1])

    own = sort_chosen(found, masks, is_blank)
    assert (own.on_digit, own.on_noise, own.on_nothing) == tuple(counts.values())
    assert own.count == len(found.boxes)
    expected = [(_whole(mask) & seen).sum() / max(1, mask.ink.sum()) for mask in masks]
    assert own.ink_by_digit == pytest.approx(expected)


def test_effective_number_of_places_is_the_exponential_of_the_entropy() -> None:
    """One place is one, equal ones are as many as they are, none is none."""
    assert effective_places(np.array([0.0, 1.0, 0.0])) == pytest.approx(1)
    assert effective_places(np.full(24, 1 / 24)) == pytest.approx(24)
    assert effective_places(np.array([3.0, 1.0])) == pytest.approx(4 / 3**0.75)
    assert effective_places(np.zeros(5)) == 0


def test_perfect_attention_reaches_what_a_perfect_model_has() -> None:
    """On a grid too coarse for the digit, weight on its cells alone has the mass called perfect."""
    cells = [(r, c, r + 8, c + 8) for r in range(0, HEIGHT, 8) for c in range(0, WIDTH, 8)]
    boxes = np.array(cells, np.float32)
    mask = DigitMask(6, 6, np.ones((4, 4), np.bool_))  # a quarter of it in each of four cells
    is_on = np.isin(np.arange(len(cells)), [0, 1, 4, 5])
    weights = (is_on / 4).astype(np.float32)[None, None]
    own = compare(AttentionMap(weights, boxes, HEIGHT, WIDTH, ("sum",), "test"), [mask])
    assert own.ink.mass == own.ink.perfect == own.boxes.mass == pytest.approx(4 / 64)
    assert own.ink.times_chance == pytest.approx((4 / 64) / (16 / (HEIGHT * WIDTH)))
    assert own.effective_places == pytest.approx(4)
