"""A partition of MNIST Large Scale: images with labels, whatever type and range they have."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.large_scale.origin import Origin
from umnist_core.datasets.large_scale.rescaling import soft_threshold
from umnist_core.datasets.large_scale.sets import NameWords
from umnist_core.datasets.large_scale.stored import Images
from umnist_core.errors import DamagedFileError, UmnistError

_Opened = TypeVar("_Opened")

_SAMPLED = 8
"""Images whose intensities tell which range a file has."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Images of one split with their labels.

    Attributes
    ----------
    split
        ``train``, ``val`` or ``test``.
    key
        Of the images in their file; the file's name where it is one array.
    images
        As they are stored.
    labels
        uint8 (N,), 0 to 9.
    ends
        The values that are shown black and white.
    """

    split: str
    key: str
    images: Images
    labels: NDArray[np.uint8]
    ends: tuple[float, float]


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """What of a file can be read.

    Attributes
    ----------
    path
        The file, or the folder of arrays.
    partitions
        In the order of training, validation and tests.
    words
        What its name says.
    origin
        What it says of itself, if it is one of ours.
    unused
        Partitions of one image that is not to be used.
    others
        Keys beside the partitions, which are not read.
    """

    path: Path
    partitions: tuple[Partition, ...]
    words: NameWords
    origin: Origin | None = None
    unused: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def open_noted(damaged: list[str] | None, open_one: Callable[[], _Opened]) -> list[_Opened]:
    """Return what is opened, or nothing where it is noted why it cannot be.

    Parameters
    ----------
    damaged
        Where to note it; None to raise.
    open_one
        What opens it.
    """
    try:
        return [open_one()]
    except UmnistError as error:
        if damaged is None:
            raise
        damaged.append(str(error))
        return []


def check_label_shape(shape: tuple[int, ...], count: int, name: str) -> None:
    """Raise if labels are not one, or ten numbers, for each image; before any is read.

    Raises
    ------
    DamagedFileError
        If they are not.
    """
    if math.prod(shape) != count and not (math.prod(shape) == 10 * count and shape[-1] == 10):
        raise DamagedFileError(
            f"{name}: expected {count} labels, one for each image, found the shape {shape}; copy "
            "or make the file again."
        )


def read_labels(stored: NDArray[Any], count: int, name: str) -> NDArray[np.uint8]:
    """Return labels as uint8 (N,), of a vector, a column or one-hot rows of any type.

    Raises
    ------
    DamagedFileError
        If they are not as many as the images, or no whole numbers from 0 to 9.
    """
    check_label_shape(stored.shape, count, name)
    if stored.dtype.kind not in "biuf":
        raise DamagedFileError(
            f"{name}: expected labels that are numbers, found {stored.dtype}; store the digits."
        )
    if stored.size != count:
        rows = stored.reshape(count, 10)
        if not (((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all()):
            raise DamagedFileError(
                f"{name}: expected ten numbers for each image, one of them 1 and the others 0, "
                "found others; store the digits."
            )
        return np.asarray(rows.argmax(axis=1), np.uint8)
    flat = stored.reshape(count)
    if not ((flat >= 0) & (flat <= 9) & (flat == np.floor(flat))).all():
        raise DamagedFileError(
            f"{name}: expected labels from 0 to 9, found others; copy or make the file again."
        )
    return np.asarray(flat, np.uint8)


def find_ends(images: Images) -> tuple[float, float]:
    """Return the values that are black and white, as some of the images tell.

    Raises
    ------
    DamagedFileError
        If they are no intensities of a known range, or cannot be read.
    """
    seen = images.read(0, min(_SAMPLED, images.count)).astype(np.float64)
    low, high = float(seen.min()), float(seen.max())
    background, ink = soft_threshold(np.array([0, 255], np.float32)).tolist()
    of_numbers = ((0.0, 1.0), (background, ink), (-1.0, 1.0), (0.0, 255.0))
    for ends in of_numbers[-1:] if images.dtype.kind in "iu" else of_numbers:
        if ends[0] - 0.01 <= low and high <= ends[1] + 0.01:
            return ends
    raise DamagedFileError(
        f"{images.name}: expected intensities from -0.76 to 0.76, 0 to 1 or 0 to 255, found "
        f"{low:g} to {high:g}; store one of these ranges."
    )


def no_images(name: str) -> DamagedFileError:
    """Return what is said of an empty partition."""
    return DamagedFileError(f"{name}: expected images, found none; copy or make the file again.")
