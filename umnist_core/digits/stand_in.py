"""Digits for machines without MNIST: the handwritten digits bundled with scikit-learn.

They are the 1,797 test digits of Alpaydin and Kaynak, "Optical Recognition of
Handwritten Digits" (UCI Machine Learning Repository, 1998, doi:10.24432/C50P49):
8 x 8 pixels, values 0 to 16. They keep scenes and pages working; results on them say
nothing about MNIST.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.digits.glyphs import GLYPH_PX, GlyphSet
from umnist_core.errors import MissingFileError

_SMALL_PX = 8
_SMALL_MAX = 16
_BOX_PX = 20
"""MNIST, too, fits its digits into a box of 20 px and leaves 4 px on each side."""

_WEIGHT_UNIT = 4000
"""Bicubic weights from 8 to 20 px are whole multiples of 1/4000: the offsets between the
two grids are multiples of 1/10, cubed, times OpenCV's coefficient of -3/4."""


def load_stand_in() -> GlyphSet:
    """Return the stand-in: 1,797 glyphs enlarged to the size and margins of MNIST's.

    Raises
    ------
    MissingFileError
        If scikit-learn is not installed.
    """
    try:
        # scikit-learn takes seconds to load, and GPU machines may lack it.
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingFileError(
            "Expected MNIST or, to stand in for it, scikit-learn's digits, found neither; run "
            "`umnist digits fetch`, set UMNIST_DIGITS to a folder with MNIST's four files, or "
            "install scikit-learn."
        ) from error
    digits = load_digits()
    return GlyphSet(
        name="stand-in",
        images=_enlarge(digits.images.astype(np.int64)),
        labels=digits.target.astype(np.uint8),
        is_stand_in=True,
    )


def _enlarge(small: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Enlarge (N, 8, 8), 0 to 16, to (N, 28, 28), 0 to 255, by bicubic interpolation.

    OpenCV gives the weights, but whole numbers are added up: a float sum may round
    differently on another processor, and then the checksum that scenes name their
    glyphs by would differ as well.
    """
    identity = np.eye(_SMALL_PX)
    box = cv2.resize(identity, (_SMALL_PX, _BOX_PX), interpolation=cv2.INTER_CUBIC)
    weights = np.rint(np.asarray(box) * _WEIGHT_UNIT).astype(np.int64)  # (20, 8)
    sums = weights @ small @ weights.T  # (20, 8) @ (N, 8, 8) @ (8, 20) -> (N, 20, 20)
    unit = _SMALL_MAX * _WEIGHT_UNIT**2
    ink = np.clip((sums * 255 + unit // 2) // unit, 0, 255).astype(np.uint8)
    margin = (GLYPH_PX - _BOX_PX) // 2
    return np.pad(ink, ((0, 0), (margin, margin), (margin, margin)))
