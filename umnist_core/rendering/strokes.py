"""From the patterns of strokes to pixels of the 28-px grid.

A curve of three or more control points is a Bezier curve drawn through 100 points of
equal steps of its parameter (Riffi-Aslett and Fell, arXiv 2412.11237, section 3), a
straight line through 56 (the generator of arXiv 1905.03711). The points are exact: whole
numbers of 1/1024 px, rounded down.

``integer``
    The released rule. Points and thickness are cut to whole px, and joined by lines of
    OpenCV's: 8-connected, without grey.
``continuous``
    The same points are joined on a grid three times as fine, and a fine pixel is covered
    by how far it lies from that line; grey is the mean over fine pixels. No step is seen
    when the thickness changes.

OpenCV draws lines of thickness 2 and 3 about 3 and 4.5 px wide. `PEN_WIDTHS_PX` follows
it, so that the two modes have the same ink where they meet; `pen_width_px` tells the
width that is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.giving_up import go_on
from umnist_core.scenes.scene import SUBPIXELS, Curve, Pattern, Strokes

CURVE_POINTS = 100
LINE_POINTS = 56

PEN_WIDTHS_PX = ((0.0, 0.0), (1.0, 1.08), (2.0, 3.05), (3.0, 4.5), (5.0, 6.55), (6.0, 7.6))
"""Thickness, and the width of a round pen whose mean ink is that of OpenCV's line there
(3,000 curves). OpenCV draws 4 as 3 and 6 as 5, where this goes on evenly."""

GRAIN_GREYS = (204, 254)
"""0.8 to 1 of white, cut to whole greys (the generator of arXiv 1905.03711)."""

_FINE = 3
"""Fine pixels along one side of a pixel; odd, so that one lies at its centre."""

_BATCH = 64
"""Patterns whose distances are found at once: their arrays stay in a core's cache."""

_drawing = Lock()


def draw_patterns(strokes: Strokes) -> NDArray[np.uint8]:
    """Return every pattern of some strokes on the 28-px grid.

    Returns
    -------
    ndarray
        uint8 (patterns, 28, 28), 0 is black; read-only, and kept for the next image of
        the same data set.
    """
    # The lock keeps threads that draw tiles of one image from drawing the patterns each.
    with _drawing:
        return _draw_patterns(
            strokes.patterns,
            strokes.steps_per_px,
            strokes.thickness,
            strokes.thickness_mode,
            strokes.grain,
        )


def pen_width_px(thickness: float, thickness_mode: str) -> float:
    """Return how wide a stroke of some thickness is drawn, in px of the 28-px grid."""
    if thickness_mode == "integer":
        # OpenCV rounds an even thickness above 2 down to the odd one.
        whole = max(1, math.floor(thickness))
        thickness = whole if whole == 2 else whole - (whole + 1) % 2
    knots, widths = zip(*PEN_WIDTHS_PX, strict=True)
    return float(np.interp(thickness, knots, widths))


