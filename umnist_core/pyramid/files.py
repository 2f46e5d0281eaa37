"""Image files as tile sources, read through libvips.

JPEG, PNG and TIFF of any size that the settings allow; both limits are checked on the
file's size and header, before a pixel is decoded. What becomes of unusual files:

- 16 bits a channel: the upper 8 are shown.
- CMYK, CIELAB and the like: converted to sRGB. Embedded colour profiles are ignored.
- Transparency: laid over black, the ground of our own images.
- EXIF orientation: ignored. Pixels stay as they are stored, since a rotated 6 is a 9.
- TIFF with several pages: the first one, and its reduced copies if there are any.

A tiled pyramidal TIFF is read in place, with its own levels. Anything else is decoded
once: into memory when small, else into a temporary pyramidal TIFF beside the system's
temporary files, whose levels are repeated halvings with rounding (libvips' ``mean``),
so a grey value there may be off by one per few levels from the exact mean.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from umnist_core.errors import (
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    TooLargeError,
    WriteError,
)
from umnist_core.geometry import Box, canvas_box_from_level_box, reduced_size_px
from umnist_core.pyramid.levels import area_levels
from umnist_core.pyramid.sources import WHOLE_MAX_PX, ArraySource, TileSource
from umnist_core.settings import Settings, load_settings

# What libvips warns of, our errors say in a sentence; the rest is noise to our users.
logging.getLogger("pyvips").setLevel(logging.ERROR)

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
"""First bytes of a file -> libvips loader. No other of libvips' many loaders is let near it."""

_COARSEST_MAX_PX = 4_000_000
"""A pyramidal file whose coarsest level is larger, in px, is treated as if it had none."""

_MAX_STEP = 8
"""Nor may its levels lie further apart: a tile between two would need too large a read."""

