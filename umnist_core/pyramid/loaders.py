"""Which files are images: told from their first bytes, never from their name. No libvips."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

KINDS = "JPEG, PNG, TIFF or WebP"
"""The files that are opened, for messages."""

MAGIC_BYTES = 12
"""First bytes of a file that tell what it is."""

_LOADERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\xff\xd8\xff": "jpegload",
        b"\x89PNG\r\n\x1a\n": "pngload",
        b"II*\x00": "tiffload",
        b"MM\x00*": "tiffload",
        b"II+\x00": "tiffload",
        b"MM\x00+": "tiffload",
    }
)
"""First bytes -> libvips loader. No other of libvips' many loaders is let near a file."""


def find_loader(start: bytes) -> str | None:
    """Return the name of the libvips loader for a file that begins so; None if it is no image."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webpload"
    return next((name for magic, name in _LOADERS.items() if start.startswith(magic)), None)
