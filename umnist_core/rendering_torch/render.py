"""Render any box of any level of scenes, several at once, on a device.

The same as `umnist_core.rendering.render`, pixel for pixel. All that decides a pixel is in whole
numbers, and what many threads add together does not depend on their order, so a device gives what
any other does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import torch
from torch import Tensor

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.rendering.crossings import every_pixel_grid, nearest_grid
from umnist_core.rendering.render import checked_level_box
from umnist_core.rendering_torch import inked, pasted
from umnist_core.rendering_torch.cells import CellGrid, Cells
from umnist_core.scenes.scene import Scene

_Draw = Callable[[ModuleType, Sequence[Scene]], Tensor]


def render(
    scene: Scene,
    glyphs: GlyphSet,
    *,
    device: torch.device | str,
    level_box: Box | None = None,
    reduction: int = 1,
    layer: str = "full",
    pyramid_filter: str = "area",
) -> Tensor:
    """Render a box of a level of one scene; arguments and errors are those of `render_batch`.

    Returns
    -------
    Tensor
        uint8 (level_box.height, level_box.width), on the device.
    """
    return render_batch(
        [scene],
        glyphs,
        device=device,
        level_box=level_box,
        reduction=reduction,
        layer=layer,
        pyramid_filter=pyramid_filter,
    )[0]


def render_batch(
    scenes: Sequence[Scene],
    glyphs: GlyphSet,
    *,
    device: torch.device | str,
    level_box: Box | None = None,
    reduction: int = 1,
    layer: str = "full",
    pyramid_filter: str = "area",
) -> Tensor:
    """Render the same box of a level of several scenes.

    Parameters
    ----------
    scenes
        One or more of one canvas size, of any presets.
    glyphs
        The glyph set that they were planned on.
    device
        Where to draw.
    level_box, reduction, layer, pyramid_filter
        As of `umnist_core.rendering.render`.

    Returns
    -------
    Tensor
        uint8 (scenes, level_box.height, level_box.width), on the device. Memory grows with it,
        and not with the canvas.

    Raises
    ------
    InvalidValueError
        If an argument is not allowed, the box reaches out of the level or canvases differ.
    GlyphMismatchError
        If the glyphs are not those of the scenes.
    """
    _check_sizes(scenes)
    boxes = [
        checked_level_box(
            scene,
            glyphs,
            level_box,
            reduction=reduction,
            layer=layer,
            pyramid_filter=pyramid_filter,
        )
        for scene in scenes
    ]
    box, canvas, place = boxes[0], scenes[0].canvas, torch.device(device)
    if box.is_empty:
        return torch.empty((len(scenes), box.height, box.width), dtype=torch.uint8, device=place)
    if reduction > 1 and pyramid_filter == "area":
        cells = CellGrid(
            Cells.of_level(canvas.height, reduction, box.row0, box.height),
            Cells.of_level(canvas.width, reduction, box.col0, box.width),
        )
        return _each_kind(
            scenes, lambda kind, some: kind.draw_means(some, glyphs, cells, layer, place)
        )
    grid = every_pixel_grid(box, canvas)
    if reduction > 1:
        grid = nearest_grid(box, reduction, canvas)
    return _each_kind(scenes, lambda kind, some: kind.draw_pixels(some, glyphs, grid, layer, place))


def render_images(
    scenes: Sequence[Scene],
    glyphs: GlyphSet,
    *,
    device: torch.device | str,
    side_px: int | None = None,
    layer: str = "full",
) -> Tensor:
    """Render whole images, at their full size or reduced, as models take them.

    Parameters
    ----------
    scenes, glyphs, device, layer
        As of `render_batch`.
    side_px
        Longer side of the result, 1 px to that of the canvas; None for the canvas itself. A pixel
        is the mean of what it covers, parts of canvas px with it, rounded half up: within 1 of
        OpenCV's ``INTER_AREA``, which averages in 32-bit floats.

    Returns
    -------
    Tensor
        uint8 (scenes, height, width), on the device.

    Raises
    ------
    InvalidValueError
        If an argument is not allowed, ``side_px`` would enlarge the image or canvases differ.
    GlyphMismatchError
        If the glyphs are not those of the scenes.
    """
    if side_px is None:
        return render_batch(scenes, glyphs, device=device, layer=layer)
    _check_sizes(scenes)
    for scene in scenes:
        checked_level_box(scene, glyphs, None, reduction=1, layer=layer, pyramid_filter="area")
    canvas, place = scenes[0].canvas, torch.device(device)
    longer = max(canvas.height, canvas.width)
    if not 1 <= side_px <= longer:
        raise InvalidValueError(
            f"An image of {canvas.width} x {canvas.height} px can be reduced to 1 to {longer} px; "
            f"got {side_px}."
        )
    cells = CellGrid(
        *(
            Cells.of_side(side, max(1, round(side * side_px / longer)))
            for side in (canvas.height, canvas.width)
        )
    )
    return _each_kind(scenes, lambda kind, some: kind.draw_means(some, glyphs, cells, layer, place))


def _check_sizes(scenes: Sequence[Scene]) -> None:
    sizes = {(scene.height, scene.width) for scene in scenes}
    if len(sizes) != 1:
        raise InvalidValueError(
            f"Expected scenes of one canvas size, found {len(sizes)} sizes; draw each size in a "
            "call of its own."
        )


def _each_kind(scenes: Sequence[Scene], draw: _Draw) -> Tensor:
    """Draw the scenes of each kind together, and put them in their order."""
    kinds = [(scene.strokes is not None, scene.added is not None) for scene in scenes]
    if len(set(kinds)) == 1:
        return draw(pasted if scenes[0].is_grey else inked, scenes)
    parts = {
        kind: iter(
            draw(
                pasted if any(kind) else inked,
                [scene for scene, one in zip(scenes, kinds, strict=True) if one == kind],
            )
        )
        for kind in set(kinds)
    }
    return torch.stack([next(parts[kind]) for kind in kinds])
