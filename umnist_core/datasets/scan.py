"""The image files below a folder, their splits, and the labels that folders are named by."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from umnist_core.datasets.identity import split_of_word, split_order
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.tables import is_label
from umnist_core.errors import DamagedFileError
from umnist_core.paths import is_debris

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

REDUCED = re.compile("side-([1-9][0-9]*)")
"""Folders of ours with reduced copies of a data set's images: data sets by themselves."""

_NO_IMAGES = ("annotations", "segmentationclass", "segmentationobject", "imagesets")
"""Folders of COCO and Pascal VOC whose pictures are masks."""


@dataclass(frozen=True)
class Scan:
    """The image files below a folder.

    Attributes
    ----------
    root
        The folder that was opened.
    home
        The folder that annotations speak of: the one that was opened, or one above it.
    splits
        Split of each file, by its path below ``home``, in order: train, val, test and those
        without a split.
    """

    root: Path
    home: Path
    splits: Mapping[str, str | None]


def scan_images(root: Path, home: Path) -> Scan:
    """Find all image files below ``root``.

    Debris, data sets within it, masks and tiles of Deep Zoom images are left out.
    """
    front = root.relative_to(home).as_posix()
    found = [joined(front, path) for path in iter_files(root, IMAGE_SUFFIXES)]
    splits = {path: split_of_path(path, home.name) for path in found}
    order = sorted(found, key=lambda path: (split_order(splits[path]), path))
    return Scan(root, home, {path: splits[path] for path in order})


def iter_files(root: Path, suffixes: Sequence[str]) -> Iterator[str]:
    """Yield the paths below a folder of the files that end so, with ``/``."""
    for below, names in iter_folders(root):
        for name in names:
            if not is_debris(name) and name.lower().endswith(tuple(suffixes)):
                yield joined(below, name)


def iter_folders(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield a folder as ``.`` and those below it that may hold images, with their files' names."""
    seen = set()
    for folder, inner, names in os.walk(root, followlinks=True):
        here = Path(folder)
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        inner[:] = sorted(one for one in inner if _is_walked(here / one, names))
        yield here.relative_to(root).as_posix(), sorted(names)


def split_of_path(path: str, above: str = "") -> str | None:
    """Return the split that one of the upper two folders of a path names, or the one above."""
    folders = PurePosixPath(path).parts[:-1][:2]
    found = next((split for one in folders if (split := split_of_word(one))), None)
    return found or split_of_word(above)


def class_labels(scan: Scan) -> dict[str, int]:
    """Return the labels of images in folders named by them.

    A numbered folder is a class where there is no image beside it: a folder of photographs
    may well have one of 2023 in it.

    Raises
    ------
    DamagedFileError
        If two classes of a split have an image of one name, which is one image in both.
    """
    parents = {PurePosixPath(path).parent for path in scan.splits}
    labels: dict[str, int] = {}
    classes: dict[PurePosixPath, str] = {}
    for path in map(PurePosixPath, scan.splits):
        above = path.parent.parent
        is_class = path.parent != above and is_label(path.parent.name) and above not in parents
        is_at_top = above == PurePosixPath(".") or split_of_word(above.name) is not None
        if is_class and is_at_top:
            labels[path.as_posix()] = int(path.parent.name)
            before = classes.setdefault(above / path.stem, path.parent.name)
            if before != path.parent.name:
                raise DamagedFileError(
                    f"Expected each name once in the class folders of {scan.home / above}, found "
                    f"{path.stem} in {before} and {path.parent.name}; rename one of them."
                )
    return labels


def joined(folder: str, name: str) -> str:
    """Return the path of a name in a folder, which ``.`` leaves out."""
    return name if folder == "." else f"{folder}/{name}"


def _is_walked(folder: Path, names_beside: Sequence[str]) -> bool:
    if is_debris(folder.name) or folder.name.lower() in _NO_IMAGES:
        return False
    if MANIFEST in names_beside and REDUCED.fullmatch(folder.name):
        return False
    if folder.name.endswith("_files"):
        return f"{folder.name.removesuffix('_files')}.dzi" not in names_beside
    return not (folder / MANIFEST).is_file()
