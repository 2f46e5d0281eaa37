"""Read a digit off its own staircase: its factor, its offset, and its ink without the ground.

The ground is XORed with the digit, so an edge of the image is an edge of the digit or one of
the ground. Those of the digit lie on a grid of k px, those of the ground cross it. Where the
image changes along most of one side of a cell, the digit does; ink follows from its edges
alone, starting from the margin, which has none. For factors of about 4 and more this is
exact; below, an outline of the ground that crosses the digit may mislead it, and the pixels
as they are go along for a net to judge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.geometry import Box
from umnist_core.models.own.edge_levels import (
    Bits,
    BitSquare,
    col_edges,
    long_runs,
    read_bits,
    read_square,
    row_edges,
)
from umnist_core.pyramid import TileSource

GRID_CELLS = 40
"""Cells a side that are read about a candidate: a glyph and 6 cells around it."""

INK_CELLS = 26
"""Cells a side in which the grid is sought: MNIST fits its ink into 20."""

EXACT_DOUBLINGS = 6
"""Factors up to 127 are read at full resolution, larger ones on a coarser level."""

SWEEPS = 8
"""Rounds in which each cell is set to what its neighbours say."""

NEARLY = 0.85
"""A multiple of the best grid is preferred if it explains this share of what that does."""

SURE_NATS = 8.0
"""A grid that explains as much more than one half as coarse is the only one that is meant."""

SMALLEST, LARGEST = 0.7, 1.6
"""Cells that are tried, over the factor that was expected: on the coarsest levels it is too
small more often than too large."""

NEAR_CELLS = 3
"""Cells that a digit with cells of 1 px may be off its place: its ink may hold ground, whose
centre of mass is elsewhere."""

INK_MARGIN_CELLS = 4
"""MNIST fits the ink of a glyph into 20 of 28 cells. A reading that is off its place by as much
keeps nobody from the digits beside it."""

SAMPLES = 4
"""Px of the shortest run that counts, of which a long edge is made out."""

INNER = 8
"""Px of a cell along each side from which it is told what most of it is."""

CENTRE = GLYPH_PX / 2
"""MNIST puts the centre of mass of a glyph at the middle of the cell after 14 cells."""


@dataclass(frozen=True)
class Reading:
    """What stands at a candidate's place.

    Attributes
    ----------
    factor
        Image px of a cell; 0.5 for a digit of 14 px, whose cells are 1 px and count as two
        by two halves.
    row, col
        First image px of the 28 x 28 cells.
    on_grid
        Share of the long edges that lie on the grid's lines, 0 to 1.
    surprise
        As of `DigitGrid`.
    ink
        uint8 (28, 28) of 0 and 1: the digit without the ground.
    seen
        uint8 (28, 28): the pixels as they are, inverted if most of the margin is white.
    """

    factor: float
    row: float
    col: float
    on_grid: float
    surprise: float
    ink: Bits
    seen: Bits

    @property
    def side_px(self) -> float:
        """Side of the digit's square, image px."""
        return GLYPH_PX * self.factor

    @property
    def ink_area(self) -> Box:
        """The middle of the digit's square, where its ink is, and with it its specks."""
        margin = INK_MARGIN_CELLS * self.factor
        size = max(0, int(self.side_px - 2 * margin))
        row0, col0 = math.ceil(self.row + margin), math.ceil(self.col + margin)
        return Box.from_size(row0, col0, size, size)


def read_staircase(source: TileSource, row: float, col: float, side_px: float) -> Reading | None:
    """Read the digit at a place on the likeliest grid alone; None where no ink is found.

    Parameters
    ----------
    source, row, col, side_px
        As of `read_staircases`.
    """
    return next(_iter_readings(source, row, col, side_px))


def read_staircases(
    source: TileSource, row: float, col: float, side_px: float
) -> tuple[Reading, ...]:
    """Read the digit at a place on every grid that its edges may mean, the likeliest first.

    Few edges are on more than one grid: those of a 1 of factor 3 may all be on one of 6 px.

    Parameters
    ----------
    source
        The image.
    row, col
        About where its centre is, image px; up to a seventh of its side off.
    side_px
        About its side, image px; up to a quarter off.

    Returns
    -------
    tuple of Reading
        Those in which ink is found.
    """
    return tuple(one for one in _iter_readings(source, row, col, side_px) if one is not None)


