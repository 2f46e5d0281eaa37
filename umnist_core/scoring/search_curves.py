"""How fast people go through an image: what they have seen at a legible zoom, over time.

Two curves for each pool. *Area*: the share of the image that has been on screen, for
`looking.LEAST_DWELL_MS` in all, at a zoom at which the image's smallest digit is
`looking.LEGIBLE_PX` large. *Digits*: the share of its digits that have been legible for as long.
Time is that for which the page was visible. After their answer, people keep what they had, so no
curve falls.

The unit is the person: each person's answers are averaged, and the interval is Student's t on those
means (`intervals.annotator_interval` for shares that are not 0 or 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .area import GRID, legible_zoom
from .intervals import LEVEL, Floats, t_interval
from .looking import LEAST_DWELL_MS, Trace
from .tables import LABEL, POOLS
from .way import Way, digit_moments

TIMES_S = (
    *(0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90),
    *(120, 150, 180, 240, 300, 420, 600),
)
"""Moments of the curves, s of visible time."""

COLUMNS = (
    *("pool", "time_s", "annotators", "labels", "answered_share"),
    *("area_share", "area_low", "area_high", "digits_share", "digits_low", "digits_high"),
)


@dataclass(frozen=True, eq=False)
class Searched:
    """One answer's search: visible times at which things had been seen, ms; infinite if never.

    Attributes
    ----------
    cells_ms
        float64 (`area.GRID` ** 2,), of each cell of the image.
    digits_ms
        float64 (n,), of each digit.
    end_ms
        Visible time in all.
    """

    cells_ms: Floats
    digits_ms: Floats
    end_ms: float


def search_of(
    parts: Trace,
    image_size: tuple[float, float],
    boxes: Sequence[tuple[float, float, float, float]],
) -> Searched:
    """Return when what had been seen, in visible time.

    Parameters
    ----------
    parts
        A trace.
    image_size
        (rows, columns) of the image, px.
    boxes
        (row0, col0, row1, col1) of its digits, at least one.

    Raises
    ------
    ScoringInputError
        If the trace is none.
    """
    way = _visible(Way.of(parts))
    sides = [row1 - row0 for row0, _, row1, _ in boxes]
    found = [digit_moments(way, box, side) for box, side in zip(boxes, sides, strict=True)]
    cells = _cell_times(way, image_size, legible_zoom(min(sides)))
    return Searched(cells, np.array([one.looked_ms for one in found]), way.duration_ms)


def _visible(way: Way) -> Way:
    """Return a way without the time in which the page was hidden."""
    ends = np.cumsum(way.views.duration_ms)
    total = float(ends[-1]) if len(ends) else 0.0
    return Way(ends - way.views.duration_ms, ends, way.views, total)


def _cell_times(way: Way, image_size: tuple[float, float], zoom: float) -> Floats:
    """Return when each cell's middle had been in view for long enough at a zoom or above."""
    views, seen = way.views, np.zeros((GRID, GRID))
    reached = np.full((GRID, GRID), inf)
    first_rows, end_rows = _cells(views.row0, views.row1, image_size[0])
    first_cols, end_cols = _cells(views.col0, views.col1, image_size[1])
    for place in np.flatnonzero(views.zoom >= zoom * (1 - 1e-9)):
        part = (
            slice(first_rows[place], end_rows[place]),
            slice(first_cols[place], end_cols[place]),
        )
        before, length = seen[part], views.duration_ms[place]
        now = (before < LEAST_DWELL_MS) & (before + length >= LEAST_DWELL_MS)
        times = way.start_ms[place] + LEAST_DWELL_MS - before
        reached[part] = np.where(now, times, reached[part])
        seen[part] = before + length
    return reached.reshape(-1)


def _cells(start_px: Floats, end_px: Floats, length_px: float) -> tuple[NDArray[np.int64], ...]:
    """Return the half-open range of cells whose middles lie in each view, along one axis."""
    ends = [np.ceil(px * GRID / length_px - 0.5).clip(0, GRID) for px in (start_px, end_px)]
    return tuple(end.astype(np.int64) for end in ends)


# -- curves -----------------------------------------------------------------------------


def search_curves(
    labels: pd.DataFrame, digits: pd.DataFrame, traces: Mapping[str, Trace], level: float = LEVEL
) -> pd.DataFrame:
    """Return the curves of each pool.

    Parameters
    ----------
    labels
        ``label_key``, ``pool``, ``annotator``, ``kind``, ``canvas_height_px``,
        ``canvas_width_px``. Repeats are left out, as are answers without a trace or digits.
    digits
        ``label_key`` and the boxes ``row0``, ``col0``, ``row1``, ``col1``.
    traces
        ``label_key`` -> parts.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row for each pool and each of `TIMES_S`; shares from 0 to 1, NaN ends where
        one person says nothing of how people differ. No rows for a pool without any answer.

    Raises
    ------
    ScoringInputError
        If a trace is none.
    """
    rows = []
    for pool, own in _searches(labels, digits, traces).items():
        for time_s in TIMES_S:
            rows.append(_row(pool, float(time_s), own, level))
    return pd.DataFrame(rows, columns=list(COLUMNS))


_PersonSearches = dict[str, list[Searched]]


def _searches(
    labels: pd.DataFrame, digits: pd.DataFrame, traces: Mapping[str, Trace]
) -> dict[str, _PersonSearches]:
    """Return pool -> person -> searches."""
    found: dict[str, _PersonSearches] = {}
    if labels.empty or digits.empty:
        return found
    names = ["row0", "col0", "row1", "col1"]
    boxes = {
        str(key): [tuple(map(float, box)) for box in own[names].to_numpy()]
        for key, own in digits.groupby("label_key", sort=False)
    }
    first = labels[labels["kind"] == LABEL]
    fields = ["label_key", "pool", "annotator", "canvas_height_px", "canvas_width_px"]
    for key, pool, person, height, width in first[fields].itertuples(index=False, name=None):
        if key in boxes and traces.get(key):
            one = search_of(traces[key], (height, width), boxes[key])  # type: ignore[arg-type]
            if one.end_ms > 0:
                found.setdefault(pool, {}).setdefault(person, []).append(one)
    return {pool: found[pool] for pool in POOLS if pool in found}


def _row(pool: str, time_s: float, own: _PersonSearches, level: float) -> tuple[object, ...]:
    time_ms = 1000 * time_s
    area = [_mean(np.mean(one.cells_ms <= time_ms) for one in each) for each in own.values()]
    digits = [_mean(np.mean(one.digits_ms <= time_ms) for one in each) for each in own.values()]
    ended = [one.end_ms <= time_ms for each in own.values() for one in each]
    ends = (*_interval(area, level), *_interval(digits, level))
    return (pool, time_s, len(own), len(ended), float(np.mean(ended)), *ends)


def _mean(values: object) -> float:
    return float(np.mean(list(values)))  # type: ignore[call-overload]


def _interval(means: Sequence[float], level: float) -> tuple[float, float, float]:
    count, middle = len(means), float(np.mean(means))
    if count <= 1:
        return middle, nan, nan
    error = float(np.std(means, ddof=1)) / sqrt(count)
    one = t_interval(middle, error**2, count - 1, "t on per-annotator means", level=level)
    return middle, one.low, one.high
