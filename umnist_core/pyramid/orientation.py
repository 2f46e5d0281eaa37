"""How a file says that its pixels are to be turned, and what that does to pixels and boxes.

The tag Orientation (274) of EXIF and TIFF has eight values (CIPA DC-008, "Exif 2.32",
section 4.6.4 A; TIFF 6.0, section 8). Its values are exactly the ways in which a
rectangle lies on itself, so turning is exact: no pixel is interpolated.

Two frames: *stored*, the order of the pixels in the file, and *shown*, after turning.
Everything else in umnist knows the shown frame alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.geometry import Box
from umnist_core.pyramid.sources import TileSource

UPRIGHT = 1
"""The value that leaves the pixels as they are stored; also that of files without the tag."""

_STEPS: Mapping[int, tuple[bool, bool, bool]] = MappingProxyType(
    {
        1: (False, False, False),
        2: (False, False, True),
        3: (False, True, True),
        4: (False, True, False),
        5: (True, False, False),
        6: (True, False, True),
        7: (True, True, True),
        8: (True, True, False),
    }
)
"""Value -> whether rows and columns change places, and whether rows, then columns, run back."""

ORIENTATION_WORDS: Mapping[int, str] = MappingProxyType(
    {
        2: "mirrored left to right",
        3: "turned upside down",
        4: "mirrored top to bottom",
        5: "mirrored along the diagonal from the top left",
        6: "turned a quarter clockwise",
        7: "mirrored along the diagonal from the top right",
        8: "turned a quarter anticlockwise",
    }
)
"""What each value but `UPRIGHT` does to the stored pixels."""


def find_orientation(image: Any) -> int:
    """Return the orientation that a libvips image's file asks for, 1 to 8.

    Values that the standard does not have are those of a broken writer and turn nothing.
    """
    value = image.get("orientation") if "orientation" in image.get_fields() else UPRIGHT
    return value if value in _STEPS else UPRIGHT


def shown_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Return height and width as shown of pixels stored in ``height`` x ``width``."""
    return (width, height) if _STEPS[orientation][0] else (height, width)


def turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return stored pixels (H, W) or (H, W, channels) as shown; a view, nothing is copied."""
    swaps, back_rows, back_cols = _STEPS[orientation]
    shown = pixels.swapaxes(0, 1) if swaps else pixels
    return shown[:: -1 if back_rows else 1, :: -1 if back_cols else 1]


def stored_box(shown: Box, height: int, width: int, orientation: int) -> Box:
    """Return where a box of the shown frame lies in the stored one.

    Parameters
    ----------
    shown
        Inside the shown frame.
    height, width
        Of the shown frame, px.
    orientation
        1 to 8.
    """
    swaps, back_rows, back_cols = _STEPS[orientation]
    rows = (height - shown.row1, height - shown.row0) if back_rows else (shown.row0, shown.row1)
    cols = (width - shown.col1, width - shown.col0) if back_cols else (shown.col0, shown.col1)
    if swaps:
        rows, cols = cols, rows
    return Box(rows[0], cols[0], rows[1], cols[1])


class TurnedSource(TileSource):
    """A source whose tiles are turned as they are read, so that nothing is held whole.

    The levels are those of the stored pixels. Where a side is no multiple of a level's
    reduction, the block that is cut then lies at the top or left of the shown image, and
    that level is off by less than one of its own pixels.

    Parameters
    ----------
    stored
        The pixels as they are stored.
    orientation
        1 to 8.
    """

    def __init__(self, stored: TileSource, orientation: int) -> None:
        self.height, self.width = shown_size(stored.height, stored.width, orientation)
        self._stored = stored
        self._orientation = orientation

    @property
    def held_bytes(self) -> int:
        """Memory of the source that is turned, in bytes."""
        return self._stored.held_bytes

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Read the box where it is stored, and turn it."""
        height, width = (-(-side // reduction) for side in (self.height, self.width))
        box = stored_box(level_box, height, width, self._orientation)
        pixels = self._stored.read_checked(box, reduction)
        return np.ascontiguousarray(turn(pixels, self._orientation))