def _iter_readings(
    source: TileSource, row: float, col: float, side_px: float
) -> Iterator[Reading | None]:
    if side_px < 0.75 * GLYPH_PX:
        yield _read_half(source, row, col)
        return
    factor = side_px / GLYPH_PX
    doublings = max(0, math.floor(math.log2(factor)) - EXACT_DOUBLINGS)
    reduction = 1 << doublings
    factor, row, col = factor / reduction, row / reduction, col / reduction
    # Only what the digit's own square may hold: a neighbour has another grid.
    reach = math.ceil(INK_CELLS / 2 * factor)
    box = Box(round(row) - reach, round(col) - reach, round(row) + reach, round(col) + reach)
    for grid in find_grids(read_square(source, box, reduction), factor):
        cell_px = grid.cell_px
        first_row = _first_line(row, cell_px, box.row0 + grid.row_phase)
        first_col = _first_line(col, cell_px, box.col0 + grid.col_phase)
        size = GRID_CELLS * cell_px
        cells = read_square(source, Box.from_size(first_row, first_col, size, size), reduction)
        cut = _cut_glyph(cells, cell_px)
        if cut is None:
            yield None
            continue
        top, left, ink, seen = cut
        yield Reading(
            factor=float(cell_px * reduction),
            row=float((first_row + top * cell_px) * reduction),
            col=float((first_col + left * cell_px) * reduction),
            on_grid=grid.share,
            surprise=grid.surprise,
            ink=ink,
            seen=seen,
        )


def _first_line(centre: float, cell_px: int, line: int) -> int:
    """Return the line at which `GRID_CELLS` cells about ``centre`` begin; ``line`` is another."""
    wanted = centre - GRID_CELLS / 2 * cell_px
    return line + cell_px * round((wanted - line) / cell_px)


def _read_half(source: TileSource, row: float, col: float) -> Reading | None:
    """Read a digit of 14 px: each of its pixels counts as two by two cells."""
    reach = GRID_CELLS // 4
    box = Box(round(row) - reach, round(col) - reach, round(row) + reach, round(col) + reach)
    bits = read_bits(source, box, 1)
    cut = _cut_glyph(np.repeat(np.repeat(bits, 2, axis=0), 2, axis=1), 1)
    if cut is None:
        return None
    top, left, ink, seen = cut
    return Reading(0.5, box.row0 + top / 2, box.col0 + left / 2, 1.0, 0.0, ink, seen)


# -- the grid ---------------------------------------------------------------------


@dataclass(frozen=True)
class DigitGrid:
    """Lines on which the edges of a digit may lie.

    Attributes
    ----------
    cell_px
        Px of a cell.
    row_phase, col_phase
        A row and a column of a line of the grid, each 0 to a cell less one.
    share
        Of the px of long edges, those on the grid's lines, 0 to 1.
    surprise
        How unlikely it is that so many of the rows and columns with long edges lie on the
        best grid of this cell, were they anywhere; nats, 0 or more, 0 for cells of 1 px.
    """

    cell_px: int
    row_phase: int
    col_phase: int
    share: float
    surprise: float