_TEMP_TILE_PX = 512
LOW_DISC_BYTES = 64 * 2**20
"""With less room than this on the disc, a failed write is put down to that."""


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says of itself before it is decoded.

    Attributes
    ----------
    path
        The file.
    loader
        Name of the libvips loader.
    height, width
        Canvas, in px, as stored (not rotated).
    channels
        1 for grey, 3 for RGB, after conversion.
    """

    path: Path
    loader: str
    height: int
    width: int
    channels: int


def read_image_header(path: Path, settings: Settings | None = None) -> ImageHeader:
    """Check that a file is an image that may be opened, without decoding it.

    Parameters
    ----------
    path
        JPEG, PNG or TIFF file; its name does not matter.
    settings
        Limits; the environment's when None.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.
    TooLargeError
        If it has more bytes or pixels than the settings allow.
    DamagedFileError
        If it is no JPEG, PNG or TIFF, or its header is damaged.
    InvalidValueError
        If its pixels are of a kind that cannot be shown.
    """
    limits = settings or load_settings()
    loader = _find_loader(path, limits.max_file_mib)
    image = _open(path, loader)
    if image.width * image.height > limits.max_file_mpx * 1_000_000:
        raise TooLargeError(
            f"{path.name} has {image.width} x {image.height} px, more than the "
            f"{limits.max_file_mpx} million px that may be opened; raise UMNIST_MAX_FILE_MPX to "
            "open it."
        )
    return ImageHeader(path, loader, image.height, image.width, _as_uint8(image, path).bands)


def file_source(path: Path, settings: Settings | None = None) -> TileSource:
    """Return a source for an image file; see the module's text for what it does.

    A file that is neither small nor pyramidal is decoded before this returns.

    Raises
    ------
    MissingFileError, TooLargeError, DamagedFileError, InvalidValueError
        As `read_image_header`.
    WriteError
        If a large file cannot be converted for want of room.
    """
    header = read_image_header(path, settings)
    pages = _find_pages(header)
    if pages:
        return _PyramidFileSource(header, pages)
    if header.height * header.width * header.channels <= WHOLE_MAX_PX:
        return ArraySource(_decode(header))
    return _convert(header)


def open_sequential(header: ImageHeader) -> Any:
    """Return the file as a uint8 libvips image of 1 or 3 bands, to be read once from the top.

    Raises
    ------
    DamagedFileError
        If the header is damaged.
    """
    image = _open(header.path, header.loader, access="sequential")
    return _as_uint8(image, header.path)


def _find_loader(path: Path, max_file_mib: int) -> str:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise MissingFileError(
            f"Expected an image file at {path}, found {error.strerror or error}; choose another."
        ) from error
    if size > max_file_mib * 2**20:
        raise TooLargeError(
            f"{path.name} has {size / 2**20:.0f} MiB, more than the {max_file_mib} MiB that may be "
            "opened; raise UMNIST_MAX_FILE_MIB to open it."
        )
    for magic, loader in _LOADERS.items():
        if start.startswith(magic):
            return loader
    raise DamagedFileError(
        f"Expected a JPEG, PNG or TIFF image in {path.name}, found something else; choose "
        "another file."
    )


def _open(path: Path, loader: str, **options: Any) -> Any:
    """Open a file afresh (never from libvips' cache, as it may have changed)."""
    try:
        load = getattr(pyvips.Image, loader)
        return load(str(path), fail_on="error", revalidate=True, **options)
    except pyvips.Error as error:
        raise damaged_file(path, error) from error


def libvips_reason(error: pyvips.Error) -> str:
    """Return the first line of what libvips says went wrong."""
    return next(iter(str(error.detail).strip().splitlines()), str(error.message)).strip()


def damaged_file(path: Path, error: pyvips.Error) -> DamagedFileError:
    """Return the error for a file that libvips cannot decode."""
    return DamagedFileError(
        f"Expected a whole image in {path.name}, found a damaged one ({libvips_reason(error)}); "
        "copy or export it again."
    )


def _as_uint8(image: Any, path: Path) -> Any:
    """Bring any kind of image to uint8 with 1 or 3 bands; lazy, nothing is decoded here."""
    if image.format not in ("uchar", "ushort"):
        raise InvalidValueError(
            f"{path.name} has pixels of the kind {image.format!r}, and only 8 or 16 bits a "
            "channel can be shown; convert it first."
        )
    if image.interpretation in ("cmyk", "lab", "labs", "xyz", "hsv", "lch"):
        image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[0])
    if image.format == "ushort":
        image = image.cast("uchar", shift=True)
    if image.bands not in (1, 3):
        raise InvalidValueError(
            f"{path.name} has {image.bands} channels, and only grey and colour images can be "
            "shown; convert it first."
        )
    return image.copy(interpretation="b-w" if image.bands == 1 else "srgb")


def _decode(header: ImageHeader) -> NDArray[np.uint8]:
    image = open_sequential(header)
    try:
        pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    except pyvips.Error as error:
        raise damaged_file(header.path, error) from error
    return pixels.reshape(_shape(header.height, header.width, header.channels))


def _shape(height: int, width: int, channels: int) -> tuple[int, ...]:
    return (height, width) if channels == 1 else (height, width, channels)


def _convert(header: ImageHeader) -> TileSource:
    """Decode a large file once into a temporary pyramidal TIFF."""
    folder = Path(tempfile.mkdtemp(prefix="umnist-"))
    path = folder / "pyramid.tif"
    try:
        open_sequential(header).tiffsave(
            str(path),
            tile=True,
            tile_width=_TEMP_TILE_PX,
            tile_height=_TEMP_TILE_PX,
            pyramid=True,
            depth="onetile",
            region_shrink="mean",
            compression="deflate",
            level=1,
            bigtiff=True,
        )
    except pyvips.Error as error:
        is_full = shutil.disk_usage(folder).free < LOW_DISC_BYTES
        shutil.rmtree(folder, ignore_errors=True)
        if is_full:
            raise WriteError(
                f"{header.path.name} needs more room for its pyramid than is left on the disc of "
                "temporary files; free some, or set TMPDIR to another disc."
            ) from error
        raise damaged_file(header.path, error) from error
    converted = ImageHeader(path, "tiffload", header.height, header.width, header.channels)
    source = _PyramidFileSource(converted, _find_pages(converted))
    weakref.finalize(source, shutil.rmtree, folder, ignore_errors=True)
    return source


