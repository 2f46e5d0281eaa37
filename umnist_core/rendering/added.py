"""Render scenes whose digits are added: greys on black, summed up and cut at white.

The sum of whole greys, cut at 255, does not depend on their order, and is what adding greys of 0 to
1 as floating-point numbers, cutting at 1 and rounding to 255ths gives. A digit's pixels are those
of its glyph, repeated, so any of its rows and columns can be had without the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.giving_up import go_on
from umnist_core.rendering.squares import MID_GREY, Squares
from umnist_core.scenes.scene import Added, Scene


@dataclass(frozen=True)
class AddedSquares(Squares):
    """Digits whose greys are added.

    Attributes
    ----------
    shows
        bool (M,): the squares in whose ink the image is shown, and nowhere else; None where all
        of the image is.
    """

    shows: NDArray[np.bool_] | None = None

    def chosen(self, squares: NDArray[Any]) -> Self:
        """Return some of them, by a mask or by their places."""
        shows = None if self.shows is None else self.shows[squares]
        return replace(super().chosen(squares), shows=shows)

    def draw(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Add them one after another on some rows and columns of the canvas."""
        image = np.zeros((len(rows), len(cols)), np.uint8)
        hidden = None if self.shows is None else np.ones_like(image, np.bool_)
        for met in self.iter_met(rows, cols):
            go_on()
            pixels, square = self.pictures[met.which], image[met.rows, met.cols]
            if not square.shape == (met.side_px, met.side_px) == (GLYPH_PX, GLYPH_PX):
                row = (rows[met.rows] - met.row) * GLYPH_PX // met.side_px
                col = (cols[met.cols] - met.col) * GLYPH_PX // met.side_px
                pixels = pixels[row[:, None], col]
            cv2.add(square, pixels, dst=square)  # which cuts at white
            if hidden is not None and self.shows is not None and self.shows[met.place]:
                hidden[met.rows, met.cols] &= pixels == 0
        if hidden is not None:
            image[hidden] = self.ground
        return image


def find_added(scene: Scene, added: Added, glyphs: GlyphSet, layer: str) -> AddedSquares:
    """Return what is added in a layer: the digits of the scene, then its distractors."""
    digits = () if layer == "background" else scene.digits
    distractors = () if layer == "noise_free" else added.distractors
    own = [(one.glyph, one.row, one.col, one.side_px) for one in digits]
    squares = np.concatenate(
        [
            np.array(own, np.int64).reshape(-1, 4),
            np.insert(np.array(distractors, np.int64).reshape(-1, 3), 3, GLYPH_PX, axis=1),
        ]
    )
    which, rows, cols, sides_px = squares.T
    found = AddedSquares(glyphs.images, which, rows, cols, sides_px, ground=0)
    if layer != "digits":
        return found
    shows = np.arange(len(squares)) < len(own)
    shown = replace(found, ground=MID_GREY, shows=shows)
    return shown.chosen(_meet_any(found, len(own)))


def _meet_any(squares: AddedSquares, count: int) -> NDArray[np.bool_]:
    """Return which squares meet one of the first so many; only these are seen in their ink."""
    meets = np.zeros(len(squares.rows), np.bool_)
    ends_row, ends_col = squares.rows + squares.sides_px, squares.cols + squares.sides_px
    for one in range(count):
        down = (squares.rows < ends_row[one]) & (ends_row > squares.rows[one])
        meets |= down & (squares.cols < ends_col[one]) & (ends_col > squares.cols[one])
    return meets
