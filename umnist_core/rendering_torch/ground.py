"""Crossings of the ground on a device: the checkerboard, inverted by the union of shapes.

The arithmetic is that of `umnist_core.rendering.crossings`, for all rows of all things at once. The
numbers that a thing has once are found by NumPy, as there, and those that each of its rows has on
the device.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from umnist_core.rendering.crossings import (
    SLOPE_BITS,
    UNIT,
    Edges,
    Grid,
    checkerboard_edges,
    polygon_edges,
)
from umnist_core.rendering_torch.bands import (
    Band,
    Places,
    Runs,
    columns_from_canvas,
    find_runs,
    spread,
)
from umnist_core.rendering_torch.parcel import Device, Host
from umnist_core.scenes.scene import SUBPIXELS, Scene
from umnist_core.scenes.shapes import Circle, Polygon


@dataclass(frozen=True)
class Ground:
    """What the grounds of several scenes are made of.

    Attributes
    ----------
    edges, edge_scene
        Those of the checkerboards, then those of polygons; the scene of each, int64.
    polygon
        int64: to which polygon an edge belongs, counted from 1; 0 for checkerboards, ascending.
    circles, circle_scene
        int64 (N, 3): row, column and radius of circles; the scene of each.
    """

    edges: Edges
    edge_scene: Places
    polygon: Places
    circles: Places
    circle_scene: Places


@dataclass(frozen=True)
class BandGround:
    """The part of a ground that lies in a band.

    Attributes
    ----------
    edges, circles
        The rows of the band on which they lie.
    board_total
        Rows of the edges of checkerboards, which are the first of all rows of edges.
    columns
        To be sent to the device, beside those of ``edges`` and ``circles``.
    """

    edges: Runs
    circles: Runs
    board_total: int
    columns: dict[str, Host]


def plan_ground(scenes: Sequence[Scene]) -> Ground:
    """Return what the grounds of scenes without strokes are made of."""
    parts: list[tuple[Edges, int, int]] = []
    for place, scene in enumerate(scenes):
        if scene.checkerboard is not None:
            parts.append((checkerboard_edges(scene.checkerboard), place, 0))
    circles: list[tuple[int, int, int, int]] = []
    polygons = 0
    for place, scene in enumerate(scenes):
        for shape in scene.shapes:
            if isinstance(shape, Circle):
                circles.append((place, shape.row, shape.col, shape.radius_px))
                continue
            assert isinstance(shape, Polygon)
            polygons += 1
            parts.append((polygon_edges(shape), place, polygons))
    sizes = [len(edges.begin) for edges, _, _ in parts]
    rounds = np.array(circles, np.int64).reshape(-1, 4)
    return Ground(
        _joined([edges for edges, _, _ in parts]),
        np.repeat(np.array([place for _, place, _ in parts], np.int64), sizes),
        np.repeat(np.array([number for _, _, number in parts], np.int64), sizes),
        rounds[:, 1:],
        rounds[:, 0],
    )


def _joined(edges: Iterable[Edges]) -> Edges:
    none = np.empty(0, np.int64)
    columns = zip(Edges(none, none, none, none), *edges, strict=True)
    return Edges(*(np.concatenate(column) for column in columns))


def rows_of_ground(ground: Ground) -> int:
    """Return about how many crossings all rows of all grounds have together."""
    edges = ground.edges.end - ground.edges.begin
    return int(edges.sum() + 4 * ground.circles[:, 2].sum())


def band_of_ground(ground: Ground, band: Band) -> BandGround:
    """Return what of a ground lies in a band."""
    begin, end, x, slope = ground.edges
    edges = find_runs(band, ground.edge_scene, begin, end)
    row, col, radius_px = ground.circles.T
    circles = find_runs(band, ground.circle_scene, row - radius_px, row + radius_px)
    kept = edges.kept
    boards = int(np.searchsorted(ground.polygon[kept], 1))
    lines = {
        # x at row r is x + slope * (r - begin), rounded up to whole columns.
        "at_zero": x[kept] - slope[kept] * begin[kept] + (UNIT - 1),
        "slope": slope[kept],
        "polygon": ground.polygon[kept],
    }
    rounds = {"row": row, "col": col, "radius_px": radius_px}
    columns = {
        "edges": {**edges.columns, **lines},
        "circles": {**circles.columns, **{name: of[circles.kept] for name, of in rounds.items()}},
    }
    return BandGround(edges, circles, int(edges.ends[boards - 1]) if boards else 0, columns)


def find_ground_keys(
    part: BandGround, sent: dict[str, Device], rows: Tensor, band: Band
) -> list[Tensor]:
    """Return the crossings of the ground in a band, in no order; an even number in every row.

    Parameters
    ----------
    part
        The ground in the band.
    sent
        Its columns on the device.
    rows
        int64 (band.grid.height,): canvas rows of the grid, on the device.

    Returns
    -------
    list
        Keys, int64.
    """
    keys = _edge_keys(part, sent["edges"], rows, band.grid)
    boards, polygons = keys[: part.board_total], keys[part.board_total :]
    begins, ends = [], []
    if len(polygons):
        first, last = _polygon_spans(part, sent["edges"], polygons, band)
        begins.append(first)
        ends.append(last)
    if part.circles.total:
        first, last = _circle_spans(part, sent["circles"], rows, band.grid)
        begins.append(first)
        ends.append(last)
    return [boards, _unite(torch.cat(begins), torch.cat(ends), band.grid)] if begins else [boards]


def _edge_keys(part: BandGround, edges: Device, rows: Tensor, grid: Grid) -> Tensor:
    thing, row = spread(edges, part.edges.total)
    cols = edges["slope"][thing] * rows[row] + edges["at_zero"][thing]
    cols = cols >> (SLOPE_BITS + SUBPIXELS.bit_length() - 1)
    return (edges["plane"][thing] + row) * grid.stride + columns_from_canvas(cols, grid)


def _polygon_spans(
    part: BandGround, edges: Device, keys: Tensor, band: Band
) -> tuple[Tensor, Tensor]:
    """Return where each polygon begins and ends in each of its rows.

    It has two crossings in each: sorted polygon by polygon, they are pairs.
    """
    thing = torch.repeat_interleave(edges["count"], output_size=part.edges.total)
    number = edges["polygon"][thing[part.board_total :]]
    behind = band.plane_rows * band.grid.stride  # no key is that large
    pairs = (number * behind + keys).sort().values % behind
    return pairs[0::2], pairs[1::2]


def _circle_spans(
    part: BandGround, circles: Device, rows: Tensor, grid: Grid
) -> tuple[Tensor, Tensor]:
    """Return where each circle begins and ends in each of its rows.

    In half pixels, where centres are odd and everything is whole: |2c + 1 - 2 col| <= reach.
    """
    thing, row = spread(circles, part.circles.total)
    rise = 2 * (rows[row] - circles["row"][thing]) + 1
    square = 4 * circles["radius_px"][thing] ** 2 - rise**2
    reach = whole_roots(square, square.double().sqrt())
    col = 2 * circles["col"][thing]
    begin = -((reach + 1 - col) >> 1)
    end = ((col - 1 + reach) >> 1) + 1
    plane = (circles["plane"][thing] + row) * grid.stride
    return plane + columns_from_canvas(begin, grid), plane + columns_from_canvas(end, grid)


def whole_roots(squares: Tensor, roots: Tensor) -> Tensor:
    """Return square roots rounded down, in whole numbers, lest it matter how a device rounds.

    Parameters
    ----------
    squares
        int64, 0 to 2**52.
    roots
        float64: their roots, off by less than 1 once they are cut to whole numbers.
    """
    whole = roots.long()
    whole -= (whole**2 > squares).long()
    whole += ((whole + 1) ** 2 <= squares).long()
    return whole


def _unite(begins: Tensor, ends: Tensor, grid: Grid) -> Tensor:
    """Return the crossings of the union of spans.

    A mark inside of the union becomes a crossing at the width, which changes nothing; so there
    are as many keys as marks, and nobody has to wait until they are counted.
    """
    # Twice the key, plus one for an end: at the same column a span begins before one ends.
    marks = torch.cat([begins * 2, ends * 2 + 1]).sort().values
    is_end = marks & 1
    depth = (1 - 2 * is_end).cumsum(0)
    keys = marks >> 1
    at_width = torch.div(keys, grid.stride, rounding_mode="floor") * grid.stride + grid.width
    return torch.where(depth == 1 - is_end, keys, at_width)
