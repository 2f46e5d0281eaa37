"""Attention painted into tiles: the same in every cut, and where the places are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.property.test_windows import boxes_in
from umnist_core.attention import AttentionMap
from umnist_core.attention.tiles import LARGEST, level_boxes, paint
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box, reduced_size_px


@st.composite
def attention_maps(draw: st.DrawFn) -> AttentionMap:
    """Draw a map of up to 40 places anywhere in an image of 1 to 300 px a side."""
    height, width = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    places, heads = draw(st.integers(0, 40)), draw(st.integers(1, 3))
    ends = np.sort(rng.random((places, 2, 2)) * [[[height], [width]]], axis=2)
    if draw(st.booleans()):
        ends = np.floor(ends)
    boxes = ends.transpose(0, 2, 1).reshape(places, 4)
    weights = rng.random((2, heads, places)) * (rng.random(places) > 0.2)
    weights /= np.maximum(weights.sum(axis=2, keepdims=True), 1e-9)
    return AttentionMap(
        weights.astype(np.float32),
        np.minimum(boxes, [height, width] * 2).astype(np.float32),
        height,
        width,
        ("first", "second"),
        "drawn",
    )


def _whole(found: AttentionMap, reduction: int) -> Box:
    sides = (reduced_size_px(side, reduction) for side in (found.height, found.width))
    return Box(0, 0, *sides)


def _by_definition(found: AttentionMap, reduction: int) -> NDArray[np.uint16]:
    """Return a whole level, px by px the heaviest place that covers it."""
    whole = _whole(found, reduction)
    level = np.zeros((whole.height, whole.width), np.uint16)
    weights = found.place_weights().astype(np.float64)
    for box, weight in zip(level_boxes(found, reduction), weights, strict=True):
        value = np.uint16(np.rint(weight / weights.max() * LARGEST)) if weights.max() else 0
        for row in range(box[0], box[2]):
            for col in range(box[1], box[3]):
                level[row, col] = max(level[row, col], value)
    return level


@settings(deadline=None, max_examples=150)
@given(data=st.data(), found=attention_maps(), reduction=st.sampled_from([1, 2, 4, 8, 64, 512]))
def test_tile_equals_the_crop_of_the_whole_level(
    data: st.DataObject, found: AttentionMap, reduction: int
) -> None:
    """Whatever box is painted, each px is the heaviest place that covers it."""
    box = data.draw(boxes_in(_whole(found, reduction)))
    tile = paint(found, box, reduction)
    assert tile.dtype == np.uint16
    np.testing.assert_array_equal(tile, _by_definition(found, reduction)[box.slices])


@settings(deadline=None, max_examples=150)
@given(found=attention_maps(), reduction=st.sampled_from([1, 2, 4, 8, 64, 512]))
def test_sides_are_within_half_a_level_px(found: AttentionMap, reduction: int) -> None:
    """Of where they are, unless the place would vanish; every place has a px of the level."""
    edges = level_boxes(found, reduction)
    whole = _whole(found, reduction)
    exact = found.boxes.astype(np.float64) / reduction
    for first, last, size in ((0, 2, whole.height), (1, 3, whole.width)):
        wide = edges[:, last] - edges[:, first]
        assert (wide >= 1).all()
        assert (edges[:, first] >= 0).all()
        assert (edges[:, last] <= size).all()
        is_kept = np.floor(exact[:, last] + 0.5) > np.floor(exact[:, first] + 0.5)
        for side in (first, last):
            assert (np.abs(edges[:, side] - exact[:, side])[is_kept] <= 0.5).all()
        assert (wide[~is_kept] == 1).all()
        assert (np.abs(edges[:, first] - exact[:, first])[~is_kept] <= 1).all()


def test_values_are_shares_of_the_largest_weight() -> None:
    """Of the task and head that were asked for, in 16 bits; where places overlap, the heavier."""
    weights = np.array([[[0.1, 0.4, 0.5]], [[0.8, 0.2, 0.0]]], np.float32)
    boxes = np.array([[0, 0, 8, 8], [4, 4, 12, 12], [10, 0, 12, 2]], np.float32)
    found = AttentionMap(weights, boxes, 16, 16, ("sum", "max"), "made")
    tile = paint(found, Box(0, 0, 16, 16), task="sum", head=0)
    assert (tile[0, 0], tile[5, 5], tile[11, 0], tile[15, 15]) == (13107, 52428, LARGEST, 0)
    other = paint(found, Box(0, 0, 16, 16), task="max")
    assert (other[0, 0], other[5, 5], other[8, 8], other[11, 0]) == (LARGEST, LARGEST, 16384, 0)
    mean = paint(found, Box(0, 0, 16, 16))
    assert (mean[0, 0], mean[8, 8]) == (LARGEST, round(LARGEST * 0.3 / 0.45))


def test_map_without_weight_is_blank_and_an_unknown_task_is_refused() -> None:
    """Nothing was looked at, so nothing is painted."""
    empty = AttentionMap(
        np.zeros((1, 1, 1), np.float32), np.zeros((1, 4), np.float32), 5, 5, ("sum",), "made"
    )
    assert not paint(empty, Box(0, 0, 5, 5)).any()
    with pytest.raises(InvalidValueError, match="tasks are sum"):
        paint(empty, Box(0, 0, 5, 5), task="other")
    with pytest.raises(InvalidValueError, match="heads are 0 to 0"):
        paint(empty, Box(0, 0, 5, 5), head=3)


def test_level_with_thousands_of_places_of_one_px_keeps_each_at_its_place() -> None:
    """A grid of 512 x 512 places, far enough out that each is one px."""
    rows, cols = np.divmod(np.arange(512 * 512), 512)
    boxes = np.stack([rows, cols, rows + 1, cols + 1], axis=1).astype(np.float32) * 8
    weights = np.random.default_rng(1).random((1, 1, len(boxes))).astype(np.float32)
    weights /= weights.sum()
    found = AttentionMap(weights, boxes, 4096, 4096, ("sum",), "made")
    tile = paint(found, Box(0, 0, 512, 512), 8)
    expected = np.rint(weights[0, 0].astype(np.float64) / weights.max() * LARGEST)
    assert np.abs(tile.ravel().astype(float) - expected).max() <= 1
