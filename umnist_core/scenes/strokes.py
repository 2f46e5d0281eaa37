"""Planner of the grey strokes that Megapixel MNIST hides its digits among.

Sources
-------
``lines``
    Katharopoulos and Fleuret, "Processing Megapixel Images with Deep Attention-Sampling
    Models", ICML 2019, arXiv 1905.03711, and the released generator: a pattern is two
    straight lines from a corner, at 0 to 72 degrees, the second line being that of
    another pattern, flipped sideways and upside down with probability 0.33 each.
``bezier``
    Riffi-Aslett and Fell, "On the Generalizability of Iterative Patch Selection for
    Memory-Efficient High-Resolution Image Classification", 2024, arXiv 2412.11237,
    section 3: a pattern is one Bezier curve of 4, 6 or 8 control points (probability
    3/9, 5/9, 1/9), each drawn from the whole pixels of the 28-px grid.

As in both generators, an image has as many strokes as there are patterns; a stroke's
pattern is drawn with replacement, and all images of a split share the patterns. Differs
in that a pattern of ``bezier`` depends on its number alone, so a larger count adds
patterns and keeps the earlier ones.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.scenes.megapixel_parameters import MegapixelParameters
from umnist_core.scenes.scene import SUBPIXELS, Curve, Pattern, Strokes
from umnist_core.seeds import draw_int, sample_rng

CONTROL_POINTS = (4, 6, 8)
CONTROL_POINT_ODDS = (3, 5, 1)
"""Of 9 (arXiv 2412.11237, section 3)."""

MOST_CONTROL_POINTS = 8

STEEPEST = math.pi / 2.5
FLIP_PROBABILITY = 0.33
LINE_REACH = 27.49
"""A line ends where its row or its column does, in px between the centres of pixels."""


def plan_strokes(parameters: MegapixelParameters, seed: int, split: str, index: int) -> Strokes:
    """Plan the noise of one image: the patterns of its split, and where which is pasted."""
    lines = parameters.noise_kind == "lines"
    count, side_px = parameters.noise_count, parameters.noise_size
    if lines:
        patterns, grain = _plan_lines(count, seed, split)
    else:
        patterns, grain = _plan_curves(count, parameters.control_points, seed, split), None
    # Lines keep a margin, as in their generator; curves reach the first pixel but, there too,
    # not the last.
    first = side_px if lines else 0
    room = max(0, parameters.canvas - side_px - first)
    drawn = sample_rng(seed, split, index, "strokes").random((count, 3))
    chosen = (drawn[:, 2] * count).astype(np.int64)
    places = first + (drawn[:, :2] * room).astype(np.int64)
    return Strokes(
        patterns=patterns,
        steps_per_px=SUBPIXELS if lines else 1,
        thickness=math.floor(parameters.thickness * SUBPIXELS),
        thickness_mode=parameters.thickness_mode,
        grain=grain,
        side_px=side_px,
        patches=tuple(
            (pattern, row, col)
            for pattern, (row, col) in zip(chosen.tolist(), places.tolist(), strict=True)
        ),
    )


@lru_cache(maxsize=32)
def _plan_curves(
    count: int, control_points: str | int, seed: int, split: str
) -> tuple[Pattern, ...]:
    drawn = sample_rng(seed, split, 0, "curves").random((count, 1 + 2 * MOST_CONTROL_POINTS))
    points = (drawn[:, 1:] * GLYPH_PX).astype(np.int64).tolist()
    if isinstance(control_points, int):
        sizes = [control_points] * count
    else:
        share = np.cumsum(CONTROL_POINT_ODDS) / sum(CONTROL_POINT_ODDS)
        places = np.searchsorted(share[:-1], drawn[:, 0], side="right")
        sizes = [CONTROL_POINTS[place] for place in places]
    return tuple(
        (tuple(coordinates[: 2 * size]),) for coordinates, size in zip(points, sizes, strict=True)
    )


@lru_cache(maxsize=32)
def _plan_lines(count: int, seed: int, split: str) -> tuple[tuple[Pattern, ...], int]:
    """Plan pairs of lines, and the grain that all of them share."""
    rng = sample_rng(seed, split, 0, "lines")
    grain = draw_int(rng, 0, 2**32 - 1)
    drawn = rng.random((count, 4))
    ends = [_line_end(angle) for angle in (drawn[:, 0] * STEEPEST).tolist()]
    others = np.argsort(drawn[:, 1], kind="stable")
    flips: NDArray[np.bool_] = drawn[:, 2:] < FLIP_PROBABILITY
    return tuple(
        (_line(end, (False, False)), _line(ends[other], (bool(flip[0]), bool(flip[1]))))
        for end, other, flip in zip(ends, others, flips, strict=True)
    ), grain


def _line_end(angle: float) -> tuple[int, int]:
    """Return where a line from the centre of the first pixel ends, in 1/1024 px from there."""
    slope = math.tan(angle)
    rows = LINE_REACH / max(1.0, slope)
    return (round(rows * SUBPIXELS), round(rows * slope * SUBPIXELS))


def _line(end: tuple[int, int], flips: tuple[bool, bool]) -> Curve:
    half, whole = SUBPIXELS // 2, GLYPH_PX * SUBPIXELS
    places = ((half, half), (half + end[0], half + end[1]))
    return tuple(
        whole - place if flip else place
        for point in places
        for place, flip in zip(point, flips, strict=True)
    )
