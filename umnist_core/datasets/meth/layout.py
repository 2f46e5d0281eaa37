"""Where the table of MetH or MAMe lies, and its images and their reduced copies.

As downloaded: ``MetH-X/MetH-X.csv`` with ``MetH-X/data``; MAMe's ``MAMe_dataset.csv``, and
``MAMe_toy_dataset.csv`` and ``MAMe_labels.csv`` with it, beside ``data`` or ``data_256``, or in
``MAMe_metadata``. A folder of images may be opened itself, as ``data_256`` where there is
``data``, too; so may a table, as that of the toy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from umnist_core.datasets.meth.table import composed, is_meth_table
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.errors import DamagedFileError, InvalidValueError
from umnist_core.paths import is_debris, open_file

FACTORS = (2, 4, 8, 16)
"""By which the sides of MetH-SR's images are reduced."""

LOW_PATTERNS = (
    "data_x{factor}/{name}",
    "data/x{factor}/{name}",
    "LR/x{factor}/{name}",
    "data_LR/x{factor}/{name}",
    "LR_x{factor}/{name}",
    "x{factor}/{name}",
    "data/{stem}_x{factor}{suffix}",
    "data/{stem}x{factor}{suffix}",
    "LR_x{factor}/{stem}x{factor}{suffix}",
)
"""Where reduced copies are looked for, below the data set's folder. How MetH-SR really names them
is not known; another pattern is given to `MethReader.with_low_files`."""

_IMAGES = re.compile(r"data(?:_\d+)?$", re.I)
_START_BYTES = 64 * 2**10


@dataclass(frozen=True)
class MethLayout:
    """Where the parts of a data set lie.

    Attributes
    ----------
    home
        The folder that holds table and images.
    table, labels
        The CSV, and that of the classes' numbers; None without.
    images
        The folder of images that was opened itself; None to look for one.
    """

    home: Path
    table: Path
    labels: Path | None
    images: Path | None = None


def find_meth(root: Path) -> MethLayout | None:
    """Return where the parts of MetH or MAMe lie; None of a folder that is no such data set.

    Raises
    ------
    DamagedFileError
        If there are two tables that may be meant.
    """
    if root.suffix.lower() == ".csv" and root.is_file():
        return _layout(_home_of(root), [root]) if is_meth_table(root, _start(root)) else None
    if not root.is_dir():
        return None
    if (found := _layout(root, list_tables(root))) is not None:
        return found
    if not _IMAGES.match(root.name):
        return None
    return _layout(root.parent, list_tables(root.parent), images=root)


def find_images(layout: MethLayout, names: Sequence[str]) -> tuple[Path | None, dict[str, Path]]:
    """Return the folder of images, and the file of each name that is in it; None without any."""
    home, stem = layout.home, layout.table.stem
    folders = [home / "data", home / stem / "data", home, *_numbered(home)]
    for folder in [layout.images] if layout.images is not None else folders:
        listed = list_images(folder)
        found = {name: path for name in names if (path := _find(folder, listed, name)) is not None}
        if found:
            return folder, found
    return None, {}


def list_images(folder: Path) -> dict[str, Path]:
    """Return the image files in a folder by their names as they are compared."""
    if not folder.is_dir():
        return {}
    return {
        composed(one.name): one
        for one in folder.iterdir()
        if one.name.lower().endswith(IMAGE_SUFFIXES) and not is_debris(one.name)
    }


def low_path(home: Path, pattern: str, name: str, factor: int) -> Path:
    """Return where the copy of an image that is reduced by a factor lies by a pattern.

    Parameters
    ----------
    home
        The data set's folder.
    pattern
        A path below it with ``{factor}`` and ``{name}``, or ``{stem}`` and ``{suffix}``, in it.
    name
        Of the image file.
    factor
        One of `FACTORS`.

    Raises
    ------
    InvalidValueError
        If the pattern has no factor, no name, or other fields.
    """
    path = PurePosixPath(name)
    try:
        filled = pattern.format(factor=factor, name=path.name, stem=path.stem, suffix=path.suffix)
    except (KeyError, IndexError, ValueError) as error:
        raise _wrong_pattern(pattern) from error
    if "{factor" not in pattern or not ("{name" in pattern or "{stem" in pattern):
        raise _wrong_pattern(pattern)
    return home / filled


def choose_pattern(home: Path, names: Sequence[str]) -> str | None:
    """Return the first of `LOW_PATTERNS` by which a reduced copy of one of the images is there."""
    for pattern in LOW_PATTERNS:
        # Most of the folders are not there, and are asked for once.
        if any(
            low_path(home, pattern, name, factor).is_file()
            for factor in FACTORS
            if low_path(home, pattern, "x", factor).parent.is_dir()
            for name in names
        ):
            return pattern
    return None


def find_low_files(home: Path, pattern: str | None, name: str) -> Mapping[int, Path]:
    """Return the reduced copies of an image by their factors."""
    if pattern is None:
        return {}
    paths = {factor: low_path(home, pattern, name, factor) for factor in FACTORS}
    return {factor: path for factor, path in paths.items() if path.is_file()}


def _wrong_pattern(pattern: str) -> InvalidValueError:
    return InvalidValueError(
        "Expected a path with {factor} and {name}, or {stem} and {suffix}, as pattern of reduced "
        f"images, got {pattern!r:.80}; write it as {LOW_PATTERNS[0]!r}."
    )


def _home_of(table: Path) -> Path:
    return table.parent.parent if "metadata" in table.parent.name.lower() else table.parent


def _layout(home: Path, tables: Sequence[Path], images: Path | None = None) -> MethLayout | None:
    chosen = [one for one in tables if "toy" not in one.stem.lower()] or list(tables)
    if len(chosen) > 1:
        raise DamagedFileError(
            f"Expected one table in {home}, found {chosen[0].name} and {chosen[1].name}; open one "
            "of them by its own path."
        )
    if not chosen:
        return None
    labels = sorted(chosen[0].parent.glob("*[lL]abels.csv"))
    return MethLayout(home, chosen[0], labels[0] if labels else None, images)


def list_tables(home: Path) -> list[Path]:
    """Return the tables of a folder, and of one of metadata in it."""
    try:
        inside = sorted(one for one in home.glob("*metadata*") if one.is_dir())
        listed = [path for folder in (home, *inside) for path in sorted(folder.glob("*.csv"))]
    except OSError:
        return []
    named = [path for path in listed if not is_debris(path.name) and path.is_file()]
    return [path for path in named if is_meth_table(path, _start(path))]


def _numbered(home: Path) -> list[Path]:
    return sorted(one for one in home.glob("data_*") if _IMAGES.match(one.name))


def _find(folder: Path, listed: Mapping[str, Path], name: str) -> Path | None:
    if "/" not in name:
        return listed.get(composed(name))
    return folder / name if (folder / name).is_file() else None


def _start(path: Path) -> bytes:
    try:
        with open_file(path) as file:
            return file.read(_START_BYTES)
    except OSError:
        return b""
