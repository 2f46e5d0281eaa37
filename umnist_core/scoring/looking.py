"""What was on the screen, at which size, for how long: viewport traces against digit boxes.

A trace is a list of parts; a reload begins a new one. A part is ``{"samples": [...], "end_ms":
t}``, and a sample ``{"t", "x", "y", "zoom", "w", "h", "visible"}``: from ``t`` until the next
sample's (the last one: until ``end_ms``) the view was centred on canvas px ``(x, y)`` with
``zoom`` CSS px for each canvas px in a pane of ``w`` x ``h`` CSS px. Times are ms since the first
fully drawn view of the part. Samples with ``visible`` false, the tab being hidden, count for
nothing.

A trace says what could have been seen, not what was: nobody knows where the eyes were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import ScoringInputError
from .intervals import Floats

LEGIBLE_PX = 12.0
"""Least size on screen, in CSS px along a digit's side, at which it counts as legible.

The ink of a glyph fills 20 of the 28 px of its square (the digits of MNIST were fitted into a
20 x 20 box), so 12 px of square are 8 to 9 px of figure, the height of small print on a screen.
Chosen, not measured: `reasons.sensitivity` shows what follows from other values.
"""

LEAST_DWELL_MS = 200.0
"""Least time for which a digit is on screen at a legible size to count as looked at.

A little less than a mean fixation of the eye: 225 ms in silent reading, 275 ms in visual search
(Rayner, Psychological Bulletin 124 (1998) 372-422, doi 10.1037/0033-2909.124.3.372, table 1).
"""

SENSITIVITY_PX = (6, 8, 12, 16, 24)
"""Sizes that `add_looks` also measures dwell at, so that thresholds can be varied later."""

LEAST_SHARE_IN_VIEW = 0.5
"""Share of a digit's box that is inside the view for the digit to be on screen."""


class TraceSample(TypedDict):
    """One entry of a trace; see the top of this file for units."""

    t: float
    x: float
    y: float
    zoom: float
    w: float
    h: float
    visible: bool


class TracePart(TypedDict):
    """A trace from one drawing of the page to its end."""

    samples: list[TraceSample]
    end_ms: float


Trace = Sequence[Mapping[str, Any]]
"""Parts as they come from a browser or a table: each a `TracePart`, perhaps with other fields."""


@dataclass(frozen=True, eq=False)
class Views:
    """What was on screen, one entry for each sample in which something was.

    Attributes
    ----------
    duration_ms
        float64 (n,), above 0.
    zoom
        float64 (n,), CSS px for each canvas px, above 0.
    row0, col0, row1, col1
        float64 (n,), edges of the view in canvas px; may lie outside the canvas.
    """

    duration_ms: Floats
    zoom: Floats
    row0: Floats
    col0: Floats
    row1: Floats
    col1: Floats

    @classmethod
    def from_parts(cls, parts: Trace) -> Views:
        """Return the views of a trace.

        Raises
        ------
        ScoringInputError
            If a part or a sample lacks a field or holds something else than numbers.
        """
        try:
            rows = [row for part in parts for row in _rows(part)]
            table = np.array(rows, dtype=float).reshape(-1, 7)
        except (KeyError, TypeError, ValueError) as error:
            raise ScoringInputError(
                "A trace is a list of parts with end_ms and samples of t, x, y, zoom, w, h and "
                f"visible; reading one failed with {error!r}."
            ) from error
        duration, x, y, zoom, width, height, visible = table.T
        # Written so that NaN, which a page measures before it is laid out, is left out too.
        seen = (visible > 0) & (duration > 0) & (zoom > 0) & (width > 0) & (height > 0)
        x, y, zoom, width, height = (each[seen] for each in (x, y, zoom, width, height))
        rows_px, cols_px = height / zoom, width / zoom
        return cls(
            duration[seen], zoom, y - rows_px / 2, x - cols_px / 2, y + rows_px / 2, x + cols_px / 2
        )

    @property
    def visible_ms(self) -> float:
        """Time for which anything was on screen, in ms."""
        return float(self.duration_ms.sum())


def _rows(part: Mapping[str, Any]) -> list[list[float]]:
    """Return (duration, x, y, zoom, w, h, visible) of each sample of a part."""
    samples = part["samples"]
    times = [float(sample["t"]) for sample in samples] + [float(part["end_ms"])]
    names = ("x", "y", "zoom", "w", "h", "visible")
    return [
        [after - before, *(float(sample[name]) for name in names)]
        for sample, before, after in zip(samples, times, times[1:], strict=False)
    ]


# -- digits -----------------------------------------------------------------------


@dataclass(frozen=True)
class DigitOnScreen:
    """How large and how long one digit was on screen.

    Attributes
    ----------
    largest_screen_px
        Its greatest side on screen, CSS px; 0 if it never was.
    dwell_ms
        For how long it was on screen at or above each of the sizes asked for, ms.
    """

    largest_screen_px: float
    dwell_ms: tuple[float, ...]


