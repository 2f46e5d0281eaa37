"""Pairs of one image at two resolutions, x2 to x16, for super-resolution.

MetH-SR ships the reduced images of its test part; those are taken where they are. All others are
made here, and how is ours: the document says "bicubic" and neither the kernel nor how sizes are
rounded.

- **Kernel**: Keys' cubic with a = -0.5, widened by the factor (antialiased), on the sRGB values as
  they are stored; Pillow's ``BICUBIC``. Without antialiasing, and with a = -0.75 as OpenCV and
  PyTorch have it by default, pixels between are dropped.
- **Sizes**: what is left over of a side by the factor is cut off at the right and at the bottom of
  the large image first, so sizes are rounded down and one pixel of the small image is a square of
  the large. Of floor, nearest and ceiling only the first two can give 46,284 px from more than 12
  million, the document's smallest at x16.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.decode import decode_colour
from umnist_core.datasets.known import Known
from umnist_core.datasets.meth.layout import FACTORS
from umnist_core.datasets.reader import DatasetReader
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.paths import read_file

KERNEL = "bicubic (Keys, a = -0.5), antialiased, sizes rounded down"
"""How images are reduced here, for cards and tables."""


@dataclass(frozen=True, eq=False)
class ResolutionPair:
    """An image at two resolutions.

    Attributes
    ----------
    low, high
        uint8 (h, w, 3) and (H, W, 3) in RGB.
    factor
        How many times larger; H is ``factor * h`` exactly where the low one was made here, and
        less than ``factor`` px more or less where it was shipped.
    is_shipped
        Whether the low one came with the data set.
    """

    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    factor: int
    is_shipped: bool


def reduce_image(image: NDArray[np.uint8], factor: int) -> ResolutionPair:
    """Reduce an image as this module says.

    Parameters
    ----------
    image
        uint8 (H, W, 3), at least ``factor`` px a side.
    factor
        2 or more.

    Returns
    -------
    ResolutionPair
        With the image cut to a multiple of the factor as ``high``.

    Raises
    ------
    InvalidValueError
        If the image is too small, or the factor is.
    """
    # Loaded only where an image is: machines that train on scenes may lack it.
    from PIL import Image

    height, width = (side // factor * factor for side in image.shape[:2]) if factor > 1 else (0, 0)
    if not height or not width:
        raise InvalidValueError(
            f"Expected a factor of 2 to the shorter side of the image, got {factor} for "
            f"{image.shape[1]} x {image.shape[0]} px; choose a smaller one."
        )
    high = image[:height, :width]
    size = (width // factor, height // factor)
    low = Image.fromarray(high).resize(size, Image.Resampling.BICUBIC)
    return ResolutionPair(np.asarray(low), high, factor, is_shipped=False)


def read_pair(reader: DatasetReader, image_id: str, factor: int) -> ResolutionPair:
    """Read an image at two resolutions: as shipped where that is there, else reduced here.

    Parameters
    ----------
    reader
        Any data set whose images may be reduced; `MethReader` knows what was shipped.
    image_id
        Of the image.
    factor
        One of `FACTORS`.

    Raises
    ------
    NotFoundError, MissingFileError, TooLargeError
        As `DatasetReader.read_colour`.
    DamagedFileError
        Likewise, and if a shipped image has not the size that the factor asks for.
    InvalidValueError
        If there is no such factor, or as `reduce_image`.
    """
    if factor not in FACTORS:
        raise InvalidValueError(
            f"Expected a factor of {', '.join(map(str, FACTORS))}, got {factor}; choose one of "
            "these."
        )
    known: Known = reader.known(image_id)
    high = reader.read_colour(image_id)
    if factor not in known.smaller:
        return reduce_image(high, factor)
    path = known.smaller[factor]
    low = decode_colour(_read(path), path.name)
    for side, whole in zip(low.shape[:2], high.shape[:2], strict=True):
        if abs(side * factor - whole) >= factor:
            raise DamagedFileError(
                f"{path.name}: expected {high.shape[1]} x {high.shape[0]} px reduced x{factor}, "
                f"found {low.shape[1]} x {low.shape[0]} px; unpack it again."
            )
    return ResolutionPair(low, high, factor, is_shipped=True)


def _read(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise MissingFileError(
            f"Expected a reduced image at {path}, found {error.strerror or error}; unpack it again."
        ) from error
