"""Whether a file is whole, told from its two ends without decoding it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from umnist_core.pyramid.comment import JPEG_START, add_comment
from umnist_core.pyramid.encode import PNG_SIGNATURE, png_chunk

JPEG_END = b"\xff\xd9"
PNG_END = png_chunk(b"IEND", b"")
_PNG_HEADER_BYTES = 25

Ends = tuple[int, bytes, bytes]
"""Offset of the beginning that is known, that beginning, and the end."""


def image_ends(image: str, comment: str) -> Ends:
    """Return how an image of ours begins and ends.

    Parameters
    ----------
    image
        ``jpeg`` or ``png``.
    comment
        What the file says of itself, which no other image of any data set says.
    """
    if image == "jpeg":
        return 0, add_comment(JPEG_START, comment), JPEG_END
    start = len(PNG_SIGNATURE) + _PNG_HEADER_BYTES
    blank = PNG_SIGNATURE + bytes(_PNG_HEADER_BYTES)
    return start, add_comment(blank, comment)[start:], PNG_END


def has_ends(file: BinaryIO, size: int, ends: Ends) -> bool:
    """Return whether the next ``size`` bytes of a file have the ends of `image_ends`."""
    skipped, start, end = ends
    if size < skipped + len(start) + len(end):
        return False
    first = file.tell()
    file.seek(first + skipped)
    if file.read(len(start)) != start:
        return False
    file.seek(first + size - len(end))
    return file.read(len(end)) == end


def is_whole_file(path: Path, ends: Ends) -> bool:
    """Return whether a file is there and has the ends of `image_ends`."""
    try:
        with path.open("rb") as file:
            return has_ends(file, os.fstat(file.fileno()).st_size, ends)
    except OSError:
        return False


def is_cut_short(start: bytes, end: bytes) -> bool:
    """Return whether a JPEG or PNG of anyone's lacks its end marker.

    Parameters
    ----------
    start, end
        Its first bytes, 8 or more, and its last, 12 or more.
    """
    if start.startswith(JPEG_START):
        # Some writers leave zeros behind the marker.
        return not end.rstrip(b"\0").endswith(JPEG_END)
    return start.startswith(PNG_SIGNATURE) and not end.endswith(PNG_END)
