"""What is drawn at once: some rows of some scenes, which lie below one another on one plane.

The grid is that of NumPy's renderer, the same for every scene of a band. Row ``r`` of the
``n``-th scene of a band is row ``n * grid.height + r`` of its plane, and a *key* is
``row * grid.stride + column`` there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.giving_up import go_on
from umnist_core.rendering.crossings import Grid
from umnist_core.rendering_torch.parcel import Device, Host

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Band:
    """Some rows of some scenes.

    Attributes
    ----------
    first, last
        Scenes ``first .. last - 1`` of those that are drawn in one call.
    grid
        Rows and columns of their canvas.
    """

    first: int
    last: int
    grid: Grid

    @property
    def scenes(self) -> int:
        """How many."""
        return self.last - self.first

    @property
    def plane_rows(self) -> int:
        """Rows of all of them."""
        return self.scenes * self.grid.height


def iter_bands(scenes: int, rows: int, row_cost: int, budget: int) -> Iterator[tuple[slice, slice]]:
    """Cut scenes into bands of about one cost: several whole scenes, or some rows of one.

    Parameters
    ----------
    scenes, rows
        How many, and how many rows each has.
    row_cost
        Of a row of one scene.
    budget
        Cost of a band; more only where one row costs more.

    Yields
    ------
    tuple
        Which scenes, and which rows of them.
    """
    together = max(1, budget // (row_cost * rows))
    step = rows if together > 1 else max(1, min(rows, budget // row_cost))
    for scene in range(0, scenes, together):
        for row in range(0, rows, step):
            go_on()
            yield slice(scene, min(scene + together, scenes)), slice(row, min(row + step, rows))


@dataclass(frozen=True)
class Runs:
    """Things that lie on some rows of a band, each on consecutive ones.

    Attributes
    ----------
    kept
        int64 (M,): which of the things do.
    ends
        int64 (M,): rows of the first things, up to and with each.
    columns
        To be sent to the device: ``first``, row of the grid; ``count``, rows; ``shift``, what
        makes a place among all rows of all things a row of the grid; ``plane``, what makes that
        one a row of the plane.
    """

    kept: Places
    ends: Places
    columns: Host

    @property
    def total(self) -> int:
        """Rows of all things."""
        return int(self.ends[-1]) if len(self.ends) else 0


def find_runs(band: Band, scene: Places, begin: Places, end: Places) -> Runs:
    """Return the rows of a band on which things lie.

    Parameters
    ----------
    scene
        int64 (N,): the scene of each, counted as in `Band`.
    begin, end
        int64 (N,): its first canvas row, and the one behind its last.
    """
    grid = band.grid
    first, last = np.searchsorted(grid.rows, begin), np.searchsorted(grid.rows, end)
    kept = np.flatnonzero((last > first) & (scene >= band.first) & (scene < band.last))
    first, count = first[kept], (last - first)[kept]
    ends = np.cumsum(count)
    columns = {
        "count": count,
        "shift": first - (ends - count),
        "plane": (scene[kept] - band.first) * grid.height,
    }
    return Runs(kept, ends, columns)


def spread(runs: Device, total: int) -> tuple[Tensor, Tensor]:
    """Return every row of every thing of some `Runs`.

    Returns
    -------
    thing
        int64 (total,): which thing, as places in `Runs.kept`.
    row
        int64 (total,): which row of the grid.
    """
    count = runs["count"]
    thing = torch.repeat_interleave(count, output_size=total)
    return thing, torch.arange(total, device=count.device) + runs["shift"][thing]


def columns_from_canvas(cols: Tensor, grid: Grid) -> Tensor:
    """Return, for each canvas column, how many columns of the grid lie left of it."""
    left = cols - grid.col0
    if grid.col_step > 1:
        left = -torch.div(-left, grid.col_step, rounding_mode="floor")
        left = torch.where(cols >= grid.canvas_width, grid.width, left)
    return left.clamp_(0, grid.width)
