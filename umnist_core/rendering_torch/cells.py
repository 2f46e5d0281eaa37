"""Means over cells of a canvas: the pixels of a level, or of an image of some other side.

Lengths are in *units*, so that a cell may end within a px and everything stays whole: a side of
``canvas_px`` that becomes ``side_px`` has ``side_px`` units to a px and ``canvas_px`` to a cell. In
a level a px is one unit, and a cell is the reduction; the last one may be cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from umnist_core.rendering.crossings import Grid
from umnist_core.rendering_torch.bands import Band, Places
from umnist_core.rendering_torch.parcel import send

Shares = list[tuple[Tensor, Tensor]]
"""How rows are shared among cells: once or twice, for each row a cell and the units in it."""


@dataclass(frozen=True)
class Cells:
    """Cells along one side of a canvas.

    Attributes
    ----------
    px_units, cell_units
        Length of a px, and of a cell, which is no shorter.
    end
        Where the canvas ends.
    first, count
        Which cells are wanted.
    """

    px_units: int
    cell_units: int
    end: int
    first: int
    count: int

    @classmethod
    def of_level(cls, canvas_px: int, reduction: int, first: int, count: int) -> Cells:
        """Return some of the px of a level along one side."""
        return cls(1, reduction, canvas_px, first, count)

    @classmethod
    def of_side(cls, canvas_px: int, side_px: int) -> Cells:
        """Return the px of an image of another side, at most that of the canvas."""
        return cls(side_px, canvas_px, canvas_px * side_px, 0, side_px)

    @property
    def begins_at(self) -> int:
        """Where the first begins, in units."""
        return self.first * self.cell_units

    @property
    def ends_at(self) -> int:
        """Where the last ends, in units."""
        return min((self.first + self.count) * self.cell_units, self.end)

    @property
    def px(self) -> tuple[int, int]:
        """First canvas px that they reach into, and the one behind the last."""
        return self.begins_at // self.px_units, -(-self.ends_at // self.px_units)

    def lengths(self) -> Places:
        """Return how long each is, int64 (count,), in units."""
        begins = (self.first + np.arange(self.count, dtype=np.int64)) * self.cell_units
        return np.minimum(self.cell_units, self.end - begins)

    def shares(self, px: Tensor) -> Shares:
        """Return how canvas px are shared among cells, counted from the first that is wanted.

        Parameters
        ----------
        px
            int64 (N,), within ``px``.
        """
        begin = (px * self.px_units).clamp(min=self.begins_at)
        end = ((px + 1) * self.px_units).clamp(max=self.ends_at)
        cell = torch.div(begin, self.cell_units, rounding_mode="floor")
        border = (cell + 1) * self.cell_units
        shares = [(cell - self.first, torch.minimum(end, border) - begin)]
        if self.px_units > 1:
            after = (cell - self.first + 1).clamp(max=self.count - 1)
            shares.append((after, (end - border).clamp(min=0)))
        return shares


@dataclass(frozen=True)
class CellGrid:
    """Cells of a canvas in rows and columns; the columns begin and end with whole px."""

    rows: Cells
    cols: Cells

    def line_px(self) -> int:
        """Return about how many canvas rows a row of cells has."""
        return max(1, self.rows.cell_units // self.rows.px_units)

    def part(self, lines: slice) -> CellGrid:
        """Return some rows of it."""
        first, count = self.rows.first + lines.start, lines.stop - lines.start
        return replace(self, rows=replace(self.rows, first=first, count=count))

    def iter_bands(self, scenes: slice, canvas_width: int, most_rows: int) -> Iterator[Band]:
        """Yield bands of all canvas px that it reaches into, of at most so many rows each."""
        first, last = self.rows.px
        col, end = self.cols.px
        for row in range(first, last, most_rows):
            rows = np.arange(row, min(row + most_rows, last), dtype=np.int64)
            grid = Grid(rows, col, 1, end - col, canvas_width)
            yield Band(scenes.start, scenes.stop, grid)

    def plane_shares(self, band: Band, device: torch.device) -> Shares:
        """Return how the rows of a band's plane are shared among the cells of all its scenes."""
        first = int(band.grid.rows[0])
        px = torch.arange(first, first + band.grid.height, device=device)
        before = torch.arange(band.scenes, device=device)[:, None] * self.rows.count
        return [
            ((before + cell).flatten(), share.repeat(band.scenes))
            for cell, share in self.rows.shares(px)
        ]

    def means(self, sums: Tensor, ground: int) -> Tensor:
        """Return means, rounded half up.

        Parameters
        ----------
        sums
            int64 (N * rows, cols): how far greys lie above the ground, times units squared.
        ground
            Grey that sums are counted from.

        Returns
        -------
        Tensor
            uint8 (N, rows, cols).
        """
        lengths = {"rows": self.rows.lengths(), "cols": self.cols.lengths()}
        sent = send({"": lengths}, sums.device)[""]
        area = sent["rows"][:, None] * sent["cols"]
        whole = sums.view(-1, *area.shape) + ground * area
        return torch.div(2 * whole + area, 2 * area, rounding_mode="floor").to(torch.uint8)


