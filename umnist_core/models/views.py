"""A place of an image as a model got it: at its resolution, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from umnist_core.models.reduced import ReducedBatch

LEAST_PX = 8
"""Of a view's side at the model's input, so that what is around a tiny digit is seen."""

MOST_PX = 128
"""A larger view is reduced by a whole number for showing."""

AROUND = 1.5
"""Side of a view over that of what it shows."""

Ends = tuple[float, float, float, float]
"""row0, col0, row1, col1."""


@dataclass(frozen=True)
class DigitView:
    """A place as a model got it.

    Attributes
    ----------
    pixels
        uint8 (rows, columns) or (rows, columns, 3), one for each px that the model read, or for
        each few if those are more than `MOST_PX` a side.
    canvas_box
        What it shows of the image, in image px.
    input_px
        Larger side of the place itself in px that the model read.
    words
        How the model got it, for people, such as "reduced to 512 px".
    """

    pixels: NDArray[np.uint8]
    canvas_box: Ends
    input_px: float
    words: str


def view_reduced(batch: ReducedBatch, canvas_box: Ends, size: tuple[int, int]) -> DigitView:
    """Return a place of the one image of a batch, cut from the pixels that the model reads.

    Parameters
    ----------
    batch
        Of one image.
    canvas_box
        The place, in image px.
    size
        Height and width of the image, px.
    """
    pixels = batch.pixels[0].numpy()
    side_px = len(pixels)
    scale = side_px / max(size)
    cut = window_about([one * scale for one in canvas_box], (side_px, side_px))
    row0, col0, row1, col1 = cut
    return DigitView(
        shown_pixels(pixels[row0:row1, col0:col1]),
        (row0 / scale, col0 / scale, row1 / scale, col1 / scale),
        scale * larger_side(canvas_box),
        f"reduced to {side_px} px, black as -1 and white as 1",
    )


def larger_side(box: Ends) -> float:
    """Return the longer side of a box."""
    row0, col0, row1, col1 = box
    return max(row1 - row0, col1 - col0)


def window_about(
    box: Sequence[float], size: tuple[int, int], side_px: int | None = None
) -> tuple[int, int, int, int]:
    """Return whole px about a box, within an image: row0, col0, row1, col1.

    Parameters
    ----------
    box
        row0, col0, row1, col1 in px of what is looked at.
    size
        Its height and width.
    side_px
        Of the window; `AROUND` times the box, and `LEAST_PX` or more, by default.
    """
    row0, col0, row1, col1 = box
    wanted = AROUND * max(row1 - row0, col1 - col0)
    side = side_px or max(LEAST_PX, int(np.ceil(wanted)))
    ends = []
    for middle, length in (((row0 + row1) / 2, size[0]), ((col0 + col1) / 2, size[1])):
        first = min(max(0, round(middle - side / 2)), max(0, length - side))
        ends.append((first, min(length, first + side)))
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def shown_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pixels for showing: as they are, or averaged if they are too many."""
    factor = -(-max(pixels.shape[:2]) // MOST_PX)
    if factor <= 1:
        return np.ascontiguousarray(pixels)
    size = (max(1, pixels.shape[1] // factor), max(1, pixels.shape[0] // factor))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
