"""The canvas of a source as a stream: the way into libvips that holds no whole image."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyvips

from umnist_core.geometry import Box
from umnist_core.pyramid.encode import PNG_SIGNATURE, png_chunk, png_header
from umnist_core.pyramid.sources import TileSource

_STRIP_PX = 8_000_000
"""Canvas px that are made at a time, unless a single row has more."""


class PngStream:
    """The canvas of a source as an 8-bit PNG that is made while it is read.

    PNG, stored without compression, because it is the plainest format that libvips reads
    from a pipe in every build.

    Parameters
    ----------
    source
        What to read, strip by strip from the top.

    Attributes
    ----------
    error
        What the source raised; the stream then ends early, since libvips passes no
        exception on.
    """

    def __init__(self, source: TileSource) -> None:
        self.error: Exception | None = None
        self._chunks = self._encode(source)
        self._left = memoryview(b"")
        # libvips calls back through this object but does not keep it alive: we must.
        self._pipe = pyvips.SourceCustom()
        self._pipe.on_read(self.read)

    def open(self) -> Any:
        """Return the canvas as a libvips image, to be read once from the top.

        The stream must outlive the image.

        Raises
        ------
        Exception
            Whatever the source raises for its first strip.
        """
        options = {"access": "sequential", "fail_on": "error", "unlimited": True}
        try:
            return pyvips.Image.pngload_source(self._pipe, **options)
        except pyvips.Error as error:
            raise self.error or error from error

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most ``size`` of them; none at the end."""
        try:
            if not self._left:
                self._left = memoryview(next(self._chunks, b""))
        except Exception as error:
            self.error = error
            return b""
        head, self._left = self._left[:size], self._left[size:]
        return bytes(head)

    def _encode(self, source: TileSource) -> Iterator[bytes]:
        rows = max(1, _STRIP_PX // source.width)
        stored = zlib.compressobj(0)
        for row in range(0, source.height, rows):
            box = Box(row, 0, min(row + rows, source.height), source.width)
            strip = source.read_region(box, 1)
            if row == 0:
                header = png_header(source.height, source.width, 8, is_grey=strip.ndim == 2)
                yield PNG_SIGNATURE + png_chunk(b"IHDR", header)
            lines = np.pad(strip.reshape(box.height, -1), ((0, 0), (1, 0)))  # byte 0: no filter
            data = stored.compress(lines.data)
            if data:
                yield png_chunk(b"IDAT", data)
        yield png_chunk(b"IDAT", stored.flush()) + png_chunk(b"IEND", b"")
