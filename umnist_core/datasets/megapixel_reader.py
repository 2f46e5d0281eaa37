"""Megapixel MNIST in its original layout, read as any other data set.

An id is the number of an image in its file, with ``test/`` in front when there is a train
split too. A split is loaded when the first of its images is asked for, and then whole:
nothing of a pickle can be read alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.identity import ImageIdentity
from umnist_core.datasets.megapixel_sparse import (
    PARAMETER_FILE,
    MegapixelSplit,
    count_megapixel_images,
    open_megapixel_split,
)
from umnist_core.datasets.reader import DatasetReader
from umnist_core.errors import DamagedFileError, NotFoundError
from umnist_core.scenes import MegapixelTasks
from umnist_core.seeds import SPLITS


@dataclass(frozen=True, eq=False)
class MegapixelReader(DatasetReader):
    """The images of Megapixel MNIST in its original layout.

    Attributes
    ----------
    places
        Split and number of each image, by id.
    """

    places: Mapping[str, tuple[str, int]]
    _splits: dict[str, MegapixelSplit] = field(default_factory=dict, repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in order."""
        return tuple(self.places)

    def get_identity(self, image_id: str) -> ImageIdentity:
        """Return which image an id is; its path is its file and its number there."""
        split, number = self._get_place(image_id)
        return ImageIdentity(str(self.root), split, f"{split}.npy/{number}")

    def read_size(self, image_id: str) -> tuple[int, int]:
        """Return height and width in px, which all images of a split share."""
        split, _ = self._find(image_id)
        return split.height, split.width

    def read_image(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W).

        Raises
        ------
        NotFoundError
            If there is no such image.
        MissingFileError, DamagedFileError
            As `open_megapixel_split`.
        """
        split, number = self._find(image_id)
        return split.read_image(number)

    def label(self, image_id: str) -> int:
        """Return the majority; see `tasks`."""
        return self.tasks(image_id).majority

    def tasks(self, image_id: str) -> MegapixelTasks:
        """Return the four labels of an image.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError
            As `read_image`.
        """
        split, number = self._find(image_id)
        return split.images[number].tasks

    def _get_place(self, image_id: str) -> tuple[str, int]:
        if image_id not in self.places:
            raise NotFoundError(
                f"{self.root} holds {len(self.places)} images, none of them {image_id!r}; the "
                f"first is {next(iter(self.places))!r}."
            )
        return self.places[image_id]

    def _find(self, image_id: str) -> tuple[MegapixelSplit, int]:
        name, number = self._get_place(image_id)
        if name not in self._splits:
            self._splits[name] = open_megapixel_split(self.root, name)
        return self._splits[name], number


def is_megapixel(root: Path) -> bool:
    """Return whether a folder has Megapixel MNIST's parameters and at least one split."""
    splits = (root / f"{split}.npy" for split in SPLITS)
    return (root / PARAMETER_FILE).is_file() and any(path.is_file() for path in splits)


def open_megapixel(root: Path, damaged: list[str] | None = None) -> MegapixelReader:
    """Open Megapixel MNIST in its original layout.

    Parameters
    ----------
    root
        The folder that make_mnist.py wrote.
    damaged
        Where to note splits that cannot be read, having loaded all; None to load none yet.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `count_megapixel_images`, but for what is noted.
    """
    counts: dict[str, int] = {}
    loaded: dict[str, MegapixelSplit] = {}
    for split in (one for one in SPLITS if (root / f"{one}.npy").is_file()):
        try:
            if damaged is None:
                counts[split] = count_megapixel_images(root, split)
            else:
                loaded[split] = open_megapixel_split(root, split)
                counts[split] = len(loaded[split].images)
        except DamagedFileError as error:
            if damaged is None:
                raise
            damaged.append(str(error))
    places = {
        f"{'test/' if split == 'test' and len(counts) == 2 else ''}{number}": (split, number)
        for split, count in counts.items()
        for number in range(count)
    }
    return MegapixelReader(root, "megapixel", None, places, loaded)
