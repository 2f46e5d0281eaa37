"""Photographs in colour for models: of every shape, or resized as the baselines of MetH did.

An item is a pure function of the data set, its place, a seed and the epoch, as all data here are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from umnist_core.datasets import DatasetReader
from umnist_core.datasets.meth import read_pair
from umnist_core.errors import InvalidValueError
from umnist_core.seeds import draw_int, sample_rng

_Channels = tuple[float, float, float]

MIDDLE = (0.5, 0.5, 0.5)
"""Mean and standard deviation that MetH's baselines take off: values from -1 to 1."""

_ZERO, _ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class PictureForm(ABC):
    """What is done to a photograph before a model sees it.

    Attributes
    ----------
    mean, std
        Of each channel, of values from 0 to 1.
    """

    mean: _Channels = MIDDLE
    std: _Channels = MIDDLE

    @abstractmethod
    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width, in px, that an image of this size gets."""

    @abstractmethod
    def shape(self, image: NDArray[np.uint8], rng: np.random.Generator | None) -> NDArray[np.uint8]:
        """Return the image in that size; takes and gives uint8 (H, W, 3)."""

    def apply(self, image: NDArray[np.uint8], rng: np.random.Generator | None = None) -> Tensor:
        """Return an image as a model takes it.

        Parameters
        ----------
        image
            uint8 (H, W, 3) in RGB.
        rng
            Of what is drawn in training; None in evaluation.

        Returns
        -------
        Tensor
            float32 (3, h, w), less ``mean`` and over ``std``.
        """
        return _as_values(self.shape(image, rng), self.mean, self.std)


@dataclass(frozen=True)
class Squared(PictureForm):
    """Resized whatever the shape, and cropped: what MetH's published code does.

    ``Resize((256, 256))`` on what Pillow decodes (bilinear, antialiased), then ``RandomCrop(224)``
    in training and ``CenterCrop(224)`` in evaluation. Differs from it in that a file's orientation
    is honoured.

    Attributes
    ----------
    resized_px
        Height and width that an image is resized to.
    crop_px
        Side of the crop; None for none, as IPS has with 1200 x 1600 px of traffic signs.

    Raises
    ------
    InvalidValueError
        If the crop does not fit.
    """

    resized_px: tuple[int, int] = (256, 256)
    crop_px: int | None = 224

    def __post_init__(self) -> None:
        if self.crop_px is not None and not 1 <= self.crop_px <= min(self.resized_px):
            raise InvalidValueError(
                f"Expected a crop of 1 to {min(self.resized_px)} px, got {self.crop_px}; correct "
                "it."
            )

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of the crop, or of what is resized."""
        return self.resized_px if self.crop_px is None else (self.crop_px, self.crop_px)

    def shape(self, image: NDArray[np.uint8], rng: np.random.Generator | None) -> NDArray[np.uint8]:
        """Resize and crop."""
        height, width = self.resized_px
        resized = _resize(image, height, width)
        if self.crop_px is None:
            return resized
        left_over = (height - self.crop_px, width - self.crop_px)
        row, col = (
            round(left / 2) if rng is None else draw_int(rng, 0, left) for left in left_over
        )
        return resized[row : row + self.crop_px, col : col + self.crop_px]


@dataclass(frozen=True)
class Undeformed(PictureForm):
    """In its own shape, whole, and reduced to a number of pixels where one is given.

    Attributes
    ----------
    most_px
        Most pixels of an image; a larger one is reduced (bilinear, antialiased), its sides in
        proportion and rounded to the nearest px. MAMe's baselines have 360,000 and 65,536 so. None
        for all that it has.
    """

    most_px: int | None = None

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the image's own size, or a smaller one in proportion."""
        if self.most_px is None or height * width <= self.most_px:
            return height, width
        factor = (self.most_px / (height * width)) ** 0.5
        return max(1, round(height * factor)), max(1, round(width * factor))

    def shape(self, image: NDArray[np.uint8], rng: np.random.Generator | None) -> NDArray[np.uint8]:
        """Reduce where it is to be reduced."""
        size = self.size(*image.shape[:2])
        return image if size == image.shape[:2] else _resize(image, *size)


def _resize(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


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
            self.reader.read_colour(image_id), _rng(self.seed, place, self.epoch)
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
        low_values, high_values = (_as_values(one, _ZERO, _ONE) for one in (low, high))
        return PairItem(low_values, high_values, pair.is_shipped, image_id)

    def _patch(
        self, low: NDArray[np.uint8], high: NDArray[np.uint8], place: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        side, factor = int(self.patch_px or 0), self.factor
        # A shipped low image may be rounded up, and then its last px has no whole square.
        rows, cols = (
            min(small, large // factor) - side
            for small, large in zip(low.shape[:2], high.shape[:2], strict=True)
        )
        if side < 1 or min(rows, cols) < 0:
            raise InvalidValueError(
                f"Expected a patch that fits into {low.shape[1]} x {low.shape[0]} px of "
                f"{self.ids[place]}, got one of {side} px; choose a smaller one."
            )
        rng = _rng(self.seed, place, self.epoch)
        assert rng is not None
        row, col = draw_int(rng, 0, rows), draw_int(rng, 0, cols)
        last_row, last_col = row + side, col + side
        return (
            low[row:last_row, col:last_col],
            high[row * factor : last_row * factor, col * factor : last_col * factor],
        )


def _rng(seed: int | None, place: int, epoch: int) -> np.random.Generator | None:
    return None if seed is None else sample_rng(seed, "train", place, f"crop/{epoch}")


def _as_values(image: NDArray[np.uint8], mean: _Channels, std: _Channels) -> Tensor:
    """Return float32 (3, H, W) of uint8 (H, W, 3): less ``mean`` and over ``std`` of 0 to 1."""
    values = np.empty((3, *image.shape[:2]), np.float32)
    # Looked up, since each channel has but 256 values: a tenth of the time of computing them all.
    for band, (plane, table) in enumerate(zip(cv2.split(image), _tables(mean, std), strict=True)):
        cv2.LUT(plane, table, dst=values[band])
    return torch.from_numpy(values)


@lru_cache(maxsize=8)
def _tables(mean: _Channels, std: _Channels) -> NDArray[np.float32]:
    """Return the value of each grey of each channel, float32 (3, 256), as torchvision has it."""
    greys = torch.arange(256, dtype=torch.float32) / 255
    both = zip(torch.tensor(mean), torch.tensor(std), strict=True)
    return np.stack([((greys - one) / other).numpy() for one, other in both])