class CrossingSums:
    """Sums over cells of what changes along the rows of planes.

    Parameters
    ----------
    cells
        Of one scene.
    scenes
        How many.
    """

    def __init__(self, cells: CellGrid, scenes: int, device: torch.device) -> None:
        self.cells = cells
        # What a change adds to its own cell, and to each unit of length of all later ones; those
        # at the very end go to a cell more.
        shape = (2, scenes * cells.rows.count, cells.cols.count + 1)
        self._own, self._later = torch.zeros(shape, dtype=torch.int64, device=device)

    def add(self, keys: Tensor, jumps: Tensor, band: Band) -> None:
        """Add changes.

        Parameters
        ----------
        keys
            int64 (N,): where, in a band of `CellGrid.iter_bands`.
        jumps
            int64 (N,): by how much the grey grows there.
        """
        cols, stride = self.cells.cols, band.grid.stride
        row = torch.div(keys, stride, rounding_mode="floor")
        place = (keys - row * stride + band.grid.col0) * cols.px_units - cols.begins_at
        cell = torch.div(place, cols.cell_units, rounding_mode="floor")
        rest = ((cell + 1) * cols.cell_units).clamp(max=cols.ends_at - cols.begins_at) - place
        for cell_row, share in self.cells.plane_shares(band, keys.device):
            weighed = jumps * share[row]
            target = cell_row[row] * (cols.count + 1) + cell
            self._own.view(-1).index_add_(0, target, weighed * rest)
            self._later.view(-1).index_add_(0, target, weighed)

    def means(self, ground: int) -> Tensor:
        """Return means as of `CellGrid.means`; ``ground`` is the grey that rows begin with."""
        lengths = torch.from_numpy(self.cells.cols.lengths()).to(self._own.device)
        later = self._later[:, :-1]
        return self.cells.means(self._own[:, :-1] + (later.cumsum(-1) - later) * lengths, ground)


def add_pixels(pixels: Tensor, cells: CellGrid, band: Band, sums: Tensor) -> None:
    """Add the pixels of a band of `CellGrid.iter_bands` to sums over cells.

    Parameters
    ----------
    pixels
        int32 (band.plane_rows, width).
    sums
        int64 (scenes * rows of cells, cols of cells).
    """
    cols, device = cells.cols, pixels.device
    before = torch.nn.functional.pad(pixels.cumsum(-1, dtype=torch.int64), (1, 0))
    ends = torch.arange(cols.count + 1, device=device) * cols.cell_units + cols.begins_at
    ends = ends.clamp(max=cols.ends_at)
    px = torch.div(ends, cols.px_units, rounding_mode="floor")
    part = ends - px * cols.px_units
    px = px - band.grid.col0
    up_to = before[:, px] * cols.px_units + pixels[:, px.clamp(max=band.grid.width - 1)] * part
    along = up_to.diff(dim=-1)
    for cell_row, share in cells.plane_shares(band, device):
        sums.index_add_(0, cell_row, along * share[:, None])