def find_grids(bits: Bits | BitSquare, factor: float) -> list[DigitGrid]:
    """Find the grids on which most long edges lie.

    Parameters
    ----------
    bits
        Window of 0 and 1 about the digit.
    factor
        About its factor, in px of the window.

    Returns
    -------
    list of DigitGrid
        The likeliest one, then others that the edges may mean, at most three in all.
    """
    smallest, largest = _cell_range(factor)
    # A run is as well seen on every fourth px of the smallest cell: each row and each column
    # is looked at, and along it only some px.
    step_px = max(1, smallest // SAMPLES)
    rows, cols = _line_px(bits, step_px, smallest)
    total = int(rows.sum() + cols.sum())
    both = np.zeros((2, max(len(rows), len(cols))), np.int64)
    both[0, : len(rows)], both[1, : len(cols)] = rows, cols

    def explain(cell_px: int) -> tuple[float, int, int, int, float]:
        (row_phase, col_phase), px = _fold(both, cell_px)
        share = px / max(1, total)
        # A share of 1 / k is what edges anywhere give; on 1 px every edge is on the grid.
        gain = (share - 1 / cell_px) / (1 - 1 / cell_px) if cell_px > 1 else 0.5
        return gain, cell_px, row_phase, col_phase, share

    found = [explain(cell_px) for cell_px in range(smallest, largest + 1)]
    # Edges on a grid of 4 px are on one of 2 px as well, hence the largest multiple as good.
    best = max(found)
    multiples = [one for one in found if one[1] % best[1] == 0]
    # Without any long edge no grid explains anything, and the gain is below 0.
    enough = min(NEARLY * best[0], best[0])
    likeliest = [one for one in multiples if one[0] >= enough][-1]

    def grid(cell_px: int, row_phase: int, col_phase: int, share: float) -> DigitGrid:
        surprise = _surprise(rows, cols, cell_px, row_phase, col_phase)
        return DigitGrid(cell_px, row_phase, col_phase, share, surprise)

    grids = [grid(*likeliest[1:])]
    half = likeliest[1] / 2
    others = [grid(*one[1:]) for one in found if one[1] in (1, half) and one[1] < likeliest[1]]
    # Many lines that are all on the coarser grid are not so by chance; but on 1 px lies every
    # digit of 28 px, whatever else its edges have in common.
    unsure = [
        one for one in others if one.cell_px == 1 or one.surprise > grids[0].surprise - SURE_NATS
    ]
    return [*grids, *reversed(unsure)]


def _line_px(
    bits: Bits | BitSquare, step_px: int, smallest: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the px of long edges in each row and each column."""
    run = math.ceil((max(1, math.ceil(0.75 * smallest)) - 1) / step_px) + 1
    row_runs = long_runs(row_edges(bits[:, ::step_px]), run, along_rows=True)
    col_runs = long_runs(col_edges(bits[::step_px]), run, along_rows=False)
    rows = row_runs.sum(axis=1, dtype=np.int64) * step_px
    return rows, col_runs.sum(axis=0, dtype=np.int64) * step_px


def _surprise(
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    cell_px: int,
    row_phase: int,
    col_phase: int,
) -> float:
    """Return `DigitGrid.surprise`, from the px of long edges in each row and column.

    Of n lines a share s is on the grid where 1 / k is expected: n times the Kullback-Leibler
    divergence, less what the choice of the best of k times k grids gives.
    """
    on_grid = np.concatenate(
        [np.flatnonzero(rows) % cell_px == row_phase, np.flatnonzero(cols) % cell_px == col_phase]
    )
    count, share = len(on_grid), float(on_grid.mean()) if len(on_grid) else 0.0
    if cell_px == 1 or share * cell_px <= 1:
        return 0.0
    nats = share * math.log(share * cell_px)
    if share < 1:
        nats += (1 - share) * math.log((1 - share) / (1 - 1 / cell_px))
    return max(0.0, count * nats - 2 * math.log(cell_px))


def _cell_range(factor: float) -> tuple[int, int]:
    """Return the smallest and largest cell that a factor may mean, in px."""
    smallest = max(1, math.floor(SMALLEST * factor))
    return smallest, max(smallest, math.ceil(LARGEST * factor))


def _fold(profiles: NDArray[np.int64], cell_px: int) -> tuple[list[int], int]:
    """Return the phase of the best line of each profile, (2, n), and the px on both."""
    count = profiles.shape[1]
    padded = np.zeros((2, count + -count % cell_px), np.int64)
    padded[:, :count] = profiles  # called for every cell that is tried; np.pad takes longer
    folded = padded.reshape(2, -1, cell_px).sum(axis=1)
    phases = folded.argmax(axis=1).tolist()
    return phases, int(folded[0, phases[0]] + folded[1, phases[1]])


# -- ink --------------------------------------------------------------------------


def _cut_glyph(cells: Bits | BitSquare, cell_px: int) -> tuple[int, int, Bits, Bits] | None:
    """Return the first cell of the glyph, its ink, and its pixels as they are."""
    between_rows, between_cols, seen = cell_edges(cells, cell_px)
    ink = recover_ink(between_rows[None], between_cols[None])[0]
    middle = _disc(GRID_CELLS, GRID_CELLS / 2, GRID_CELLS / 2)
    first = _mass_corner(ink * middle)
    if first is None:
        return None
    middle = _disc(GRID_CELLS, first[0] + CENTRE, first[1] + CENTRE)
    first = _mass_corner(ink * middle) or first
    margin = (GRID_CELLS - GLYPH_PX) // 2
    reach = NEAR_CELLS if cell_px == 1 else margin
    top, left = (min(max(one, margin - reach), margin + reach) for one in first)
    cut = slice(top, top + GLYPH_PX), slice(left, left + GLYPH_PX)
    return top, left, ink[cut], black_margin(seen[None, *cut])[0]


def _disc(size: int, row: float, col: float, radius: float = 15.0) -> Bits:
    rows, cols = np.mgrid[:size, :size] + 0.5
    disc: Bits = ((rows - row) ** 2 + (cols - col) ** 2 < radius**2).astype(np.uint8)
    return disc


def _mass_corner(ink: Bits) -> tuple[int, int] | None:
    """Return the first cell of a glyph whose centre of mass is that of the ink."""
    rows, cols = np.nonzero(ink)
    if len(rows) < 4:
        return None
    return round(rows.mean() - CENTRE), round(cols.mean() - CENTRE)


def cell_edges(
    pixels: Bits | BitSquare, cell_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], Bits]:
    """Return how much of each side of the cells the image changes on, and the cells.

    Parameters
    ----------
    pixels
        uint8 (N * cell_px, N * cell_px) of 0 and 1.
    cell_px
        Px of a cell.

    Returns
    -------
    tuple of ndarray
        float32 (N - 1, N) between rows, float32 (N, N - 1) between columns, 0 to 1, and
        uint8 (N, N): what most of a cell is.
    """
    size = len(pixels) // cell_px
    above, below = pixels[cell_px - 1 :: cell_px][: size - 1], pixels[cell_px::cell_px]
    between_rows = (above ^ below).reshape(size - 1, size, cell_px).mean(axis=2, dtype=np.float32)
    left, right = pixels[:, cell_px - 1 :: cell_px][:, : size - 1], pixels[:, cell_px::cell_px]
    between_cols = (left ^ right).reshape(size, cell_px, size - 1).mean(axis=1, dtype=np.float32)
    inner = np.unique(np.arange(INNER) * cell_px // INNER)
    places = (np.arange(size)[:, None] * cell_px + inner).ravel()
    sampled = pixels[np.ix_(places, places)].reshape(size, len(inner), size, len(inner))
    means = sampled.mean(axis=(1, 3), dtype=np.float32)
    return between_rows, between_cols, (means > 0.5).astype(np.uint8)


def recover_ink(between_rows: NDArray[np.float32], between_cols: NDArray[np.float32]) -> Bits:
    """Return the ink whose edges are the given ones, as nearly as can be; no ink at the border.

    Each cell first hears four voices: how often the digit changes on the way to it from each
    of the four sides. Then cells follow their neighbours until little changes.

    Parameters
    ----------
    between_rows
        float32 (B, N - 1, N): share of each cell's side on which the image changes.
    between_cols
        float32 (B, N, N - 1).

    Returns
    -------
    ndarray
        uint8 (B, N, N) of 0 and 1.
    """
    changes_down, changes_right = between_rows > 0.5, between_cols > 0.5
    batch, size = between_cols.shape[:2]
    votes = np.zeros((batch, size, size), np.int8)
    votes[:, 1:] += np.logical_xor.accumulate(changes_down, axis=1)
    votes[:, :-1] += np.logical_xor.accumulate(changes_down[:, ::-1], axis=1)[:, ::-1]
    votes[:, :, 1:] += np.logical_xor.accumulate(changes_right, axis=2)
    votes[:, :, :-1] += np.logical_xor.accumulate(changes_right[:, :, ::-1], axis=2)[:, :, ::-1]
    spins = np.where(votes > 2, 1.0, -1.0).astype(np.float32)
    down, right = 1 - 2 * between_rows, 1 - 2 * between_cols  # -1 where the digit changes
    chess = np.indices((size, size)).sum(axis=0) & 1
    unchanged = 0
    for sweep in range(2 * SWEEPS):
        field = np.zeros_like(spins)
        field[:, 1:] += down * spins[:, :-1]
        field[:, :-1] += down * spins[:, 1:]
        field[:, :, 1:] += right * spins[:, :, :-1]
        field[:, :, :-1] += right * spins[:, :, 1:]
        turned = (chess == (sweep & 1)) & (field != 0)
        after = np.where(turned, np.sign(field), spins)
        after[:, [0, -1]] = after[:, :, [0, -1]] = -1
        # Where neither the black nor the white cells of the board change, none ever will.
        unchanged = unchanged + 1 if np.array_equal(after, spins) else 0
        spins = after
        if unchanged == 2:
            break
    ink: Bits = (spins > 0).astype(np.uint8)
    return ink


def black_margin(seen: Bits) -> Bits:
    """Invert pictures whose margin is mostly white; uint8 (B, 28, 28) of 0 and 1."""
    margin = np.ones(seen.shape[1:], bool)
    margin[3:-3, 3:-3] = False
    is_white = seen[:, margin].mean(axis=1) > 0.5
    black: Bits = seen ^ is_white[:, None, None].astype(np.uint8)
    return black
