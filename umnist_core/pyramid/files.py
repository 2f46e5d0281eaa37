"""Image files as tile sources, read through libvips.

JPEG, PNG, TIFF and WebP of any size that the settings allow; both limits are checked on
the file's size and header, before a pixel is decoded. What becomes of unusual files:

- Values that are not 8 bits of grey or RGB, and transparency: as `appearance` says.
- Orientation (EXIF; tag 274 of a TIFF): honoured, as `orientation` says.
- Several pages: one is shown, the first unless another is asked for. Pages that are
  reduced copies of the first are its levels.

A tiled pyramidal TIFF is read in place, with its own levels. Anything else is decoded
once: into memory when small, else into a temporary pyramidal TIFF beside the system's
temporary files, whose levels are repeated halvings with rounding (libvips' ``mean``),
so a grey value there may be off by one per few levels from the exact mean. Neither is
turned as a whole: tiles are, as they are read.
"""

from __future__ import annotations

import logging
import os
import shutil
import weakref
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
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
from umnist_core.files import temporary_folder
from umnist_core.geometry import Box, canvas_box_from_level_box, reduced_size_px
from umnist_core.paths import open_file
from umnist_core.pyramid.appearance import (
    BLACK,
    Appearance,
    PixelKind,
    as_shown,
    find_appearance,
    pixel_kind,
)
from umnist_core.pyramid.associated import check_division
from umnist_core.pyramid.encode import write_pyramid
from umnist_core.pyramid.levels import area_levels
from umnist_core.pyramid.loaders import KINDS, MAGIC_BYTES, find_loader
from umnist_core.pyramid.orientation import (
    UPRIGHT,
    TurnedSource,
    find_orientation,
    shown_size,
    turn,
)
from umnist_core.pyramid.pages import find_pages, page_levels, page_option
from umnist_core.pyramid.sources import WHOLE_MAX_PX, ArraySource, TileSource
from umnist_core.settings import Settings, load_settings

