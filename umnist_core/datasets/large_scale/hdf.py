"""HDF5 files of MNIST Large Scale, in any variant seen in the wild; docs/large-scale.md lists them.

Nothing but numbers that lie in the file itself is read: a file may be anybody's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from umnist_core.datasets.large_scale.origin import ORIGIN, Origin
from umnist_core.datasets.large_scale.partitions import (
    OpenedFile,
    Partition,
    check_label_shape,
    find_ends,
    no_images,
    open_noted,
    read_labels,
)
from umnist_core.datasets.large_scale.sets import NameWords, read_name
from umnist_core.datasets.large_scale.stored import (
    CHUNK_MAX_BYTES,
    HdfImages,
    Images,
    WholeImages,
    image_shape,
)
from umnist_core.errors import DamagedFileError, MissingFileError, TooLargeError, UmnistError
from umnist_core.paths import check_file
from umnist_core.seeds import FOLDER_SPLITS


def open_hdf(path: Path, damaged: list[str] | None = None) -> OpenedFile:
    """Open an HDF5 file.

    Parameters
    ----------
    path
        The file; its labels are read, and a few of its images.
    damaged
        Where to note partitions that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError
        If there is no such file, or no image in it.
    DamagedFileError
        If it is no HDF5 file, is cut short, or a partition is missing, empty or not what it is to
        be.
    TooLargeError
        If it claims more images than are read.
    """
    import h5py

    _check_there(path)
    words = read_name(path.name)
    found: list[Callable[[], Partition]] = []
    with _said_of_hdf(path), h5py.File(path, "r") as file:
        keys = [str(key) for key in file]
        unused = _find_unused(file, words)
        origin = _read_origin(file, path)
        for split in _iter_splits(keys, words):
            found += open_noted(damaged, partial(_find_partition, file, path, split))
    # With the file closed: HDF5 would go on with the small cache that it was opened with here.
    opened = [part for one in found for part in open_noted(damaged, one)]
    if not opened and not damaged:
        raise MissingFileError(
            f"Expected images in x_train, x_val or x_test of {path.name}, found "
            f"{', '.join(keys[:8]) or 'nothing'}; choose a file of MNIST Large Scale."
        )
    others = (key for key in keys if not re.fullmatch("[xy]_(train|val|test)", key))
    kept = (one for one in opened if one.split not in unused)
    return OpenedFile(path, tuple(kept), words, origin, unused, tuple(others))


def _iter_splits(keys: list[str], words: NameWords) -> list[str]:
    """Return the partitions that a file has or should have."""
    return [
        split
        for split in FOLDER_SPLITS
        if {f"x_{split}", f"y_{split}"} & set(keys) or split in words.splits
    ]


def _find_partition(file: Any, path: Path, split: str) -> Callable[[], Partition]:
    """Return what opens a partition once the file is closed again."""
    with _said_of_hdf(path):
        return _find_numbers(file, path, split)


def _find_numbers(file: Any, path: Path, split: str) -> Callable[[], Partition]:
    name, label_name = (f"{path.name} {letter}_{split}" for letter in "xy")
    stored, labels = (_get_numbers(file, path, f"{letter}_{split}") for letter in "xy")
    shape = image_shape(stored.shape, name)
    if not shape[0]:
        raise no_images(name)
    images = _images_of(stored, path, name, shape)
    check_label_shape(labels.shape, shape[0], label_name)
    numbers = read_labels(labels[()].reshape(labels.shape), shape[0], label_name)
    return lambda: Partition(split, f"x_{split}", images, numbers, find_ends(images))


def _get_numbers(file: Any, path: Path, key: str) -> Any:
    """Return a data set of numbers that lies in this file."""
    import h5py

    link = file.get(key, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise DamagedFileError(
            f"Expected the partition {key} in {path.name}, found "
            f"{'none' if link is None else 'a link to elsewhere'}; copy or make the file again."
        )
    stored = file[key]
    if not isinstance(stored, h5py.Dataset) or stored.shape is None:
        found = "a group" if isinstance(stored, h5py.Group) else "nothing"
    elif stored.dtype.kind not in "biuf":
        found = str(stored.dtype)
    elif stored.is_virtual or stored.external:
        found = "that they lie in another file"
    else:
        return stored
    raise DamagedFileError(
        f"{path.name} {key}: expected numbers in the file itself, found {found:.80}; copy or make "
        "the file again."
    )


def _images_of(stored: Any, path: Path, name: str, shape: tuple[int, int, int]) -> Images:
    offset = stored.id.get_offset()
    if stored.chunks is None and offset is not None:
        if offset + stored.nbytes > path.stat().st_size:
            raise DamagedFileError(
                f"{name}: expected {shape[0]} images, found the file's end before theirs; copy it "
                "again."
            )
        return WholeImages(path, name, shape, stored.dtype, offset=offset)
    chunk = math.prod(stored.chunks or ()) * stored.dtype.itemsize
    if chunk > CHUNK_MAX_BYTES:
        raise TooLargeError(
            f"{name}: expected pieces of at most {CHUNK_MAX_BYTES / 1e9:g} GB, found "
            f"{chunk / 1e9:.1f} GB, which has to be unpacked for each image; store smaller chunks."
        )
    return HdfImages(path, name, shape, stored.dtype, key=stored.name, chunk=chunk)


def _find_unused(file: Any, words: NameWords) -> tuple[str, ...]:
    """Return the partitions of one image in a file that is to test with."""
    alone = tuple(split for split in ("train", "val") if _count_of(file, split) == 1)
    is_said = bool(words.splits) and "train" not in words.splits
    return alone if is_said or (len(alone) == 2 and _count_of(file, "test") > 1) else ()


def _count_of(file: Any, split: str) -> int:
    """Return how many images a partition has; 0 where it is none that can be read."""
    with suppress(UmnistError), _said_of_hdf(Path()):
        return image_shape(_get_numbers(file, Path(), f"x_{split}").shape, "")[0]
    return 0


def _read_origin(file: Any, path: Path) -> Origin | None:
    text = file.attrs.get(ORIGIN)
    return None if text is None else Origin.from_json(str(text), path.name)


def _check_there(path: Path) -> None:
    try:
        check_file(path)
    except FileNotFoundError as error:
        raise MissingFileError(f"Expected {path}, found no such file; choose another.") from error
    except OSError as error:
        raise DamagedFileError(
            f"Expected an HDF5 file at {path}, found {error.strerror}; choose another."
        ) from error


@contextmanager
def _said_of_hdf(path: Path) -> Iterator[None]:
    """Turn what HDF5 finds wrong with a file into a sentence; h5py has five classes for it."""
    try:
        yield
    except UmnistError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        if "signature not found" in reason:
            found = "something else" if path.stat().st_size else "an empty file"
        elif "truncated" in reason:
            found = "one that is cut short"
        else:
            found = f"a damaged one ({reason:.100})"
        raise DamagedFileError(
            f"{path.name}: expected a whole HDF5 file, found {found}; copy or make it again."
        ) from error
