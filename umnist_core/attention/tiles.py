"""Attention as pixels: the weights of a map painted into any box of any level.

A value is the weight of the heaviest place that covers a px, as a share of the map's largest
weight, in 16 bits. The sides of a place are rounded to the nearest px of the level, so a box
painted alone is the same box cut from the whole level, and no side is more than half a level px
off. A place that would round to nothing is still one px wide, or it could not be seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention.maps import AttentionMap
from umnist_core.geometry import Box, reduced_size_px

LARGEST = 65535
"""What the map's largest weight is painted as."""


def paint(
    found: AttentionMap,
    level_box: Box,
    reduction: int = 1,
    *,
    task: str | None = None,
    head: int | None = None,
) -> NDArray[np.uint16]:
    """Paint the weights of a map into a box.

    Parameters
    ----------
    found
        The map.
    level_box
        What to paint, in the frame of the level; what is out of the image stays 0.
    reduction
        Image px per level px along one side, 1 or more.
    task, head
        Which of the map's; their mean by default.

    Returns
    -------
    ndarray
        uint16 (rows, columns) of the box: 0 where there is no place or no weight, `LARGEST` at
        the heaviest.

    Raises
    ------
    InvalidValueError
        If there is no such task or head.
    """
    tile = np.zeros((level_box.height, level_box.width), np.uint16)
    weights = found.place_weights(task, head)
    heaviest = float(weights.max(initial=0))
    if heaviest == 0:
        return tile
    values = np.rint(weights.astype(np.float64) * (LARGEST / heaviest)).astype(np.uint16)
    boxes = level_boxes(found, reduction) - [level_box.row0, level_box.col0] * 2
    is_seen = (
        (values > 0)
        & (boxes[:, 2] > 0)
        & (boxes[:, 3] > 0)
        & (boxes[:, 0] < tile.shape[0])
        & (boxes[:, 1] < tile.shape[1])
    )
    _paint_boxes(tile, np.maximum(boxes[is_seen], 0), values[is_seen])
    return tile


def as_colours(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return values as a browser takes them in a PNG: the high byte red, the low one green.

    Parameters
    ----------
    values
        uint16 (rows, columns).

    Returns
    -------
    ndarray
        uint8 (rows, columns, 3).
    """
    image = np.zeros((*values.shape, 3), np.uint8)
    image[:, :, 0], image[:, :, 1] = values >> 8, values & 0xFF
    return image


def level_boxes(found: AttentionMap, reduction: int) -> NDArray[np.int64]:
    """Return the boxes of the places in whole px of a level, int64 (places, 4).

    Row and column of the first px, then those after the last; each box has one px or more and
    lies in the level.
    """
    height, width = (reduced_size_px(side, reduction) for side in (found.height, found.width))
    boxes = found.boxes.astype(np.float64) / reduction
    edges = np.floor(boxes + 0.5).astype(np.int64)
    for first, last, size in ((0, 2, height), (1, 3, width)):
        edges[:, [first, last]] = np.clip(edges[:, [first, last]], 0, size)
        middle = np.floor((boxes[:, first] + boxes[:, last]) / 2).astype(np.int64)
        is_nothing = edges[:, last] <= edges[:, first]
        edges[is_nothing, first] = np.clip(middle[is_nothing], 0, size - 1)
        edges[is_nothing, last] = edges[is_nothing, first] + 1
    return edges


def _paint_boxes(
    tile: NDArray[np.uint16], boxes: NDArray[np.int64], values: NDArray[np.uint16]
) -> None:
    """Paint boxes that overlap the tile and do not start before it, the heaviest on top."""
    # Far out, a level holds thousands of places of one px: those are painted all at once.
    is_px = (boxes[:, 2] - boxes[:, 0] == 1) & (boxes[:, 3] - boxes[:, 1] == 1)
    order = np.argsort(values[~is_px], kind="stable")
    painted = zip(boxes[~is_px][order].tolist(), values[~is_px][order].tolist(), strict=True)
    for (row0, col0, row1, col1), value in painted:
        tile[row0:row1, col0:col1] = value
    np.maximum.at(tile, (boxes[is_px, 0], boxes[is_px, 1]), values[is_px])
