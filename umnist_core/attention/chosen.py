"""What the places are that a model chose: on a digit, on noise, or on nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.attention.compare import DigitMask
from umnist_core.attention.maps import AttentionMap

IsBlank = Callable[[tuple[int, int, int, int]], bool]
"""Tells of row0, col0, row1, col1 in image px whether all px there are alike."""


@dataclass(frozen=True)
class ChosenPlaces:
    """How many of the places that a model chose are on what.

    Attributes
    ----------
    on_digit
        With ink of a digit in them.
    on_noise
        Of the others, those whose px are not all alike.
    on_nothing
        Of one grey value.
    ink_by_digit
        Share of each digit's ink that lies in chosen places, 0 to 1.
    """

    on_digit: int
    on_noise: int
    on_nothing: int
    ink_by_digit: tuple[float, ...]

    @property
    def count(self) -> int:
        """Chosen places."""
        return self.on_digit + self.on_noise + self.on_nothing


def sort_chosen(found: AttentionMap, masks: Sequence[DigitMask], is_blank: IsBlank) -> ChosenPlaces:
    """Say what the places of a map are on; meant for models that choose them.

    Parameters
    ----------
    found
        The map; each of its places counts, whatever its weight. Their sides are taken as the px
        that they touch.
    masks
        Of all digits of the image.
    is_blank
        Is asked of places without ink alone.
    """
    boxes = _whole_px(found)
    has_ink = np.zeros(len(boxes), np.bool_)
    shares = []
    for mask in masks:
        seen = np.zeros_like(mask.ink)
        for place, own in enumerate(boxes - [mask.row, mask.col] * 2):
            row0, col0, row1, col1 = np.maximum(own, 0).tolist()
            part = mask.ink[row0:row1, col0:col1]
            has_ink[place] |= bool(part.any())
            seen[row0:row1, col0:col1] = part
        shares.append(int(seen.sum()) / max(1, int(mask.ink.sum())))
    blank = sum(is_blank(_ends(box)) for box in boxes[~has_ink])
    on_digit = int(has_ink.sum())
    return ChosenPlaces(on_digit, len(boxes) - on_digit - blank, blank, tuple(shares))


def _whole_px(found: AttentionMap) -> NDArray[np.int64]:
    """Return the boxes of the px that places touch, each of one px or more within the image."""
    boxes = found.boxes.astype(np.float64)
    first = np.floor(boxes[:, :2]).astype(np.int64)
    last = np.ceil(boxes[:, 2:]).astype(np.int64)
    size = np.array([found.height, found.width])
    first = np.clip(first, 0, size - 1)
    return np.concatenate([first, np.clip(last, first + 1, size)], axis=1)


def _ends(box: NDArray[np.int64]) -> tuple[int, int, int, int]:
    row0, col0, row1, col1 = box.tolist()
    return row0, col0, row1, col1
