"""Reduced copies of a data set's images, for models that take no larger ones.

They are made as Gupta et al., "UltraMNIST Classification", Scientific Data 2024, section "Data
resizing", reduce theirs: from the image's file, by area, in one step down to 512 px and through
512 px to what is smaller. Each size is a folder ``side-SIZE`` in the data set, which is a data set
by itself: ``SPLIT/ID.jpeg`` beside the table of labels, in Kaggle's layout. Copies have no comment,
as places in it are those of the whole image.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from umnist_core.datasets.ends import file_checksum, image_ends
from umnist_core.datasets.scan import REDUCED
from umnist_core.datasets.staging import Staging
from umnist_core.errors import InvalidValueError
from umnist_core.paths import read_file
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.pyramid.sources import reduce_for_model

if TYPE_CHECKING:
    from umnist_core.datasets.recipe import Recipe
    from umnist_core.datasets.samples import Order


def copies_folder(root: Path, side_px: int) -> Path:
    """Return where the copies of a size lie."""
    return root / f"side-{side_px}"


def find_sides(root: Path) -> set[int]:
    """Return of which sizes a data set has copies already."""
    if not root.is_dir():
        return set()
    found = (REDUCED.fullmatch(path.name) for path in root.iterdir() if path.is_dir())
    return {int(match[1]) for match in found if match}


def check_sides(recipe: Recipe, sides_px: Iterable[int]) -> None:
    """Refuse copies that cannot be made.

    Raises
    ------
    InvalidValueError
        If one is not smaller than the images, or these are no files of their own.
    """
    for side_px in sides_px:
        if not 1 <= side_px < recipe.side_px:
            raise InvalidValueError(
                f"A reduced copy of an image of {recipe.side_px} px has a side of 1 to "
                f"{recipe.side_px - 1} px; got {side_px}."
            )
        if recipe.layout == "webdataset":
            raise InvalidValueError(
                "Reduced copies are made of images that are files; got the format webdataset, "
                "which has them in tar files. Choose another format, or leave the copies out."
            )


def fill_copies(order: Order, staging: Staging, path: Path, data: bytes | None = None) -> None:
    """Make the copies of an image that are not there, or not whole.

    Parameters
    ----------
    order
        Says which.
    staging
        Writes them.
    path
        The image's file.
    data
        What is in it where it was just written; then all copies are made anew.
    """
    kind = IMAGE_TYPES[order.recipe.image]
    for side_px in order.sides_px:
        copy = copies_folder(order.root, side_px) / order.recipe.split / path.name
        if data is None and file_checksum(copy, image_ends(order.recipe.image, None)) is not None:
            continue
        image = cv2.imdecode(np.frombuffer(data or read_file(path), np.uint8), cv2.IMREAD_GRAYSCALE)
        reduced = reduce_for_model(np.asarray(image, np.uint8), side_px)
        staging.write(copy, kind.encode(reduced, None))
