"""Images that are no files of their own: kept as files for as long as the process runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.files import passing_folder, write_whole
from umnist_core.pyramid.encode import encode_png


def keep_image(image: NDArray[np.uint8]) -> Path:
    """Write an array to a lossless file named by its content, once, and return its path."""
    return keep_bytes(encode_png(image), ".png")


def keep_bytes(data: bytes | memoryview, suffix: str) -> Path:
    """Write an image's file under a name of its content, once, and return its path."""
    path = passing_folder("uploads") / (hashlib.sha256(data).hexdigest()[:32] + suffix)
    if not path.exists():
        write_whole(path, data)
    return path
