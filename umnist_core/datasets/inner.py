"""The data sets that lie in a folder which is none itself, so that one of them can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from umnist_core.datasets.large_scale.reader import find_large_scale
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.megapixel_reader import is_megapixel
from umnist_core.datasets.meth import find_meth
from umnist_core.datasets.meth.layout import list_tables
from umnist_core.datasets.needle import find_needle
from umnist_core.datasets.signs import find_signs
from umnist_core.errors import DamagedFileError
from umnist_core.paths import is_debris

_MOST_FOLDERS = 200
"""Folders that are looked into; with more of them it is a data set by classes, or of others."""

_SIGNS, _METH = "signs", "meth"


def list_inner(root: Path) -> list[Path]:
    """Return the data sets in a folder, by name; none where the folder is one itself.

    Several tables of MetH in one folder are as many data sets, each opened by its table's path.
    Else folders one level below count, of each data system and those that `umnist generate`
    wrote; folders of images alone are no data sets here.

    Parameters
    ----------
    root
        Any path; none is in what is no folder.

    Returns
    -------
    list of Path
        Folders and tables that `open_dataset` opens.
    """
    if not root.is_dir() or (root / MANIFEST).exists():
        return []
    own = _kind_of(root)
    if own not in (None, _SIGNS):
        tables = [one for one in list_tables(root) if "toy" not in one.stem.lower()]
        return tables if own == _METH and len(tables) > 1 else []
    found = {path: kind for path in _folders(root) if (kind := _kind_of(path)) is not None}
    # Sets of signs lie in folders of their own, and are one data set.
    return [] if own == _SIGNS and set(found.values()) <= {_SIGNS} else list(found)


def _folders(root: Path) -> list[Path]:
    try:
        folders = sorted(one for one in root.iterdir() if not is_debris(one.name) and one.is_dir())
    except OSError:
        return []
    return folders if len(folders) <= _MOST_FOLDERS else []


def _kind_of(root: Path) -> str | None:
    """Return which data system a folder is of; None of any other folder."""
    return next((kind for kind, is_it in _KINDS.items() if is_it(root)), None)


def _is_meth(root: Path) -> bool:
    try:
        return find_meth(root) is not None
    except DamagedFileError:  # two tables, of which one is chosen
        return True


_KINDS: Mapping[str, Callable[[Path], bool]] = {
    "umnist": lambda root: (root / MANIFEST).exists(),
    "megapixel": is_megapixel,
    "needle": lambda root: find_needle(root) is not None,
    "large-scale": lambda root: find_large_scale(root) is not None,
    _SIGNS: lambda root: find_signs(root) is not None,
    _METH: _is_meth,
}
"""What tells the data systems, in the order in which `open_dataset` asks."""
