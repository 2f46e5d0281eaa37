"""Places of a pyramid at which a digit may stand: which tiles are worth a look, and what is there.

A tile with few corners holds no digit, so nets never see it, nor, on the finest level, one with
corners of one kind alone: of the tiles of a ``released`` image of 4000 px about one in thirty is
left there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.models.own.edge_levels import is_dense_level, level_count
from umnist_core.models.own.edge_planes import CELL_PX, TILE_PX, EdgePlanes, PackedLevels
from umnist_core.models.own.finder_nets import STRIDE_PX, SpotNet
from umnist_core.models.progress import Steps

HALO_PX = 32
"""Level px about a tile that the net sees as well."""

FEWEST_CORNERS = 2
"""In 3 x 3 cells; the staircase of a plain 1 has four, of which specks may spoil some. With 2
instead of 4 there are 8 % more tiles to look at."""

FEWEST_ALIKE = 8
"""In 3 x 3 cells where only long edges are left: there a slanted 1 may have corners of one kind
alone, and the ground has few."""

COARSE_PX = 2 * TILE_PX
"""Side of a level on which one corner is enough: it has few tiles, and digits of half the
image, of whose long runs the ground leaves few whole."""

BATCH = 32

IsKnown = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Tells of boxes of the image, (N, 4), of which it is known what stands there; bool (N,)."""


