"""Strokes on the 28-px grid: the released rule, and a thickness without steps."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.segment_glyphs import segment_glyphs
from umnist_core.rendering.strokes import _squared_distances, draw_patterns, pen_width_px
from umnist_core.scenes import Strokes, plan_scene

GRID_PX = 28
CURVES = 2000


def curves(thickness: float, mode: str, count: int = CURVES) -> Strokes:
    """Return Bezier strokes of a thickness."""
    overrides = {
        "noise_count": str(count),
        "thickness": f"{thickness:.4f}",
        "thickness_mode": mode,
    }
    scene = plan_scene("megapixel-bezier", seed=11, glyphs=segment_glyphs(), overrides=overrides)
    assert scene.strokes is not None
    return scene.strokes


def mean_ink_px(strokes: Strokes) -> float:
    """Return the mean ink of a pattern, in white px of 784."""
    return float(draw_patterns(strokes).mean() / 255 * GRID_PX**2)


def released_curve(points: NDArray[np.float64], thickness: int) -> NDArray[np.bool_]:
    """Draw a curve by the text of arXiv 2412.11237: 100 floats, cut to whole px, line by line."""
    degree, steps = len(points) - 1, np.linspace(0, 1, 100)[:, None]
    places = np.zeros((100, 2))
    for number, point in enumerate(points):
        weight = math.comb(degree, number) * (1 - steps) ** (degree - number) * steps**number
        places += weight * point
    canvas = np.zeros((GRID_PX, GRID_PX), np.float32)
    ends = [(int(col), int(row)) for row, col in places]
    for begin, end in pairwise(ends):
        cv2.line(canvas, begin, end, 1.0, thickness)
    return canvas > 0


# -- the released rule ------------------------------------------------------------


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_integer_curves_are_those_of_the_released_rule(thickness: int) -> None:
    """Pixel for pixel, but where a sum of floats falls short of a whole number."""
    strokes = curves(thickness, "integer", 300)
    differing = 0
    for (curve,), pixels in zip(strokes.patterns, draw_patterns(strokes), strict=True):
        points = np.array(curve, np.float64).reshape(-1, 2)
        differing += int(((pixels > 0) != released_curve(points, thickness)).sum())
    assert differing <= 300 * 0.1  # of 235,200 px


@pytest.mark.parametrize(("thickness", "ink_px"), [(1, 32), (2, 87), (3, 132)])
def test_integer_ink_is_that_of_the_original(thickness: int, ink_px: int) -> None:
    """32, 87 and 132 of 784 px at 1, 2 and 3 px: rounded means of one data set's 800 patterns.

    10,000 patterns here have 31.6, 88.3 and 130.6; the rest is three standard errors of theirs.
    """
    patterns = draw_patterns(curves(thickness, "integer", 10_000))
    ink = (patterns > 0).sum(axis=(1, 2))
    assert set(np.unique(patterns)) == {0, 255}
    assert abs(ink.mean() - ink_px) < 3 * ink.std() / 800**0.5 + 0.5


@pytest.mark.parametrize(("thickness", "same_as"), [(1.4, 1), (1.9999, 1), (2.4, 2), (0.3, 1)])
def test_integer_mode_cuts_the_fraction_off(thickness: float, same_as: int) -> None:
    """The sweep 1.4, 1.6, 1.8 | 2.0, 2.2, 2.4 of the text draws two pictures, not six."""
    cut, whole = curves(thickness, "integer", 50), curves(same_as, "integer", 50)
    np.testing.assert_array_equal(draw_patterns(cut), draw_patterns(whole))


def test_straight_lines_are_those_of_the_released_rule() -> None:
    """56 points from a corner, rounded; greys from 0.8 to 1 of white, another in each pixel."""
    scene = plan_scene("megapixel", glyphs=segment_glyphs(), overrides={"noise_count": "300"})
    assert scene.strokes is not None
    pixels = draw_patterns(scene.strokes)
    differing = 0
    for lines, found in zip(scene.strokes.patterns, pixels, strict=True):
        expected = np.zeros((GRID_PX, GRID_PX), bool)
        for line in lines:
            begin, end = np.array(line).reshape(2, 2) / 1024 - 0.5
            points = np.rint(begin + np.linspace(0, 1, 56)[:, None] * (end - begin)).astype(int)
            expected[tuple(points.T)] = True
        differing += int((expected != (found > 0)).sum())
    assert differing <= 300 * 0.1
    greys = np.bincount(pixels[pixels > 0], minlength=256)
    assert not greys[:204].any()
    assert not greys[255:].any()
    share = greys[204:255] / greys.sum()
    assert share.max() < 1.3 / 51
    assert share.min() > 0.7 / 51


def test_grain_differs_between_patterns_and_data_sets() -> None:
    """No two patterns share their greys, and another seed has others."""
    glyphs = segment_glyphs()
    one, other = (plan_scene("megapixel", seed, glyphs=glyphs).strokes for seed in (0, 1))
    assert one is not None
    assert other is not None
    assert one.grain != other.grain
    pixels = draw_patterns(one)
    assert (draw_patterns(replace(one, grain=other.grain)) != pixels).any()
    same_lines = replace(one, patterns=(one.patterns[0],) * 2)
    first, second = draw_patterns(same_lines)
    np.testing.assert_array_equal(first > 0, second > 0)
    assert (first != second).any()
    np.testing.assert_array_equal(first, pixels[0])


# -- the continuous pen -----------------------------------------------------------


def test_continuous_ink_grows_smoothly() -> None:
    """Mean ink grows at every step of 0.05 px, by at most 4.5 px of 784 and never by a jump."""
    thicknesses = np.arange(0.2, 6.001, 0.05)
    ink = np.array([mean_ink_px(curves(t, "continuous", 100)) for t in thicknesses])
    growth = np.diff(ink)
    assert growth.min() > 0.5
    assert growth.max() < 4.5
    assert mean_ink_px(curves(0.2, "continuous", 100)) < 7


def test_continuous_grows_in_every_pixel() -> None:
    """A thicker pen covers what a thinner one does."""
    thin, thick = (
        draw_patterns(curves(thickness, "continuous", 200)).astype(int)
        for thickness in (1.91, 1.93)
    )
    assert (thick >= thin).all()
    assert (thick > thin).any()


@pytest.mark.parametrize("thickness", [1, 2, 3, 5])
def test_modes_agree_in_mean_ink_where_they_meet(thickness: int) -> None:
    """Within 1.5 % at 1, 2, 3 and 5 px; measured 0.2 to 0.4 %."""
    integer = mean_ink_px(curves(thickness, "integer"))
    assert mean_ink_px(curves(thickness, "continuous")) == pytest.approx(integer, rel=0.015)


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_modes_draw_a_curve_at_the_same_place(thickness: int) -> None:
    """The centre of ink moves by less than a tenth of a pixel on average."""
    weights = np.arange(GRID_PX)
    centres = []
    for mode in ("integer", "continuous"):
        pixels = draw_patterns(curves(thickness, mode)).astype(float)
        mass = pixels.sum(axis=(1, 2))
        rows, cols = pixels.sum(axis=2) @ weights / mass, pixels.sum(axis=1) @ weights / mass
        centres.append((rows.mean(), cols.mean()))
    np.testing.assert_allclose(centres[0], centres[1], atol=0.1)


@pytest.mark.parametrize("width", [1.08, 3.05, 4.5])
def test_continuous_line_is_as_wide_as_its_pen(width: float) -> None:
    """A straight row of px has the pen's width times its length in ink, and round ends."""
    thickness = float(np.interp(width, (1.08, 3.05, 4.5), (1, 2, 3)))
    base = curves(thickness, "continuous", 1)
    line = ((14 * 1024 + 512, 6 * 1024, 14 * 1024 + 512, 22 * 1024),)
    (pixels,) = draw_patterns(replace(base, patterns=(line,), steps_per_px=1024))
    across = pixels[:, 14].sum() / 255
    assert across == pytest.approx(pen_width_px(thickness, "continuous"), abs=0.02)
    assert pixels.sum() / 255 == pytest.approx(16 * width + math.pi * width**2 / 4, rel=0.05)