def look_at(
    views: Views,
    box: tuple[float, float, float, float],
    side_px: float,
    sizes_px: Sequence[float] = (LEGIBLE_PX,),
) -> DigitOnScreen:
    """Return how large and how long a digit was on screen.

    It is on screen while at least half of its box's area is inside the view; its size there is
    ``side_px`` times the zoom.

    Parameters
    ----------
    box
        (row0, col0, row1, col1) of the digit's square, half-open, canvas px.
    side_px
        Its side, canvas px.
    sizes_px
        Least sizes on screen, CSS px.
    """
    row0, col0, row1, col1 = box
    rows = np.minimum(views.row1, row1) - np.maximum(views.row0, row0)
    cols = np.minimum(views.col1, col1) - np.maximum(views.col0, col0)
    inside = np.maximum(rows, 0) * np.maximum(cols, 0)
    on_screen = inside >= LEAST_SHARE_IN_VIEW * (row1 - row0) * (col1 - col0)
    sizes = np.where(on_screen, side_px * views.zoom, 0.0)
    dwells = [float(views.duration_ms[on_screen & (sizes >= least)].sum()) for least in sizes_px]
    return DigitOnScreen(float(sizes.max(initial=0.0)), tuple(dwells))


def dwell_column(size_px: float) -> str:
    """Return the column of `add_looks` with the dwell at or above a size."""
    return f"dwell_ms_at_{size_px:g}_px"


def add_looks(
    digits: pd.DataFrame,
    traces: Mapping[str, Trace],
    sizes_px: Sequence[float] = SENSITIVITY_PX,
) -> pd.DataFrame:
    """Return the digits with how large and how long each was on its annotator's screen.

    Parameters
    ----------
    digits
        One row for each digit of each label: ``label_key``, ``side_px`` and the digit's box
        ``row0``, ``col0``, ``row1``, ``col1`` in canvas px.
    traces
        ``label_key`` -> parts of the trace. Digits of labels without one get NaN, and so do those
        of a trace in which nothing was on screen: nobody answers without having seen the image,
        so such a trace was lost.
    sizes_px
        Sizes to measure dwell at besides `LEGIBLE_PX`, CSS px.

    Returns
    -------
    DataFrame
        A copy with ``largest_screen_px``, ``dwell_ms`` (at or above `LEGIBLE_PX`) and a column
        `dwell_column` for each of ``sizes_px``.

    Raises
    ------
    ScoringInputError
        If a trace is not one.
    """
    names = ["largest_screen_px", "dwell_ms", *(dwell_column(size) for size in sizes_px)]
    if digits.empty:
        return digits.assign(**{name: pd.Series(dtype=float) for name in names})
    wanted = (LEGIBLE_PX, *sizes_px)
    views = {
        key: Views.from_parts(traces[key]) for key in set(digits["label_key"]) if key in traces
    }
    found = np.full((len(digits), len(names)), np.nan)
    views = {key: view for key, view in views.items() if view.visible_ms > 0}
    fields = digits[["label_key", "row0", "col0", "row1", "col1", "side_px"]]
    for place, row in enumerate(fields.itertuples(index=False, name=None)):
        if row[0] in views:
            look = look_at(views[row[0]], row[1:5], row[5], wanted)
            found[place] = (look.largest_screen_px, *look.dwell_ms)
    return digits.assign(**dict(zip(names, found.T, strict=True)))


# -- heat -------------------------------------------------------------------------


def heat(
    parts: Trace, image_size: tuple[float, float], grid: tuple[int, int]
) -> NDArray[np.float64]:
    """Return where on the canvas the time of a trace was spent.

    Each sample spreads its time evenly over the part of its view that lies on the canvas. A
    close look puts its time on few cells and a look at the whole on all, so heat is high where
    people looked closely. Heats of several annotators may be added.

    Parameters
    ----------
    parts
        A trace.
    image_size
        (rows, columns) of the canvas, px.
    grid
        (rows, columns) of cells.

    Returns
    -------
    ndarray
        float64 (rows, columns), ms in each cell. The sum is the time for which the tab was
        visible and any of the canvas was in view.

    Raises
    ------
    ScoringInputError
        If a trace is not one.
    """
    views = Views.from_parts(parts)
    rows = _covered(views.row0, views.row1, image_size[0], grid[0])  # (n, rows), px
    cols = _covered(views.col0, views.col1, image_size[1], grid[1])  # (n, columns), px
    areas = rows.sum(axis=1) * cols.sum(axis=1)
    density = np.divide(views.duration_ms, areas, out=np.zeros_like(areas), where=areas > 0)
    spread: NDArray[np.float64] = np.einsum("n,nr,nc->rc", density, rows, cols)
    return spread


def _covered(start_px: Floats, end_px: Floats, length_px: float, cells: int) -> Floats:
    """Return how many px of each cell along one axis each view covers, (n, cells)."""
    edges = np.linspace(0.0, length_px, cells + 1)
    ends, starts = np.minimum(end_px[:, None], edges[1:]), np.maximum(start_px[:, None], edges[:-1])
    covered: Floats = np.maximum(ends - starts, 0.0)
    return covered
