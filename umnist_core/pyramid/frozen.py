"""Images of studies: what is shown of a file today is kept, whatever is chosen tomorrow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyvips

from umnist_core.errors import WriteError
from umnist_core.files import PRIVATE_FILE, write_whole
from umnist_core.pyramid.encode import encode_png, write_pyramid
from umnist_core.pyramid.files import libvips_reason, open_source, read_image_header
from umnist_core.pyramid.notes import image_notes
from umnist_core.pyramid.sources import WHOLE_MAX_PX, TileSource
from umnist_core.pyramid.stream import PngStream


def freeze_shown(path: Path) -> Path:
    """Replace a file of which something is chosen to show it by one that stores what is shown.

    Parameters
    ----------
    path
        A copy that may be replaced.

    Returns
    -------
    Path
        The file itself, byte for byte, where nothing is chosen to show it; else a PNG of what is
        shown, or a tiled pyramidal TIFF of an image that is too large to be held.

    Raises
    ------
    DamagedFileError, TooLargeError, InvalidValueError
        As `read_image_header`.
    WriteError
        If it cannot be written.
    """
    header = read_image_header(path)
    if not image_notes(header):
        return path
    source = open_source(header)
    if source.height * source.width > WHOLE_MAX_PX:
        return _write_pyramid(source, path)
    making = path.with_suffix(".making")
    write_whole(making, encode_png(source.read_whole()), private=True)
    return _replace(path, making, ".png")


def _write_pyramid(source: TileSource, path: Path) -> Path:
    making = path.with_suffix(".making")
    making.touch(PRIVATE_FILE)  # libvips keeps the permissions of a file that is there
    stream = PngStream(source)
    try:
        write_pyramid(stream.open(), making)
    except pyvips.Error as error:
        making.unlink(missing_ok=True)
        if stream.error is not None:
            raise stream.error from error
        raise WriteError(
            f"The upright copy of {path.name} could not be written ({libvips_reason(error)}); make "
            "room and try again."
        ) from error
    return _replace(path, making, ".tif")


def _replace(path: Path, making: Path, suffix: str) -> Path:
    shutil.copymode(path, making)  # who may read the one may read the other
    path.unlink()
    return making.rename(path.with_suffix(suffix))