@lru_cache(maxsize=16)
def _draw_patterns(
    patterns: tuple[Pattern, ...],
    steps_per_px: int,
    thickness: int,
    thickness_mode: str,
    grain: int | None,
) -> NDArray[np.uint8]:
    lines = ([_curve_points(curve, steps_per_px) for curve in pattern] for pattern in patterns)
    pixels = np.zeros((len(patterns), GLYPH_PX, GLYPH_PX), np.uint8)
    if thickness_mode == "integer":
        _join(lines, pixels, 1, max(1, thickness // SUBPIXELS))
    else:
        radius = pen_width_px(thickness / SUBPIXELS, thickness_mode) / 2 * _FINE
        coverage = _coverage_by_distance(radius)
        for first in range(0, len(patterns), _BATCH):
            batch = pixels[first : first + _BATCH]
            fine = np.zeros((len(batch), GLYPH_PX * _FINE, GLYPH_PX * _FINE), np.uint8)
            _join(lines, fine, _FINE, 1)
            batch[:] = _mean_coverage(fine, coverage)
    if grain is not None:
        pixels = _grained(pixels, grain)
    pixels.setflags(write=False)
    return pixels


# -- lines ------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _bernstein_weights(control_points: int) -> tuple[NDArray[np.int64], int]:
    """Return the weight of each control point at each step, and their sum."""
    steps = (LINE_POINTS if control_points == 2 else CURVE_POINTS) - 1
    degree, step = control_points - 1, np.arange(steps + 1)
    weights = [
        math.comb(degree, place) * step**place * (steps - step) ** (degree - place)
        for place in range(control_points)
    ]
    return np.stack(weights, axis=1), steps**degree


def _curve_points(curve: Curve, steps_per_px: int) -> NDArray[np.int64]:
    """Return the points of a curve, int64 (points, 2): row and column in 1/1024 px."""
    control_points = np.array(curve, np.int64).reshape(-1, 2) * (SUBPIXELS // steps_per_px)
    # At most 28 * 1024 * 99**7 < 2**63, so nothing overflows up to 8 control points.
    weights, total = _bernstein_weights(len(control_points))
    points: NDArray[np.int64] = weights @ control_points // total
    return points


def _join(
    lines: Iterator[list[NDArray[np.int64]]],
    grids: NDArray[np.uint8],
    scale: int,
    thickness: int,
) -> None:
    """Join the points of the next patterns in white, each pattern on its grid.

    ``scale`` is the number of grid pixels to a pixel of the 28-px grid.
    """
    for grid, pattern in zip(grids, lines, strict=False):
        go_on()
        xy = [(points[:, None, ::-1] * scale // SUBPIXELS).astype(np.int32) for points in pattern]
        cv2.polylines(grid, xy, isClosed=False, color=255, thickness=thickness)


# -- the continuous pen -----------------------------------------------------------


def _coverage_by_distance(radius: float) -> NDArray[np.uint16]:
    """Return how much of a fine pixel the pen covers, by its squared distance to the line.

    Parameters
    ----------
    radius
        Half the width of the pen, in fine pixels.

    Returns
    -------
    ndarray
        uint16 (reach**2 + 1,), 0 to 255; its last value is 0, and larger distances count
        as that one. A straight line has the ink of its width, below one fine pixel too.
    """
    reach = math.ceil(radius + 0.5)
    distances = np.sqrt(np.arange(reach**2 + 1))
    coverage = np.clip(radius - distances + 0.5, 0, 1)
    coverage[0] = min(1.0, 2 * radius)
    return np.floor(coverage * 255 + 0.5).astype(np.uint16)


def _mean_coverage(fine: NDArray[np.uint8], coverage: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the mean coverage over each pixel of fine grids, rounded half up."""
    reach = math.isqrt(len(coverage) - 1)
    covered = coverage.take(_squared_distances(fine, reach))
    for _ in range(2):  # down the columns, then along the rows, which then lie as columns do
        parts = [covered[:, place::_FINE] for place in range(_FINE)]
        covered = np.add.reduce(parts).swapaxes(1, 2)
    means: NDArray[np.uint8] = ((covered + _FINE**2 // 2) // _FINE**2).astype(np.uint8)
    return means


def _squared_distances(grids: NDArray[np.uint8], reach: int) -> NDArray[np.unsignedinteger[Any]]:
    """Return the squared distance of each pixel to the nearest white one, ``reach**2`` at most.

    Exact and in whole numbers: down each column first, then along the rows.

    Parameters
    ----------
    grids
        uint8 (N, side, side), side larger than ``reach``.
    reach
        2 or more.
    """
    # The smallest type that holds the sums below; bytes are twice as fast.
    kind = np.min_scalar_type(reach**2 + (reach - 1) ** 2)
    column = np.where(grids > 0, 0, reach).astype(kind)
    for power in range((reach - 1).bit_length()):
        # Steps of 1, 2, 4 ..., each taken or not, make every distance below ``reach``.
        step = 1 << power
        moved = column + step
        _lower(column[:, step:], moved[:, :-step])
        _lower(column[:, :-step], moved[:, step:])
    column *= column
    nearest: NDArray[np.unsignedinteger[Any]] = column.copy()
    for step in range(1, reach):
        moved = column + step**2
        _lower(nearest[..., step:], moved[..., :-step])
        _lower(nearest[..., :-step], moved[..., step:])
    np.minimum(nearest, reach**2, out=nearest)
    return nearest


def _lower(values: NDArray[Any], others: NDArray[Any]) -> None:
    """Replace values by others that are smaller."""
    np.minimum(values, others, out=values)


# -- grain ------------------------------------------------------------------------


def _grained(pixels: NDArray[np.uint8], grain: int) -> NDArray[np.uint8]:
    """Return patterns whose white is a grey of `GRAIN_GREYS`, another for every pixel."""
    low, high = GRAIN_GREYS
    # Counted upward from the grain and mixed (SplitMix64; Steele and others, OOPSLA 2014).
    mixed = np.arange(1, pixels.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64(grain)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    greys = low + mixed % np.uint64(high - low + 1)
    grained: NDArray[np.uint8] = (pixels * greys.reshape(pixels.shape) // 255).astype(np.uint8)
    return grained
