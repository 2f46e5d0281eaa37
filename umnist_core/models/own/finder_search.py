"""Where the digit finder looks and what it reads there, level after level, and what overlaps.

Levels are looked at from the coarsest to the finest. Squares of digits do not overlap, so where a
digit is beyond doubt nobody looks any more: there are its own specks.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.models.own.edge_planes import PackedLevels
from umnist_core.models.own.finder_nets import STRIDE_PX, SpotNet
from umnist_core.models.own.overlaps import OVERLAP, SURE, TWICE, without_overlaps
from umnist_core.models.own.spots import (
    Looks,
    Spot,
    iter_looks,
    merge_spots,
    search_steps,
    spots_of,
    within,
)
from umnist_core.models.own.staircase import INK_MARGIN_CELLS, Reading, read_staircases
from umnist_core.pyramid import TileSource

SHOWN_SCORE = 0.02
"""Places with a smaller score are left out of the map."""

MOST_SHOWN = 1024
"""Places in the map, the best ones."""

SMALLER_SIDE = 0.85
"""Of the side that a place says, where nothing is read: too large a window holds more of the
ground than of the digit."""

LARGER_SIDE, LARGER_FROM_PX = 1.75, 4 * GLYPH_PX
"""Of the side that a place says, tried as well if that is 112 px or more: of a large plain 1
the net of places may see a part."""


Shown = tuple[float, int, tuple[float, float, float, float]]
"""Score of a place, its level counted from 0 downwards, and its box in px of the source."""


@dataclass(frozen=True)
class Candidate:
    """A place with what was read there."""

    spot: Spot
    reading: Reading


Judge = Callable[[list[Candidate]], list[float]]


def readings_at(source: TileSource, spot: Spot) -> tuple[Reading, ...]:
    """Return what may stand at a place, on each grid and at each side that it may have."""
    row, col, side_px = spot.row, spot.col, spot.side_px
    found = read_staircases(source, row, col, side_px)
    found = found or read_staircases(source, row, col, SMALLER_SIDE * side_px)
    if side_px >= LARGER_FROM_PX:
        found += read_staircases(source, row, col, LARGER_SIDE * side_px)
    return found


class Search:
    """A search through the levels of an image.

    Parameters
    ----------
    net
        Says where a digit may stand.
    source
        The image.
    scale
        As of `PackedLevels`.
    least_score, most_spots
        Of a place that is read, and places that are read on a level.
    judge
        Returns the chance of each candidate that it is a digit; None to look everywhere, also
        where a digit is beyond doubt.

    Attributes
    ----------
    found
        The candidates, by what they are read as: places a little apart may be the same digit's.
    shown
        A heap of the best places, for the map.
    """

    def __init__(
        self,
        net: SpotNet,
        source: TileSource,
        *,
        scale: tuple[float, float] = (1.0, 1.0),
        least_score: float,
        most_spots: int,
        judge: Judge | None,
    ) -> None:
        self.found: dict[tuple[float, float, float], Candidate] = {}
        self.shown: list[Shown] = []
        self._net, self._source, self._judge = net, source, judge
        self._least_score, self._most_spots = least_score, most_spots
        self._packed = PackedLevels(source, scale)
        self._steps = search_steps(self._packed)
        self._sure: list[Reading] = []

    def search_level(self, level: int) -> None:
        """Look at a level, read its best places, and remember what is beyond doubt."""
        spots: list[Spot] = []
        for looks in iter_looks(self._net, self._packed, level, self._steps, self._is_known):
            spots += spots_of(looks, self._least_score)
            if len(spots) > 8 * self._most_spots:
                spots = merge_spots(spots, 4 * self._most_spots)
            _keep_shown(self.shown, looks)
        new: dict[tuple[float, float, float], Candidate] = {}
        for spot in merge_spots(spots, self._most_spots):
            if self._is_within(spot.row, spot.col, spot.side_px):
                continue
            for one in readings_at(self._source, spot):
                key = (one.factor, one.row, one.col)
                if key not in self.found:
                    new.setdefault(key, Candidate(spot, one))
        self.found |= new
        if new and self._judge is not None:
            self._remember(list(new.values()), self._judge(list(new.values())))

    def _remember(self, candidates: list[Candidate], chances: list[float]) -> None:
        for place in without_overlaps(reading_boxes(candidates), chances):
            if chances[place] >= SURE:
                self._sure.append(candidates[place].reading)

    def _is_known(self, canvas_boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which boxes, (N, 4), lie within a digit that is beyond doubt."""
        return within([one.ink_area for one in self._sure], canvas_boxes)

    def _is_within(self, row: float, col: float, side_px: float) -> bool:
        """Return whether a square lies on a larger digit that is beyond doubt."""
        corner = row - side_px / 2, col - side_px / 2
        return any(
            one.side_px >= TWICE * side_px and _share_within(one, corner, side_px) > OVERLAP
            for one in self._sure
        )


def _share_within(reading: Reading, corner: tuple[float, float], side_px: float) -> float:
    """Return the share of a square's area that lies on the middle of a digit's square."""
    margin = INK_MARGIN_CELLS * reading.factor
    share = 1.0
    for first, start in ((reading.row, corner[0]), (reading.col, corner[1])):
        begin = max(first + margin, start)
        end = min(first + reading.side_px - margin, start + side_px)
        share *= max(0.0, end - begin) / side_px
    return share


def reading_boxes(candidates: list[Candidate]) -> NDArray[np.float64]:
    """Return the squares of what is read, (N, 4) in px of the source."""
    readings = [one.reading for one in candidates]
    boxes = [(one.row, one.col, one.row + one.side_px, one.col + one.side_px) for one in readings]
    return np.array(boxes, np.float64).reshape(-1, 4)


def _keep_shown(shown: list[Shown], looks: Looks) -> None:
    """Put the places of tiles into a heap of the best ones."""
    scores = looks.scores.max(axis=1)  # (B, 8, 8)
    step = STRIDE_PX << looks.level
    for tile, down, right in np.argwhere(scores >= SHOWN_SCORE).tolist():
        first_row, first_col = looks.tiles[tile].tolist()
        row = float((first_row << looks.level) + down * step)
        col = float((first_col << looks.level) + right * step)
        one = (float(scores[tile, down, right]), -looks.level, (row, col, row + step, col + step))
        if len(shown) < MOST_SHOWN:
            heapq.heappush(shown, one)
        else:
            heapq.heappushpop(shown, one)
