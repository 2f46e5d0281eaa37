"""Crossings of the ground on a device, where numbers are large."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.segment_glyphs import segment_glyphs
from umnist_core.geometry import Box
from umnist_core.rendering import render
from umnist_core.rendering_torch import render as render_there
from umnist_core.rendering_torch.ground import whole_roots
from umnist_core.scenes import Circle, Scene, Triangle

GLYPHS = segment_glyphs()


@pytest.mark.parametrize("off", [0.0, 1.0, -1.0])
def test_roots_are_whole_and_rounded_down(off: float) -> None:
    """Right below, at and above squares of all lengths, and where a device is off by one."""
    sides = torch.tensor([*range(2, 2000), *(2**power - 1 for power in range(11, 27))])
    squares = torch.cat([sides**2 + step for step in (-1, 0, 1)])
    roots = whole_roots(squares, squares.double().sqrt() + off)
    assert bool(((roots**2 <= squares) & (squares < (roots + 1) ** 2)).all())


@pytest.mark.parametrize("row", [0, 31_000, 99_000, 150_000, 199_744])
def test_the_largest_canvas_is_drawn_as_by_numpy(row: int) -> None:
    """Circles and triangles of its size, whose edges need all places of 64 bits."""
    shapes = (
        Circle(100_003, 99_001, 99_990),
        Triangle(((-7, 13), (199_999, 3), (101_001, 200_005))),
        Triangle(((3, 199_998), (199_999, 199_990), (50_001, -3))),
    )
    scene = Scene(200_000, 200_000, (), None, shapes, 9, GLYPHS.name, GLYPHS.checksum, False)
    rng = np.random.default_rng(row)
    for col in (0, int(rng.integers(0, 199_000)), 199_744):
        box = Box(row, col, row + 256, col + 256)
        drawn = render_there(scene, GLYPHS, device="cpu", level_box=box).numpy()
        np.testing.assert_array_equal(drawn, render(scene, GLYPHS, level_box=box))
