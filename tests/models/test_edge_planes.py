"""Edges and corners, eight pixels at a time, are those that passing over every pixel finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.models.dense_edges import dense_edges
from tests.segment_glyphs import segment_glyphs
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.models.own.edge_levels import read_bits, run_length
from umnist_core.models.own.edge_planes import (
    CELL_PX,
    EDGE_HALO_PX,
    WINDOW_PX,
    EdgePlanes,
    EdgeWords,
    PackedLevels,
    box_planes,
    level_edges,
    read_words,
)
from umnist_core.models.own.finder_nets import SpotNet
from umnist_core.models.own.spots import HALO_PX
from umnist_core.pyramid.sources import ArraySource, HeldScene
from umnist_core.scenes import plan_scene

GLYPHS = segment_glyphs()

ROUNDING = 0.03
"""The definition sums blocks in eight bits."""


def draw(seed: int, repeat: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return 0 and 1: cells of ``repeat`` px under a slanted line."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 2, [-(-side // repeat) for side in size])
    bits = np.kron(cells, np.ones((repeat, repeat)))[: size[0], : size[1]].astype(np.uint8)
    slope = rng.normal(size=2)
    rows, cols = np.indices(size)
    slanted: NDArray[np.uint8] = bits ^ (slope[0] * rows + slope[1] * cols > 3).astype(np.uint8)
    return slanted


def pack_bits(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return 64 px to a word, the first in the lowest bit."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    return packed.view("<u8").astype(np.uint64)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    doublings=st.integers(0, 3),
    slack=st.integers(0, 1),
    repeat=st.integers(1, 9),
)
def test_planes_equal_dense_edges(seed: int, doublings: int, slack: int, repeat: int) -> None:
    """Whatever the ratio and the shortest run."""
    ratio = 1 << doublings
    run_px, halo = max(1, ratio - slack), EDGE_HALO_PX
    bits = draw(seed, repeat, (16 * ratio + 2 * halo, 2 * 64))
    words = EdgeWords(pack_bits(bits))
    words.planes(8)  # of another level, which may leave something behind
    planes = np.stack([one.astype("<u8").view(np.uint8) for one in words.planes(run_px)])
    inner = planes[:, halo:-halo, halo // 8 : -halo // 8]
    np.testing.assert_allclose(
        EdgePlanes(inner, ratio).edges(), dense_edges(bits, ratio, run_px, halo), atol=ROUNDING
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    size=st.tuples(st.integers(1, 200), st.integers(1, 300)),
    first=st.tuples(st.integers(-300, 250), st.integers(-300, 350)),
    grey=st.booleans(),
    reduction=st.sampled_from([1, 2, 4]),
)
def test_a_box_is_packed_as_its_bits_are(
    seed: int, size: tuple[int, int], first: tuple[int, int], grey: bool, reduction: int
) -> None:
    """Wherever it lies, inside the level, across its border or out of it."""
    pixels = draw(seed, 5, size) * np.uint8(255)
    if grey:
        pixels ^= np.random.default_rng(seed).integers(0, 128, size, np.uint8)
    source = ArraySource(pixels)
    box = Box.from_size(*first, 90, 3 * 64)
    expected = pack_bits(read_bits(source, box, reduction))
    np.testing.assert_array_equal(read_words(source, box, reduction), expected)


def test_of_a_black_and_white_scene_too() -> None:
    """Whose pixels are packed as they are."""
    source = HeldScene(plan_scene("released-clean", 3, "train", 0, glyphs=GLYPHS), GLYPHS)
    assert source.is_black_and_white
    for reduction in (1, 2, 8):
        box = Box.from_size(-40, -100, 4100 // reduction, (5184 // reduction) // 64 * 64)
        expected = pack_bits(read_bits(source, box, reduction))
        np.testing.assert_array_equal(read_words(source, box, reduction), expected)


@pytest.mark.parametrize("level", range(6))
@pytest.mark.parametrize("size", [(900, 700), (4097, 150)])
def test_windows_and_counts_of_stretches(level: int, size: tuple[int, int]) -> None:
    """Windows are cut out of the level's edges, at its border too; cells count its corners."""
    source = ArraySource(draw(level, 5, size) * np.uint8(255))
    packed = PackedLevels(source)
    base, ratio, run_px = run_length(level)
    covered = np.zeros([reduced_size_px(side, 1 << level) for side in size], bool)
    for stretch in packed.stretches(level):
        planes = packed.planes(level, stretch, HALO_PX)
        halo = HALO_PX * ratio + EDGE_HALO_PX
        ends = (stretch.row0, stretch.col0, stretch.row1, stretch.col1)
        row0, col0, row1, col1 = (end * ratio for end in ends)
        box = Box(row0 - halo, col0 - halo, row1 + halo, col1 + halo)
        edges = dense_edges(read_bits(source, box, 1 << base), ratio, run_px, EDGE_HALO_PX)
        cells = edges[2:].reshape(2, edges.shape[1] // CELL_PX, CELL_PX, -1, CELL_PX)
        np.testing.assert_allclose(planes.cell_counts(), cells.sum(axis=(2, 4)), atol=8)
        assert ((planes.cell_counts() > 0) == (cells.sum(axis=(2, 4)) > 0)).all()
        corners = [(0, 0), (stretch.height - 64, stretch.width - 64)]
        for (row, col), window in zip(corners, planes.windows(corners), strict=True):
            own = edges[:, row : row + WINDOW_PX, col : col + WINDOW_PX]
            np.testing.assert_allclose(window, own, atol=ROUNDING)
        covered[stretch.slices] = True
    assert covered.all()


def test_boxes_and_stretches_say_the_same() -> None:
    """A box that training reads is a window that the finder reads."""
    source = ArraySource(draw(1, 7, (1200, 1100)) * np.uint8(255))
    packed = PackedLevels(source)
    for level in range(5):
        stretch = next(packed.stretches(level))
        window = packed.planes(level, stretch, HALO_PX).windows([(0, 0)])[0]
        box = Box.from_size(-HALO_PX, -HALO_PX, WINDOW_PX, WINDOW_PX)
        np.testing.assert_array_equal(level_edges(source, level, box), window)
        np.testing.assert_array_equal(box_planes(source, level, box).edges(), window)


def test_the_middle_of_windows_is_what_the_whole_net_says_there() -> None:
    """The last layers are reckoned where they are needed alone."""
    torch.manual_seed(0)
    net = SpotNet(4).eval()
    windows = torch.rand(3, 4, WINDOW_PX, WINDOW_PX)
    with torch.no_grad():
        for whole, middle in zip(net(windows), net.look_within(windows), strict=True):
            torch.testing.assert_close(middle, whole[..., 4:-4, 4:-4], atol=1e-5, rtol=1e-5)
