"""Render scenes with strokes: grey squares pasted on black, each hiding the earlier.

A square's pixels follow from its picture on the 28-px grid and its side alone
(`umnist_core.scenes.resize`), and any of its rows and columns can be had without the
rest, so a window equals the same crop of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.giving_up import go_on
from umnist_core.rendering.squares import MID_GREY, Squares
from umnist_core.rendering.strokes import draw_patterns
from umnist_core.scenes.resize import resize_by_area
from umnist_core.scenes.scene import Scene, Strokes

_NO_PICTURES = np.empty((0, GLYPH_PX, GLYPH_PX), np.uint8)


@dataclass(frozen=True)
class Patches(Squares):
    """Squares that hide what is under them.

    Attributes
    ----------
    ink_only
        Whether black pixels leave what is under them.
    """

    ink_only: bool

    def draw(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Paste them one after another on some rows and columns of the canvas."""
        image = np.full((len(rows), len(cols)), self.ground, np.uint8)
        for met in self.iter_met(rows, cols):
            go_on()
            pixels, square = self.pictures[met.which], image[met.rows, met.cols]
            if not square.shape == (met.side_px, met.side_px) == (GLYPH_PX, GLYPH_PX):
                pixels = resize_by_area(
                    pixels, met.side_px, rows[met.rows] - met.row, cols[met.cols] - met.col
                )
            if self.ink_only:
                np.copyto(square, pixels, where=pixels > 0)
            else:
                square[:] = pixels
        return image


def find_patches(scene: Scene, strokes: Strokes, glyphs: GlyphSet, layer: str) -> Patches:
    """Return what is pasted in a layer: the strokes of the scene, then its digits."""
    patterns = draw_patterns(strokes) if layer in ("full", "background") else _NO_PICTURES
    digits = () if layer == "background" else scene.digits
    squares = [
        *((*patch, strokes.side_px) for patch in (strokes.patches if len(patterns) else ())),
        *(
            (len(patterns) + place, digit.row, digit.col, digit.side_px)
            for place, digit in enumerate(digits)
        ),
    ]
    which, rows, cols, sides_px = np.array(squares, np.int64).reshape(-1, 4).T
    images = glyphs.images[[digit.glyph for digit in digits]] if digits else _NO_PICTURES
    only = layer == "digits"
    pictures = np.concatenate([patterns, images])
    return Patches(pictures, which, rows, cols, sides_px, MID_GREY if only else 0, only)
