"""One person's way over an image: what was in view when, and the moment each digit was legible.

Times are ms from the first fully drawn view, over all parts of a trace one after the other; the
time between two loads of the page is left out, as in ``response_ms``. What counts as legible, and
for how long, is `looking.LEGIBLE_PX` and `looking.LEAST_DWELL_MS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .intervals import Floats
from .looking import LEAST_DWELL_MS, LEAST_SHARE_IN_VIEW, LEGIBLE_PX, Trace, Views

SEEN, SKIPPED, MISREAD, PERHAPS = "seen", "skipped", "misread", "perhaps_misread"
STATES = (SEEN, SKIPPED, MISREAD, PERHAPS)
"""Legible for long enough; not so; legible, and not among the digits that were reported; one of
several equal digits, of which fewer were reported than were legible."""


@dataclass(frozen=True, eq=False)
class Way:
    """The views of a trace on one clock.

    Attributes
    ----------
    start_ms, end_ms
        float64 (n,), of each view.
    views
        What was on screen in it, as many.
    duration_ms
        Of the whole, views of a hidden page included.
    """

    start_ms: Floats
    end_ms: Floats
    views: Views
    duration_ms: float

    @classmethod
    def of(cls, parts: Trace) -> Way:
        """Return the way of a trace.

        Raises
        ------
        ScoringInputError
            If it is none.
        """
        views = Views.from_parts(parts)  # checks every field
        starts, ends, begin = [], [], 0.0
        for part in parts:
            times = [float(one["t"]) for one in part["samples"]] + [float(part["end_ms"])]
            for sample, start, end in zip(part["samples"], times, times[1:], strict=False):
                sides = (float(sample[name]) for name in ("zoom", "w", "h"))
                if sample["visible"] and end > start and all(side > 0 for side in sides):
                    starts.append(begin + start)
                    ends.append(begin + end)
            begin += max(times[-1], 0.0)
        return cls(np.array(starts), np.array(ends), views, begin)


@dataclass(frozen=True)
class DigitMoments:
    """When a digit could be read.

    Attributes
    ----------
    legible_ms
        Moment at which it first was on screen at a legible size; infinite if it never was.
    looked_ms
        Moment at which it had been so for `looking.LEAST_DWELL_MS` in all; infinite if never.
    largest_screen_px
        Its greatest side on screen, CSS px.
    """

    legible_ms: float
    looked_ms: float
    largest_screen_px: float

    @property
    def is_skipped(self) -> bool:
        """Whether it counts as not looked at, as `reasons` has it."""
        return self.looked_ms == inf


def digit_moments(way: Way, box: tuple[float, float, float, float], side_px: float) -> DigitMoments:
    """Return when a digit could be read; for parameters see `looking.look_at`."""
    inside = _share_in_view(way.views, box) >= LEAST_SHARE_IN_VIEW
    sizes = np.where(inside, side_px * way.views.zoom, 0.0)
    legible = sizes >= LEGIBLE_PX
    first = float(way.start_ms[legible][0]) if legible.any() else inf
    return DigitMoments(first, _reached(way, legible), float(sizes.max(initial=0.0)))


def _share_in_view(views: Views, box: tuple[float, float, float, float]) -> Floats:
    row0, col0, row1, col1 = box
    rows = np.maximum(np.minimum(views.row1, row1) - np.maximum(views.row0, row0), 0)
    cols = np.maximum(np.minimum(views.col1, col1) - np.maximum(views.col0, col0), 0)
    share: Floats = rows * cols / ((row1 - row0) * (col1 - col0))
    return share


def _reached(way: Way, chosen: NDArray[np.bool_]) -> float:
    """Return the moment at which the chosen views have lasted for the least dwell."""
    lengths = np.where(chosen, way.views.duration_ms, 0.0)
    total = np.cumsum(lengths)
    place = int(np.searchsorted(total, LEAST_DWELL_MS))
    if place == len(total):
        return inf
    return float(way.end_ms[place] - (total[place] - LEAST_DWELL_MS))


def digit_states(
    moments: Sequence[DigitMoments], classes: Sequence[int], reported: Sequence[int] | None
) -> list[str]:
    """Return what became of each digit, of `STATES`.

    Parameters
    ----------
    moments, classes
        Of each digit: when it could be read, and which it is.
    reported
        The digits that the person named; None where nobody asked.

    Notes
    -----
    Of equal digits of which fewer were named than there are, those that were skipped are taken for
    the ones that are missing; if more are missing, and not all, nobody knows which.
    """
    states = [SKIPPED if one.is_skipped else SEEN for one in moments]
    if reported is None:
        return states
    named, there = Counter(map(int, reported)), Counter(map(int, classes))
    for digit, number in there.items():
        own = [place for place, one in enumerate(classes) if one == digit]
        legible = [place for place in own if states[place] == SEEN]
        missing = number - named[digit] - (len(own) - len(legible))
        if missing > 0:
            state = MISREAD if missing >= len(legible) else PERHAPS
            for place in legible:
                states[place] = state
    return states


def boxes_of(digits: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, float, float]]:
    """Return (row0, col0, row1, col1) of digits with ``row``, ``col`` and ``side_px``."""
    return [
        (one["row"], one["col"], one["row"] + one["side_px"], one["col"] + one["side_px"])
        for one in digits
    ]
