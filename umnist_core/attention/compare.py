"""Attention against what is there: how much of it lies on digits, and whether its peak does.

The pointing game is that of Zhang et al., "Top-down Neural Attention by Excitation Backprop",
ECCV 2016, arXiv 1608.00507, with its tolerance of 15 px. Differs from the paper in that the
masks are the exact ink of the digits, that a hit on any digit counts, and that places of equal
weight share the point. The mass within boxes is the energy-based pointing game of Wang et al.,
"Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", CVPR
Workshops 2020, arXiv 1910.01279, of all digits together. The effective number of places is the
Hill number of order 1, the exponential of the entropy: Hill, "Diversity and Evenness: A Unifying
Notation and Its Consequences", Ecology 54, 1973.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.attention.maps import AttentionMap
from umnist_core.errors import InvalidValueError

TOLERANCE_PX = 15.0

_ROUNDING = 1e-9
"""A smaller share of a place is none: what subtraction leaves."""

Floats = NDArray[np.float64]
_Ends = tuple[int, int, int, int]


@dataclass(frozen=True)
class DigitMask:
    """The ink of one digit.

    Attributes
    ----------
    row, col
        Of the first px of ``ink``, image frame.
    ink
        bool (h, w); its frame is the digit's box.
    """

    row: int
    col: int
    ink: NDArray[np.bool_]

    @property
    def ends(self) -> tuple[int, int, int, int]:
        """The digit's box: row0, col0, row1, col1 in image px."""
        height, width = self.ink.shape
        return self.row, self.col, self.row + height, self.col + width


@dataclass(frozen=True)
class AttentionShare:
    """How much of the attention lies on something, and how much of it could be expected there.

    Attributes
    ----------
    mass
        Of the weight, 0 to 1; the weight of a place is spread evenly over its box.
    chance
        What attention spread evenly over the image would have: the share of its area.
    perfect
        What attention would have that is even over the places on it and nowhere else: more than
        that is hard to come by with places as large as these. 0 where no place is on it.
    """

    mass: float
    chance: float
    perfect: float

    @property
    def times_chance(self) -> float:
        """How many times chance the mass is; NaN where there is nothing to look at."""
        return self.mass / self.chance if self.chance else float("nan")


@dataclass(frozen=True)
class MapComparison:
    """How a map compares with the digits of its image.

    Attributes
    ----------
    ink
        Attention to the digits' ink.
    boxes
        To the digits' boxes, what several share counted once.
    mass_by_digit
        Parts of the mass on ink, in the order of the digits.
    chance_by_digit
        Share of the image that is ink of each.
    pointing
        Share of the heaviest places whose centre is at most the tolerance away from ink: 0 or 1
        but for ties.
    effective_places
        See `effective_places`.
    """

    ink: AttentionShare
    boxes: AttentionShare
    mass_by_digit: tuple[float, ...]
    chance_by_digit: tuple[float, ...]
    pointing: float
    effective_places: float

    @property
    def mass(self) -> float:
        """Share of the weight on ink, 0 to 1."""
        return self.ink.mass

    @property
    def chance(self) -> float:
        """Share of the image that is ink."""
        return self.ink.chance


class Comparer:
    """Compares maps with one image's digits; what all tasks and heads share is worked out once.

    Parameters
    ----------
    found
        A map; where nothing was looked at, everything of it is 0.
    masks
        Of all digits.

    Raises
    ------
    InvalidValueError
        If a mask reaches out of the image.
    """

    def __init__(self, found: AttentionMap, masks: Sequence[DigitMask]) -> None:
        _check_inside(found, masks)
        self._found, self._masks = found, masks
        self._boxes = _with_area(found.boxes.astype(np.float64))
        parts = [_ink_shares(self._boxes, mask) for mask in masks]
        self._ink = (
            np.stack(parts) if parts else np.zeros((0, len(self._boxes)))
        )  # (digits, places)
        self._boxed = _boxed_shares(self._boxes, [mask.ends for mask in masks])  # (places,)
        area = found.height * found.width
        self._ink_chances = [int(np.count_nonzero(mask.ink)) / area for mask in masks]
        disjoint = _disjoint([mask.ends for mask in masks])
        self._boxed_chance = sum((r1 - r0) * (c1 - c0) for r0, c0, r1, c1 in disjoint) / area

    def compare(
        self,
        task: str | None = None,
        head: int | None = None,
        tolerance_px: float = TOLERANCE_PX,
    ) -> MapComparison:
        """Compare; the parameters are those of the function `compare`.

        Raises
        ------
        InvalidValueError
            If there is no such task or head.
        """
        weights = self._found.place_weights(task, head).astype(np.float64)
        by_digit = self._ink @ weights
        return MapComparison(
            ink=AttentionShare(
                float(by_digit.sum()), sum(self._ink_chances), _perfect(self._ink.sum(axis=0))
            ),
            boxes=AttentionShare(
                float(self._boxed @ weights), self._boxed_chance, _perfect(self._boxed)
            ),
            mass_by_digit=tuple(by_digit.tolist()),
            chance_by_digit=tuple(self._ink_chances),
            pointing=_pointing(
                weights, self._found.boxes.astype(np.float64), self._masks, tolerance_px
            ),
            effective_places=effective_places(weights),
        )


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
    return Comparer(found, masks).compare(task, head, tolerance_px)


