"""A small picture of an image file, as it is shown, in far less time than it takes to open it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyvips

from umnist_core.pyramid.encode import encode_png
from umnist_core.pyramid.files import (
    ImageHeader,
    damaged_file,
    open_sequential,
    open_source,
    open_stored,
    read_image_header,
)
from umnist_core.pyramid.orientation import turn
from umnist_core.pyramid.sources import WHOLE_MAX_PX
from umnist_core.settings import Settings

_JPEG_SHRINKS = (8, 4, 2)
"""A decoder of JPEG gives these for a fraction of the work."""


def thumbnail(path: Path, side_px: int, settings: Settings | None = None) -> bytes:
    """Return a small PNG of the first page of a file.

    Parameters
    ----------
    path
        JPEG, PNG, TIFF or WebP.
    side_px
        Its longer side, at most; an image that is smaller is left as it is.
    settings
        Limits; the environment's when None.

    Raises
    ------
    MissingFileError, TooLargeError, DamagedFileError, InvalidValueError
        As `umnist_core.pyramid.files.read_image_header`, and where it cannot be decoded.
    """
    header = read_image_header(path, settings)
    try:
        image = _reduced(header, side_px)
        data = np.frombuffer(image.write_to_memory(), np.uint8)
    except pyvips.Error as error:
        raise damaged_file(path, error) from error
    shape = (image.height, image.width, image.bands)
    pixels = data.reshape(shape[:2] if image.bands == 1 else shape)
    return encode_png(np.ascontiguousarray(turn(pixels, header.orientation)))


def _reduced(header: ImageHeader, side_px: int) -> pyvips.Image:
    longer = max(header.height, header.width)
    if header.height * header.width > WHOLE_MAX_PX:
        return _of_level(header, side_px)
    shrink = next((one for one in _JPEG_SHRINKS if longer >= 2 * side_px * one), 1)
    if header.loader == "jpegload" and header.kind.is_plain and shrink > 1:
        image = open_stored(header, access="sequential", shrink=shrink)
    else:
        image = open_sequential(header)
    scale = min(1.0, side_px / max(image.height, image.width))
    return image if scale == 1 else image.resize(scale)


def _of_level(header: ImageHeader, side_px: int) -> pyvips.Image:
    """Return it from a level of a pyramid, which a large file has or gets."""
    from umnist_core.geometry import Box, reduced_size_px

    source, reduction = open_source(header), 1
    while max(source.height, source.width) > 2 * side_px * reduction:
        reduction *= 2
    sides = [reduced_size_px(side, reduction) for side in (source.height, source.width)]
    pixels = source.read_region(Box(0, 0, *sides), reduction)
    image = pyvips.Image.new_from_array(pixels)
    return image.resize(min(1.0, side_px / max(sides)))
