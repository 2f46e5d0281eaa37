"""What is done to a photograph before a model sees it: resized and cropped, or in its own shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.errors import InvalidValueError
from umnist_core.seeds import draw_int

Channels = tuple[float, float, float]

MIDDLE = (0.5, 0.5, 0.5)
"""Mean and standard deviation that MetH's baselines take off: values from -1 to 1."""

ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""Mean and standard deviation of values that stay from 0 to 1."""


@dataclass(frozen=True)
class PictureForm(ABC):
    """What is done to a photograph before a model sees it.

    Attributes
    ----------
    mean, std
        Of each channel, of values from 0 to 1.
    """

    mean: Channels = MIDDLE
    std: Channels = MIDDLE

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
        return picture_values(self.shape(image, rng), self.mean, self.std)


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
    # Loaded only where an image is: machines that train on scenes may lack it.
    from PIL import Image

    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def draw_patch(
    low: NDArray[np.uint8],
    high: NDArray[np.uint8],
    factor: int,
    side_px: int,
    rng: np.random.Generator | None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Return the same square of an image at two resolutions.

    Parameters
    ----------
    low, high
        uint8 (h, w, 3) and (H, W, 3).
    factor
        How many times larger the one is.
    side_px
        Of the square of the low one.
    rng
        Draws where; None for the middle.

    Returns
    -------
    tuple
        uint8 (side_px, side_px, 3), and as much times the factor; None if it does not fit.
    """
    # A shipped low image may be rounded up, and then its last px has no whole square.
    left = [
        min(small, large // factor) - side_px
        for small, large in zip(low.shape[:2], high.shape[:2], strict=True)
    ]
    if side_px < 1 or min(left) < 0:
        return None
    row, col = (one // 2 if rng is None else draw_int(rng, 0, one) for one in left)
    last_row, last_col = row + side_px, col + side_px
    return (
        low[row:last_row, col:last_col],
        high[row * factor : last_row * factor, col * factor : last_col * factor],
    )


def picture_values(image: NDArray[np.uint8], mean: Channels, std: Channels) -> Tensor:
    """Return float32 (3, H, W) of uint8 (H, W, 3): less ``mean`` and over ``std`` of 0 to 1."""
    values = np.empty((3, *image.shape[:2]), np.float32)
    # Looked up, since each channel has but 256 values: a tenth of the time of computing them all.
    for band, (plane, table) in enumerate(zip(cv2.split(image), _tables(mean, std), strict=True)):
        cv2.LUT(plane, table, dst=values[band])
    return torch.from_numpy(values)


@lru_cache(maxsize=8)
def _tables(mean: Channels, std: Channels) -> NDArray[np.float32]:
    """Return the value of each grey of each channel, float32 (3, 256), as torchvision has it."""
    greys = torch.arange(256, dtype=torch.float32) / 255
    both = zip(torch.tensor(mean), torch.tensor(std), strict=True)
    return np.stack([((greys - one) / other).numpy() for one, other in both])
