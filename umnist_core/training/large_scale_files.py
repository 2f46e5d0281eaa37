"""Images of MNIST Large Scale from files, in the numbers that they are stored in.

`umnist_core.training.data` opens the same files as pixels from 0 to 255, as all models here read
them. This is for code of others that trains on what their own loaders give: values from -0.76 to
0.76, a channel, and a class.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from umnist_core.datasets.large_scale.reader import (
    LargeScaleReader,
    find_large_scale,
    open_large_scale,
)
from umnist_core.errors import InvalidValueError, MissingFileError
from umnist_core.paths import expand_home
from umnist_core.seeds import FOLDER_SPLITS

LargeScaleItem = tuple[Tensor, int]


class LargeScaleFiles(Dataset[LargeScaleItem]):
    """A partition of MNIST Large Scale, read from its file as it is asked for.

    An item is float32 (1, H, W) in the file's own range, and its class, 0 to 9. Threads, forked and
    spawned workers may share it.

    Parameters
    ----------
    path
        A file, or a folder of files or arrays.
    split
        ``train``, ``val`` or ``test``.
    count
        The first so many; all when None. Of a folder, over its files in the order of their names.

    Raises
    ------
    MissingFileError, DamagedFileError, TooLargeError
        As `open_large_scale`, and if there are no such files.
    InvalidValueError
        If there is no such split, or it has fewer images.
    """

    def __init__(self, path: Path, split: str = "train", count: int | None = None) -> None:
        path = expand_home(path)
        found = find_large_scale(path)
        if found is None:
            raise MissingFileError(
                f"Expected files of MNIST Large Scale at {path}, found none; choose a file ending "
                "in .h5, or a folder with such."
            )
        if split not in FOLDER_SPLITS:
            raise InvalidValueError(
                f"A split is one of {', '.join(FOLDER_SPLITS)}; got {split!r:.40}."
            )
        self.reader: LargeScaleReader = open_large_scale(path, found)
        self._parts = [part for _, part in self.reader.parts.values() if part.split == split]
        self._ends = list(accumulate(part.images.count for part in self._parts))
        there = self._ends[-1] if self._ends else 0
        if not 1 <= (count if count is not None else there) <= there:
            raise InvalidValueError(
                f"The split {split!r} of {path} has {there} images; got "
                f"{'none' if count is None else f'count={count}'}; choose others."
            )
        self.count = there if count is None else count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> LargeScaleItem:
        if not 0 <= place < self.count:
            raise IndexError(f"The split has {self.count} images; got {place}.")
        which = bisect_right(self._ends, place)
        part = self._parts[which]
        number = place - (self._ends[which - 1] if which else 0)
        values = part.images.read(number, number + 1)
        return torch.from_numpy(values.astype(np.float32, copy=False)), int(part.labels[number])
