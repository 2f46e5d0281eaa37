"""Grey digits as scenes of added digits have them: a glyph's pixels, repeated and not resized."""

from __future__ import annotations

import numpy as np

from umnist_core.digits.glyphs import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.scenes.scene import Digit
from umnist_core.scenes.ultramnist import glyph_pixels


def added_digit(glyphs: GlyphSet, glyph: int, square: Box) -> Digit:
    """Return a grey digit at a place; all that is not black is its ink.

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
