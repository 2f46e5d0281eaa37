"""Scenes of UltraMNIST on a device: digits whose ink inverts the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.rendering.crossings import Grid
from umnist_core.rendering.squares import MID_GREY
from umnist_core.rendering_torch.bands import Band, iter_bands
from umnist_core.rendering_torch.budget import budget_of
from umnist_core.rendering_torch.cells import CellGrid, CrossingSums
from umnist_core.rendering_torch.fill import fill_parity
from umnist_core.rendering_torch.ground import (
    Ground,
    band_of_ground,
    find_ground_keys,
    plan_ground,
    rows_of_ground,
)
from umnist_core.rendering_torch.ink import Ink, find_ink, find_ink_keys, ink_columns
from umnist_core.rendering_torch.parcel import send
from umnist_core.scenes.scene import Scene

_INK_CROSSINGS = 32
"""Crossings of a row of a digit, about."""


@dataclass(frozen=True)
class _Drawing:
    """What a layer of some scenes is drawn from.

    Attributes
    ----------
    ground, ink
        None where the layer has none.
    """

    ground: Ground | None
    ink: Ink | None
    device: torch.device

    @classmethod
    def of(
        cls, scenes: Sequence[Scene], glyphs: GlyphSet, layer: str, device: torch.device
    ) -> _Drawing:
        """Return what a layer is drawn from."""
        ground = None if layer == "noise_free" else plan_ground(scenes)
        ink = None if layer == "background" else find_ink(scenes, glyphs, device)
        return cls(ground, ink, device)

    def keys(self, band: Band) -> tuple[list[Tensor], list[Tensor]]:
        """Return the crossings of ground and ink in a band."""
        ground = None if self.ground is None else band_of_ground(self.ground, band)
        runs, columns = ([], {}) if self.ink is None else ink_columns(self.ink, band)
        groups = {**columns, **({} if ground is None else ground.columns)}
        sent = send({**groups, "grid": {"rows": band.grid.rows}}, self.device)
        rows = sent["grid"]["rows"]
        of_ground = [] if ground is None else find_ground_keys(ground, sent, rows, band)
        of_ink = [] if self.ink is None else find_ink_keys(self.ink, runs, sent, rows, band)
        return of_ground, of_ink


def draw_pixels(
    scenes: Sequence[Scene], glyphs: GlyphSet, grid: Grid, layer: str, device: torch.device
) -> Tensor:
    """Draw the pixels of a grid of each scene; uint8 (scenes, grid.height, grid.width)."""
    drawing = _Drawing.of(scenes, glyphs, layer, device)
    image = torch.empty((len(scenes), grid.height, grid.width), dtype=torch.uint8, device=device)
    for some, rows in iter_bands(len(scenes), grid.height, grid.stride, budget_of(device).band_px):
        band = Band(some.start, some.stop, replace(grid, rows=grid.rows[rows]))
        ground, ink = drawing.keys(band)
        pixels = fill_parity([*ground, *ink], band, device)
        if layer == "digits":
            inside = fill_parity(ink, band, device) > 0
            pixels = torch.where(inside, pixels, MID_GREY)
        image[some, rows] = pixels
    return image


def draw_means(
    scenes: Sequence[Scene], glyphs: GlyphSet, cells: CellGrid, layer: str, device: torch.device
) -> Tensor:
    """Draw the means of each scene over cells; uint8 (scenes, cells.rows, cells.cols)."""
    drawing = _Drawing.of(scenes, glyphs, layer, device)
    lines, across = cells.rows.count, cells.cols.count
    image = torch.empty((len(scenes), lines, across), dtype=torch.uint8, device=device)
    row_cost, budget = _crossings_of_a_row(drawing, scenes), budget_of(device).crossings
    # Sums over cells take about an eighth of the memory that crossings do.
    line_cost = row_cost * cells.line_px() + across // 8
    for some, few in iter_bands(len(scenes), lines, line_cost, budget):
        part, count = cells.part(few), some.stop - some.start
        sums = CrossingSums(part, count, device)
        most_rows = max(1, budget // (row_cost * count))
        for band in part.iter_bands(some, scenes[0].width, most_rows):
            _add_changes(drawing, band, layer, sums)
        image[some, few] = sums.means(MID_GREY if layer == "digits" else 0)
    return image


def _crossings_of_a_row(drawing: _Drawing, scenes: Sequence[Scene]) -> int:
    """Return about how many crossings a canvas row of one scene has."""
    ground = 0 if drawing.ground is None else rows_of_ground(drawing.ground)
    digits_px = sum(digit.side_px for scene in scenes for digit in scene.digits)
    ink = 0 if drawing.ink is None else _INK_CROSSINGS * digits_px
    return 1 + (ground + ink) // (len(scenes) * scenes[0].height)


def _add_changes(drawing: _Drawing, band: Band, layer: str, sums: CrossingSums) -> None:
    """Add what changes along the rows of a band."""
    ground, ink = drawing.keys(band)
    # Twice the key, plus one for ink, so that one sort brings both into the order of a row.
    parts = [*(some * 2 for some in ground), *(some * 2 + 1 for some in ink)]
    if not parts:
        return
    marks = torch.cat(parts).sort().values
    crossed = torch.arange(1, marks.shape[0] + 1, device=drawing.device) & 1
    values, outside = 255 * crossed, 0
    if layer == "digits":
        in_ink = ((marks & 1).cumsum(0) & 1).bool()
        values, outside = torch.where(in_ink, values, MID_GREY), MID_GREY
    before = torch.cat([values.new_full((1,), outside), values[:-1]])
    sums.add(marks >> 1, values - before, band)
