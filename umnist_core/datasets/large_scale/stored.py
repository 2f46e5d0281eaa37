"""Images as they lie in a file, read a run at a time, in whatever layout they were stored.

An image has one channel, so its pixels lie in the same order whether the channel comes first, last
or not at all, or the image is flattened: `Images` are (N, H, W) in every case.
"""

from __future__ import annotations

import math
import os
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from umnist_core.datasets.recipe import MAX_COUNT
from umnist_core.errors import DamagedFileError, TooLargeError
from umnist_core.paths import open_file
from umnist_core.settings import load_settings

Stored = NDArray[Any]
"""Numbers of the file's own type."""

CHUNK_MAX_BYTES = 2 * 10**9
"""Of a piece that has to be unpacked whole; one of 10,000 images takes half a GB."""


class Images(ABC):
    """Images of one partition.

    Attributes
    ----------
    path
        Their file.
    name
        Of the file and the partition, for messages.
    count, height, width
        How many, and the size of each in px.
    dtype
        Of the stored numbers.
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, int, int], dtype: DTypeLike):
        self.path, self.name = path, name
        self.count, self.height, self.width = shape
        self.dtype = np.dtype(dtype)

    @abstractmethod
    def read(self, first: int, last: int) -> Stored:
        """Return the images ``first .. last - 1``, (N, H, W), in numbers of `dtype`.

        Raises
        ------
        MissingFileError, DamagedFileError
            If the file is gone, cut short or garbled.
        """

    def _reread(self, error: OSError) -> DamagedFileError:
        reason = (error.strerror or str(error)).strip().splitlines()[0]
        return DamagedFileError(
            f"{self.name}: expected images, found what cannot be read ({reason:.120}); copy or "
            "make the file again."
        )


class WholeImages(Images):
    """Images that lie in one piece, without a filter: read at their place, by the system's call.

    Parameters
    ----------
    path, name, shape, dtype
        See `Images`.
    offset
        Where the first begins, in bytes.
    """

    def __init__(
        self, path: Path, name: str, shape: tuple[int, int, int], dtype: DTypeLike, *, offset: int
    ):
        super().__init__(path, name, shape, dtype)
        self.offset = offset
        self._handle: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None}  # another process opens the file itself

    def read(self, first: int, last: int) -> Stored:
        """Return images; see `Images.read`. Threads and forked processes may share the handle."""
        found = np.empty((last - first, self.height, self.width), self.dtype)
        place = self.offset + first * self.height * self.width * self.dtype.itemsize
        view = found.reshape(-1).view(np.uint8).data
        try:
            handle = self._open() if self._handle is None else self._handle
            while view:
                got = os.preadv(handle, [view], place)
                if not got:
                    raise OSError("its end before theirs")
                view, place = view[got:], place + got
        except OSError as error:
            raise self._reread(error) from error
        return found

    def _open(self) -> int:
        with open_file(self.path) as file:
            handle = os.dup(file.fileno())
        weakref.finalize(self, os.close, handle)
        self._handle = handle
        return handle


class HdfImages(Images):
    """Images in chunks, packed or not, read by h5py.

    Parameters
    ----------
    path, name, shape, dtype
        See `Images`.
    key
        Of the data set in the file.
    chunk
        How many bytes have to be unpacked together.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        shape: tuple[int, int, int],
        dtype: DTypeLike,
        *,
        key: str,
        chunk: int,
    ):
        super().__init__(path, name, shape, dtype)
        self.key = key
        self._chunk = chunk
        self._stored: Any = None
        self._process = -1

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_stored": None, "_process": -1}

    def read(self, first: int, last: int) -> Stored:
        """Return images; see `Images.read`."""
        try:
            stored = self._open()
            is_alone = math.prod(stored.shape[1:]) != self.height * self.width
            found: Stored = stored[()] if is_alone else stored[first:last]
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise self._reread(OSError(str(error))) from error
        return found.reshape(-1, self.height, self.width)

    def _open(self) -> Any:
        """Open the images in this process, with room for a chunk in HDF5's cache."""
        import h5py

        if self._process != os.getpid():
            file = h5py.File(self.path, "r", rdcc_nbytes=max(2**20, self._chunk))
            # Kept open, as the cache goes when it is closed; it keeps the file open.
            self._stored, self._process = file[self.key], os.getpid()
        return self._stored


def image_shape(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    """Return number, height and width of stored images of one channel.

    Takes (N, H, W, 1), (N, 1, H, W), (N, H, W), (H, W, 1) for one image, and (N, H·W) of square
    images.

    Raises
    ------
    DamagedFileError
        If the shape is none of these.
    TooLargeError
        If there are too many images, or they are too large.
    """
    found = _find_shape(shape)
    if found is None:
        raise DamagedFileError(
            f"{name}: expected grey images, (n, 112, 112, 1) or alike, found the shape {shape}; "
            "store one channel, its axis last, first or left away."
        )
    count, height, width = found
    limit_mpx = load_settings().max_file_mpx
    if count > MAX_COUNT or height * width > limit_mpx * 1_000_000:
        raise TooLargeError(
            f"{name}: expected at most {MAX_COUNT:,} images of at most {limit_mpx} million px, "
            f"found {count:,} of {width} x {height}; store fewer or smaller ones."
        )
    return found


def _find_shape(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    match shape:
        case (count, height, width, 1) | (count, 1, height, width) if height and width:
            return count, height, width
        case (height, width, 1) if height > 1 or width == 1:
            return 1, height, width
        case (count, height, width) if height and width:
            return count, height, width
        case (count, pixels) if pixels > 1:
            side = math.isqrt(pixels)
            return (count, side, side) if side * side == pixels else None
    return None
