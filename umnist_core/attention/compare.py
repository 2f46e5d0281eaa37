"""Attention against what is there: how much of it lies on digits, and whether its peak does.

The pointing game is that of Zhang et al., "Top-down Neural Attention by Excitation Backprop",
ECCV 2016, arXiv 1608.00507, with its tolerance of 15 px. Differs from the paper in that the
masks are the exact ink of the digits, that a hit on any digit counts, and that places of equal
weight share the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention.maps import AttentionMap
from umnist_core.errors import InvalidValueError

TOLERANCE_PX = 15.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DigitMask:
    """The ink of one digit.

    Attributes
    ----------
    row, col
        Of the first px of ``ink``, image frame.
    ink
        bool (h, w).
    """

    row: int
    col: int
    ink: NDArray[np.bool_]


@dataclass(frozen=True)
class MapComparison:
    """How a map compares with the digits of its image.

    Attributes
    ----------
    mass
        Share of the weight on ink, 0 to 1; the weight of a place is spread evenly over its box.
    mass_by_digit
        Its parts, in the order of the digits.
    chance
        What attention spread evenly over the image would have: the share of it that is ink.
    pointing
        Share of the heaviest places whose centre is at most the tolerance away from ink: 0 or 1
        but for ties.
    """

    mass: float
    mass_by_digit: tuple[float, ...]
    chance: float
    pointing: float


def compare(
    found: AttentionMap,
    masks: Sequence[DigitMask],
    *,
    task: str | None = None,
    head: int | None = None,
    tolerance_px: float = TOLERANCE_PX,
) -> MapComparison:
    """Compare a map with the digits of its image.

    Parameters
    ----------
    found
        The map; where nothing was looked at, everything of it is 0.
    masks
        Of all digits.
    task, head
        Which of the map's; their mean by default.
    tolerance_px
        0 or more, in image px.

    Raises
    ------
    InvalidValueError
        If there is no such task or head, or a mask reaches out of the image.
    """
    for mask in masks:
        height, width = mask.ink.shape
        if min(mask.row, mask.col) < 0 or (
            mask.row + height > found.height or mask.col + width > found.width
        ):
            raise InvalidValueError(
                f"Expected masks inside the image of {found.width} x {found.height} px, found one "
                f"of {width} x {height} at row {mask.row}, column {mask.col}; give masks and map "
                "of the same image."
            )
    weights = found.place_weights(task, head).astype(np.float64)
    boxes = found.boxes.astype(np.float64)
    used = weights > 0
    parts = tuple(
        float(weights[used] @ _ink_shares(boxes[used], mask)) if used.any() else 0.0
        for mask in masks
    )
    ink_px = sum(int(np.count_nonzero(mask.ink)) for mask in masks)
    return MapComparison(
        mass=sum(parts),
        mass_by_digit=parts,
        chance=ink_px / (found.height * found.width),
        pointing=_pointing(weights, boxes, masks, tolerance_px),
    )


def _ink_shares(boxes: Floats, mask: DigitMask) -> Floats:
    """Return the share of each box that is ink of a digit, float64 (places,)."""
    sums = np.zeros((mask.ink.shape[0] + 1, mask.ink.shape[1] + 1))
    np.cumsum(np.cumsum(mask.ink, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    row0, col0, row1, col1 = (boxes - [mask.row, mask.col] * 2).T
    # A place without any height or width, such as one cut at the image's edge, is the px there.
    row1, col1 = np.where(row1 > row0, row1, row0 + 1), np.where(col1 > col0, col1, col0 + 1)
    ink_px = (
        _ink_above_left(sums, row1, col1)
        - _ink_above_left(sums, row0, col1)
        - _ink_above_left(sums, row1, col0)
        + _ink_above_left(sums, row0, col0)
    )
    shares: Floats = ink_px / ((row1 - row0) * (col1 - col0))
    return shares


def _ink_above_left(sums: Floats, rows: Floats, cols: Floats) -> Floats:
    """Return the ink above and left of points between px; exact, as ink is even within a px."""
    rows = np.clip(rows, 0, sums.shape[0] - 1)
    cols = np.clip(cols, 0, sums.shape[1] - 1)
    row, col = np.floor(rows).astype(np.intp), np.floor(cols).astype(np.intp)
    below, right = np.minimum(row + 1, sums.shape[0] - 1), np.minimum(col + 1, sums.shape[1] - 1)
    down, across = rows - row, cols - col
    upper = sums[row, col] * (1 - across) + sums[row, right] * across
    lower = sums[below, col] * (1 - across) + sums[below, right] * across
    ink: Floats = upper * (1 - down) + lower * down
    return ink


def _pointing(
    weights: Floats, boxes: Floats, masks: Sequence[DigitMask], tolerance_px: float
) -> float:
    if not len(weights) or weights.max() == 0:
        return 0.0
    peaks = boxes[weights == weights.max()]
    hits = [
        any(
            _is_near(mask, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, tolerance_px)
            for mask in masks
        )
        for box in peaks
    ]
    return sum(hits) / len(hits)


def _is_near(mask: DigitMask, row: float, col: float, tolerance_px: float) -> bool:
    """Return whether ink of a digit is at most so far from a point."""
    reach = int(np.ceil(tolerance_px)) + 1
    row, col = row - mask.row, col - mask.col
    row0, col0 = max(0, int(row) - reach), max(0, int(col) - reach)
    near = mask.ink[row0 : max(0, int(row) + reach + 1), col0 : max(0, int(col) + reach + 1)]
    rows, cols = np.nonzero(near)
    # From the point to the nearest side of each px.
    down = np.maximum(np.abs(rows + row0 + 0.5 - row) - 0.5, 0)
    across = np.maximum(np.abs(cols + col0 + 0.5 - col) - 0.5, 0)
    return bool((down**2 + across**2 <= tolerance_px**2).any())
