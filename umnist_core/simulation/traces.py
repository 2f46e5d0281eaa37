"""What a simulated person looks at: views, the tiles that they need, times and traces.

A person looks at the whole image first and then comes closer to one digit after the other.
Response times have the distribution that is usual for people's: a normal one plus an
exponential one (ex-Gaussian; Luce, Response Times, 1986, section 3.2.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from umnist_core.labeling.state import SIMULATION_AGENT
from umnist_core.pyramid import PyramidGrid
from umnist_core.simulation.truth import DigitTruth, ImageTruth

LEGIBLE_PX = 12.0
"""CSS px below which a digit counts as not shown (`umnist_core.scoring.looking`)."""

_PIXEL_RATIO = 0.6
"""Screen px per px of a level below which the viewer draws the next coarser one."""

_MINIMAP_LEVEL = 8
_WANTED_PX = 90.0
_ZOOM_MAX = 8.0
_MARGIN = 0.95
_IDLE_MS = 10_000.0
_MOVE_MS = 200.0
_MOVES = 4

_NORMAL_MS = (14_000.0, 3_500.0)
_EXPONENTIAL_MS = 12_000.0
_SHORTEST_MS = 1_500.0


@dataclass(frozen=True, slots=True)
class Pane:
    """What images are shown in: CSS px, and screen px per CSS px."""

    width: float = 1100.0
    height: float = 760.0
    density: float = 1.0
    is_touch: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A view: its centre in canvas px, and CSS px per canvas px."""

    x: float
    y: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Shown:
    """An image in front of a person.

    Attributes
    ----------
    key
        Assignment, or practice image.
    number
        Which trial.
    height, width
        Canvas, px.
    """

    key: str
    number: int
    height: int
    width: int


def overview(image: ImageTruth | Shown, pane: Pane) -> View:
    """Return the view of a whole image."""
    zoom = _MARGIN * min(pane.width / image.width, pane.height / image.height)
    return View(image.width / 2, image.height / 2, zoom)


def view_of_digit(digit: DigitTruth, image: ImageTruth, pane: Pane) -> View:
    """Return a view in which a digit can be read, never further away than the whole image."""
    whole = overview(image, pane)
    zoom = min(_ZOOM_MAX, _WANTED_PX / digit.side_px)
    if zoom <= whole.zoom:
        return whole
    half = digit.side_px / 2
    return View(digit.col + half, digit.row + half, zoom)


def is_on_screen(view: View, digit: DigitTruth, pane: Pane) -> bool:
    """Return whether any of a digit is in a view, at a size that can be read."""
    if digit.side_px * view.zoom < LEGIBLE_PX:
        return False
    half = digit.side_px / 2
    reach_x = pane.width / 2 / view.zoom + half
    reach_y = pane.height / 2 / view.zoom + half
    return abs(digit.col + half - view.x) < reach_x and abs(digit.row + half - view.y) < reach_y


def tiles_of_view(view: View, image: Shown, pane: Pane) -> Iterator[tuple[int, int, int]]:
    """Yield (level, column, row) of the tiles that the viewer draws a view with.

    The next coarser level comes first, so that something is there at once.
    """
    grid = PyramidGrid(image.height, image.width)
    finest = _level_of(view, grid, pane)
    half_width, half_height = pane.width / 2 / view.zoom, pane.height / 2 / view.zoom
    for level in range(max(0, finest - 1), finest + 1):
        rows, cols = grid.tile_counts(level)
        side = grid.tile_px * grid.reduction(level)
        first_col, last_col = _reached(view.x - half_width, view.x + half_width, side, cols)
        first_row, last_row = _reached(view.y - half_height, view.y + half_height, side, rows)
        for row in range(first_row, last_row + 1):
            yield from ((level, col, row) for col in range(first_col, last_col + 1))