def test_pen_width_is_told_for_both_modes() -> None:
    """OpenCV draws 2 about 3 px wide and 4 as 3; the continuous pen goes on evenly."""
    assert pen_width_px(1.9, "integer") == pen_width_px(1, "continuous") == 1.08
    assert pen_width_px(2, "integer") == pen_width_px(2, "continuous") == 3.05
    assert pen_width_px(4.9, "integer") == pen_width_px(3, "integer") == 4.5
    assert pen_width_px(6, "integer") == pen_width_px(5, "integer") == 6.55
    assert pen_width_px(2.5, "continuous") == pytest.approx(3.775)


@pytest.mark.parametrize("reach", [2, 3, 7, 12, 20])
def test_distances_are_exact(reach: int) -> None:
    """They equal OpenCV's precise distance transform, squared, up to the reach."""
    grids = (np.random.default_rng(reach).random((4, 60, 60)) < 0.004).astype(np.uint8)
    found = _squared_distances(grids, reach)
    for grid, squares in zip(grids, found, strict=True):
        precise = cv2.distanceTransform(1 - grid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        expected = np.minimum(np.rint(precise.astype(float) ** 2), reach**2)
        np.testing.assert_array_equal(squares, expected)


def test_drawn_patterns_cannot_be_changed() -> None:
    """They are kept for the next image, so nobody may write to them."""
    with pytest.raises(ValueError, match="read-only"):
        draw_patterns(curves(1, "integer", 3))[0] = 0