def _find_pages(header: ImageHeader) -> dict[int, Any]:
    """Return reduction -> libvips image for the levels of a tiled pyramidal TIFF, or nothing."""
    if header.loader != "tiffload":
        return {}
    first = _open(header.path, header.loader)
    names = set(first.get_fields())
    if "tile-width" not in names:
        return {}
    subifds = first.get("n-subifds") if "n-subifds" in names else 0
    choices = (
        [{"subifd": number} for number in range(subifds)]
        if subifds
        else [{"page": number} for number in range(1, first.get("n-pages"))]
    )
    pages = {1: _as_uint8(first, header.path)}
    for choice in choices:
        image = _open(header.path, header.loader, **choice)
        reduction = _page_reduction(header, image)
        if reduction > 1 and image.format == first.format and image.bands == first.bands:
            pages.setdefault(reduction, _as_uint8(image, header.path))
    reductions = sorted(pages)
    coarsest = pages[reductions[-1]]
    is_coarse = coarsest.width * coarsest.height <= _COARSEST_MAX_PX
    is_dense = all(coarse <= fine * _MAX_STEP for fine, coarse in pairwise(reductions))
    return pages if is_coarse and is_dense else {}


def _page_reduction(header: ImageHeader, image: Any) -> int:
    """Return the power of two by which a page is reduced, or 0 if it is no level of the canvas."""
    reduction = 1 << max(0, round(np.log2(header.width / image.width)))
    is_level = (
        abs(image.width - header.width / reduction) <= 1
        and abs(image.height - header.height / reduction) <= 1
    )
    return reduction if is_level else 0


class _PyramidFileSource(TileSource):
    """A tiled pyramidal TIFF, read tile by tile from its own levels.

    Parameters
    ----------
    header
        Of the file.
    pages
        Canvas px per page px -> libvips image.
    """

    def __init__(self, header: ImageHeader, pages: dict[int, Any]) -> None:
        self.height, self.width = header.height, header.width
        self._header = header
        self._pages = pages

    @property
    def held_bytes(self) -> int:
        """About what libvips holds for an open file: a row or two of tiles for each level."""
        return 16 * 2**20

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Read from the coarsest page that is fine enough, and reduce what is left to reduce."""
        page_reduction = max(r for r in self._pages if r <= reduction)
        left = reduction // page_reduction
        page = self._pages[page_reduction]
        page_box = canvas_box_from_level_box(level_box, left, self._page_frame(page_reduction))
        pixels = self._read_page(page, page_box)
        # Writers may round a page's size down; the row or column that is then missing at
        # the edge repeats the one before it.
        missing = [(0, page_box.height - pixels.shape[0]), (0, page_box.width - pixels.shape[1])]
        if missing != [(0, 0), (0, 0)]:
            pixels = np.pad(pixels, missing + [(0, 0)] * (pixels.ndim - 2), mode="edge")
        if left == 1:
            return pixels
        doublings = left.bit_length() - 1
        levels = area_levels(pixels)
        return levels[min(doublings, len(levels) - 1)]

    def _page_frame(self, reduction: int) -> Box:
        return Box(
            0, 0, reduced_size_px(self.height, reduction), reduced_size_px(self.width, reduction)
        )

    def _read_page(self, page: Any, page_box: Box) -> NDArray[np.uint8]:
        """Read a box of a page, clipped to the page; at least one pixel of it."""
        row0, col0 = min(page_box.row0, page.height - 1), min(page_box.col0, page.width - 1)
        height = max(1, min(page_box.row1, page.height) - row0)
        width = max(1, min(page_box.col1, page.width) - col0)
        try:
            # A region of its own for every call: libvips regions belong to one thread.
            data = pyvips.Region.new(page).fetch(col0, row0, width, height)
        except pyvips.Error as error:
            raise damaged_file(self._header.path, error) from error
        return np.frombuffer(data, np.uint8).reshape(_shape(height, width, self._header.channels))
