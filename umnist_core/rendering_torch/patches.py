"""Grey scenes on a device: squares pasted on black, each hiding the earlier, or added.

All squares are pasted at once. What a pixel shows is the grey of the last square that covers it,
so each square writes its number and its grey as one whole number, and the largest one stays. Of
squares that are added a pixel shows the sum, which does not depend on their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.rendering.added import find_added
from umnist_core.rendering.squares import MID_GREY
from umnist_core.rendering.strokes import draw_patterns
from umnist_core.rendering_torch.bands import Band, Places
from umnist_core.rendering_torch.budget import budget_of
from umnist_core.rendering_torch.parcel import Device, Host, send
from umnist_core.scenes.scene import Scene

_GREYS = 256

_LARGEST_OF_32_BITS = 2**31 // (255 * GLYPH_PX**3) - 1
"""Side, in px, of squares whose sums on the way to their means fit 32 bits."""

_NO_PICTURES = np.empty((0, GLYPH_PX, GLYPH_PX), np.uint8)


@dataclass(frozen=True)
class PatchPlan:
    """Squares of several scenes, in the order of pasting.

    Attributes
    ----------
    pictures
        uint8 (N, 28, 28); what scenes have in common is there once.
    squares
        int64 (M, 6): scene, number in the scene from 1, picture, first row and column, side. Of
        squares that are added the number is 1 where the image is shown in their ink, else 0.
    ground
        Grey where nothing is pasted.
    ink_only
        Whether black pixels leave what is under them; of added squares, whether the image is shown
        in the ink of those of number 1 alone.
    adds
        Whether squares are added, and their pictures repeated and not resized.
    """

    pictures: NDArray[np.uint8]
    squares: Places
    ground: int
    ink_only: bool
    adds: bool = False


def plan_added(scenes: Sequence[Scene], glyphs: GlyphSet, layer: str) -> PatchPlan:
    """Return what is added in a layer of scenes whose digits are."""
    pictures, squares, held = [_NO_PICTURES], [np.empty((0, 6), np.int64)], 0
    for place, scene in enumerate(scenes):
        assert scene.added is not None
        found = find_added(scene, scene.added, glyphs, layer)
        used, picture = np.unique(found.which, return_inverse=True)
        pictures.append(glyphs.images[used])
        shows = np.zeros(len(picture)) if found.shows is None else found.shows
        columns = (np.full(len(picture), place), shows, held + picture)
        squares.append(
            np.column_stack([*columns, found.rows, found.cols, found.sides_px]).astype(np.int64)
        )
        held += len(used)
    only = layer == "digits"
    ground = MID_GREY if only else 0
    return PatchPlan(np.concatenate(pictures), np.concatenate(squares), ground, only, adds=True)


def plan_patches(scenes: Sequence[Scene], glyphs: GlyphSet, layer: str) -> PatchPlan:
    """Return what is pasted in a layer of scenes with strokes: strokes, then digits."""
    pictures = [_NO_PICTURES]
    first_of: dict[int, int] = {}
    squares = [np.empty((0, 6), np.int64)]
    held = 0
    for place, scene in enumerate(scenes):
        strokes, count = scene.strokes, 0
        if strokes is not None and layer in ("full", "background"):
            patterns = draw_patterns(strokes)  # the very same for all scenes of a split
            if id(patterns) not in first_of:
                first_of[id(patterns)], held = held, held + len(patterns)
                pictures.append(patterns)
            pasted = np.array(strokes.patches, np.int64).reshape(-1, 3)
            pasted[:, 0] += first_of[id(patterns)]
            squares.append(_numbered(place, count, pasted, strokes.side_px))
            count += len(pasted)
        for digit in () if layer == "background" else scene.digits:
            pictures.append(glyphs.images[digit.glyph][None])
            where = np.array([[held, digit.row, digit.col]], np.int64)
            squares.append(_numbered(place, count, where, digit.side_px))
            held, count = held + 1, count + 1
    only = layer == "digits"
    ground = MID_GREY if only else 0
    return PatchPlan(np.concatenate(pictures), np.concatenate(squares), ground, only)


def _numbered(scene: int, earlier: int, pasted: Places, side_px: int) -> Places:
    number = earlier + 1 + np.arange(len(pasted))
    scenes, sides_px = np.full(len(pasted), scene), np.full(len(pasted), side_px)
    return np.column_stack([scenes, number, pasted, sides_px])


def meets(plan: PatchPlan, band: Band) -> bool:
    """Return whether any square reaches into a band."""
    return bool(len(_find_met(plan, band)))


def paste(plan: PatchPlan, pictures: Tensor, band: Band) -> Tensor:
    """Paste squares on the rows and columns of a band.

    Parameters
    ----------
    pictures
        Those of the plan, on the device.

    Returns
    -------
    Tensor
        int32 (scenes, height, width) of the band, 0 to 255.
    """
    grid, device = band.grid, pictures.device
    kinds = 2 if plan.adds and plan.ink_only else 1  # one more for the ink that shows
    planes = torch.full(
        (kinds, band.plane_rows * grid.width + 1),
        0 if plan.adds else plan.ground,
        dtype=torch.int32,
        device=device,
    )
    met = _find_met(plan, band)
    groups = [_group(met[met[:, 5] == side_px], band) for side_px in np.unique(met[:, 5])]
    columns = {f"{place}": group.columns for place, group in enumerate(groups)}
    sent = send({**columns, "grid": {"rows": grid.rows, "cols": grid.canvas_cols}}, device)
    for place, group in enumerate(groups):
        step = max(1, budget_of(device).pasted_px // max(1, group.height * group.width))
        for first in range(0, len(group.columns["row"]), step):
            some = {name: of[first : first + step] for name, of in sent[f"{place}"].items()}
            chosen = pictures[some["picture"]]
            _paste_some(plan, group, some, chosen, grid=sent["grid"], planes=planes)
    return _shown(plan, planes[:, :-1]).view(band.scenes, grid.height, grid.width)


def _shown(plan: PatchPlan, planes: Tensor) -> Tensor:
    """Return the greys of pixels; planes is int32 (1 or 2, pixels) as `_paste_some` fills it."""
    if not plan.adds:
        return planes[0] & (_GREYS - 1)
    greys = planes[0].clamp(max=_GREYS - 1)
    return torch.where(planes[1] > 0, greys, plan.ground) if plan.ink_only else greys


def _find_met(plan: PatchPlan, band: Band) -> Places:
    """Return the squares that reach into a band, int64 (M, 6)."""
    scene, _, _, row, col, side_px = plan.squares.T
    rows, cols = band.grid.rows, band.grid.canvas_cols
    met = (scene >= band.first) & (scene < band.last)
    met &= (row + side_px > rows[0]) & (row <= rows[-1])
    met &= (col + side_px > cols[0]) & (col <= cols[-1])
    squares: Places = plan.squares[met]
    return squares


class _Group(NamedTuple):
    """Squares of one side.

    Attributes
    ----------
    side_px
        Their side.
    height, width
        The most rows and columns of the grid that one of them covers.
    columns
        To be sent to the device.
    """

    side_px: int
    height: int
    width: int
    columns: Host


def _group(squares: Places, band: Band) -> _Group:
    scene, number, picture, row, col, side_px = squares.T
    rows, cols = band.grid.rows, band.grid.canvas_cols
    top, bottom = np.searchsorted(rows, row), np.searchsorted(rows, row + side_px)
    left, right = np.searchsorted(cols, col), np.searchsorted(cols, col + side_px)
    columns = {
        "plane": (scene - band.first) * band.grid.height,
        "number": number,
        "picture": picture,
        "row": row,
        "col": col,
        "top": top,
        "bottom": bottom,
        "left": left,
        "right": right,
    }
    height, width = int((bottom - top).max()), int((right - left).max())
    return _Group(int(side_px[0]), height, width, columns)


def _paste_some(
    plan: PatchPlan, group: _Group, some: Device, pictures: Tensor, *, grid: Device, planes: Tensor
) -> None:
    """Paste some squares of a group, each with its picture."""
    row, row_in, is_row = _lines(
        grid["rows"], some["top"], some["bottom"], some["row"], group.height
    )
    col, col_in, is_col = _lines(
        grid["cols"], some["left"], some["right"], some["col"], group.width
    )
    draw = _repeated if plan.adds else _resized
    greys = draw(pictures, group.side_px, row_in, col_in)
    shown = is_row[:, :, None] & is_col[:, None, :]
    if plan.ink_only and not plan.adds:
        shown &= greys > 0
    target = (some["plane"][:, None] + row)[:, :, None] * len(grid["cols"]) + col[:, None, :]
    # A pixel more, for what is not shown.
    target = torch.where(shown, target, planes.shape[1] - 1).flatten()
    number = some["number"].to(torch.int32)[:, None, None]
    if not plan.adds:
        planes[0].scatter_reduce_(0, target, (greys + number * _GREYS).flatten(), "amax")
        return
    planes[0].scatter_add_(0, target, greys.flatten())
    if plan.ink_only:
        planes[1].scatter_reduce_(0, target, ((greys > 0) * number).flatten(), "amax")


def _lines(
    places: Tensor, first: Tensor, last: Tensor, begin: Tensor, most: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows, or columns, of the grid that squares cover.

    Returns
    -------
    line
        int64 (M, most), of the grid.
    inside
        int64 (M, most): which of the square's own it is.
    is_met
        bool (M, most): whether it is one at all.
    """
    line = first[:, None] + torch.arange(most, device=places.device)
    is_met = line < last[:, None]
    line = torch.where(is_met, line, first[:, None].clamp(max=len(places) - 1))
    inside = places[line] - begin[:, None]
    return line, torch.where(is_met, inside, 0), is_met


