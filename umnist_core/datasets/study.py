"""The noise study: one set of digits, eleven grounds.

Source: the archive of the Faster R-CNN study on UltraMNIST (bioailab): a noise-free set
of 2,800 images, and test sets with 1 to 5 shape pairs on a checkerboard of 4 cells a side
and with one shape pair on checkerboards of 4 to 24 cells. The two series share a set, one
pair on 4 cells, so there are ten. Since digits have a random stream of their own, sets of
one seed and split have the same digits in the same places, under the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STUDY_COUNT = 2800
"""Images in each set of the released study."""

STUDIES = ("noise",)

NOISE_FREE = "noise-free"


def _noise(shape_pairs: int, checkerboard: int) -> Mapping[str, str]:
    return {"shape_pairs": str(shape_pairs), "checkerboard": str(checkerboard)}


NOISE_STUDY: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        NOISE_FREE: _noise(0, 0),
        **{f"shape-pairs-{pairs}": _noise(pairs, 4) for pairs in range(1, 6)},
        **{f"checkerboard-{cells}": _noise(1, cells) for cells in range(8, 25, 4)},
    }
)
"""Folder of each set -> the parameters in which it differs from the others."""
