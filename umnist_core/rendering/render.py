"""Render any box of any level of a scene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import GlyphMismatchError, InvalidValueError
from umnist_core.geometry import Box, canvas_box_from_level_box, reduced_size_px
from umnist_core.rendering.added import find_added
from umnist_core.rendering.crossings import (
    Grid,
    Keys,
    every_pixel_grid,
    find_digit_crossings,
    find_ground_crossings,
    nearest_grid,
)
from umnist_core.rendering.fill import fill_parity, mean_blocks
from umnist_core.rendering.patches import find_patches
from umnist_core.rendering.squares import MID_GREY, Squares, mean_blocks_of_squares
from umnist_core.scenes.resize import resize_by_area
from umnist_core.scenes.scene import Scene
from umnist_core.scenes.ultramnist import glyph_pixels, written_digits

LAYERS = ("full", "noise_free", "background", "digits")
"""What is drawn: everything; the ink of the digits, white on black (the exact digit mask);
everything but the digits; the image inside the ink of the digits and mid-grey elsewhere.
In grey scenes, with strokes or added digits, noise_free is the digits' squares on black, and ink is
every pixel of a square that is not black."""

FILTERS = ("area", "nearest")
"""How a level's pixel follows from its canvas pixels: their mean, rounded half up, or the
one at the centre."""

RENDERER_VERSION = 2
"""Raised whenever the same arguments give another scene, or a scene other pixels."""

_BAND_ROWS = 16_384
"""Canvas rows whose crossings are held at once when blocks are averaged."""


def pixel_pin(glyphs: GlyphSet) -> str:
    """Return a short name of all that pixels depend on beside a scene's own parameters.

    An address that carries it, ``edc0d109-1`` for example, always shows the same picture.
    """
    return f"{glyphs.checksum[:8]}-{RENDERER_VERSION}"


def level_box_of_whole(scene: Scene, reduction: int) -> Box:
    """Return the whole level with ``reduction`` canvas px per level px."""
    return Box(
        0, 0, reduced_size_px(scene.height, reduction), reduced_size_px(scene.width, reduction)
    )


def render(
    scene: Scene,
    glyphs: GlyphSet,
    *,
    level_box: Box | None = None,
    reduction: int = 1,
    layer: str = "full",
    pyramid_filter: str = "area",
) -> NDArray[np.uint8]:
    """Render a box of a level.

    Parameters
    ----------
    scene
        What to draw.
    glyphs
        The glyph set that the scene was planned on.
    level_box
        Box in the frame of the level; the whole level by default.
    reduction
        Canvas px per level px, 1 or more.
    layer
        One of `LAYERS`.
    pyramid_filter
        One of `FILTERS`; without effect at reduction 1.

    Returns
    -------
    ndarray
        uint8 (level_box.height, level_box.width), 0 is black. Memory grows with this
        array, not with the canvas.

    Raises
    ------
    InvalidValueError
        If an argument is not allowed or the box reaches out of the level.
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    box = checked_level_box(
        scene, glyphs, level_box, reduction=reduction, layer=layer, pyramid_filter=pyramid_filter
    )
    if box.is_empty:
        return np.empty((box.height, box.width), np.uint8)
    if reduction == 1:
        return _render_pixels(scene, glyphs, every_pixel_grid(box, scene.canvas), layer)
    if pyramid_filter == "nearest":
        return _render_pixels(scene, glyphs, nearest_grid(box, reduction, scene.canvas), layer)
    if (squares := _find_squares(scene, glyphs, layer)) is not None:
        return mean_blocks_of_squares(squares, box, reduction, scene.canvas)
    return np.concatenate(
        [_render_means(scene, glyphs, band, reduction, layer) for band in _bands(box, reduction)]
    )


def checked_level_box(
    scene: Scene,
    glyphs: GlyphSet,
    level_box: Box | None,
    *,
    reduction: int,
    layer: str,
    pyramid_filter: str,
) -> Box:
    """Return the box that is to be drawn; arguments and errors are those of `render`."""
    _check(scene, glyphs, reduction, layer, pyramid_filter)
    whole = level_box_of_whole(scene, reduction)
    box = whole if level_box is None else level_box
    if not whole.contains(box):
        raise InvalidValueError(
            f"A level of {whole.width} x {whole.height} px holds no box of rows {box.row0}.."
            f"{box.row1} and columns {box.col0}..{box.col1}; ask for a box inside the level."
        )
    return box


def _check(scene: Scene, glyphs: GlyphSet, reduction: int, layer: str, pyramid_filter: str) -> None:
    if layer not in LAYERS:
        raise InvalidValueError(f"layer is one of {', '.join(LAYERS)}; got {layer!r}.")
    if pyramid_filter not in FILTERS:
        raise InvalidValueError(
            f"pyramid_filter is one of {', '.join(FILTERS)}; got {pyramid_filter!r}."
        )
    if reduction < 1:
        raise InvalidValueError(f"reduction is a whole number of 1 or more; got {reduction}.")
    if glyphs.checksum != scene.glyph_checksum:
        raise GlyphMismatchError(
            f"This scene was planned on glyph set {scene.glyph_set} "
            f"({scene.glyph_checksum[:12]}...), found {glyphs.name} ({glyphs.checksum[:12]}...); "
            "load the digits that the scene names (see `umnist digits status`)."
        )