def _reached(start: float, end: float, side: float, count: int) -> tuple[int, int]:
    """Return the first and the last of ``count`` tiles that a stretch of canvas px touches."""
    return max(0, int(start // side)), min(count - 1, int(end // side))


def warm_tiles(image: ImageTruth | Shown, pane: Pane) -> Iterator[tuple[int, int, int]]:
    """Yield the tiles of an image that are fetched while the one before is worked on.

    These are, as in the page, those of the first view, the minimap's, and all finer ones.
    """
    grid = PyramidGrid(image.height, image.width)
    first = _level_of(overview(image, pane), grid, pane)
    for level in (first, min(_MINIMAP_LEVEL, first), *range(first + 1, grid.max_level + 1)):
        rows, cols = grid.tile_counts(level)
        yield from ((level, col, row) for row in range(rows) for col in range(cols))


def _level_of(view: View, grid: PyramidGrid, pane: Pane) -> int:
    """Return the level that the viewer draws a view from (`levelOf` of its view.js)."""
    reduction = math.ceil(math.log2(_PIXEL_RATIO / (view.zoom * pane.density)))
    return min(max(grid.max_level - reduction, 0), grid.max_level)


def response_time_ms(digits: int, *, rng: np.random.Generator) -> float:
    """Draw how long somebody takes, ms; more digits take longer."""
    normal = rng.normal(*_NORMAL_MS)
    total = (normal + rng.exponential(_EXPONENTIAL_MS)) * (0.5 + max(1, digits) / 8)
    return max(_SHORTEST_MS, float(total))


def response_json(
    views: Sequence[View], total_ms: float, pane: Pane, *, rng: np.random.Generator
) -> dict[str, Any]:
    """Return ``response`` of the interface.

    Parameters
    ----------
    views
        What was looked at, in order; one or more.
    total_ms
        From the first drawn view to the submission.
    pane
        What the images are shown in.
    """
    shares = rng.dirichlet(np.full(len(views), 3.0))
    samples: list[dict[str, Any]] = []
    idle_ms, now_ms = 0.0, 0.0
    for number, (view, share) in enumerate(zip(views, shares, strict=True)):
        stay_ms = float(share) * total_ms
        path = [view] if number == 0 else _moves(views[number - 1], view)
        step_ms = min(_MOVE_MS, stay_ms / len(path))
        samples += [_sample(now_ms + i * step_ms, one, pane) for i, one in enumerate(path)]
        idle_ms += max(0.0, stay_ms - step_ms * (len(path) - 1) - _IDLE_MS)
        now_ms += stay_ms
    screen = [1440, 900] if not pane.is_touch else [390, 844]
    return {
        "response_ms": round(total_ms, 1),
        "active_ms": round(total_ms - idle_ms, 1),
        "idle_ms": round(idle_ms, 1),
        "hidden_ms": 0,
        "first_drawn_ms": round(float(rng.gamma(4, 40)), 1),
        "edits": int(rng.poisson(1.2)),
        "queued_ms": 0,
        "submitted_utc": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "parts": [{"samples": samples, "end_ms": round(total_ms, 1)}],
        "device": {
            "screen": screen,
            "window": screen,
            "dpr": pane.density,
            "touch": pane.is_touch,
            "drawer": "canvas",
            "user_agent": SIMULATION_AGENT,
            "reduced_motion": False,
            "theme": "light",
        },
    }


def _moves(start: View, end: View) -> list[View]:
    """Return the views between two, and the second: evenly in place and in ratio of zoom."""
    ratio = end.zoom / start.zoom
    steps = [(step + 1) / _MOVES for step in range(_MOVES)]
    return [
        View(
            start.x + (end.x - start.x) * step,
            start.y + (end.y - start.y) * step,
            start.zoom * ratio**step,
        )
        for step in steps
    ]


def _sample(time_ms: float, view: View, pane: Pane) -> dict[str, Any]:
    return {
        "t": round(time_ms, 1),
        "x": round(view.x, 1),
        "y": round(view.y, 1),
        "zoom": round(view.zoom, 4),
        "w": pane.width,
        "h": pane.height,
        "visible": True,
    }
