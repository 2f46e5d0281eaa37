"""Which digits a model found, as the paper's noise study counts them.

Gupta et al., "UltraMNIST Classification", Scientific Data 2024, doi
10.1038/s41597-024-03587-4, section "FasterRCNN implementation": a digit is right if one that
was found has its class and an intersection over union of at least 0.5 with its square. Differs
from the paper in that one that was found counts for one digit at most.
"""

from __future__ import annotations

from collections.abc import Sequence

from umnist_core.geometry import Box
from umnist_core.models.base import FoundDigit
from umnist_core.scenes import Digit

LEAST_OVERLAP = 0.5


def digits_right(digits: Sequence[Digit], found: Sequence[FoundDigit]) -> list[bool]:
    """Return for each digit of a scene whether it was found and read.

    Those of the highest score choose first.
    """
    right = [False] * len(digits)
    for one in sorted(found, key=lambda digit: -digit.score):
        overlaps = [
            0.0
            if right[place] or digit.label != one.label
            else intersection_over_union(digit.box, one)
            for place, digit in enumerate(digits)
        ]
        best = max(range(len(digits)), key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] >= LEAST_OVERLAP:
            right[best] = True
    return right


def intersection_over_union(box: Box, found: FoundDigit) -> float:
    """Return the common area of two boxes over the area that either covers, 0 to 1."""
    rows = min(box.row1, found.row + found.height_px) - max(box.row0, found.row)
    cols = min(box.col1, found.col + found.width_px) - max(box.col0, found.col)
    common = max(0.0, rows) * max(0.0, cols)
    either = box.height * box.width + found.height_px * found.width_px - common
    return common / either if either > 0 else 0.0
