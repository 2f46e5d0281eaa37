"""MNIST Large Scale read as any other data set: one file, or a folder of files.

An id is the number of an image in its partition. In front of it stand the file's name without its
suffix where there are several files, and the split where it is not the first one there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.identity import ImageIdentity, split_order
from umnist_core.datasets.known import Known
from umnist_core.datasets.large_scale.arrays import find_arrays, open_arrays
from umnist_core.datasets.large_scale.hdf import open_hdf
from umnist_core.datasets.large_scale.partitions import OpenedFile, Partition, open_noted
from umnist_core.datasets.large_scale.rescaling import as_grey
from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.datasets.large_scale.stored import Stored
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.scan import IMAGE_SUFFIXES, iter_files
from umnist_core.errors import DamagedFileError, InvalidValueError, NotFoundError
from umnist_core.paths import is_debris

HDF_SUFFIXES = (".h5", ".hdf5")

_STEM = "mnist_large_scale"
"""In the names of the data set's files, and of a remake of it."""


@dataclass(frozen=True, eq=False)
class LargeScaleReader(DatasetReader):
    """The images of MNIST Large Scale.

    Attributes
    ----------
    files
        What was opened.
    """

    files: tuple[OpenedFile, ...]

    @cached_property
    def parts(self) -> dict[str, tuple[OpenedFile, Partition]]:
        """File and partition by what stands in front of its numbers in ids, in order."""
        both = [(one, part) for one in self.files for part in one.partitions]
        both.sort(key=lambda each: split_order(each[1].split))
        first = both[0][1].split if both else None
        found = {}
        for one, part in both:
            front = "" if part.split == first else f"{part.split}/"
            found[front + (f"{one.path.stem}/" if len(self.files) > 1 else "")] = (one, part)
        return found

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """All ids, in order."""
        return tuple(
            f"{front}{number}"
            for front, (_, part) in self.parts.items()
            for number in range(part.images.count)
        )

    def get_identity(self, image_id: str) -> ImageIdentity:
        """Return which image an id is; its path is its file, its partition and its number."""
        one, part, number = self.find(image_id)
        file = part.key if one.path.is_dir() else f"{one.path.name}/{part.key}"
        return ImageIdentity(str(self.root), part.split, f"{file}/{number}")

    def read_size(self, image_id: str) -> tuple[int, int]:
        """Return height and width in px, which all images of a partition share."""
        _, part, _ = self.find(image_id)
        return part.images.height, part.images.width

    def read_image(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W): 0 for background to 255 for ink.

        The file's numbers, which are finer, are in `read_values`.

        Raises
        ------
        NotFoundError
            If there is no such image.
        MissingFileError, DamagedFileError
            If the file is gone, cut short or garbled, or an intensity is no number.
        """
        _, part, number = self.find(image_id)
        values = part.images.read(number, number + 1)[0].astype(np.float32)
        if not np.isfinite(values).all():
            raise DamagedFileError(
                f"{part.images.name}: expected intensities, found what is no number in image "
                f"{number}; make the file again."
            )
        return as_grey(values, *part.ends)

    def read_values(self, image_ids: Sequence[str]) -> Stored:
        """Return images in the file's own numbers, (N, H, W); runs of neighbours go at once.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError
            As `read_image`, but that no number is looked at.
        InvalidValueError
            If they have different sizes.
        """
        runs: list[tuple[Partition, int, int]] = []
        for _, part, number in map(self.find, image_ids):
            if runs and runs[-1][0] is part and runs[-1][2] == number:
                runs[-1] = (part, runs[-1][1], number + 1)
            else:
                runs.append((part, number, number + 1))
        sizes = {(part.images.height, part.images.width) for part, _, _ in runs}
        if len(sizes) != 1:
            raise InvalidValueError(
                f"Images that are read together have one size; got {len(sizes)} sizes among "
                f"{len(image_ids)} images; read those of each size by themselves."
            )
        return np.concatenate([part.images.read(first, last) for part, first, last in runs])

    def label(self, image_id: str) -> int:
        """Return the digit, 0 to 9.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        _, part, number = self.find(image_id)
        return int(part.labels[number])

    def tasks(self, image_id: str) -> None:
        """Return None: an image has one digit and no tasks."""
        self.find(image_id)

    def known(self, image_id: str) -> Known:
        """Return the digit, and its scale where the file or its name says it."""
        one, part, number = self.find(image_id)
        scales = one.words.scales_of(part.split)
        scale = scales[0] if scales and scales[0] == scales[1] else None
        if one.origin is not None:
            scale = one.origin.scale_of(part.split, number)
        return Known(int(part.labels[number]), scale=scale)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is in the files, and what they were made from."""
        said = []
        unused = [one for one in self.files if one.unused]
        if unused:
            splits = dict.fromkeys(split for one in unused for split in one.unused)
            said.append(
                f"{_named(unused)} to test with; the one image in {' and '.join(splits)} is not to "
                "be used and not listed."
            )
        others = [one for one in self.files if one.others]
        if others:
            keys = dict.fromkeys(key for one in others for key in one.others)
            said.append(f"{', '.join(list(keys)[:8])} of {others[0].path.name} is not read.")
        if any(one.origin is not None and one.origin.stand_in for one in self.files):
            said.append("Made from STAND-IN DIGITS, not MNIST.")
        return tuple(said)

    def find(self, image_id: str) -> tuple[OpenedFile, Partition, int]:
        """Return file, partition and number there of an image.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        front, slash, number = image_id.rpartition("/")
        one = self.parts.get(front + slash)
        if one is not None and number.isdecimal() and number.isascii():
            place = int(number)
            if place < one[1].images.count and str(place) == number:
                return *one, place
        raise NotFoundError(
            f"{self.root} holds {len(self.ids)} images, none of them {image_id!r:.80}; the first "
            f"is {next(iter(self.ids), 'none')!r}."
        )


def _named(files: Sequence[OpenedFile]) -> str:
    return f"{files[0].path.name} is" if len(files) == 1 else f"{len(files)} files are"


def find_large_scale(root: Path) -> tuple[Path, ...] | None:
    """Return the HDF5 files of a path, the folder itself where it has arrays; None of any other.

    HDF5 files beside images, which may be weights of a model, are none unless their names say so.
    """
    if not root.is_dir():
        return (root,) if root.suffix.lower() in HDF_SUFFIXES and root.exists() else None
    names = sorted(path.name for path in root.iterdir() if path.suffix.lower() in HDF_SUFFIXES)
    found = tuple(root / name for name in names if not is_debris(name))
    is_said = any(_STEM in path.name for path in found)
    if found and (is_said or next(iter_files(root, IMAGE_SUFFIXES), None) is None):
        return found
    return (root,) if find_arrays(root) else None


def open_large_scale(
    root: Path, paths: Sequence[Path], damaged: list[str] | None = None
) -> LargeScaleReader:
    """Open files of MNIST Large Scale.

    Parameters
    ----------
    root
        What was asked for.
    paths
        Of `find_large_scale`.
    damaged
        Where to note files and partitions that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError, DamagedFileError, TooLargeError
        As `open_hdf` and `open_arrays`, but for what is noted.
    """
    opened: list[OpenedFile] = []
    for path in paths:
        open_one = open_arrays if path.is_dir() else open_hdf
        opened += open_noted(damaged, partial(open_one, path, damaged))
    return LargeScaleReader(root, LARGE_SCALE, None, tuple(opened))
