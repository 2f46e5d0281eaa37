"""Copies of MNIST Large Scale as flattened NumPy arrays: a pair of files for each partition."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from umnist_core.datasets.large_scale.partitions import (
    OpenedFile,
    Partition,
    check_label_shape,
    find_ends,
    no_images,
    open_noted,
    read_labels,
)
from umnist_core.datasets.large_scale.sets import NameWords
from umnist_core.datasets.large_scale.stored import WholeImages, image_shape
from umnist_core.errors import DamagedFileError, MissingFileError
from umnist_core.paths import open_file
from umnist_core.seeds import FOLDER_SPLITS

_NAME = re.compile(
    r"(?P<split>train|val|validation|test)_?(?P<kind>features|labels)\.npy"
    r"|(?P<letter>[xy])_(?P<after>train|val|test)\.npy",
    re.IGNORECASE,
)
"""``TrainFeatures.npy`` with ``TrainLabels.npy``, or ``x_train.npy`` with ``y_train.npy``."""


def find_arrays(folder: Path) -> dict[tuple[str, str], str]:
    """Return the names of arrays in a folder, by split and ``x`` or ``y``."""
    found = {}
    for path in sorted(folder.glob("*.npy")):
        match = _NAME.fullmatch(path.name)
        if match:
            split = (match["split"] or match["after"]).lower().replace("validation", "val")
            letter = match["letter"] or ("x" if match["kind"].lower() == "features" else "y")
            found[split, letter.lower()] = path.name
    return found


def open_arrays(folder: Path, damaged: list[str] | None = None) -> OpenedFile:
    """Open the pairs of arrays in a folder.

    Parameters
    ----------
    folder
        The folder; labels are read, and a few images.
    damaged
        Where to note partitions that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError
        If one of a pair is missing.
    DamagedFileError
        If a file is no array of numbers, is cut short, or labels do not fit.
    TooLargeError
        If it claims more images than are read.
    """
    names = find_arrays(folder)
    opened: list[Partition] = []
    for split in FOLDER_SPLITS:
        if {(split, "x"), (split, "y")} & set(names):
            opened += open_noted(damaged, partial(_open_pair, folder, names, split))
    return OpenedFile(folder, tuple(opened), NameWords())


def _open_pair(folder: Path, names: Mapping[tuple[str, str], str], split: str) -> Partition:
    for letter, other, meaning in (("x", "y", "images"), ("y", "x", "labels")):
        if (split, letter) not in names:
            raise MissingFileError(
                f"Expected {meaning} beside {names[split, other]} in {folder}, found none; put "
                "both files there."
            )
    name, label_name = names[split, "x"], names[split, "y"]
    shape, dtype, offset = _read_header(folder / name)
    counted = image_shape(shape, name)
    if not counted[0]:
        raise no_images(name)
    label_shape, _, _ = _read_header(folder / label_name)
    check_label_shape(label_shape, counted[0], label_name)
    images = WholeImages(folder / name, name, counted, dtype, offset=offset)
    stored = np.load(folder / label_name, allow_pickle=False)
    labels = read_labels(stored, counted[0], label_name)
    return Partition(split, name, images, labels, find_ends(images))


def _read_header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return shape, type and place of the numbers in a ``.npy`` file; nothing is unpickled."""
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        with open_file(path) as file:
            shape, is_reversed, dtype = read_header[np.lib.format.read_magic(file)](file)
            offset, size = file.tell(), os.fstat(file.fileno()).st_size
    except (OSError, ValueError, KeyError) as error:
        raise DamagedFileError(
            f"{path.name}: expected a NumPy array, found something else; copy or make it again."
        ) from error
    if dtype.hasobject:
        found = "pickled Python objects, which may hold code and are not opened"
    elif dtype.kind not in "biuf":
        found = str(dtype)
    elif is_reversed and len(shape) > 1:
        found = "them in Fortran's order"
    elif offset + math.prod(shape) * dtype.itemsize > size:
        found = "the file's end before theirs"
    else:
        return shape, dtype, offset
    raise DamagedFileError(
        f"{path.name}: expected numbers in C order, found {found:.80}; copy or make it again."
    )
