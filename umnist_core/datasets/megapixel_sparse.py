"""Megapixel MNIST in its original layout: ``train.npy``, ``test.npy``, ``parameters.json``.

Layout (Bergner et al., "Iterative Patch Selection for High-Resolution Image Recognition",
ICLR 2023, arXiv 2210.13007, released code; after Katharopoulos and Fleuret, ICML 2019):
each ``.npy`` is a pickled array of dictionaries, one per image, with

``input``
    ``((indices,), values)``: places in the flattened image and their values, 0 to 1
``majority``, ``max``, ``top``
    a class, 0 to 9
``multi``
    ten numbers, 1 where the class is in the image

Unpickling runs whatever a file says. `umnist_core.datasets.pickled` reads only what such a data
set is made of (numbers, arrays, lists, dictionaries); any other content is refused before it
runs.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.npy_header import read_npy_header
from umnist_core.datasets.pickled import Array, as_numbers, load_pickled
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError
from umnist_core.files import write_whole
from umnist_core.parsing import parse_json
from umnist_core.scenes import MegapixelTasks

PARAMETER_FILE = "parameters.json"
MAX_SIDE_PX = 100_000

MEMORY_MAX_TIMES = 8
"""How much larger images may be in memory than in the file: small numbers become int64."""


@dataclass(frozen=True)
class SparseImage:
    """One image as it is stored.

    Attributes
    ----------
    indices
        int64 (K,), places in the flattened image.
    values
        float32 (K,), 0 to 1.
    tasks
        Its four labels.
    """

    indices: NDArray[np.int64]
    values: NDArray[np.float32]
    tasks: MegapixelTasks


@dataclass(frozen=True)
class MegapixelSplit:
    """The images of one split, all of them in memory as they are stored.

    Attributes
    ----------
    path
        The file that was read.
    height, width
        Of every image, in px.
    images
        In the order of the file.
    """

    path: Path
    height: int
    width: int
    images: tuple[SparseImage, ...]

    def read_image(self, number: int) -> NDArray[np.uint8]:
        """Return an image, uint8 (height, width).

        Raises
        ------
        NotFoundError
            If the split has no image of that number.
        """
        if not 0 <= number < len(self.images):
            raise NotFoundError(
                f"{self.path} holds images 0 to {len(self.images) - 1}; there is no {number}."
            )
        flat = np.zeros(self.height * self.width, np.uint8)
        image = self.images[number]
        flat[image.indices] = np.rint(image.values * 255)
        return flat.reshape(self.height, self.width)


def open_megapixel_split(folder: Path, split: str) -> MegapixelSplit:
    """Read one split of a data set in the original layout.

    Raises
    ------
    MissingFileError
        If one of the two files is not there.
    DamagedFileError
        If a file is not what its name says, or asks to run anything.
    """
    table, data = _find_pair(folder, split)
    height, width = _read_size(table)
    with data.open("rb") as file:
        records = _read_records(file, data)
    images, left = [], MEMORY_MAX_TIMES * data.stat().st_size
    for number, record in enumerate(records):
        image = _sparse_image(record, number, data, height * width)
        left -= image.indices.nbytes + image.values.nbytes
        if left < 0:
            raise DamagedFileError(
                f"{data}: expected images that are written out, found some that are mentioned "
                "again and again; make the file again with make_mnist.py."
            )
        images.append(image)
    return MegapixelSplit(data, height, width, tuple(images))


def count_megapixel_images(folder: Path, split: str) -> int:
    """Return how many images a split says that it has, without reading them.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `open_megapixel_split`; of the images' file only the beginning is looked at.
    """
    table, data = _find_pair(folder, split)
    _read_size(table)
    with data.open("rb") as file, _said_as_damaged(data):
        return _read_count(file)


def _find_pair(folder: Path, split: str) -> tuple[Path, Path]:
    table, data = folder / PARAMETER_FILE, folder / f"{split}.npy"
    for path in (table, data):
        if not path.is_file():
            raise MissingFileError(
                f"Expected Megapixel MNIST with {PARAMETER_FILE} and {split}.npy in {folder}, "
                f"found no {path.name}; choose the folder that make_mnist.py wrote."
            )
    return table, data


def _read_size(table: Path) -> tuple[int, int]:
    try:
        parameters = parse_json(table.read_bytes())
        height, width = parameters["height"], parameters["width"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(
            f"{table}: expected a JSON object with height and width, found {error!r}; take the "
            "file that came with the data."
        ) from error
    for side in (height, width):
        if type(side) is not int or not 0 < side <= MAX_SIDE_PX:
            raise DamagedFileError(
                f"{table}: expected height and width of 1 to {MAX_SIDE_PX} px, found {side!r}; "
                "take the file that came with the data."
            )
    return height, width


def _read_records(file: BinaryIO, path: Path) -> list[Any]:
    with _said_as_damaged(path):
        count = _read_count(file)
        loaded = load_pickled(file)
        records: list[Any] = loaded.objects if isinstance(loaded, Array) else loaded
        if type(records) is not list or len(records) != count:
            raise ValueError(f"something else than {count} records")
        return records


def _read_count(file: BinaryIO) -> int:
    """Return the number of records that a NumPy file says it has; leave the file behind that."""
    shape, dtype, _ = read_npy_header(file)
    if dtype != np.dtype(object) or len(shape) != 1:
        raise ValueError(f"an array of {dtype} and shape {shape}")
    if shape[0] > (size := os.fstat(file.fileno()).st_size):
        raise ValueError(f"{shape[0]} records in {size} bytes")
    return int(shape[0])


@contextmanager
def _said_as_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    # A damaged pickle may raise nearly anything while it is read.
    except Exception as error:
        raise DamagedFileError(
            f"{path}: expected the pickled records of Megapixel MNIST, found something else "
            f"({error}); make the file again with make_mnist.py."
        ) from error


def _sparse_image(record: Any, number: int, path: Path, size_px: int) -> SparseImage:
    try:
        (places,), values = record["input"]
        indices = as_numbers(places).astype(np.int64)
        grey = as_numbers(values).astype(np.float32)
        multi = as_numbers(record["multi"]).astype(np.float64)
        classes = [int(record[task]) for task in ("majority", "max", "top")]
        sane = (
            indices.shape == grey.shape
            and indices.ndim == 1
            and multi.shape == (10,)
            and set(classes) <= set(range(10))
            and (indices.size == 0 or 0 <= indices.min() <= indices.max() < size_px)
            and bool(np.all((grey >= 0) & (grey <= 1)))  # False for NaN
        )
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        sane = False
    if not sane:
        raise DamagedFileError(
            f"{path}, image {number}: expected places inside the image, values from 0 to 1 and "
            "four labels, found something else; make the file again with make_mnist.py."
        )
    majority, largest, top = classes
    present = tuple(int(label) for label in np.flatnonzero(multi))
    tasks = MegapixelTasks(majority=majority, max=largest, top=top, multi=present)
    return SparseImage(indices, grey, tasks)


def write_megapixel_split(
    folder: Path,
    split: str,
    images: Iterable[tuple[NDArray[np.uint8], MegapixelTasks]],
    parameters: Mapping[str, Any],
) -> None:
    """Write a split so that the original code reads it.

    Parameters
    ----------
    folder
        Where to; it must exist.
    split
        ``train`` or ``test``.
    images
        uint8 (H, W) images of one size with their labels.
    parameters
        What else stands in ``parameters.json``; height and width are added.

    Raises
    ------
    WriteError
        If a file cannot be written whole.
    """
    records, shape = [], (0, 0)
    for image, tasks in images:
        shape = image.shape
        flat = image.ravel()
        places = np.flatnonzero(flat)
        records.append(
            {
                "input": ((places,), flat[places].astype(np.float32) / np.float32(255)),
                "majority": tasks.majority,
                "max": tasks.max,
                "top": tasks.top,
                "multi": np.isin(np.arange(10), tasks.multi).astype(np.float64),
            }
        )
    array = np.empty(len(records), object)
    array[:] = records
    data = io.BytesIO()
    np.save(data, array, allow_pickle=True)
    sizes = {"height": shape[0], "width": shape[1]}
    write_whole(folder / PARAMETER_FILE, json.dumps({**parameters, **sizes}, indent=2).encode())
    write_whole(folder / f"{split}.npy", data.getvalue())
