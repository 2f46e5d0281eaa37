"""Deep Zoom folders and zips on disk, written by libvips' ``dzsave``.

Memory stays bounded whatever the size: the canvas is made strip by strip as dzsave
asks for it. Nothing half-written is ever found under the name asked for: everything is
written beside it and renamed when whole.

Levels follow the area filter: dzsave halves single-precision numbers, which hold the
sums of a block exactly for seven halvings and nearly so after that, and values are
rounded half up when they are written. Only where a block is cut by the right or bottom
edge does dzsave repeat the last pixels instead of leaving them out of the mean, so the
last row and column of a coarse level may differ from `umnist_core.pyramid.levels`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyvips

from umnist_core.errors import InvalidValueError, UmnistError, WriteError
from umnist_core.pyramid.files import (
    LOW_DISC_BYTES,
    ImageHeader,
    damaged_file,
    libvips_reason,
    open_sequential,
    open_source,
)
from umnist_core.pyramid.grid import DEFAULT_OVERLAP_PX, DEFAULT_TILE_PX, PyramidGrid
from umnist_core.pyramid.orientation import UPRIGHT
from umnist_core.pyramid.sources import TileSource
from umnist_core.pyramid.stream import PngStream

TILE_FORMATS = ("png", "jpeg")

_SUFFIXES = {"png": ".png[compression=1]", "jpeg": ".jpeg[Q=75]"}
Progress = Callable[[int], object]
"""Called with the percentage that is done, 0 to 100."""


def dzi_paths(out: Path, as_zip: bool) -> tuple[Path, ...]:
    """Return what an export to ``out`` writes: NAME.zip, or NAME.dzi and the folder NAME_files.

    The suffix of ``out`` may be left out.

    Raises
    ------
    InvalidValueError
        If it is a folder without a name, such as ``..``.
    """
    if out.name in ("", ".."):
        raise InvalidValueError(f"Expected a name to write to, found {str(out)!r}; add one.")
    suffix = ".zip" if as_zip else ".dzi"
    stem = out.with_suffix("") if out.suffix == suffix else out
    if as_zip:
        return (stem.with_name(stem.name + ".zip"),)
    return (stem.with_name(stem.name + "_files"), stem.with_name(stem.name + ".dzi"))


def export_dzi(
    image: TileSource | ImageHeader,
    out: Path,
    *,
    as_zip: bool = False,
    tile_px: int = DEFAULT_TILE_PX,
    overlap_px: int = DEFAULT_OVERLAP_PX,
    tile_format: str = "png",
    comment: str = "",
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write an image as a Deep Zoom folder or zip.

    Parameters
    ----------
    image
        A source, or the header of a file, which is then streamed from disk.
    out
        Name to write to; see `dzi_paths`.
    as_zip
        Write one uncompressed zip instead of a descriptor and a folder.
    tile_px, overlap_px
        As in `PyramidGrid`.
    tile_format
        ``"png"`` (without loss) or ``"jpeg"`` (quality 75).
    comment
        Kept with the tiles, in ``NAME_files/vips-properties.xml``.
    force
        Replace what is there.
    progress
        Called now and then, from another thread.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    InvalidValueError
        If an argument is not allowed.
    WriteError
        If something is there already, or it cannot be written; nothing is left behind.
    DamagedFileError
        If the file cannot be decoded to its end.
    """
    PyramidGrid(image.height, image.width, tile_px, overlap_px)  # checks the numbers
    if tile_format not in TILE_FORMATS:
        raise InvalidValueError(f"format is one of {', '.join(TILE_FORMATS)}; got {tile_format!r}.")
    targets = dzi_paths(out, as_zip)
    _check_targets(targets, force)
    stem = targets[-1].stem
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{stem}-", dir=targets[0].parent))
    except OSError as error:
        raise _cannot_write(targets[-1], error.strerror or str(error)) from error
    try:
        options = {
            "imagename": os.fsencode(stem),  # a name may be any bytes
            "container": "zip" if as_zip else "fs",
            "tile_size": tile_px,
            "overlap": overlap_px,
            "suffix": _SUFFIXES[tile_format],
        }
        path = folder / (targets[-1].name if as_zip else stem)
        try:
            _dzsave(image, path, options, comment, progress)
        except pyvips.Error as error:
            raise _explain(error, image, path, targets[-1]) from error
        rename_all(folder, targets)
    except OSError as error:
        if isinstance(error, UmnistError):
            raise
        raise _cannot_write(targets[-1], error.strerror or str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return targets


def _check_targets(targets: tuple[Path, ...], force: bool) -> None:
    for target in targets:
        if target.exists() and not force:
            raise WriteError(
                f"{target} is there already; choose another name, or add --force to replace it."
            )


def rename_all(folder: Path, targets: tuple[Path, ...]) -> None:
    """Move the finished parts to their names, the descriptor last; all of them or none.

    What was there before moves into ``folder``, or back if anything goes wrong.
    """
    aside = folder / "replaced"
    aside.mkdir()
    try:
        for target in targets:
            if target.exists():
                target.rename(aside / target.name)
        for target in targets:
            (folder / target.name).rename(target)
    except BaseException:  # an interruption from the keyboard too
        for target in targets:
            if target.exists() and not (folder / target.name).exists():
                target.rename(folder / target.name)
            if (aside / target.name).exists():
                (aside / target.name).rename(target)
        raise


def _cannot_write(target: Path, reason: str) -> WriteError:
    return WriteError(
        f"{target} could not be written ({reason}); nothing was left behind, so free some room or "
        "choose another folder and try again."
    )


def _dzsave(
    image: TileSource | ImageHeader,
    path: Path,
    options: dict[str, Any],
    comment: str,
    progress: Progress | None,
) -> None:
    """Run dzsave in another thread, so that this one hears the keyboard.

    Raises
    ------
    KeyboardInterrupt
        After dzsave has stopped.
    UmnistError
        If the canvas cannot be read.
    pyvips.Error
        If the tiles cannot be written.
    """
    canvas, stream = _open(image)
    # Written tiles are cut to whole numbers, so the half added here rounds them half up.
    wide = canvas.cast("float") + 0.5
    wide = wide.copy(interpretation=canvas.interpretation)
    if comment:
        wide.set_type(pyvips.GValue.gstr_type, "comment", comment)
    wide.set_progress(True)  # also lets set_kill stop it
    if progress is not None:
        wide.signal_connect("eval", lambda _, state: progress(state.percent))
    options = {**options, "depth": "onepixel", "region_shrink": "mean"}
    with ThreadPoolExecutor(1) as thread:
        saving = thread.submit(wide.dzsave, os.fsencode(path), **options)
        try:
            saving.result()
        except KeyboardInterrupt:
            wide.set_kill(True)
            raise
        except pyvips.Error as error:
            if stream is not None and stream.error is not None:
                raise stream.error from error
            raise


def _explain(
    error: pyvips.Error, image: TileSource | ImageHeader, path: Path, target: Path
) -> UmnistError:
    """Return our error for one of libvips, which does not tell reading from writing."""
    has_room = shutil.disk_usage(path.parent).free > LOW_DISC_BYTES
    if isinstance(image, ImageHeader) and has_room:
        return damaged_file(image.path, error)
    return _cannot_write(target, libvips_reason(error).replace(str(path), target.name))


def _open(image: TileSource | ImageHeader) -> tuple[Any, PngStream | None]:
    """Return the canvas as a libvips image to be read once, and the stream behind it, if any."""
    if isinstance(image, ImageHeader):
        if image.orientation == UPRIGHT:
            return open_sequential(image), None
        image = open_source(image)  # rows of a turned image lie across those of the file
    stream = PngStream(image)
    return stream.open(), stream
