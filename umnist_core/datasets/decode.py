"""Bytes of an image file to pixels, or to the reason why they are none.

The pixels are those that the viewer shows: turned as the file says, of the first page,
transparent parts on the same ground (`umnist_core.pyramid.appearance`, `orientation`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import DamagedFileError, TooLargeError
from umnist_core.pyramid.appearance import as_shown, find_appearance
from umnist_core.pyramid.associated import check_division
from umnist_core.pyramid.loaders import KINDS, find_loader
from umnist_core.pyramid.orientation import UPRIGHT, find_orientation, shown_size, turn
from umnist_core.pyramid.pages import find_pages
from umnist_core.settings import Settings, load_settings

# What libvips warns of, our errors say in a sentence.
logging.getLogger("pyvips").setLevel(logging.ERROR)

HEAD_BYTES = 256 * 2**10
"""Enough of a JPEG or PNG to know its size; a camera's data before it take up to 64 KiB
a piece, and there may be several."""


TURNED, GROUND, PAGE = "turned", "ground", "first page"
"""What may be chosen to read a file: see `umnist_core.pyramid.notes`."""

CHOICES = {
    TURNED: "turned, as the file's orientation says",
    GROUND: "with transparent parts drawn on white or black",
    PAGE: "of a file with several pages, the first of them",
}
"""What is said of it, behind a number of images."""


def is_read_whole(start: bytes) -> bool:
    """Return whether a file that begins so is to be read whole to know its size.

    The header of a TIFF may lie anywhere in it, and the orientation of a WebP behind its pixels,
    of which libvips opens no part.
    """
    return find_loader(start) in ("tiffload", "webpload")


def image_size(data: bytes, name: str, settings: Settings | None = None) -> tuple[int, int]:
    """Return height and width as shown, in px, from the beginning of a file.

    Parameters
    ----------
    data
        The first `HEAD_BYTES` of a JPEG or PNG, or a whole file; see `is_read_whole`.
    name
        For messages.
    settings
        Limits; the environment's when None.

    Raises
    ------
    DamagedFileError
        If it is no image that is known, or its header is damaged.
    TooLargeError
        If it has more pixels than the settings allow.
    InvalidValueError
        If its transparency cannot be told from its colours.
    """
    image = _open(data, name, fail_on="none")
    check_division(data, image, name)
    _check_size(image, name, settings)
    return shown_size(image.height, image.width, find_orientation(image))


def decode_grey(data: bytes, name: str, settings: Settings | None = None) -> NDArray[np.uint8]:
    """Decode a whole image file.

    Parameters
    ----------
    data
        JPEG, PNG, TIFF or WebP.
    name
        For messages.
    settings
        Limits; the environment's when None. They are checked before a pixel is decoded.

    Returns
    -------
    ndarray
        uint8 (H, W), as shown; colours become their luminance.

    Raises
    ------
    DamagedFileError
        If a part of it is missing or garbled, however small.
    TooLargeError
        If it has more pixels than the settings allow.
    InvalidValueError
        If its channels cannot be shown.
    """
    return _decode(data, name, settings, _as_grey)


def decode_colour(data: bytes, name: str, settings: Settings | None = None) -> NDArray[np.uint8]:
    """Decode a whole image file, colours as they are shown; takes and raises as `decode_grey`.

    Returns
    -------
    ndarray
        uint8 (H, W, 3) in RGB, as shown; of a grey image the three are equal.
    """
    return _decode(data, name, settings, _as_colour)


def _as_grey(shown: Any) -> Any:
    return shown.colourspace("b-w").extract_band(0).cast("uchar")


def _as_colour(shown: Any) -> Any:
    return shown if shown.bands > 1 else shown.bandjoin([shown, shown])


def _decode(
    data: bytes, name: str, settings: Settings | None, as_wanted: Callable[[Any], Any]
) -> NDArray[np.uint8]:
    """Return the pixels of a whole file: uint8 (H, W), or (H, W, C) of more than one band."""
    import pyvips

    def load() -> Any:
        return _open(data, name, fail_on="warning", access="sequential")

    image = load()
    check_division(data, image, name)
    _check_size(image, name, settings)
    try:
        wanted = as_wanted(as_shown(image, find_appearance(load), name))
        pixels = np.frombuffer(wanted.write_to_memory(), np.uint8)
    except pyvips.Error as error:
        raise _damaged(name, error) from error
    bands = (wanted.bands,) if wanted.bands > 1 else ()
    stored = pixels.reshape(image.height, image.width, *bands)
    return np.ascontiguousarray(turn(stored, find_orientation(image)))


def header_choices(data: bytes, name: str) -> tuple[str, ...]:
    """Return what is chosen to read an image, as far as its header says: ``TURNED``, ``PAGE``.

    Takes what `image_size` takes.

    Raises
    ------
    DamagedFileError
        If it is no image that is known, or its header is damaged.
    """
    load = partial(_open, data, name, fail_on="none")
    has_pages = len(find_pages(load, find_loader(data) or "")) > 1
    is_turned = find_orientation(load()) != UPRIGHT
    return (*([TURNED] if is_turned else []), *([PAGE] if has_pages else []))


def find_choices(data: bytes, name: str) -> tuple[str, ...]:
    """Return what is chosen to read an image; takes a whole file, and raises as `has_ground`."""
    is_on_ground = has_alpha(data, name) and has_ground(data, name)
    return (*header_choices(data, name), *([GROUND] if is_on_ground else []))


def choice_sentences(counts: Mapping[str, int], images: int) -> list[str]:
    """Return a sentence for each kind of choice that was made for some of so many images."""
    return [
        f"{counts[kind]} of {images} images {'is' if counts[kind] == 1 else 'are'} {words}."
        for kind, words in CHOICES.items()
        if counts.get(kind)
    ]


def has_alpha(data: bytes, name: str) -> bool:
    """Return whether an image may have transparent parts; takes and raises as `image_size`."""
    return bool(_open(data, name, fail_on="none").hasalpha())


def has_ground(data: bytes, name: str) -> bool:
    """Return whether an image has transparent parts, which are drawn on a ground.

    Parameters
    ----------
    data
        The whole file; every pixel of it is read.
    name
        For messages.

    Raises
    ------
    DamagedFileError
        If a part of it is missing or garbled.
    """
    import pyvips

    load = partial(_open, data, name, fail_on="warning", access="sequential")
    try:
        return find_appearance(load).ground is not None
    except pyvips.Error as error:
        raise _damaged(name, error) from error


def _open(data: bytes, name: str, **options: Any) -> Any:
    # Loaded only where an image is: machines that train may lack it.
    import pyvips

    loader = find_loader(data)
    if loader is None:
        raise DamagedFileError(
            f"{name}: expected a {KINDS} image, found "
            f"{'an empty file' if not data else 'something else'}; copy or make it again."
        )
    try:
        return getattr(pyvips.Image, f"{loader}_buffer")(data, **options)
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