# What libvips warns of, our errors say in a sentence; the rest is noise to our users.
logging.getLogger("pyvips").setLevel(logging.ERROR)

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
        Canvas, in px, as shown (turned).
    channels
        1 for grey, 3 for RGB, after conversion.
    kind
        What a pixel of the file consists of.
    orientation
        1 to 8; see `orientation`.
    page
        Which page this is, from 0.
    pages
        Those that can be chosen, from 0; the reduced copies of a pyramid are none.
    is_frozen
        Whether it is shown as all files once were: not turned, on black.
    """

    path: Path
    loader: str
    height: int
    width: int
    channels: int
    kind: PixelKind
    orientation: int = UPRIGHT
    page: int = 0
    pages: tuple[int, ...] = (0,)
    is_frozen: bool = False


def read_image_header(
    path: Path, settings: Settings | None = None, *, page: int = 0, frozen: bool = False
) -> ImageHeader:
    """Check that a file is an image that may be opened, without decoding it.

    Parameters
    ----------
    path
        JPEG, PNG, TIFF or WebP file; its name does not matter.
    settings
        Limits; the environment's when None.
    page
        Of a file with several, from 0.
    frozen
        Whether it is an image of a study. What people have been shown does not change: a study
        that was made before orientation was honoured has files that are to be read without it,
        and one made since has none that say anything of it.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.
    TooLargeError
        If it has more bytes or pixels than the settings allow.
    DamagedFileError
        If it is no image that is known, or its header is damaged.
    InvalidValueError
        If its pixels are of a kind that cannot be shown, or it has no such page.
    """
    limits = settings or load_settings()
    loader = _find_loader(path, limits.max_file_mib)
    pages = find_pages(partial(_open, path, loader), loader)
    if page not in pages:
        raise InvalidValueError(
            f"{path.name} has {_pages_words(pages)}, and page {page + 1} was asked for; choose one "
            "that is there."
        )
    image = _open(path, loader, **page_option(page))
    if image.width * image.height > limits.max_file_mpx * 1_000_000:
        raise TooLargeError(
            f"{path.name} has {image.width} x {image.height} px, more than the "
            f"{limits.max_file_mpx} million px that may be opened; raise UMNIST_MAX_FILE_MPX to "
            "open it."
        )
    if not frozen:
        with path.open("rb") as file:
            check_division(file, image, path.name, page)
    orientation = UPRIGHT if frozen else find_orientation(image)
    height, width = shown_size(image.height, image.width, orientation)
    channels = as_shown(image, Appearance(low=0, high=1), path.name).bands
    kind = pixel_kind(image)
    return ImageHeader(
        path, loader, height, width, channels, kind, orientation, page, pages, frozen
    )


def file_source(
    path: Path, settings: Settings | None = None, *, page: int = 0, frozen: bool = False
) -> TileSource:
    """Return a source for an image file; see the module's text for what it does.

    Takes what `read_image_header` takes.

    A file that is neither small nor pyramidal is decoded before this returns.

    Raises
    ------
    MissingFileError, TooLargeError, DamagedFileError, InvalidValueError
        As `read_image_header`.
    WriteError
        If a large file cannot be converted for want of room.
    """
    return open_source(read_image_header(path, settings, page=page, frozen=frozen))


def open_source(header: ImageHeader) -> TileSource:
    """Return a source for a file whose header was read; as `file_source`."""
    levels = _find_levels(header)
    if levels:
        return _turned(_PyramidFileSource(header.path, levels), header.orientation)
    if header.height * header.width * header.channels <= WHOLE_MAX_PX:
        return ArraySource(_decode(header))
    return _turned(_convert(header), header.orientation)


def open_sequential(header: ImageHeader) -> Any:
    """Return the file as a uint8 libvips image of 1 or 3 bands, to be read once from the top.

    It is not turned: rows come as they are stored.

    Raises
    ------
    DamagedFileError
        If the header is damaged, or what has to be looked at beforehand.
    """
    image = open_stored(header, access="sequential")
    return as_shown(image, image_appearance(header), header.path.name)


def open_stored(header: ImageHeader, **options: Any) -> Any:
    """Return the page of a file as a libvips image with the values and order that it stores.

    Raises
    ------
    DamagedFileError
        If the header is damaged.
    """
    return _open(header.path, header.loader, **page_option(header.page), **options)


def open_level(header: ImageHeader, **option: Any) -> Any:
    """Return a page or a level of a file by the loader's options, with the values that it stores.

    Raises
    ------
    DamagedFileError
        If the header is damaged.
    """
    return _open(header.path, header.loader, **option)


def image_appearance(header: ImageHeader) -> Appearance:
    """Return what is chosen for the whole of an image; see `appearance`.

    The file is read once where there is something to choose; the answer is remembered.

    Raises
    ------
    DamagedFileError
        If it cannot be decoded.
    """
    if header.is_frozen and header.kind.bits in (8, 16):
        return Appearance(ground=BLACK)
    try:
        stat = header.path.stat()
    except OSError as error:
        raise _missing(header.path, error) from error
    return _look(header, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _look(header: ImageHeader, _mtime_ns: int, _size: int) -> Appearance:
    levels = _level_options(header)
    # Of a pyramid the coarsest level says enough, and the canvas may be too large to read.
    option = levels[max(levels)] if levels else page_option(header.page)

    def load() -> Any:
        return _open(header.path, header.loader, **option, access="sequential")

    try:
        return find_appearance(load)
    except pyvips.Error as error:
        raise damaged_file(header.path, error) from error


def _turned(source: TileSource, orientation: int) -> TileSource:
    return source if orientation == UPRIGHT else TurnedSource(source, orientation)


def _pages_words(pages: tuple[int, ...]) -> str:
    if len(pages) == 1:
        return "one page"
    if pages == tuple(range(len(pages))):
        return f"pages 1 to {len(pages)}"
    return "pages " + ", ".join(str(page + 1) for page in pages)


def _missing(path: Path, error: OSError) -> MissingFileError:
    return MissingFileError(
        f"Expected an image file at {path}, found {error.strerror or error}; choose another."
    )


def _find_loader(path: Path, max_file_mib: int) -> str:
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(MAGIC_BYTES)
    except OSError as error:
        raise _missing(path, error) from error
    if size > max_file_mib * 2**20:
        raise TooLargeError(
            f"{path.name} has {size / 2**20:.0f} MiB, more than the {max_file_mib} MiB that may be "
            "opened; raise UMNIST_MAX_FILE_MIB to open it."
        )
    loader = find_loader(start)
    if loader is None:
        raise DamagedFileError(
            f"Expected a {KINDS} image in {path.name}, found something else; choose another file."
        )
    return loader


def _open(path: Path, loader: str, **options: Any) -> Any:
    """Open a file afresh (never from libvips' cache, as it may have changed)."""
    try:
        load = getattr(pyvips.Image, loader)
        # Its name may be any bytes.
        return load(os.fsencode(path), fail_on="error", revalidate=True, **options)
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


def _decode(header: ImageHeader) -> NDArray[np.uint8]:
    image = open_sequential(header)
    try:
        pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    except pyvips.Error as error:
        raise damaged_file(header.path, error) from error
    stored = pixels.reshape(_shape(image.height, image.width, header.channels))
    return np.ascontiguousarray(turn(stored, header.orientation))


def _shape(height: int, width: int, channels: int) -> tuple[int, ...]:
    return (height, width) if channels == 1 else (height, width, channels)


def _convert(header: ImageHeader) -> TileSource:
    """Decode a large file once into a temporary pyramidal TIFF."""
    folder = temporary_folder()
    path = folder / "pyramid.tif"
    try:
        write_pyramid(open_sequential(header), path)
    except pyvips.Error as error:
        is_full = shutil.disk_usage(folder).free < LOW_DISC_BYTES
        shutil.rmtree(folder, ignore_errors=True)
        if is_full:
            raise WriteError(
                f"{header.path.name} needs more room for its pyramid than is left on the disc of "
                "temporary files; free some, or set TMPDIR to another disc."
            ) from error
        raise damaged_file(header.path, error) from error
    options = page_levels(partial(_open, path, "tiffload"), "tiffload", 0)
    levels = {reduction: _open(path, "tiffload", **one) for reduction, one in options.items()}
    source = _PyramidFileSource(path, levels)
    weakref.finalize(source, shutil.rmtree, folder, ignore_errors=True)
    return source


def _find_levels(header: ImageHeader) -> dict[int, Any]:
    """Return reduction -> libvips image as shown for a tiled pyramidal TIFF, or nothing."""
    options = _level_options(header)
    if not options:
        return {}
    appearance = image_appearance(header)
    return {
        reduction: as_shown(
            _open(header.path, header.loader, **option), appearance, header.path.name
        )
        for reduction, option in options.items()
    }


def _level_options(header: ImageHeader) -> dict[int, dict[str, int]]:
    """Return reduction -> the loader's options for the levels of a tiled pyramidal TIFF.

    Nothing for any other file, and for one whose values need a range, which no coarse
    level tells: it is converted.
    """
    load = partial(_open, header.path, header.loader)
    return page_levels(load, header.loader, header.page)


class _PyramidFileSource(TileSource):
    """A tiled pyramidal TIFF, read tile by tile from its own levels.

    Parameters
    ----------
    path
        The file.
    levels
        Canvas px per level px -> libvips image, as shown but not turned.
    """

    def __init__(self, path: Path, levels: dict[int, Any]) -> None:
        self.height, self.width = levels[1].height, levels[1].width
        self._path = path
        self._levels = levels

    @property
    def held_bytes(self) -> int:
        """About what libvips holds for an open file: a row or two of tiles for each level."""
        return 16 * 2**20

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Read from the coarsest page that is fine enough, and reduce what is left to reduce."""
        page_reduction = max(r for r in self._levels if r <= reduction)
        left = reduction // page_reduction
        page = self._levels[page_reduction]
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
        data, height, width = fetch(page, page_box, self._path)
        return np.frombuffer(data, np.uint8).reshape(_shape(height, width, page.bands))


def fetch(image: Any, box: Box, path: Path) -> tuple[bytes, int, int]:
    """Read a box of an opened image, clipped to it; at least one pixel.

    Returns
    -------
    tuple
        Its values, and height and width of what was read.

    Raises
    ------
    DamagedFileError
        If they cannot be read; ``path`` is the file's.
    """
    row0, col0 = min(box.row0, image.height - 1), min(box.col0, image.width - 1)
    height = max(1, min(box.row1, image.height) - row0)
    width = max(1, min(box.col1, image.width) - col0)
    try:
        # A region of its own for every call: libvips regions belong to one thread.
        return pyvips.Region.new(image).fetch(col0, row0, width, height), height, width
    except pyvips.Error as error:
        raise damaged_file(path, error) from error
