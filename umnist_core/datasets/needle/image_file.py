"""One image of Needle MNIST in its original layout: a NumPy archive (``.npz``) of two arrays.

``arr_0``
    float64 (height, width), 0 is black and 1 white: greys of 0 to 255, divided by 255.
``arr_1``
    The patch map: float64 (height / 64, width / 64), 1 in the cell that the needle lies in.

Of the patch map no more is known than its name and the side of its patches: its shape here is ours,
and any other is read. Arrays are read in bands of rows and rounded to whole greys, so an image of
6144 x 6144 px, whose 64-bit numbers take 300 MB, takes 38. Nothing is unpickled: an array of
objects is refused. An image is read to its end, and so checked against the archive's checksum.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.npy_header import NpyHeader, read_npy_header
from umnist_core.errors import DamagedFileError, MissingFileError, TooLargeError
from umnist_core.files import open_whole
from umnist_core.paths import open_file
from umnist_core.settings import load_settings

SUFFIX = ".npz"
ARGS_FILE = "args"
"""Beside the images; what the set was made from, in words that are not read."""

PICTURE, PATCH_MAP = "arr_0", "arr_1"

BAND_PX = 2**16
"""Numbers that are held at once, about: half a megabyte, which stays in a core's cache."""

PATCH_MAP_MAX = 2**20
"""Most numbers of a patch map: 96 x 96 at 6144 px."""

_LEVEL = 1
"""Of compression: most of an image is black, and more effort gains little."""


class _Member(NamedTuple):
    """An array of an archive, its header read."""

    file: IO[bytes]
    header: NpyHeader
    height: int
    width: int


def read_size(path: Path) -> tuple[int, int]:
    """Return height and width of an image, in px.

    Raises
    ------
    MissingFileError, DamagedFileError, TooLargeError
        As `read_picture`, as far as the header and the archive's own list tell.
    """
    with _opened(path) as archive, _member(archive, path, PICTURE) as member:
        return member.height, member.width


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return the pixels of an image, uint8 (H, W): its greys times 255, rounded.

    Raises
    ------
    MissingFileError
        If the file is not there, or cannot be read.
    DamagedFileError
        If it is no such archive, any part of it is missing or garbled, or a grey is not 0 to 1.
    TooLargeError
        If it has more px than the settings allow.
    """
    with _opened(path) as archive, _member(archive, path, PICTURE) as member:
        header = member.header
        lines, length = member.height, member.width
        if header.is_fortran:
            lines, length = length, lines
        image = np.empty((lines, length), np.uint8)
        step = max(1, BAND_PX // length)
        for first in range(0, lines, step):
            count = min(step, lines - first)
            band = _read_exactly(member.file, count * length, header.dtype)
            image[first : first + count] = _greys(band).reshape(count, length)
        if member.file.read(1):
            raise ValueError("more numbers than its header says")
        return np.ascontiguousarray(image.T) if header.is_fortran else image


def read_patch_map(path: Path) -> NDArray[np.float64] | None:
    """Return the patch map of an image as it is stored, float64 (rows, cols); None if it has none.

    Raises
    ------
    MissingFileError, DamagedFileError
        As `read_picture`.
    """
    with _opened(path) as archive:
        if f"{PATCH_MAP}.npy" not in archive.namelist():
            return None
        with _member(archive, path, PATCH_MAP) as member:
            count = member.height * member.width
            values = _read_exactly(member.file, count, member.header.dtype).astype(np.float64)
            if member.file.read(1) or not np.isfinite(values).all():
                raise ValueError("a patch map of other numbers than its header says")
            if member.header.is_fortran:
                return values.reshape(member.width, member.height).T
            return values.reshape(member.height, member.width)


def write_image_file(path: Path, pixels: NDArray[np.uint8], patch_map: NDArray[np.float64]) -> None:
    """Write an image and its patch map; the same bytes for the same arguments.

    Parameters
    ----------
    path
        Where to; its folder must exist.
    pixels
        uint8 (H, W).
    patch_map
        float64 (rows, cols).

    Raises
    ------
    WriteError
        If it cannot be written whole.
    """
    deflated = zipfile.ZIP_DEFLATED
    with (
        open_whole(path) as file,
        zipfile.ZipFile(file, "w", deflated, compresslevel=_LEVEL) as archive,
    ):
        with _new_member(archive, PICTURE) as member:
            _write_header(member, pixels.shape)
            step = max(1, BAND_PX // max(1, pixels.shape[1]))
            for first in range(0, len(pixels), step):
                member.write((pixels[first : first + step] / 255).tobytes())
        with _new_member(archive, PATCH_MAP) as member:
            _write_header(member, patch_map.shape)
            member.write(patch_map.astype(np.float64).tobytes())


def _new_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    # By its name, and so of 1980: bytes do not depend on the time.
    return archive.open(f"{name}.npy", "w", force_zip64=True)


def _write_header(member: IO[bytes], shape: tuple[int, ...]) -> None:
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(member, header)


# -- reading ----------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give an archive, and say in a sentence what is wrong with it or was found in it."""
    try:
        file = open_file(path)
    except OSError as error:
        raise MissingFileError(
            f"Expected an image of Needle MNIST in {path}, found {error.strerror or error}; copy "
            "or make it again."
        ) from error
    # What a damaged archive raises, whichever part of it is damaged.
    wrong = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, RuntimeError, OSError)
    with file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except (DamagedFileError, TooLargeError):
            raise
        except wrong as error:
            raise DamagedFileError(
                f"{path}: expected an image of Needle MNIST as NumPy saves it, with greys of 0 to "
                f"1, found something else ({error}); copy or make it again."
            ) from error


