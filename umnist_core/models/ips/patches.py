"""Patches of an image of any size, read a few at a time.

A `PatchGrid` says where the patches lie; a `PatchReader` gives the pixels of some of them.
Small images are held as their distinct patches (most patches of Megapixel MNIST are blank
and need no second copy); of larger ones nothing is held but the source.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.pyramid import TileSource
from umnist_core.pyramid.levels import as_grey

Pixels = NDArray[np.uint8]
Indices = NDArray[np.int64]

EDGES = ("pad", "drop")
"""What becomes of rows and columns that fill no whole patch: padded with 0, or left out."""

HELD_MAX_PX = 16_000_000
"""Images up to this size (4000 x 4000) are held as distinct patches; larger ones are read."""

KEY_BYTES = 16
"""Two different patches share a key with a probability of 2**-128."""

_READ_AT_ONCE = 256


@dataclass(frozen=True)
class PatchGrid:
    """Where the patches of an image lie: row after row, from its upper left corner.

    Attributes
    ----------
    height, width
        Of the image, px.
    patch_px, stride_px
        Side of a patch, and from one patch to the next, px.
    edges
        One of `EDGES`.

    Raises
    ------
    InvalidValueError
        If a value is not allowed, or no patch fits.
    """

    height: int
    width: int
    patch_px: int
    stride_px: int
    edges: str = "pad"

    def __post_init__(self) -> None:
        if self.edges not in EDGES:
            raise InvalidValueError(f"edges is one of {', '.join(EDGES)}; got {self.edges!r}.")
        if not 1 <= self.stride_px <= self.patch_px:
            raise InvalidValueError(
                f"Expected a stride of 1 to {self.patch_px} px, the side of a patch; got "
                f"{self.stride_px}."
            )
        if min(self.height, self.width) < (self.patch_px if self.edges == "drop" else 1):
            raise InvalidValueError(
                f"Expected an image of at least {self.patch_px} x {self.patch_px} px, one patch; "
                f"got {self.width} x {self.height}."
            )

    @property
    def rows(self) -> int:
        """Patches from top to bottom."""
        return self._along(self.height)

    @property
    def cols(self) -> int:
        """Patches from left to right."""
        return self._along(self.width)

    @property
    def count(self) -> int:
        """All patches, N."""
        return self.rows * self.cols

    def _along(self, side_px: int) -> int:
        left_px = max(0, side_px - self.patch_px)
        if self.edges == "drop":
            return left_px // self.stride_px + 1
        return -(-left_px // self.stride_px) + 1

    def boxes(self, indices: Indices) -> NDArray[np.float32]:
        """Return the boxes of patches, float32 (n, 4): row0, col0, row1, col1 in image px.

        They are half-open and end where the image ends.
        """
        corners = np.stack(np.divmod(indices, self.cols), axis=1) * self.stride_px  # (n, 2)
        ends = np.minimum(corners + self.patch_px, (self.height, self.width))
        return np.concatenate([corners, ends], axis=1).astype(np.float32)


class PatchReader(ABC):
    """The patches of one image.

    Attributes
    ----------
    grid
        Where they lie.
    channels
        1 for grey, 3 for RGB.
    shown
        Height and width of the image, in px, before it was resized to that of the grid; None if
        it was not.
    """

    grid: PatchGrid
    channels: int
    shown: tuple[int, int] | None = None

    @property
    def shown_size(self) -> tuple[int, int]:
        """Height and width of the image as it came, in px."""
        return self.shown or (self.grid.height, self.grid.width)

    def shown_boxes(self, indices: Indices) -> NDArray[np.float32]:
        """Return the boxes of patches as of `PatchGrid.boxes`, in px of the image as it came."""
        boxes = self.grid.boxes(indices)
        if self.shown_size == (self.grid.height, self.grid.width):
            return boxes
        factors = np.array(self.shown_size) / (self.grid.height, self.grid.width)
        return (boxes * np.tile(factors, 2)).astype(np.float32)

    def shown_places(self, indices: Indices) -> list[tuple[int, int, int, int]]:
        """Return x, y, width and height of patches, px of the image as it came."""
        boxes = np.rint(self.shown_boxes(indices)).astype(int).tolist()
        return [(col, row, end - col, last - row) for row, col, last, end in boxes]

    def find_patch(self, canvas_box: tuple[float, float, float, float]) -> int | None:
        """Return the patch with most of a box of the image as it came; None where none has any."""
        factors = np.array([self.grid.height, self.grid.width]) / self.shown_size
        ends = np.array(canvas_box).reshape(2, 2) * factors
        best = []
        for axis, count in enumerate((self.grid.rows, self.grid.cols)):
            first = np.arange(count) * self.grid.stride_px
            last = np.minimum(first + self.grid.patch_px, (self.grid.height, self.grid.width)[axis])
            common = np.minimum(last, ends[1, axis]) - np.maximum(first, ends[0, axis])
            if common.max() <= 0:
                return None
            best.append(int(common.argmax()))
        return best[0] * self.grid.cols + best[1]

    @abstractmethod
    def read(self, indices: Indices) -> Pixels:
        """Return the pixels of patches, uint8 (n, patch_px, patch_px, channels)."""

    def keys(self, indices: Indices, pixels: Pixels) -> list[bytes]:
        """Return the keys of patches that were read; equal keys mean equal pixels."""
        del indices
        return patch_keys(pixels)


class LazyPatches(PatchReader):
    """Patches that are read from a source when they are asked for; none is held.

    Parameters
    ----------
    source
        The image: an array, a file or a scene, of any size.
    grid, channels
        As of `PatchReader`. Grey is repeated, RGB made grey, where they differ.
    """

    def __init__(self, source: TileSource, grid: PatchGrid, channels: int) -> None:
        if (source.height, source.width) != (grid.height, grid.width):
            raise InvalidValueError(
                f"Expected an image of {grid.width} x {grid.height} px, as its grid; got "
                f"{source.width} x {source.height}."
            )
        self.grid = grid
        self.channels = channels
        self._source = source

    def read(self, indices: Indices) -> Pixels:
        """Read patches; neighbours in a row are read as one box."""
        grid, side_px = self.grid, self.grid.patch_px
        patches = np.zeros((len(indices), side_px, side_px, self.channels), np.uint8)
        for slots in _runs(indices, grid.cols):
            row, first_col = divmod(int(indices[slots[0]]), grid.cols)
            row0, col0 = row * grid.stride_px, first_col * grid.stride_px
            row1 = min(row0 + side_px, grid.height)
            col1 = min(col0 + (len(slots) - 1) * grid.stride_px + side_px, grid.width)
            strip = self._source.read_region(Box(row0, col0, row1, col1), 1)
            strip = _with_channels(strip, self.channels)  # (height, strip width, channels)
            for step, slot in enumerate(slots):
                cut = strip[:, step * grid.stride_px :][:, :side_px]
                patches[slot, : cut.shape[0], : cut.shape[1]] = cut
        return patches


class HeldPatches(PatchReader):
    """Patches of a small image, held as the distinct ones; arrays alone, to cross processes.

    Parameters
    ----------
    reader
        Where they are read from, all at once.
    """

    def __init__(self, reader: PatchReader) -> None:
        self.grid = reader.grid
        self.channels = reader.channels
        slot_of: dict[bytes, int] = {}
        distinct: list[Pixels] = []
        slots: list[int] = []
        for start in range(0, self.grid.count, _READ_AT_ONCE):
            indices = np.arange(start, min(start + _READ_AT_ONCE, self.grid.count))
            pixels = reader.read(indices)
            for key, patch in zip(reader.keys(indices, pixels), pixels, strict=True):
                slot = slot_of.setdefault(key, len(slot_of))
                if slot == len(distinct):
                    distinct.append(patch)
                slots.append(slot)
        self._distinct = np.stack(distinct)  # (distinct patches, side, side, channels)
        self._keys = list(slot_of)
        self._slots = np.array(slots, np.int32)  # (patches,)

    @property
    def distinct_count(self) -> int:
        """Patches that differ."""
        return len(self._distinct)

    def read(self, indices: Indices) -> Pixels:
        """Return copies of patches."""
        pixels: Pixels = self._distinct[self._slots[indices]]
        return pixels

    def keys(self, indices: Indices, pixels: Pixels) -> list[bytes]:
        """Return the keys that were made with the patches."""
        return [self._keys[slot] for slot in self._slots[indices]]


def open_patches(source: TileSource, grid: PatchGrid, channels: int) -> PatchReader:
    """Return the patches of an image: held if it is at most `HELD_MAX_PX`, else read lazily."""
    reader = LazyPatches(source, grid, channels)
    return HeldPatches(reader) if grid.height * grid.width <= HELD_MAX_PX else reader


def patch_keys(pixels: Pixels) -> list[bytes]:
    """Return `KEY_BYTES` bytes for each patch; equal for equal pixels, else different.

    Parameters
    ----------
    pixels
        uint8 (n, height, width, channels), all of one shape.
    """
    rows = pixels.reshape(len(pixels), -1)  # (n, bytes of a patch)
    is_flat = (rows == rows[:, :1]).all(axis=1)
    return [
        b"flat" + bytes([row[0]]) * (KEY_BYTES - 4)
        if flat
        else hashlib.blake2b(row, digest_size=KEY_BYTES).digest()
        for row, flat in zip(np.ascontiguousarray(rows), is_flat, strict=True)
    ]


def _runs(indices: Indices, cols: int) -> Iterator[Indices]:
    """Yield slots of ``indices`` whose patches are neighbours in one row, from left to right."""
    if len(indices) == 0:
        return
    order = np.argsort(indices, kind="stable")
    ordered = indices[order]
    breaks = (np.diff(ordered) != 1) | (ordered[1:] % cols == 0)
    yield from np.split(order, np.flatnonzero(breaks) + 1)


def _with_channels(region: Pixels, channels: int) -> Pixels:
    """Return a region with its channels last, grey or RGB as asked for."""
    if region.ndim == 2:
        # A view with a stride of 0: the three channels are one.
        return np.broadcast_to(region[:, :, None], (*region.shape, channels))
    if channels == 1:
        return as_grey(region)[:, :, None]
    return region
