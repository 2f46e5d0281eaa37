"""What scenes have in common whose digits are grey on a black ground."""

from __future__ import annotations

from typing import Any

import numpy as np

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.scenes.scene import Digit, Provenance, Scene
from umnist_core.scenes.ultramnist import glyph_pixels


def grey_scene(
    canvas_px: int, digits: tuple[Digit, ...], glyphs: GlyphSet, source: Provenance, **kind: Any
) -> Scene:
    """Return a square scene of grey digits; ``kind`` is its ``strokes`` or ``added``."""
    return Scene(
        height=canvas_px,
        width=canvas_px,
        digits=digits,
        checkerboard=None,
        shapes=(),
        ink_threshold=0,
        glyph_set=glyphs.name,
        glyph_checksum=glyphs.checksum,
        stand_in=glyphs.is_stand_in,
        provenance=source,
        **kind,
    )


def added_digit(glyphs: GlyphSet, glyph: int, square: Box) -> Digit:
    """Return a digit of a scene of added ones: its glyph's pixels, repeated and not resized.

    Parameters
    ----------
    glyphs, glyph
        Which glyph of which set.
    square
        Where, canvas frame; a square of 14 px or of a whole multiple of 28.

    Raises
    ------
    InvalidValueError
        If the glyph is black at this size.
    """
    ink = glyph_pixels(glyphs, glyph, square.height) > 0
    rows, cols = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if len(rows) == 0:
        raise InvalidValueError(
            f"Glyph {glyph} of glyph set {glyphs.name} is black at {square.height} px; use a glyph "
            "set with visible digits."
        )
    factor = square.height // len(ink)
    ink_box = Box(
        square.row0 + factor * int(rows[0]),
        square.col0 + factor * int(cols[0]),
        square.row0 + factor * (int(rows[-1]) + 1),
        square.col0 + factor * (int(cols[-1]) + 1),
    )
    label = int(glyphs.labels[glyph])
    return Digit(label, glyph, square.row0, square.col0, square.height, ink_box)