def _bands(level_box: Box, reduction: int) -> Iterator[Box]:
    rows = max(1, _BAND_ROWS // reduction)
    for row in range(level_box.row0, level_box.row1, rows):
        yield Box(row, level_box.col0, min(row + rows, level_box.row1), level_box.col1)


def _find_squares(scene: Scene, glyphs: GlyphSet, layer: str) -> Squares | None:
    """Return what a grey scene consists of; None where digits are ink."""
    if scene.strokes is not None:
        return find_patches(scene, scene.strokes, glyphs, layer)
    if scene.added is not None:
        return find_added(scene, scene.added, glyphs, layer)
    return None


def _render_pixels(scene: Scene, glyphs: GlyphSet, grid: Grid, layer: str) -> NDArray[np.uint8]:
    if (squares := _find_squares(scene, glyphs, layer)) is not None:
        return squares.draw(grid.rows, grid.canvas_cols)
    if layer == "background":
        return fill_parity(find_ground_crossings(scene, grid), grid)
    ink_keys = find_digit_crossings(scene, glyphs, grid)
    if layer == "noise_free":
        return fill_parity(ink_keys, grid)
    full = fill_parity(np.concatenate([find_ground_crossings(scene, grid), ink_keys]), grid)
    if layer == "digits":
        full[fill_parity(ink_keys, grid) == 0] = MID_GREY
    return full


def _render_means(
    scene: Scene, glyphs: GlyphSet, level_box: Box, reduction: int, layer: str
) -> NDArray[np.uint8]:
    window = canvas_box_from_level_box(level_box, reduction, scene.canvas)
    grid = every_pixel_grid(window, scene.canvas)
    empty: Keys = np.empty(0, np.int64)
    ground = empty if layer == "noise_free" else find_ground_crossings(scene, grid)
    ink = empty if layer == "background" else find_digit_crossings(scene, glyphs, grid)
    # Twice the key, plus one for ink, so that one sort brings both into the order of a row.
    marks = np.concatenate([ground * 2, ink * 2 + 1])
    marks.sort()
    in_ink = np.cumsum(marks & 1) & 1
    crossed = np.arange(1, len(marks) + 1) & 1
    if layer == "digits":
        values, outside = np.where(in_ink, 255 * crossed, MID_GREY), MID_GREY
    else:
        values, outside = 255 * crossed, 0
    return mean_blocks(marks >> 1, values, outside, grid, reduction)


def digit_mask(
    scene: Scene, glyphs: GlyphSet, place: int, *, as_written: bool = True
) -> NDArray[np.bool_]:
    """Return the exact ink of one digit, within its square.

    Parameters
    ----------
    place
        Which digit, in the order of ``scene.digits``.
    as_written
        Whether specks are ink as they are drawn; otherwise the ink is that of the glyph, cut at
        the scene's threshold before the JPEG. Without a ``digit_jpeg`` both are the same.

    Returns
    -------
    ndarray
        bool (side_px, side_px); its first pixel is ``(digit.row, digit.col)``.

    Raises
    ------
    InvalidValueError
        If the scene has no such digit.
    GlyphMismatchError
        If the glyphs are not those of the scene.
    """
    _check(scene, glyphs, 1, "noise_free", "area")
    if not 0 <= place < len(scene.digits):
        raise InvalidValueError(f"This scene has digits 0 to {len(scene.digits) - 1}; got {place}.")
    digit = scene.digits[place]
    if scene.strokes is not None:
        return resize_by_area(glyphs.images[digit.glyph], digit.side_px) > 0
    if as_written and not scene.is_grey:
        return _written_mask(scene, glyphs, place)
    ink = glyph_pixels(glyphs, digit.glyph, digit.side_px) > scene.ink_threshold
    repeat = digit.side_px // len(ink)
    return np.repeat(np.repeat(ink, repeat, axis=0), repeat, axis=1)


def ink_px(scene: Scene, glyphs: GlyphSet, place: int) -> int:
    """Return how many px of a digit's square are ink, as `digit_mask` has it, without drawing it.

    Errors as of `digit_mask`.
    """
    if scene.is_grey:
        return int(np.count_nonzero(digit_mask(scene, glyphs, place)))
    _check(scene, glyphs, 1, "noise_free", "area")
    written, box = written_digits(scene, glyphs), scene.digits[place].box
    alone, threshold = written.digits[place], scene.ink_threshold
    count = alone.count_above(threshold, box)
    for block in written.shared:
        common = box.intersection(block.together.box)
        count += block.together.count_above(threshold, common)
        count -= alone.count_above(threshold, common)
    return count


def _written_mask(scene: Scene, glyphs: GlyphSet, place: int) -> NDArray[np.bool_]:
    written, box = written_digits(scene, glyphs), scene.digits[place].box
    mask = written.digits[place].window(box) > scene.ink_threshold
    for block in written.shared:
        common = box.intersection(block.together.box)
        inside = common.shifted(-box.row0, -box.col0)
        mask[inside.slices] = block.together.window(common) > scene.ink_threshold
    return mask
