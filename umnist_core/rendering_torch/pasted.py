"""Grey scenes on a device: bands of squares, pasted or added, and means over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.rendering.crossings import Grid
from umnist_core.rendering_torch.bands import Band, iter_bands
from umnist_core.rendering_torch.budget import budget_of
from umnist_core.rendering_torch.cells import CellGrid, add_pixels
from umnist_core.rendering_torch.parcel import send
from umnist_core.rendering_torch.patches import PatchPlan, meets, paste, plan_added, plan_patches
from umnist_core.scenes.scene import Scene


def draw_pixels(
    scenes: Sequence[Scene], glyphs: GlyphSet, grid: Grid, layer: str, device: torch.device
) -> Tensor:
    """Draw the pixels of a grid of each scene; uint8 (scenes, grid.height, grid.width).

    Scenes are all with strokes, or all with added digits.
    """
    plan, pictures = _planned(scenes, glyphs, layer, device)
    image = torch.empty((len(scenes), grid.height, grid.width), dtype=torch.uint8, device=device)
    for some, rows in iter_bands(len(scenes), grid.height, grid.width, budget_of(device).pasted_px):
        band = Band(some.start, some.stop, replace(grid, rows=grid.rows[rows]))
        image[some, rows] = paste(plan, pictures, band).to(torch.uint8)
    return image


def _planned(
    scenes: Sequence[Scene], glyphs: GlyphSet, layer: str, device: torch.device
) -> tuple[PatchPlan, Tensor]:
    find = plan_patches if scenes[0].added is None else plan_added
    plan = find(scenes, glyphs, layer)
    return plan, send({"": {"pictures": plan.pictures}}, device)[""]["pictures"]


def draw_means(
    scenes: Sequence[Scene], glyphs: GlyphSet, cells: CellGrid, layer: str, device: torch.device
) -> Tensor:
    """Draw the means of each scene over cells; uint8 (scenes, cells.rows, cells.cols)."""
    plan, pictures = _planned(scenes, glyphs, layer, device)
    lines, across = cells.rows.count, cells.cols.count
    image = torch.empty((len(scenes), lines, across), dtype=torch.uint8, device=device)
    col, end = cells.cols.px
    budget = budget_of(device).pasted_px
    for some, few in iter_bands(len(scenes), lines, (end - col) * cells.line_px(), budget):
        part, count = cells.part(few), some.stop - some.start
        sums = torch.zeros((count * part.rows.count, across), dtype=torch.int64, device=device)
        most_rows = max(1, budget // (count * (end - col)))
        for band in part.iter_bands(some, scenes[0].width, most_rows):
            if meets(plan, band):
                pixels = paste(plan, pictures, band) - plan.ground
                add_pixels(pixels.flatten(0, 1), part, band, sums)
        image[some, few] = part.means(sums, plan.ground)
    return image
