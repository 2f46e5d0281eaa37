"""The grey digits of scenes on a device, as they are or as they come out of a grey JPEG.

The same as `umnist_core.scenes.digit_jpeg`, px for px, for all digits of several scenes at once.
No list is made of which blocks are alike: every digit takes the same room, so that none has to be
waited for. Along each side a digit has 29 lines, at which its cells begin and the last one ends. A
*part* of a side is the block of 8 px that holds a line, px by px, and what follows it up to the
block of the next line: whole blocks within one cell, all of one grey from end to end, so that one
px stands for all of them. Of lines in one block all but the first make parts of no extent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.rendering_torch.bands import Places
from umnist_core.rendering_torch.budget import budget_of
from umnist_core.rendering_torch.jpeg import TRANSFORM, code_greys, quantisation_table
from umnist_core.rendering_torch.parcel import Device, Host
from umnist_core.scenes.digit_jpeg import BLOCK_PX
from umnist_core.scenes.scene import Scene
from umnist_core.scenes.ultramnist import glyph_pixels

LINES = GLYPH_PX + 1
PART_PX = BLOCK_PX + 1
"""Px of a side that are told apart in a part: those of a block, and one of what follows."""

SIDE_PX = LINES * PART_PX
"""Px of a side that are told apart."""

_BLACK = GLYPH_PX
"""A cell that no glyph has: beside it."""


class DigitPlan(NamedTuple):
    """Digits of several scenes, with numbers for each.

    Attributes
    ----------
    scene
        int64 (D,): which scene.
    begin, end
        int64 (2, D): first row and column of the blocks that hold its ink, and those behind the
        last ones, in canvas px; the canvas may end before.
    is_coded
        Whether any goes through a JPEG.
    columns
        To be sent to the device.
    """

    scene: Places
    begin: Places
    end: Places
    is_coded: bool
    columns: Host


class Greys(NamedTuple):
    """Greys of pictures on rows and columns of the canvas.

    Attributes
    ----------
    greys
        uint8 (P, R, C).
    rows, cols
        int64 (P, R + 1) and (P, C + 1), ascending: where each row and column begins on the
        canvas, and where the last one ends. Many have no extent.
    """

    greys: Tensor
    rows: Tensor
    cols: Tensor


def plan_digits(scenes: Sequence[Scene], glyphs: GlyphSet) -> DigitPlan:
    """Return the digits of scenes without strokes, before anything is coded."""
    digits = [(place, digit) for place, scene in enumerate(scenes) for digit in scene.digits]
    count = len(digits)
    cells = np.zeros((count, LINES, LINES), np.uint8)
    used = np.empty(count, np.int64)
    for place, (_, digit) in enumerate(digits):
        pixels = glyph_pixels(glyphs, digit.glyph, digit.side_px)
        used[place] = len(pixels)
        cells[place, : len(pixels), : len(pixels)] = pixels
    numbers = [(scene, one.row, one.col, one.side_px) for scene, one in digits]
    scene, row, col, side_px = np.array(numbers, np.int64).reshape(-1, 4).T
    start, repeat = np.stack([row, col]), side_px // used
    begin, end = _blocks_with_ink(cells, start, repeat)
    qualities = [scenes[place].digit_jpeg for place in scene.tolist()]
    sizes = np.array([(one.height, one.width) for one in scenes], np.int64).reshape(-1, 2)
    columns: Host = {
        "cells": cells,
        "start": start,
        "repeat": repeat,
        "used": used,
        "begin": begin,
        "end": end,
        "canvas": sizes[scene].T,
        "threshold": np.array([one.ink_threshold for one in scenes], np.int64)[scene],
    }
    is_coded = any(quality is not None for quality in qualities)
    if is_coded:
        tables = [quantisation_table(75 if one is None else one) for one in qualities]
        columns["steps"] = np.stack(tables, axis=-1)  # (8, 8, D)
        columns["coded"] = np.array([one is not None for one in qualities])
        columns["transform"] = TRANSFORM
    return DigitPlan(scene, begin, end, is_coded, columns)


def _blocks_with_ink(
    cells: NDArray[np.uint8], start: Places, repeat: Places
) -> tuple[Places, Places]:
    """Return where the blocks begin and end that hold any of a digit's cells with ink."""
    inked = np.stack([cells.any(axis=2), cells.any(axis=1)])  # (2, D, lines)
    has_ink = inked.any(axis=2)
    first = inked.argmax(axis=2)
    last = np.where(has_ink, LINES - 1 - inked[:, :, ::-1].argmax(axis=2), 0)
    blocks = [(start + first * repeat) // BLOCK_PX, (start + (last + 1) * repeat - 1) // BLOCK_PX]
    return blocks[0] * BLOCK_PX, (blocks[1] + 1) * BLOCK_PX


def find_greys(plan: DigitPlan, digits: Device) -> Greys:
    """Return the greys of each digit as if it were alone on its canvas.

    Parameters
    ----------
    plan
        The digits.
    digits
        Its columns on the device.

    Returns
    -------
    Greys
        A picture for each digit, of `SIDE_PX` rows and columns; black beside it.
    """
    count = len(plan.scene)
    inner = torch.arange(PART_PX, device=digits["cells"].device)
    lines = torch.arange(LINES, device=inner.device)
    sides = [_Side.of(digits, axis, lines, inner) for axis in (0, 1)]
    pictures, step = [], budget_of(inner.device).digits
    for first in range(0, count, step):
        some = slice(first, min(first + step, count))
        pictures.append(_code_some(plan, digits, sides, some))
    return Greys(torch.cat(pictures), sides[0].begins, sides[1].begins)


class _Side(NamedTuple):
    """One side of each digit.

    Attributes
    ----------
    cells
        int64 (D, 29, 9): the cell under each px that is told apart.
    begins
        int64 (D, 29 * 9 + 1): where it begins on the canvas.
    """

    cells: Tensor
    begins: Tensor

    @classmethod
    def of(cls, digits: Device, axis: int, lines: Tensor, inner: Tensor) -> _Side:
        """Return the rows (axis 0) or the columns."""
        start, used = digits["start"][axis], digits["used"]
        at_lines = start[:, None] + torch.minimum(lines, used[:, None]) * digits["repeat"][:, None]
        blocks = (at_lines >> 3) * BLOCK_PX  # (D, 29)
        places = blocks[:, :, None] + inner  # (D, 29, 9)
        cells = cell_at(digits, axis, places, torch.arange(len(start), device=lines.device))
        # What follows a block is of the cell of its last line.
        cells[:, :, BLOCK_PX] = torch.where(lines < used[:, None], lines, _BLACK)
        again = torch.zeros_like(blocks, dtype=torch.bool)
        again[:, 1:] = blocks[:, 1:] == blocks[:, :-1]
        places = torch.where(again[:, :, None], blocks[:, :, None] + BLOCK_PX, places)
        end = torch.minimum(digits["end"][axis], digits["canvas"][axis])[:, None]
        begins = torch.cat([places.flatten(1), end], dim=1)
        return cls(cells, begins.clamp(digits["begin"][axis][:, None], end))


def cell_at(digits: Device, axis: int, places: Tensor, which: Tensor) -> Tensor:
    """Return the cells of digits under rows (axis 0) or columns of the canvas.

    Behind the edge of the canvas its last row and column are repeated, as the codec does.

    Parameters
    ----------
    places
        int64 (M, ...), canvas px.
    which
        int64 (M,): digits.

    Returns
    -------
    Tensor
        int64 (M, ...): 0 to 27, or 28 for none.
    """

    def of(name: str) -> Tensor:
        values = digits[name] if digits[name].dim() == 1 else digits[name][axis]
        return values[which].reshape(-1, *[1] * (places.dim() - 1))

    inside = torch.minimum(places, of("canvas") - 1) - of("start")
    cells = torch.div(inside, of("repeat"), rounding_mode="floor")
    return torch.where((cells < 0) | (cells >= of("used")), _BLACK, cells)


def _code_some(plan: DigitPlan, digits: Device, sides: Sequence[_Side], some: slice) -> Tensor:
    """Return the greys of some digits, uint8 (D, 261, 261)."""
    rows, cols = (side.cells[some].movedim(2, 0) for side in sides)  # (9, D, 29)
    cells = digits["cells"][some]
    first = torch.arange(len(cells), device=cells.device)[:, None] * LINES**2
    # (9, 9, D, 29, 29): px in a part and parts, down and across.
    place = (first + rows * LINES)[:, None, :, :, None] + cols[None, :, :, None, :]
    greys = cells.reshape(-1).take(place)
    if plan.is_coded:
        greys = _coded(greys, digits, some)
    return greys.permute(2, 3, 0, 4, 1).reshape(len(cells), SIDE_PX, SIDE_PX)


def _coded(greys: Tensor, digits: Device, some: slice) -> Tensor:
    """Return greys as the codec leaves them where they go through it."""
    steps = digits["steps"][:, :, some, None, None]
    coded = torch.empty_like(greys)
    block, follows = slice(0, BLOCK_PX), slice(BLOCK_PX, PART_PX)
    for down in (block, follows):
        for across in (block, follows):
            coded[down, across] = code_greys(greys[down, across], steps, digits["transform"])
    return torch.where(digits["coded"][some, None, None], coded, greys)
