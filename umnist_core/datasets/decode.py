"""Bytes of an image file to pixels, or to the reason why they are none."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import DamagedFileError, TooLargeError
from umnist_core.settings import Settings, load_settings

# What libvips warns of, our errors say in a sentence.
logging.getLogger("pyvips").setLevel(logging.ERROR)

HEAD_BYTES = 64 * 2**10
"""Enough of a JPEG or PNG to know its size."""

_LOADERS = {
    b"\xff\xd8\xff": "jpegload_buffer",
    b"\x89PNG\r\n\x1a\n": "pngload_buffer",
    b"II*\x00": "tiffload_buffer",
    b"MM\x00*": "tiffload_buffer",
    b"II+\x00": "tiffload_buffer",
    b"MM\x00+": "tiffload_buffer",
}
"""First bytes -> libvips loader; none of libvips' many others is let near a file."""


def is_tiff(start: bytes) -> bool:
    """Return whether a file that begins so is a TIFF, whose header may lie anywhere in it."""
    return _loader(start) == "tiffload_buffer"


def image_size(data: bytes, name: str, settings: Settings | None = None) -> tuple[int, int]:
    """Return height and width, in px, from the beginning of a file.

    Parameters
    ----------
    data
        The first `HEAD_BYTES` of a JPEG or PNG, or a whole TIFF.
    name
        For messages.
    settings
        Limits; the environment's when None.

    Raises
    ------
    DamagedFileError
        If it is no JPEG, PNG or TIFF, or its header is damaged.
    TooLargeError
        If it has more pixels than the settings allow.
    """
    image = _open(data, name, fail_on="none")
    _check_size(image, name, settings)
    return image.height, image.width


def decode_grey(data: bytes, name: str, settings: Settings | None = None) -> NDArray[np.uint8]:
    """Decode a whole image file.

    Parameters
    ----------
    data
        JPEG, PNG or TIFF.
    name
        For messages.
    settings
        Limits; the environment's when None. They are checked before a pixel is decoded.

    Returns
    -------
    ndarray
        uint8 (H, W); colours become their luminance.

    Raises
    ------
    DamagedFileError
        If a part of it is missing or garbled, however small.
    TooLargeError
        If it has more pixels than the settings allow.
    """
    import pyvips

    image = _open(data, name, fail_on="warning", access="sequential")
    _check_size(image, name, settings)
    try:
        if image.hasalpha():
            image = image.flatten(background=[0])
        # Also brings 16 bits a channel to 8.
        image = image.colourspace("b-w").extract_band(0).cast("uchar")
        pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    except pyvips.Error as error:
        raise _damaged(name, error) from error
    return pixels.reshape(image.height, image.width)


def _loader(start: bytes) -> str | None:
    return next((name for magic, name in _LOADERS.items() if start.startswith(magic)), None)


def _open(data: bytes, name: str, **options: Any) -> Any:
    # Loaded only where an image is: machines that train may lack it.
    import pyvips

    loader = _loader(data)
    if loader is None:
        raise DamagedFileError(
            f"{name}: expected a JPEG, PNG or TIFF image, found "
            f"{'an empty file' if not data else 'something else'}; copy or make it again."
        )
    try:
        return getattr(pyvips.Image, loader)(data, **options)
    except pyvips.Error as error:
        raise _damaged(name, error) from error


def _check_size(image: Any, name: str, settings: Settings | None) -> None:
    limit_mpx = (settings or load_settings()).max_file_mpx
    if image.height * image.width > limit_mpx * 1_000_000:
        raise TooLargeError(
            f"{name}: expected at most {limit_mpx} million px, found {image.width} x "
            f"{image.height}; raise UMNIST_MAX_FILE_MPX to read it."
        )


def _damaged(name: str, error: Any) -> DamagedFileError:
    reason = next(iter(str(error.detail).strip().splitlines()), "cannot be decoded")
    return DamagedFileError(
        f"{name}: expected a whole image, found a damaged one ({reason.strip()}); copy or make it "
        "again."
    )
