"""TIFFs whose colours are multiplied by their alpha, which libvips divides by it as it loads them.

Such transparency is called associated (TIFF 6.0, section 18, ExtraSamples of value 1). For what is
drawn the division is right, as far as libvips knows how much alpha is opaque. The values that a
file stores cannot be had back from it: they are rounded, cut off, and 0 where nothing is opaque.
So they are read from the file with its ExtraSamples changed to 2, unassociated, on the way.
"""

from __future__ import annotations

import io
import struct
import weakref
from pathlib import Path
from typing import Any, BinaryIO

from umnist_core.errors import InvalidValueError

_EXTRA_SAMPLES = 338
_SHORT = 3
_ASSOCIATED, _UNASSOCIATED = 1, 2
_ORDERS = {b"II": "<", b"MM": ">"}
_DIVIDED_RIGHT = (("uchar", None), ("ushort", None), ("float", "scrgb"))
"""Formats, and interpretation if one alone, whose opaque alpha libvips knows."""


def find_associated(file: BinaryIO, page: int = 0) -> tuple[int, ...]:
    """Return where a TIFF says that colours are multiplied by their alpha.

    Parameters
    ----------
    file
        Of any kind.
    page
        From 0.

    Returns
    -------
    tuple of int
        Offset of each byte that is 1, and would be 2 for unassociated alpha; nothing if the file
        does not say so, is no TIFF, or is a damaged one.
    """
    try:
        return _find(file, page)
    except (struct.error, OverflowError):
        return ()


def _find(file: BinaryIO, page: int) -> tuple[int, ...]:
    file.seek(0)
    order = _ORDERS.get(file.read(2))
    if order is None:
        return ()

    def read(form: str, at: int | None = None) -> int:
        if at is not None:
            file.seek(at)
        value: int = struct.unpack(order + form, file.read(struct.calcsize(form)))[0]
        return value

    is_big = read("H") == 43
    count, offset, entry_bytes = ("Q", "Q", 20) if is_big else ("H", "I", 12)
    start = read(offset, 8 if is_big else 4)
    for _ in range(page):
        start = read(offset, start + struct.calcsize(count) + entry_bytes * read(count, start))
    first = start + struct.calcsize(count)
    for at in range(first, first + entry_bytes * read(count, start), entry_bytes):
        if (read("H", at), read("H")) == (_EXTRA_SAMPLES, _SHORT):
            samples, inside = read(offset), at + 4 + struct.calcsize(offset)
            is_inside = 2 * samples <= struct.calcsize(offset)
            where = inside if is_inside else read(offset, inside)
            places = range(where, where + 2 * samples, 2)
            low = 1 if order == ">" else 0
            return tuple(one + low for one in places if read("H", one) == _ASSOCIATED)
    return ()


def multiplied_source(path: Path, places: tuple[int, ...]) -> Any:
    """Return a TIFF as a libvips source from which colours come as they are stored.

    libvips calls back for as long as the image is read: hold the source as long as the image.

    Parameters
    ----------
    path
        The file.
    places
        Of `find_associated`.
    """
    import pyvips

    overlay = _Overlay(path, places)
    source = pyvips.SourceCustom()
    source.on_read(overlay.read)
    source.on_seek(overlay.seek)
    weakref.finalize(source, overlay.close)
    return source


def check_division(file: BinaryIO | bytes, image: Any, name: str, page: int = 0) -> None:
    """Raise if libvips divides the colours of a file by something else than its alpha.

    Parameters
    ----------
    file
        The image's file, or all of its bytes.
    image
        As loaded by libvips.
    name, page
        Of the file, for the message; and which page it is, from 0.

    Raises
    ------
    InvalidValueError
        If so.
    """
    kinds = ((image.format, None), (image.format, image.interpretation))
    if not image.hasalpha() or any(kind in _DIVIDED_RIGHT for kind in kinds):
        return
    opened = io.BytesIO(file) if isinstance(file, bytes) else file
    if find_associated(opened, page):
        raise InvalidValueError(
            f"Expected 8 or 16 bits, or RGB in floats, in {name}, where colours are multiplied by "
            f"their alpha, found {image.bands} channels of {image.format}; save it with "
            "unassociated alpha."
        )


class _Overlay:
    """A file that is read with some of its bytes changed to `_UNASSOCIATED`."""

    def __init__(self, path: Path, places: tuple[int, ...]) -> None:
        self._file = path.open("rb")
        self._places = places

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        start = self._file.tell()
        data = bytearray(self._file.read(size))
        for place in self._places:
            if start <= place < start + len(data):
                data[place - start] = _UNASSOCIATED
        return bytes(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def seek(self, offset: int, whence: int) -> int:
        """Go to a place, and return it."""
        return self._file.seek(offset, whence)
