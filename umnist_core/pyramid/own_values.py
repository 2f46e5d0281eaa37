"""The values that a file stores, pixel by pixel: what the line under the pointer shows.

A tile has 8 bits a channel of what is drawn; a file may have 16 bits, floats, CIELAB or
transparency. These are read here in blocks, in the frame of the image as it is shown.
"""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.files import temporary_folder
from umnist_core.geometry import Box
from umnist_core.pyramid.associated import find_associated, multiplied_source
from umnist_core.pyramid.files import ImageHeader, damaged_file, open_stored
from umnist_core.pyramid.orientation import stored_box, turn

BLOCK_PX = 32
"""Side of the blocks that the values are read in, px."""

_HELD_BYTES = 128 * 2**20
"""A larger image is not held decoded but copied once into a tiled file, which is read in place."""

_TILE_PX = 256


class OwnValues:
    """The values of an image file; may be read by many threads at once.

    Parameters
    ----------
    header
        Of the file. Where it cannot be read in place it is decoded once, which is bounded in
        memory whatever its size.

    Attributes
    ----------
    names
        Of the channels.
    depth
        Bits of a channel, in words.

    Raises
    ------
    DamagedFileError
        If the file cannot be decoded.
    """

    def __init__(self, header: ImageHeader) -> None:
        self.names, self.depth = header.kind.names, header.kind.depth
        self.held_bytes = 2**20
        self._header = header
        # A few bits a channel come spread over 0 to 255.
        self._most = 2**header.kind.bits - 1 if header.kind.bits < 8 else None
        self._is_held = False
        self._places: tuple[int, ...] = ()
        if header.loader == "tiffload":
            with header.path.open("rb") as file:
                self._places = find_associated(file, header.page)
        try:
            self._image = self._open()
        except pyvips.Error as error:
            raise damaged_file(header.path, error) from error

    @property
    def image(self) -> Any:
        """The values as a libvips image, in the order in which they are stored."""
        return self._image

    @property
    def is_held(self) -> bool:
        """Whether all of them are in memory."""
        return self._is_held

    def read_block(self, col: int, row: int) -> list[list[list[Any]]]:
        """Return the values of a block.

        Parameters
        ----------
        col, row
            Number of the block, each `BLOCK_PX` wide and high from the top left of the image
            as it is shown; those at its right and bottom are cut.

        Returns
        -------
        list
            Rows of pixels of values: whole numbers, floats, or ``"nan"``, ``"inf"``, ``"-inf"``.

        Raises
        ------
        InvalidValueError
            If the image has no such block.
        DamagedFileError
            If the file cannot be decoded.
        """
        height, width = self._header.height, self._header.width
        row0, col0 = row * BLOCK_PX, col * BLOCK_PX
        if row0 >= height or col0 >= width:
            raise InvalidValueError(
                f"An image of {width} x {height} px has no block {col}_{row} of {BLOCK_PX} px."
            )
        block = Box(row0, col0, min(row0 + BLOCK_PX, height), min(col0 + BLOCK_PX, width))
        box = stored_box(block, height, width, self._header.orientation)
        values = turn(self._read(box), self._header.orientation)
        return [[[_plain(one) for one in pixel] for pixel in line] for line in values]

    def _load(self, **options: Any) -> Any:
        """Return the page with the colours that it stores, also where alpha is multiplied in."""
        if not self._places:
            return open_stored(self._header, **options)
        self._source = multiplied_source(self._header.path, self._places)
        return pyvips.Image.tiffload_source(
            self._source, page=self._header.page, fail_on="error", **options
        )

    def _open(self) -> Any:
        image = _as_numbers(self._load())
        if "tile-width" in image.get_fields():
            return image
        pixel_bytes = image.bands * np.dtype(DTYPES[image.format]).itemsize
        size = image.width * image.height * pixel_bytes
        if size <= _HELD_BYTES:
            self.held_bytes, self._is_held = size, True
            return image.copy_memory()
        return self._copy()

    def _copy(self) -> Any:
        """Return a tiled copy of the file, which goes with this object."""
        folder = temporary_folder()
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        path = folder / "values.tif"
        image = _as_numbers(self._load(access="sequential"))
        image.copy(interpretation="multiband").tiffsave(
            os.fsencode(path),
            tile=True,
            tile_width=_TILE_PX,
            tile_height=_TILE_PX,
            compression="deflate",
            level=1,
            bigtiff=True,
        )
        return pyvips.Image.tiffload(os.fsencode(path))

    def _read(self, box: Box) -> NDArray[Any]:
        try:
            data = pyvips.Region.new(self._image).fetch(box.col0, box.row0, box.width, box.height)
        except pyvips.Error as error:
            raise damaged_file(self._header.path, error) from error
        flat = np.frombuffer(data, DTYPES[self._image.format])
        values: NDArray[Any] = flat.reshape(box.height, box.width, -1)
        if self._most is not None:
            values = np.rint(values * (self._most / 255)).astype(np.uint8)
        return values


DTYPES: Mapping[str, Any] = {
    "uchar": np.uint8,
    "char": np.int8,
    "ushort": np.uint16,
    "short": np.int16,
    "uint": np.uint32,
    "int": np.int32,
    "float": np.float32,
    "double": np.float64,
}
"""By libvips' name of a format."""


def _as_numbers(image: Any) -> Any:
    """Return CIELAB, which is stored in codes of several kinds, in its own units."""
    return image.colourspace("lab") if image.interpretation in ("lab", "labs") else image


def _plain(value: Any) -> Any:
    if not isinstance(value, np.floating):
        return int(value)
    # The shortest digits that mean this very number at its own precision.
    return float(str(value)) if np.isfinite(value) else str(value)
