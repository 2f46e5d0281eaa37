"""Crossings of the digits' ink on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.rendering_torch.bands import (
    Band,
    Places,
    Runs,
    columns_from_canvas,
    find_runs,
    spread,
)
from umnist_core.rendering_torch.digits import (
    DigitPlan,
    cell_at,
    find_greys,
    plan_digits,
)
from umnist_core.rendering_torch.jpeg import code_greys
from umnist_core.rendering_torch.parcel import Device, Host, send
from umnist_core.scenes.digit_jpeg import BLOCK_PX
from umnist_core.scenes.scene import Scene

_CHUNK = 8192
"""Shared blocks that are coded at once."""

_APART = 1 << 20
"""More than the canvas px of any row: so far rows of different pictures lie apart."""


class Turns(NamedTuple):
    """Pictures of ink by the columns at which their rows change.

    Attributes
    ----------
    rows
        int64 (P, R + 1): where each row begins on the canvas, and where the last one ends.
    cols
        int64 (P, R + 1, K): canvas columns, of which an even number has no extent: those that
        fill up a row, and all of the row behind the last one.
    """

    rows: Tensor
    cols: Tensor


@dataclass(frozen=True)
class Ink:
    """The ink of several scenes.

    Attributes
    ----------
    pictures
        Pictures of ink that together, each inverting the others, are all ink.
    scene, begin, end
        For each of ``pictures``, int64 (P,): its scenes, and their first canvas rows and those
        behind the last ones.
    """

    pictures: tuple[Turns, ...]
    scene: tuple[Places, ...]
    begin: tuple[Places, ...]
    end: tuple[Places, ...]

    def runs(self, band: Band) -> list[Runs]:
        """Return the rows of a band on which pictures of each kind lie."""
        return [find_runs(band, *one) for one in zip(self.scene, self.begin, self.end, strict=True)]


def find_ink(scenes: Sequence[Scene], glyphs: GlyphSet, device: torch.device) -> Ink:
    """Return the ink of scenes without strokes."""
    plan = plan_digits(scenes, glyphs)
    if not len(plan.scene):
        return Ink((), (), (), ())
    shared = plan_shared(plan, scenes)
    sent = send({"digits": plan.columns, "shared": shared.columns}, device)
    digits = sent["digits"]
    greys = find_greys(plan, digits)
    ink = greys.greys > digits["threshold"][:, None, None]
    # The one place where the device is waited for: how many changes a row can have.
    pictures = [_turns(ink, greys.rows, greys.cols, most=None)]
    kinds = [(plan.scene, plan.begin[0], plan.end[0])]
    if len(shared.scene):
        pictures.append(_shared_turns(sent["shared"], digits))
        kinds.append((shared.scene, shared.row * BLOCK_PX, (shared.row + 1) * BLOCK_PX))
    scene, begin, end = zip(*kinds, strict=True)
    return Ink(tuple(pictures), scene, begin, end)


def _turns(ink: Tensor, rows: Tensor, cols: Tensor, most: int | None) -> Turns:
    """Return bool (P, R, C) by the columns at which its rows change.

    ``most`` is how often one may; None counts.
    """
    count, height, width = ink.shape
    places = torch.arange(1, width + 1, device=ink.device)
    # A column of no extent is taken for the one before it, lest it count as two changes.
    is_wide = cols[:, 1:] > cols[:, :-1]
    shown = torch.where(is_wide, places, 0).cummax(-1).values
    padded = torch.zeros((count, height, width + 1), dtype=torch.bool, device=ink.device)
    padded[:, :, 1:] = ink
    padded = padded.gather(2, shown[:, None, :].expand(-1, height, -1))
    changes = torch.zeros((count, height + 1, width + 1), dtype=torch.bool, device=ink.device)
    changes[:, :-1, 1:-1] = padded[:, :, 1:] ^ padded[:, :, :-1]
    changes[:, :-1, 0] = padded[:, :, 0]
    changes[:, :-1, -1] = padded[:, :, -1]
    rank = changes.cumsum(-1, dtype=torch.int16)
    if most is None:
        most = _largest(rank)
    # The place ``most`` takes in what does not change, and the last line what is not filled.
    slot = torch.where(changes, rank.long() - 1, most)
    turns = torch.full((count, height + 1, most + 1), width, device=ink.device)
    turns.scatter_(2, slot, torch.arange(width + 1, device=ink.device).expand_as(slot))
    turns = turns[:, :, :most]
    return Turns(rows, cols[:, None, :].expand(-1, height + 1, -1).gather(2, turns))


def _largest(rank: Tensor) -> int:
    return rank[:, :, -1].amax().item()  # type: ignore[return-value]


def ink_columns(ink: Ink, band: Band) -> tuple[list[Runs], dict[str, Host]]:
    """Return where the pictures of ink lie in a band, and what is to be sent of it."""
    runs = ink.runs(band)
    return runs, {
        f"ink {place}": {**one.columns, "picture": one.kept} for place, one in enumerate(runs)
    }


def find_ink_keys(
    ink: Ink, runs: Sequence[Runs], sent: dict[str, Device], rows: Tensor, band: Band
) -> list[Tensor]:
    """Return the crossings of all ink in a band, in no order; an even number in every row.

    Parameters
    ----------
    runs, sent
        Of `ink_columns`; the columns on the device.
    rows
        int64 (band.grid.height,): canvas rows of the grid, on the device.
    """
    keys = []
    for place, (turns, one) in enumerate(zip(ink.pictures, runs, strict=True)):
        if one.total:
            keys.append(_picture_keys(turns, one, sent[f"ink {place}"], rows, band))
    return keys


def _picture_keys(turns: Turns, runs: Runs, sent: Device, rows: Tensor, band: Band) -> Tensor:
    thing, row = spread(sent, runs.total)
    picture = sent["picture"][thing]
    count = len(turns.rows)
    apart = torch.arange(count, device=rows.device)[:, None] * _APART
    begins = (turns.rows + apart).flatten()
    place = torch.searchsorted(begins, rows[row] + picture * _APART, right=True) - 1
    cols = columns_from_canvas(turns.cols.flatten(0, 1)[place], band.grid)
    plane = (sent["plane"][thing] + row) * band.grid.stride
    return (plane[:, None] + cols).flatten()


# -- blocks of several digits -----------------------------------------------------


class SharedPlan(NamedTuple):
    """Blocks that several digits of a scene may have ink in.

    Attributes
    ----------
    scene, row
        int64 (M,): which scene, and which row of blocks.
    columns
        To be sent to the device.
    """

    scene: Places
    row: Places
    columns: Host


def plan_shared(plan: DigitPlan, scenes: Sequence[Scene]) -> SharedPlan:
    """Return the blocks that lie in what the blocks of several digits cover."""
    members: dict[tuple[int, int, int], set[int]] = {}
    begin, end = plan.begin // BLOCK_PX, plan.end // BLOCK_PX
    for one, other in _meeting(plan, begin, end, scenes):
        scene = int(plan.scene[one])
        row0, col0 = np.maximum(begin[:, one], begin[:, other]).tolist()
        row1, col1 = np.minimum(end[:, one], end[:, other]).tolist()
        for row in range(row0, row1):
            for col in range(col0, col1):
                members.setdefault((scene, row, col), set()).update((one, other))
    most = max((len(digits) for digits in members.values()), default=0)
    digits = np.full((len(members), most), -1, np.int64)
    for place, some in enumerate(members.values()):
        digits[place, : len(some)] = sorted(some)
    blocks = np.array(list(members), np.int64).reshape(-1, 3)
    columns: Host = {"row": blocks[:, 1], "col": blocks[:, 2], "digits": digits}
    return SharedPlan(blocks[:, 0], blocks[:, 1], columns)


def _meeting(
    plan: DigitPlan, begin: Places, end: Places, scenes: Sequence[Scene]
) -> list[tuple[int, int]]:
    """Return pairs of digits of one scene with a JPEG whose blocks meet."""
    pairs = []
    bounds = np.searchsorted(plan.scene, np.arange(len(scenes) + 1))
    for scene, (first, last) in zip(scenes, pairwise(bounds.tolist()), strict=True):
        if scene.digit_jpeg is None:
            continue
        low, high = begin[:, first:last].T.tolist(), end[:, first:last].T.tolist()
        for one, other in combinations(range(last - first), 2):
            if all(
                low[one][side] < high[other][side] and low[other][side] < high[one][side]
                for side in (0, 1)
            ):
                pairs.append((first + one, first + other))
    return pairs


def _shared_turns(shared: Device, digits: Device) -> Turns:
    """Return what blocks of several digits have more, or less, than each digit alone gives."""
    inner = torch.arange(BLOCK_PX, device=shared["row"].device)
    row_px = shared["row"][:, None] * BLOCK_PX + inner  # (M, 8)
    col_px = shared["col"][:, None] * BLOCK_PX + inner
    count = len(row_px)
    parts = [
        _extra_ink(row_px[some], col_px[some], shared["digits"][some], digits)
        for some in (slice(first, first + _CHUNK) for first in range(0, count, _CHUNK))
    ]
    first = shared["digits"][:, 0]
    rows = _lines(row_px, digits["canvas"][0][first])
    cols = _lines(col_px, digits["canvas"][1][first])
    return _turns(torch.cat(parts), rows, cols, most=BLOCK_PX)


def _lines(places: Tensor, canvas_px: Tensor) -> Tensor:
    """Return where px begin, and where the last one ends, on the canvas."""
    return torch.minimum(torch.cat([places, places[:, -1:] + 1], dim=1), canvas_px[:, None])


def _extra_ink(row_px: Tensor, col_px: Tensor, members: Tensor, digits: Device) -> Tensor:
    """Return the ink of blocks coded together, inverted by that of each digit in it alone.

    Parameters
    ----------
    row_px, col_px
        int64 (M, 8), canvas px.
    members
        int64 (M, K): digits, -1 for none.

    Returns
    -------
    Tensor
        bool (M, 8, 8).
    """
    count, most = members.shape
    which = members.clamp(min=0).flatten()
    rows = cell_at(digits, 0, row_px.repeat_interleave(most, 0), which)  # (M K, 8)
    cols = cell_at(digits, 1, col_px.repeat_interleave(most, 0), which)
    greys = digits["cells"][which[:, None, None], rows[:, :, None], cols[:, None, :]]
    greys = greys.view(count, most, BLOCK_PX, BLOCK_PX)
    greys = torch.where(members[:, :, None, None] >= 0, greys, 0)
    inked = (greys > 0).flatten(2).any(2)  # (M, K)
    together = torch.cat([greys.amax(1, keepdim=True), greys], dim=1)
    steps = digits["steps"][:, :, members[:, 0]][..., None]  # (8, 8, M, 1)
    coded = code_greys(together.permute(2, 3, 0, 1), steps, digits["transform"])
    ink = coded > digits["threshold"][members[:, 0]][:, None]
    ink &= torch.cat([inked.sum(1, keepdim=True) > 1, inked], dim=1)
    # Of one digit's ink alone nothing is shared: without it, it inverts itself.
    odd = (ink.sum(3) & 1).bool() & (inked.sum(1) > 1)
    return odd.permute(2, 0, 1)
