"""Places of a pyramid at which a digit may stand: which tiles are worth a look, and what is there.

A tile with few corners holds no digit, so nets never see it, nor, on the finest level, one with
corners of one kind alone: of the tiles of a ``released`` image of 4000 px about one in thirty is
left there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.models.own.edge_levels import (
    Bits,
    corner_kinds,
    is_dense_level,
    level_count,
    level_edges,
    read_bits,
)
from umnist_core.models.own.finder_nets import STRIDE_PX, SpotNet
from umnist_core.models.progress import Steps
from umnist_core.pyramid import TileSource

TILE_PX = 64
"""Level px a side that one window speaks of."""

HALO_PX = 32
"""Level px about a tile that the net sees as well."""

WINDOW_PX = TILE_PX + 2 * HALO_PX

BLOCK_PX = 512
"""Level px a side whose edges are held at once."""

CELL_PX = 16
"""Level px a side in which corners are counted."""

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

IsKnown = Callable[[Box], bool]
"""Tells of a box of the image whether it is known what stands there, so that none need look."""


def nothing_known(_canvas_box: Box) -> bool:
    """Return False: somebody looks everywhere."""
    return False


@dataclass(frozen=True)
class Spot:
    """A place where a digit may stand: its score 0 to 1, centre and side in image px."""

    score: float
    row: float
    col: float
    side_px: float


@dataclass(frozen=True)
class Look:
    """What the net said of a tile.

    Attributes
    ----------
    level
        Its level.
    row, col
        First level px of the tile.
    scores
        float32 (2, 8, 8), 0 to 1, of both kinds.
    shapes
        float32 (3, 8, 8): offset of the centre in 8 px, logarithm of the side over 40 px.
    """

    level: int
    row: int
    col: int
    scores: NDArray[np.float32]
    shapes: NDArray[np.float32]


def block_steps(source: TileSource) -> Steps:
    """Return the blocks of all levels of an image, to be counted as they are read."""
    sizes = (
        [reduced_size_px(side, 1 << level) for side in (source.height, source.width)]
        for level in range(level_count(source.height, source.width))
    )
    return Steps(sum(-(-height // BLOCK_PX) * -(-width // BLOCK_PX) for height, width in sizes))


def iter_windows(
    source: TileSource,
    level: int,
    steps: Steps | None = None,
    is_known: IsKnown = nothing_known,
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield the windows of a level that may hold a digit.

    Parameters
    ----------
    source
        The image.
    level
        Of its pyramid.
    steps
        Of `block_steps`, where blocks are counted.
    is_known
        Tiles of which it is true are left out.

    Yields
    ------
    tuple
        First row and column of the tile in level px, and its edges with the halo,
        float32 (4, 128, 128). Memory does not grow with the image.
    """
    reduction = 1 << level
    height, width = (reduced_size_px(n, reduction) for n in (source.height, source.width))
    for row in range(0, height, BLOCK_PX):
        for col in range(0, width, BLOCK_PX):
            rows = -(-min(BLOCK_PX, height - row) // TILE_PX) * TILE_PX
            cols = -(-min(BLOCK_PX, width - col) // TILE_PX) * TILE_PX
            box = Box(row - HALO_PX, col - HALO_PX, row + rows + HALO_PX, col + cols + HALO_PX)
            inner = Box.from_size(row, col, rows, cols)
            if not is_known(_in_canvas(inner, level)):
                yield from _block_windows(source, level, box, is_known)
            if steps is not None:
                steps.step()


def _in_canvas(level_box: Box, level: int) -> Box:
    """Return the px of the image under a box of a level, which may reach out of it."""
    ends = level_box.row0, level_box.col0, level_box.row1, level_box.col1
    return Box(*(end << level for end in ends))


def _block_windows(
    source: TileSource, level: int, box: Box, is_known: IsKnown
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield the windows of a block that are busy; the box includes the halo."""
    is_dense = is_dense_level(level)
    if is_dense:  # edges everywhere: count corners first, and look at the rest where it is busy
        bits = read_bits(source, box, 1)
        counts = np.stack([_cell_counts(kind) for kind in corner_kinds(bits)])
    else:
        edges = level_edges(source, level, box)
        counts = cell_counts(edges)
    sides = (reduced_size_px(side, 1 << level) for side in (source.height, source.width))
    is_coarse = max(sides) <= COARSE_PX
    busy = busy_tiles(counts, is_coarse=is_coarse, is_dense=is_dense)
    for down, right in np.argwhere(busy) * TILE_PX:
        row, col = box.row0 + int(down), box.col0 + int(right)
        tile = Box.from_size(row + HALO_PX, col + HALO_PX, TILE_PX, TILE_PX)
        if is_known(_in_canvas(tile, level)):
            continue
        if is_dense:
            window = level_edges(source, level, Box.from_size(row, col, WINDOW_PX, WINDOW_PX))
        else:
            window = edges[:, down : down + WINDOW_PX, right : right + WINDOW_PX]
        yield row + HALO_PX, col + HALO_PX, window


def _cell_counts(kind: Bits) -> NDArray[np.float32]:
    """Return the corners in each 16 x 16 px, nearly: eight bits hold their mean."""
    size = (kind.shape[1] // CELL_PX, kind.shape[0] // CELL_PX)
    means = cv2.resize(kind * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    return means.astype(np.float32)  # mean of 255 times a share of 256 px: its count, nearly


def cell_counts(edges: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the corners of both kinds in each 16 x 16 level px of `level_edges`."""
    _, height, width = edges.shape
    cells = edges[2:].reshape(2, height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)
    counts: NDArray[np.float32] = cells.sum(axis=(2, 4))
    return counts


def busy_tiles(
    cells: NDArray[np.float32], *, is_coarse: bool = False, is_dense: bool = False
) -> NDArray[np.bool_]:
    """Return which tiles may hold the centre of a digit.

    Parameters
    ----------
    cells
        float32 (2, 4 m + 4, 4 n + 4) of `cell_counts`: tiles with a halo around them all.
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
    source: TileSource,
    level: int,
    steps: Steps | None = None,
    is_known: IsKnown = nothing_known,
) -> Iterator[Look]:
    """Yield what the net says of every tile of a level that may hold a digit.

    Parameters
    ----------
    net
        Of places.
    source, level, steps, is_known
        As of `iter_windows`.
    """
    held: list[tuple[int, int, NDArray[np.float32]]] = []
    for one in iter_windows(source, level, steps, is_known):
        held.append(one)
        if len(held) == BATCH:
            yield from _look(net, level, held)
            held = []
    if held:
        yield from _look(net, level, held)


@torch.no_grad()
def _look(
    net: SpotNet, level: int, held: list[tuple[int, int, NDArray[np.float32]]]
) -> Iterator[Look]:
    device = next(net.parameters()).device
    windows = torch.from_numpy(np.stack([window for _, _, window in held])).to(device)
    logits, shapes = net(windows)  # (B, 4, 128, 128) -> (B, 2, 16, 16), (B, 3, 16, 16)
    inner = slice(HALO_PX // STRIDE_PX, (HALO_PX + TILE_PX) // STRIDE_PX)
    scores = logits.sigmoid()[..., inner, inner].float().cpu().numpy()
    kept = shapes[..., inner, inner].float().cpu().numpy()
    for (row, col, _), score, shape in zip(held, scores, kept, strict=True):
        yield Look(level, row, col, score, shape)


def spots_of(look: Look, least: float) -> list[Spot]:
    """Return the places of a tile whose score is at least ``least``."""
    found = []
    reduction = 1 << look.level
    for kind, down, right in zip(*np.nonzero(look.scores >= least), strict=True):
        offset_row, offset_col, log_side = (float(n) for n in look.shapes[:, down, right])
        row = look.row + (int(down) + 0.5 + min(max(offset_row, -2), 2)) * STRIDE_PX
        col = look.col + (int(right) + 0.5 + min(max(offset_col, -2), 2)) * STRIDE_PX
        side = 40 * float(np.exp(min(max(log_side, -1.5), 0.5)))
        side_px = GLYPH_PX / 2 if kind == 1 else max(side, 0.8 * GLYPH_PX) * reduction
        score = float(look.scores[kind, down, right])
        found.append(Spot(score, row * reduction, col * reduction, side_px))
    return found


def merge_spots(spots: list[Spot], most: int) -> list[Spot]:
    """Return the best of the places, without those that mean the same digit as a better one."""
    kept: list[Spot] = []
    for spot in sorted(spots, key=lambda one: -one.score):
        if len(kept) == most:
            break
        if not any(_is_same(spot, other) for other in kept):
            kept.append(spot)
    return kept


def _is_same(spot: Spot, other: Spot) -> bool:
    """Return whether two places are a quarter of a side apart at most, and as large."""
    apart = max(abs(spot.row - other.row), abs(spot.col - other.col))
    ratio = spot.side_px / other.side_px
    return apart < 0.25 * min(spot.side_px, other.side_px) and 1 / 1.5 < ratio < 1.5
