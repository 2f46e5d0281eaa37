"""What models of a reduced image share: reading it, batching it, cells of a grid in image px.

Reduction and normalisation are those of Gupta et al., "UltraMNIST Classification", Scientific
Data 2024, doi 10.1038/s41597-024-03587-4, sections "Data resizing" and "Training details".
Differs from the paper in that an image that is not square keeps its shape and is padded
with black below or on the right, and that one too large to be held whole is read from the
smallest level of its pyramid with at least twice the side (a mean of means).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.errors import InvalidValueError
from umnist_core.hardware import hardware_of
from umnist_core.pyramid import TileSource, seen_by_model

MEAN, DEVIATION = 0.5, 0.5
"""Of the normalisation, for pixels from 0 to 1."""


@dataclass(frozen=True)
class ReducedImage:
    """An image as a model with a fixed input sees it.

    Attributes
    ----------
    pixels
        uint8 (S, S), grey; the image's longer side is S px, the rest is black.
    height, width
        Of the image before it was reduced, px.
    """

    pixels: Tensor
    height: int
    width: int


@dataclass(frozen=True)
class ReducedBatch:
    """Several reduced images.

    Attributes
    ----------
    pixels
        uint8 (B, S, S).
    sizes
        Height and width of each image before it was reduced, px.
    """

    pixels: Tensor
    sizes: tuple[tuple[int, int], ...]

    def pin_memory(self) -> ReducedBatch:
        """Return it in memory that a GPU copies from while others compute; for data loaders."""
        return replace(self, pixels=self.pixels.pin_memory())


def prepare_reduced(source: TileSource, side_px: int) -> ReducedImage:
    """Read an image and reduce it to ``side_px`` on its longer side.

    Raises
    ------
    InvalidValueError
        If the image is smaller than that: it is not enlarged.
    TooLargeError
        If no level of it both fits in memory and has the side.
    """
    if max(source.height, source.width) < side_px:
        raise InvalidValueError(
            f"This model takes images with a longer side of {side_px} px or more, got "
            f"{source.width} x {source.height} px; choose a larger image or a model that reads "
            "patches."
        )
    grey = seen_by_model(source, side_px)
    square = np.zeros((side_px, side_px), np.uint8)
    square[: grey.shape[0], : grey.shape[1]] = grey
    return ReducedImage(torch.from_numpy(square), source.height, source.width)


def collate_reduced(prepared: Sequence[ReducedImage]) -> ReducedBatch:
    """Join reduced images into a batch."""
    pixels = torch.stack([one.pixels for one in prepared])  # (B, S, S)
    return ReducedBatch(pixels, tuple((one.height, one.width) for one in prepared))


def normalised(batch: ReducedBatch, side_px: int, device: torch.device) -> Tensor:
    """Return the pixels as float32 (B, 3, S, S) from -1 to 1 on a device.

    Raises
    ------
    InvalidValueError
        If the images have another side.
    """
    pixels = batch.pixels
    if pixels.dtype != torch.uint8 or pixels.shape[1:] != (side_px, side_px):
        raise InvalidValueError(
            f"Expected pixels uint8 (B, {side_px}, {side_px}), got {pixels.dtype} "
            f"{tuple(pixels.shape)}; prepare images with the model that takes them."
        )
    grey = hardware_of(device).send(pixels).float().div(255).sub(MEAN).div(DEVIATION)
    # The published models were trained on grey JPEG files opened as colour.
    return grey.unsqueeze(1).expand(-1, 3, -1, -1)  # (B, 3, S, S)


def grid_boxes(
    rows: int, cols: int, height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the cells of a grid that covers the square around an image.

    Parameters
    ----------
    rows, cols
        Of the grid.
    height, width
        Of the image, px; the square has its longer side.

    Returns
    -------
    boxes
        float32 (places, 4): row0, col0, row1, col1 in image px, cut at the image's edge.
    is_inside
        bool (rows * cols,), row by row: whether a cell shows some of the image. Those that
        do not are no places.
    """
    longer = max(height, width)
    row_edges = np.minimum(np.arange(rows + 1) * longer / rows, height)
    col_edges = np.minimum(np.arange(cols + 1) * longer / cols, width)
    row, col = (grid.ravel() for grid in np.mgrid[:rows, :cols])
    boxes = np.stack(
        [row_edges[row], col_edges[col], row_edges[row + 1], col_edges[col + 1]], axis=1
    ).astype(np.float32)
    is_inside = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    return boxes[is_inside], is_inside


def check_side(side_px: int, least: int = 32) -> None:
    """Refuse an input that a convolutional network cannot halve five times.

    Raises
    ------
    InvalidValueError
        If it is smaller than ``least``.
    """
    if side_px < least:
        raise InvalidValueError(f"side_px is {least} or more; got {side_px}.")