# -- pictures at another size -----------------------------------------------------


def _repeated(pictures: Tensor, side_px: int, rows: Tensor, cols: Tensor) -> Tensor:
    """Return rows and columns of pictures whose pixels are repeated; as `_resized`."""
    row, col = (
        torch.div(places * GLYPH_PX, side_px, rounding_mode="floor") for places in (rows, cols)
    )
    return _chosen(_chosen(pictures.to(torch.int32), row).mT, col).mT


def _resized(pictures: Tensor, side_px: int, rows: Tensor, cols: Tensor) -> Tensor:
    """Return rows and columns of pictures at another size, as `resize_by_area` has them.

    Parameters
    ----------
    pictures
        uint8 (M, 28, 28).
    rows, cols
        int64 (M, R) and (M, C): of each, 0 to ``side_px - 1``.

    Returns
    -------
    Tensor
        int32 (M, R, C): the mean of the old picture over each new pixel, rounded down.
    """
    pixels = pictures.to(torch.int32 if side_px <= _LARGEST_OF_32_BITS else torch.int64)
    if side_px == GLYPH_PX:
        return _chosen(_chosen(pixels, rows).mT, cols).mT
    down = _overlap_sums(pixels, side_px, rows)  # (M, R, 28)
    both = _overlap_sums(down.mT, side_px, cols).mT
    return torch.div(both, GLYPH_PX**2, rounding_mode="floor").to(torch.int32)


def _overlap_sums(values: Tensor, side_px: int, rows: Tensor) -> Tensor:
    """Return the sums of old rows under new ones, each weighed by how much of it lies there.

    With 28 new rows to an old one's ``side_px`` units, new row i covers the units ``28 i`` to
    ``28 (i + 1)``; sums up to a unit follow from those up to a row.
    """
    padded = torch.nn.functional.pad(values, (0, 0, 0, 1))  # a row of nothing behind the last
    before = padded.cumsum(1, dtype=padded.dtype) - padded

    def up_to(unit: Tensor) -> Tensor:
        row = torch.div(unit, side_px, rounding_mode="floor")
        part = (unit - row * side_px).to(padded.dtype)[:, :, None]
        return _chosen(before, row) * side_px + _chosen(padded, row) * part

    return up_to((rows + 1) * GLYPH_PX) - up_to(rows * GLYPH_PX)


def _chosen(values: Tensor, rows: Tensor) -> Tensor:
    """Return some rows of each; values (M, H, W), rows int64 (M, R)."""
    return values.gather(1, rows[:, :, None].expand(-1, -1, values.shape[2]))