@contextmanager
def _member(archive: zipfile.ZipFile, path: Path, name: str) -> Iterator[_Member]:
    if f"{name}.npy" not in archive.namelist():
        raise ValueError(f"no {name}")
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        header = read_npy_header(file)
        height, width = _sides(header)
        is_picture = name == PICTURE
        kinds = "f" if is_picture else "fiub"
        if header.dtype.hasobject:
            raise ValueError("objects, which may hold code and are not read")
        if header.dtype.kind not in kinds or header.dtype.itemsize > 8:
            raise ValueError(f"an array of {header.dtype}")
        if is_picture:
            _check_size(path, height, width)
        elif height * width > PATCH_MAP_MAX:
            raise ValueError(f"a patch map of {height} x {width}")
        if info.file_size < height * width * header.dtype.itemsize:
            raise ValueError(f"{info.file_size} bytes for {height} x {width} numbers")
        yield _Member(file, header, height, width)


def _sides(header: NpyHeader) -> tuple[int, int]:
    """Return height and width of an array of two dimensions, or of one plane of three."""
    shape = header.shape
    if len(shape) == 3 and 1 in (shape[0], shape[2]):
        shape = shape[1:] if shape[0] == 1 else shape[:2]
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"an array of shape {header.shape}")
    return shape[0], shape[1]


def _check_size(path: Path, height: int, width: int) -> None:
    limit_mpx = load_settings().max_file_mpx
    if height * width > limit_mpx * 1_000_000:
        raise TooLargeError(
            f"{path}: expected at most {limit_mpx} million px, found {width} x {height}; raise "
            "UMNIST_MAX_FILE_MPX to read it."
        )


def _read_exactly(file: IO[bytes], count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    data = file.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise ValueError("fewer numbers than its header says")
    return np.frombuffer(data, dtype)


def _greys(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return greys of 0 to 1 as whole ones of 0 to 255."""
    whole = values * 255
    np.rint(whole, out=whole)
    # Once rounded, so that what a sum of 32-bit numbers is off by is no fault; False for NaN.
    if not (whole.min() >= 0 and whole.max() <= 255):
        raise ValueError(f"greys of {values.min():g} to {values.max():g}")
    return whole.astype(np.uint8)
