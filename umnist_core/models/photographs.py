"""What models of photographs share: reading one in colour, batches of any shapes, maps in image px.

Images of a batch stand at the top left of it; what is beyond is 0, the middle grey, as
`umnist_core.training.like_shapes` has it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from umnist_core.attention import AttentionMap
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box, reduced_size_px
from umnist_core.hardware import hardware_of
from umnist_core.models.forms import MIDDLE
from umnist_core.pyramid import WHOLE_MAX_PX, TileSource

Frame = tuple[float, float, float, float]
"""row0, col0, row1, col1 of what a model sees, in image px."""


@dataclass(frozen=True)
class Photograph:
    """A photograph as a model sees it.

    Attributes
    ----------
    pixels
        uint8 (3, H, W) in RGB.
    height, width
        Of the image before it was resized or cropped, px.
    frame
        What of it is seen.
    """

    pixels: Tensor
    height: int
    width: int
    frame: Frame


@dataclass(frozen=True)
class PhotographBatch:
    """Several photographs.

    Attributes
    ----------
    pixels
        uint8 (B, 3, H, W), each at the top left; the rest is `GREY`.
    sizes
        Height and width of each in ``pixels``, px.
    wholes
        Height and width of each image before it was resized or cropped, px.
    frames
        What of each is seen.
    checksums
        A number of each image's own pixels, from which what is drawn for it follows.
    """

    pixels: Tensor
    sizes: tuple[tuple[int, int], ...]
    wholes: tuple[tuple[int, int], ...]
    frames: tuple[Frame, ...]
    checksums: tuple[int, ...]

    @property
    def is_padded(self) -> bool:
        """Whether an image is smaller than the batch."""
        return any(size != tuple(self.pixels.shape[2:]) for size in self.sizes)

    def pin_memory(self) -> PhotographBatch:
        """Return it in memory that a GPU copies from while others compute; for data loaders."""
        return replace(self, pixels=self.pixels.pin_memory())


def read_colour(source: TileSource, least_px: int = 1) -> NDArray[np.uint8]:
    """Return an image in colour, whole or from a level that can be held.

    Parameters
    ----------
    source
        Grey or in colour.
    least_px
        Pixels that a level has at least, where the image is too large to be held.

    Returns
    -------
    ndarray
        uint8 (H, W, 3).

    Raises
    ------
    InvalidValueError
        If no level both can be held and has so many pixels.
    """
    reduction = 1
    while source.height * source.width > WHOLE_MAX_PX * reduction**2:
        reduction *= 2
    rows, cols = (reduced_size_px(side, reduction) for side in (source.height, source.width))
    if reduction > 1 and rows * cols < least_px:
        raise InvalidValueError(
            f"Expected an image of at most {WHOLE_MAX_PX / 1e6:g} million px, found "
            f"{source.width} x {source.height} px; set model.settings.most_px to less than "
            f"{rows * cols:,}."
        )
    return in_colour(source.read_region(Box(0, 0, rows, cols), reduction))


def in_colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8 (H, W, 3) of that or of uint8 (H, W), whose channels are then equal."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def as_planes(image: NDArray[np.uint8]) -> Tensor:
    """Return uint8 (3, H, W) of uint8 (H, W, 3)."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


GREY = 128
"""Of what is beyond an image; `as_values` makes 0 of it, which no grey of 0 to 255 is."""


def collate_photographs(prepared: Sequence[Photograph]) -> PhotographBatch:
    """Join photographs of any shapes."""
    sizes = tuple((one.pixels.shape[1], one.pixels.shape[2]) for one in prepared)
    height, width = (max(sides) for sides in zip(*sizes, strict=True))
    pixels = torch.full((len(prepared), 3, height, width), GREY, dtype=torch.uint8)
    for place, (one, (rows, cols)) in enumerate(zip(prepared, sizes, strict=True)):
        pixels[place, :, :rows, :cols] = one.pixels
    return PhotographBatch(
        pixels,
        sizes,
        tuple((one.height, one.width) for one in prepared),
        tuple(one.frame for one in prepared),
        tuple(zlib.crc32(one.pixels.numpy().tobytes()) for one in prepared),
    )


def as_values(batch: PhotographBatch, device: torch.device) -> Tensor:
    """Return what a network takes, float32 (B, 3, H, W) from -1 to 1, 0 beyond an image."""
    mean, deviation = MIDDLE[0], MIDDLE[0]
    values = hardware_of(device).send(batch.pixels).float().div(255).sub(mean).div(deviation)
    if not batch.is_padded:
        return values
    return values * inside_mask(batch.sizes, (values.shape[2], values.shape[3]), device)


def inside_mask(
    sizes: Sequence[tuple[int, int]], shape: tuple[int, int], device: torch.device
) -> Tensor:
    """Return 1 where an image is and 0 beyond it, float32 (B, 1, H, W) on a device.

    Parameters
    ----------
    sizes
        Height and width of each image.
    shape
        H and W.
    device
        Where it is made.
    """
    ends = torch.tensor(sizes, device=device)  # (B, 2)
    rows = torch.arange(shape[0], device=device)[None, :, None] < ends[:, 0, None, None]
    cols = torch.arange(shape[1], device=device)[None, None, :] < ends[:, 1, None, None]
    return (rows & cols)[:, None].float()


def frame_map(
    grid: NDArray[np.float32], whole: tuple[int, int], frame: Frame, *, task: str, kind: str
) -> AttentionMap:
    """Return a map of weights on a grid over a frame of an image.

    Parameters
    ----------
    grid
        float32 (rows, cols), 0 or more; the map has their shares.
    whole
        Height and width of the image, px.
    frame
        What of it the grid covers.
    task, kind
        As of `AttentionMap`.
    """
    rows, cols = grid.shape
    row_edges = np.linspace(frame[0], frame[2], rows + 1)
    col_edges = np.linspace(frame[1], frame[3], cols + 1)
    row, col = (one.ravel() for one in np.mgrid[:rows, :cols])
    boxes = np.stack(
        [row_edges[row], col_edges[col], row_edges[row + 1], col_edges[col + 1]], axis=1
    ).astype(np.float32)
    exact = grid.ravel().astype(np.float64)
    total = exact.sum()
    shares = (exact / total if total > 0 else exact).astype(np.float32)
    return AttentionMap(shares[None, None], boxes, *whole, (task,), kind)
