"""Photographs in colour for models: of every shape, or resized as the baselines of MetH did.

An item is a pure function of the data set, its place, a seed and the epoch, as all data here are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from umnist_core.datasets import DatasetReader
from umnist_core.datasets.meth import read_pair
from umnist_core.errors import InvalidValueError
from umnist_core.models.forms import (
    ONE,
    ZERO,
    PictureForm,
    Squared,
    Undeformed,
    draw_patch,
    picture_values,
)
from umnist_core.seeds import sample_rng

__all__ = [
    "PairFolder",
    "PairItem",
    "PictureFolder",
    "PictureForm",
    "PictureItem",
    "Squared",
    "Undeformed",
    "picture_rng",
    "picture_target",
]


@dataclass(frozen=True, eq=False)
class PictureItem:
    """A photograph as a model takes it.

    Attributes
    ----------
    image
        float32 (3, H, W).
    target
        int64 (), the number of its class; or float32 (), its year.
    image_id
        In its data set.
    """

    image: Tensor
    target: Tensor
    image_id: str


class PictureFolder(Dataset[PictureItem]):
    """The photographs of a data set whose images have a class or a year.

    Parameters
    ----------
    reader
        The data set.
    ids
        Which of its images, in order.
    form
        What is done to each.
    seed
        Of what is drawn in training; None in evaluation, where nothing is.
    """

    def __init__(
        self,
        reader: DatasetReader,
        ids: Sequence[str],
        form: PictureForm,
        seed: int | None = None,
    ) -> None:
        self.reader, self.ids, self.form, self.seed = reader, tuple(ids), form, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Have other crops drawn; before the workers of a loader begin."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: int) -> PictureItem:
        """Read an image.

        Raises
        ------
        InvalidValueError
            If it has neither class nor year.
        MissingFileError, DamagedFileError, TooLargeError
            As of its file.
        """
        image_id = self.ids[place]
        image = self.form.apply(
            self.reader.read_colour(image_id), picture_rng(self.seed, place, self.epoch)
        )
        return PictureItem(image, picture_target(self.reader, image_id), image_id)

    def sizes(self) -> list[tuple[int, int]]:
        """Return height and width that each image will have, by its table or else its header.

        Raises
        ------
        MissingFileError, DamagedFileError, TooLargeError
            As `DatasetReader.read_size`, of those that no table tells.
        """
        return [
            self.form.size(*(self.reader.known(one).stated_size or self.reader.read_size(one)))
            for one in self.ids
        ]


def picture_target(reader: DatasetReader, image_id: str) -> Tensor:
    """Return the class of an image, int64 (), or its year, float32 ().

    Raises
    ------
    InvalidValueError
        If it has neither.
    """
    known = reader.known(image_id)
    if known.year is not None:
        return torch.tensor(known.year, dtype=torch.float32)
    if known.label is None:
        raise InvalidValueError(
            f"Expected a class or a year of image {image_id}, found neither; leave it out, or "
            "choose another data set."
        )
    return torch.tensor(known.label)


@dataclass(frozen=True, eq=False)
class PairItem:
    """An image at two resolutions as a model takes it.

    Attributes
    ----------
    low, high
        float32 (3, h, w) and (3, H, W), from 0 to 1.
    is_shipped
        Whether the low one came with the data set; see `umnist_core.datasets.meth.pairs`.
    image_id
        In its data set.
    """

    low: Tensor
    high: Tensor
    is_shipped: bool
    image_id: str


class PairFolder(Dataset[PairItem]):
    """The photographs of a data set at two resolutions, whole or as patches.

    Parameters
    ----------
    reader, ids
        As of `PictureFolder`.
    factor
        2, 4, 8 or 16.
    patch_px
        Side of a square of the low image that is drawn for each, with the same square of the high
        one; None for whole images.
    seed
        Of the draw.
    """

    def __init__(
        self,
        reader: DatasetReader,
        ids: Sequence[str],
        factor: int,
        *,
        patch_px: int | None = None,
        seed: int = 0,
    ) -> None:
        self.reader, self.ids, self.factor = reader, tuple(ids), factor
        self.patch_px, self.seed, self.epoch = patch_px, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Have other patches drawn; before the workers of a loader begin."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: int) -> PairItem:
        """Read an image at both resolutions.

        Raises
        ------
        InvalidValueError
            If the patch does not fit, or as `read_pair`.
        MissingFileError, DamagedFileError, TooLargeError
            As of its files.
        """
        image_id = self.ids[place]
        pair = read_pair(self.reader, image_id, self.factor)
        low, high = pair.low, pair.high
        if self.patch_px is not None:
            low, high = self._patch(low, high, place)
        low_values, high_values = (picture_values(one, ZERO, ONE) for one in (low, high))
        return PairItem(low_values, high_values, pair.is_shipped, image_id)

    def _patch(
        self, low: NDArray[np.uint8], high: NDArray[np.uint8], place: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        rng = picture_rng(self.seed, place, self.epoch)
        assert rng is not None
        assert self.patch_px is not None
        found = draw_patch(low, high, self.factor, self.patch_px, rng)
        if found is None:
            raise InvalidValueError(
                f"Expected a patch that fits into {low.shape[1]} x {low.shape[0]} px of "
                f"{self.ids[place]}, got one of {self.patch_px} px; choose a smaller one."
            )
        return found


def picture_rng(seed: int | None, place: int, epoch: int) -> np.random.Generator | None:
    """Return what draws the crop of an image in an epoch; None without a seed."""
    return None if seed is None else sample_rng(seed, "train", place, f"crop/{epoch}")
