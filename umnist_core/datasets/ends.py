"""Whether a file is whole, told from its two ends without decoding it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO

from umnist_core.paths import read_file
from umnist_core.pyramid.comment import JPEG_START, add_comment
from umnist_core.pyramid.encode import PNG_SIGNATURE, png_chunk
from umnist_core.pyramid.image_types import IMAGE_TYPES

JPEG_END = b"\xff\xd9"
PNG_END = png_chunk(b"IEND", b"")
_PNG_HEADER_BYTES = 25

Ends = tuple[int, bytes, bytes]
"""Offset of the beginning that is known, that beginning, and the end."""


def image_ends(image: str, comment: str | None) -> Ends:
    """Return how an image of ours begins and ends.

    Parameters
    ----------
    image
        One of `IMAGE_TYPES`.
    comment
        What the file says of itself, which no other image of any data set says; without it,
        as where it is None, a file is only known to be whole.
    """
    kind = IMAGE_TYPES[image]
    if kind.suffix == "jpeg":
        has_comment = kind.has_comment and comment is not None
        return 0, add_comment(JPEG_START, comment or "") if has_comment else JPEG_START, JPEG_END
    if comment is None:
        return 0, PNG_SIGNATURE, PNG_END
    skipped = len(PNG_SIGNATURE) + _PNG_HEADER_BYTES
    blank = PNG_SIGNATURE + bytes(_PNG_HEADER_BYTES)
    return skipped, add_comment(blank, comment)[skipped:], PNG_END


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


def file_checksum(path: Path, ends: Ends) -> str | None:
    """Return the SHA-256 of a file in hex; None if it is not there or has not these ends."""
    try:
        data = read_file(path)
    except OSError:
        return None
    if not has_ends(io.BytesIO(data), len(data), ends):
        return None
    return hashlib.sha256(data).hexdigest()


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
