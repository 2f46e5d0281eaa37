"""Arrays to PNG and JPEG bytes, and the Deep Zoom descriptor."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.pyramid.grid import PyramidGrid

_TIFF_TILE_PX = 512

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FASTEST = 1
"""Deflate level: on binary content the slower ones save next to nothing."""


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode an image without loss.

    An image of 0 and 255 alone becomes a 1-bit grey PNG, which is several times faster
    to make and smaller than an 8-bit one, and which every decoder expands to 0 and 255.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3) in RGB, at least one pixel.

    Raises
    ------
    InvalidValueError
        If the array cannot be encoded.
    """
    if image.ndim == 2 and image.size and _is_binary(image):
        return _encode_1bit_png(image)
    return _encode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, _FASTEST])


def encode_jpeg(image: NDArray[np.uint8], quality: int = 75) -> bytes:
    """Encode an image as JPEG, by default at the quality of the released images.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, 3) in RGB, at most 65,500 px a side.
    quality
        1 to 100.

    Raises
    ------
    InvalidValueError
        If the array cannot be encoded.
    """
    return _encode(".jpeg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def dzi_xml(grid: PyramidGrid, tile_format: str = "png") -> str:
    """Return the Deep Zoom descriptor (``.dzi``) of a pyramid."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" '
        f'Format="{tile_format}" Overlap="{grid.overlap_px}" TileSize="{grid.tile_px}">'
        f'<Size Height="{grid.height}" Width="{grid.width}"/></Image>\n'
    )


def png_header(height: int, width: int, bits: int, *, is_grey: bool) -> bytes:
    """Return the content of a PNG's header chunk: ``bits`` a channel, not interlaced."""
    return struct.pack(">IIBBBBB", width, height, bits, 0 if is_grey else 2, 0, 0, 0)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG: length, kind of 4 letters, content, checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _is_binary(image: NDArray[np.uint8]) -> bool:
    # 255 + 1 wraps to 0, so halving leaves 0 of both 0 and 255 and of nothing else.
    return not np.right_shift(image + np.uint8(1), 1).any()


def _encode_1bit_png(image: NDArray[np.uint8]) -> bytes:
    height, width = image.shape
    rows = np.zeros((height, 1 + (width + 7) // 8), np.uint8)  # byte 0 of a row: no filter
    rows[:, 1:] = np.packbits(image, axis=1)
    header = png_header(height, width, 1, is_grey=True)
    return (
        PNG_SIGNATURE
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows.data, _FASTEST))
        + png_chunk(b"IEND", b"")
    )


def _encode(suffix: str, image: NDArray[np.uint8], options: list[int]) -> bytes:
    bgr = image[:, :, ::-1] if image.ndim == 3 else image
    try:
        done, data = cv2.imencode(suffix, np.ascontiguousarray(bgr), options)
    except cv2.error as error:
        raise InvalidValueError(_cannot_encode(suffix, image)) from error
    if not done:
        raise InvalidValueError(_cannot_encode(suffix, image))
    return data.tobytes()


def _cannot_encode(suffix: str, image: NDArray[np.uint8]) -> str:
    return (
        f"Expected a uint8 image (H, W) or (H, W, 3) that {suffix[1:].upper()} can hold; got "
        f"{image.dtype} {image.shape}."
    )


def write_pyramid(image: Any, path: Path) -> None:
    """Write a libvips image, read once from the top, as a tiled pyramidal TIFF.

    Raises
    ------
    pyvips.Error
        If it cannot be read or written.
    """
    image.tiffsave(
        os.fsencode(path),
        tile=True,
        tile_width=_TIFF_TILE_PX,
        tile_height=_TIFF_TILE_PX,
        pyramid=True,
        depth="onetile",
        region_shrink="mean",
        compression="deflate",
        level=1,
        bigtiff=True,
    )