def nothing_known(canvas_boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return False for each: somebody looks everywhere."""
    return np.zeros(len(canvas_boxes), bool)


def within(areas: Sequence[Box], canvas_boxes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which boxes, (N, 4), lie within one of some areas."""
    known = np.zeros(len(canvas_boxes), bool)
    for area in areas:
        inside = canvas_boxes[:, :2] >= (area.row0, area.col0)
        inside &= canvas_boxes[:, 2:] <= (area.row1, area.col1)
        known |= inside.all(axis=1)
    return known


@dataclass(frozen=True)
class Spot:
    """A place where a digit may stand: its score 0 to 1, centre and side in image px."""

    score: float
    row: float
    col: float
    side_px: float


@dataclass(frozen=True)
class Looks:
    """What the net said of tiles, B of them.

    Attributes
    ----------
    level
        Their level.
    tiles
        int64 (B, 2): first row and column of each in level px.
    scores
        float32 (B, 2, 8, 8), 0 to 1, of both kinds.
    shapes
        float32 (B, 3, 8, 8): offset of the centre in 8 px, logarithm of the side over 40 px.
    """

    level: int
    tiles: NDArray[np.int64]
    scores: NDArray[np.float32]
    shapes: NDArray[np.float32]


@dataclass(frozen=True)
class WindowBatch:
    """WindowBatch of a level, B of them.

    Attributes
    ----------
    level
        Their level.
    tiles
        First row and column in level px of the tile in the middle of each.
    edges
        float32 (B, 4, 128, 128), the tile's edges with the halo, as `level_edges` has them.
    """

    level: int
    tiles: tuple[tuple[int, int], ...]
    edges: NDArray[np.float32]


def search_steps(packed: PackedLevels) -> Steps:
    """Return the rows of tiles of all levels of an image, to be counted as they are looked at."""
    levels = range(level_count(packed.height, packed.width))
    stretches = (one for level in levels for one in packed.stretches(level))
    return Steps(sum(one.height // TILE_PX for one in stretches))


def iter_windows(
    packed: PackedLevels,
    level: int,
    steps: Steps | None = None,
    is_known: IsKnown = nothing_known,
) -> Iterator[WindowBatch]:
    """Yield the windows of a level that may hold a digit, some at a time.

    Parameters
    ----------
    packed
        The image.
    level
        Of its pyramid.
    steps
        Of `search_steps`, where rows of tiles are counted.
    is_known
        Tiles of which it is true are left out.

    Yields
    ------
    WindowBatch
        At most `BATCH`. Memory does not grow with the image.
    """
    for stretch in packed.stretches(level):
        rows = 0
        ends = (stretch.row0, stretch.col0, stretch.row1, stretch.col1)
        if not is_known(np.array([ends]) << level)[0]:
            planes = packed.planes(level, stretch, HALO_PX)
            tiles = _busy_places(packed, level, stretch, planes, is_known)
            for first in range(0, len(tiles), BATCH):
                batch = tiles[first : first + BATCH]
                corners = [(row - stretch.row0, col - stretch.col0) for row, col in batch]
                yield WindowBatch(level, tuple(batch), planes.windows(corners))
                if steps is not None:
                    done = (batch[-1][0] - stretch.row0) // TILE_PX
                    steps.step(done - rows, _canvas_places(packed, level, batch))
                    rows = done
        if steps is not None:
            steps.step(stretch.height // TILE_PX - rows)


def _canvas_places(
    packed: PackedLevels, level: int, tiles: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int, int]]:
    """Return x, y, width and height of tiles, within the image, in px of its own."""
    down, across = packed.scale
    found = []
    for row, col in tiles:
        last_row = min(row + TILE_PX << level, packed.height)
        last_col = min(col + TILE_PX << level, packed.width)
        top, left = round((row << level) / down), round((col << level) / across)
        found.append((left, top, round(last_col / across) - left, round(last_row / down) - top))
    return found


def _busy_places(
    packed: PackedLevels, level: int, stretch: Box, planes: EdgePlanes, is_known: IsKnown
) -> list[tuple[int, int]]:
    """Return first row and column of the tiles of a stretch that may hold a digit."""
    sides = (reduced_size_px(side, 1 << level) for side in (packed.height, packed.width))
    is_coarse = max(sides) <= COARSE_PX
    busy = busy_tiles(planes.cell_counts(), is_coarse=is_coarse, is_dense=is_dense_level(level))
    corners = np.argwhere(busy) * TILE_PX + (stretch.row0, stretch.col0)  # (N, 2)
    boxes = np.hstack([corners, corners + TILE_PX]) << level  # which may reach out of the image
    return [(row, col) for row, col in corners[~is_known(boxes)].tolist()]


def busy_tiles(
    cells: NDArray[np.float32], *, is_coarse: bool = False, is_dense: bool = False
) -> NDArray[np.bool_]:
    """Return which tiles may hold the centre of a digit.

    Parameters
    ----------
    cells
        float32 (2, 4 m + 4, 4 n + 4) of `EdgePlanes.cell_counts`: tiles, and a halo about them
        all.
    is_coarse
        Whether one corner of either kind is enough.
    is_dense
        Whether short edges have corners as well: then both kinds are needed.

    Returns
    -------
    ndarray
        bool (m, n).
    """
    _, rows, cols = cells.shape
    counts = np.pad(cells, ((0, 0), (1, 1), (1, 1)))
    around = np.zeros((2, rows, cols), np.float32)
    for down in range(3):
        for right in range(3):
            around += counts[:, down : down + rows, right : right + cols]
    total = around.sum(axis=0)
    is_busy = total >= 1 if is_coarse else (around.min(axis=0) >= 1) & (total >= FEWEST_CORNERS)
    if not is_dense:
        is_busy |= total >= FEWEST_ALIKE
    halo, step = HALO_PX // CELL_PX, TILE_PX // CELL_PX
    inner = is_busy[halo:-halo, halo:-halo]
    tiles = inner.reshape(inner.shape[0] // step, step, inner.shape[1] // step, step)
    busy: NDArray[np.bool_] = tiles.any(axis=(1, 3))
    return busy


def iter_looks(
    net: SpotNet,
    packed: PackedLevels,
    level: int,
    steps: Steps | None = None,
    is_known: IsKnown = nothing_known,
) -> Iterator[Looks]:
    """Yield what the net says of every tile of a level that may hold a digit, some at a time.

    Parameters
    ----------
    net
        Of places.
    packed, level, steps, is_known
        As of `iter_windows`.
    """
    for windows in iter_windows(packed, level, steps, is_known):
        yield _look(net, windows)


@torch.no_grad()
def _look(net: SpotNet, windows: WindowBatch) -> Looks:
    device = next(net.parameters()).device
    # (B, 4, 128, 128) -> (B, 2, 8, 8), (B, 3, 8, 8)
    logits, shapes = net.look_within(torch.from_numpy(windows.edges).to(device))
    scores, kept = logits.sigmoid().float().cpu().numpy(), shapes.float().cpu().numpy()
    return Looks(windows.level, np.array(windows.tiles, np.int64), scores, kept)


def spots_of(looks: Looks, least: float) -> list[Spot]:
    """Return the places of tiles whose score is at least ``least``."""
    found = []
    reduction = 1 << looks.level
    for tile, kind, down, right in np.argwhere(looks.scores >= least).tolist():
        first_row, first_col = looks.tiles[tile].tolist()
        offset_row, offset_col, log_side = looks.shapes[tile, :, down, right].tolist()
        row = first_row + (down + 0.5 + min(max(offset_row, -2), 2)) * STRIDE_PX
        col = first_col + (right + 0.5 + min(max(offset_col, -2), 2)) * STRIDE_PX
        side = 40 * float(np.exp(min(max(log_side, -1.5), 0.5)))
        side_px = GLYPH_PX / 2 if kind == 1 else max(side, 0.8 * GLYPH_PX) * reduction
        score = float(looks.scores[tile, kind, down, right])
        found.append(Spot(score, row * reduction, col * reduction, side_px))
    return found


def merge_spots(spots: list[Spot], most: int) -> list[Spot]:
    """Return the best of the places, without those that mean the same digit as a better one."""
    kept: list[Spot] = []
    for spot in sorted(spots, key=lambda one: -one.score):
        if len(kept) == most:
            break
        if not any(is_same(spot, other) for other in kept):
            kept.append(spot)
    return kept


def is_same(spot: Spot, other: Spot) -> bool:
    """Return whether two places are a quarter of a side apart at most, and as large."""
    apart = max(abs(spot.row - other.row), abs(spot.col - other.col))
    ratio = spot.side_px / other.side_px
    return apart < 0.25 * min(spot.side_px, other.side_px) and 1 / 1.5 < ratio < 1.5
