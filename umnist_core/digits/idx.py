"""IDX files, the format in which MNIST is handed out (LeCun, Cortes and Burges).

A file opens with two zero bytes, one byte for the type of its elements and one for
its number of dimensions, then one big-endian uint32 per dimension; the elements
follow, the last dimension fastest, and nothing after them. Only unsigned bytes in
one to three dimensions are read here: labels are one-dimensional, images three.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import DamagedFileError, MissingFileError

MAX_ELEMENTS = 1 << 30
"""Most elements a file may announce; the largest digit set in use, EMNIST, has 640 million."""

_MAX_PACKING = 1032
"""Most bytes that deflate, gzip's method, packs into one."""

_UNSIGNED_BYTE = 0x08
_MAX_DIMENSIONS = 3
_GZIP_MAGIC = b"\x1f\x8b"
_REMEDY = "replace it with an undamaged copy (`umnist digits fetch` downloads MNIST)"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a whole IDX file of unsigned bytes, gzipped or plain.

    The first bytes decide whether it is gzipped, not its name. Nothing is allocated
    before the announced dimensions are known to be possible, nor more unpacked than those.

    Returns
    -------
    uint8 of the shape that the file announces, 1 to 3 dimensions; read-only.

    Raises
    ------
    MissingFileError
        If the file cannot be opened or read.
    DamagedFileError
        If it is not such a file, or truncated, or has bytes left over.
    """
    try:
        with _open_unpacked(path) as file:
            shape = _read_shape(path, file)
            return _read_elements(path, file, shape)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, "whole gzip data", f"damage in it ({error})") from error
    except OSError as error:
        raise MissingFileError(
            f"{path}: expected a readable file, found none ({error.strerror}); "
            "check the path and its permissions."
        ) from error


def unpacked_md5(array: NDArray[np.uint8]) -> str:
    """Return the MD5, in hex, of the plain IDX file that holds ``array``."""
    digest = hashlib.md5(_header(array.shape), usedforsecurity=False)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@contextmanager
def _open_unpacked(path: Path) -> Iterator[io.BufferedIOBase]:
    with path.open("rb") as packed:
        if packed.peek(2)[:2] != _GZIP_MAGIC:
            yield packed
            return
        with gzip.GzipFile(fileobj=packed) as unpacked:
            yield unpacked


def _read_shape(path: Path, file: io.BufferedIOBase) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise _damaged(
            path, "the magic number of an IDX file (00 00 08 ..)", magic.hex(" ") or "no bytes"
        )
    kind, dimensions = magic[2], magic[3]
    if kind != _UNSIGNED_BYTE:
        raise _damaged(path, "unsigned bytes (element type 0x08)", f"element type 0x{kind:02x}")
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise _damaged(path, f"1 to {_MAX_DIMENSIONS} dimensions", str(dimensions))
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise _damaged(
            path, f"a header of {4 + 4 * dimensions} bytes", f"only {4 + len(sizes)} bytes"
        )
    shape = struct.unpack(f">{dimensions}I", sizes)
    if not 1 <= math.prod(shape) <= MAX_ELEMENTS:
        raise _damaged(path, f"1 to {MAX_ELEMENTS:,} elements", f"dimensions {_by(shape)}")
    packed_bytes = path.stat().st_size
    if math.prod(shape) > packed_bytes * _MAX_PACKING:
        raise _damaged(path, f"{_by(shape)} elements", f"a file of only {packed_bytes:,} bytes")
    return shape


def _read_elements(
    path: Path, file: io.BufferedIOBase, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    count = math.prod(shape)
    # One byte more than announced: shows what is left over and, where nothing is,
    # brings gzip to its end, where it compares its own checksum.
    data = file.read(count + 1)
    if len(data) != count:
        found = f"only {len(data):,}" if len(data) < count else "more"
        raise _damaged(path, f"{count:,} bytes of elements ({_by(shape)})", found)
    return np.frombuffer(data, np.uint8).reshape(shape)


def _header(shape: tuple[int, ...]) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTE, len(shape), *shape)


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _damaged(path: Path, expected: str, found: str) -> DamagedFileError:
    return DamagedFileError(f"{path}: expected {expected}, found {found}; {_REMEDY}.")