def effective_places(weights: NDArray[np.floating]) -> float:
    """Return over how many places of equal weight attention would be as spread as it is.

    The exponential of the entropy: 1 where all weight is on one place, their number where all
    have the same, 0 where none has any.

    Parameters
    ----------
    weights
        float (places,), 0 or more, of any sum.
    """
    total = float(weights.sum(dtype=np.float64))
    if not total > 0:
        return 0.0
    shares = weights[weights > 0].astype(np.float64) / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _check_inside(found: AttentionMap, masks: Sequence[DigitMask]) -> None:
    for mask in masks:
        row0, col0, row1, col1 = mask.ends
        if min(row0, col0) < 0 or row1 > found.height or col1 > found.width:
            raise InvalidValueError(
                f"Expected masks inside the image of {found.width} x {found.height} px, found one "
                f"of {col1 - col0} x {row1 - row0} at row {row0}, column {col0}; give masks and "
                "map of the same image."
            )


def _with_area(boxes: Floats) -> Floats:
    """Return boxes of which each has some area.

    A place without any height or width, such as one cut at the image's edge, is the px there.
    """
    row0, col0, row1, col1 = boxes.T
    return np.stack(
        [row0, col0, np.where(row1 > row0, row1, row0 + 1), np.where(col1 > col0, col1, col0 + 1)],
        axis=1,
    )


def _perfect(shares: Floats) -> float:
    """Return the mean of the places' shares over those that have any; 0 where none has."""
    on_it = shares[shares > 0]
    return float(on_it.mean()) if len(on_it) else 0.0


def _ink_shares(boxes: Floats, mask: DigitMask) -> Floats:
    """Return the share of each box that is ink of a digit, float64 (places,)."""
    sums = np.asarray(
        cv2.integral(mask.ink.astype(np.uint8)), np.int32
    )  # int32 (h + 1, w + 1), 0 before it
    row0, col0, row1, col1 = (boxes - [mask.row, mask.col] * 2).T
    ink_px = (
        _ink_above_left(sums, row1, col1)
        - _ink_above_left(sums, row0, col1)
        - _ink_above_left(sums, row1, col0)
        + _ink_above_left(sums, row0, col0)
    )
    # Differences of what is exact but for rounding.
    shares: Floats = np.maximum(ink_px, 0) / ((row1 - row0) * (col1 - col0))
    return np.where(shares > _ROUNDING, shares, 0)


def _boxed_shares(boxes: Floats, ends: Sequence[_Ends]) -> Floats:
    """Return the share of each box that lies in some digit's box, float64 (places,)."""
    row0, col0, row1, col1 = boxes.T
    common = np.zeros(len(boxes))
    for top, left, bottom, right in _disjoint(ends):
        rows = np.minimum(row1, bottom) - np.maximum(row0, top)
        cols = np.minimum(col1, right) - np.maximum(col0, left)
        common += np.maximum(rows, 0) * np.maximum(cols, 0)
    shares: Floats = common / ((row1 - row0) * (col1 - col0))
    return np.where(shares > _ROUNDING, shares, 0)


def _disjoint(ends: Sequence[_Ends]) -> list[_Ends]:
    """Return boxes that cover what the given ones cover, none of them twice."""
    rows = sorted({row for row0, _, row1, _ in ends for row in (row0, row1)})
    found = []
    for top, bottom in pairwise(rows):
        spans = sorted((col0, col1) for row0, col0, row1, col1 in ends if row0 <= top < row1)
        last = -1
        for left, right in spans:
            if right > max(left, last):
                found.append((top, max(left, last), bottom, right))
            last = max(last, right)
    return found


def _ink_above_left(sums: NDArray[np.int32], rows: Floats, cols: Floats) -> Floats:
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
