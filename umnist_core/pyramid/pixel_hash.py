"""Whether two images are the same: a hash of their pixels, whatever file or scene they are of.

People and models are compared on the same images only. A scene, its PNG in a study's export and
a copy of that in another format without loss have one hash; a JPEG of it has another, since its
pixels are others. What is hashed is the image in grey, as models of digits read it.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from umnist_core.pyramid.levels import as_grey
from umnist_core.pyramid.sources import WHOLE_MAX_PX, TileSource


def hash_pixels(image: NDArray[np.uint8]) -> str:
    """Return the hash of an image.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3) in RGB.

    Returns
    -------
    str
        SHA-256, hexadecimal, of height and width as a line of text and then the px in grey.
    """
    grey = np.ascontiguousarray(as_grey(image))
    digest = hashlib.sha256(f"{grey.shape[0]} {grey.shape[1]}\n".encode())
    digest.update(grey.data)
    return digest.hexdigest()


def find_pixel_hash(source: TileSource) -> str | None:
    """Return the hash of an image; None for one that is too large to be read whole."""
    if source.height * source.width > WHOLE_MAX_PX:
        return None
    return hash_pixels(source.read_whole())
