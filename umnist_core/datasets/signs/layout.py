"""Where the annotations of the Swedish traffic signs lie, of which set they are, and their images.

As downloaded, ``Set1/annotations.txt`` speaks of the images of ``Set1Part0.zip``, unpacked into
``Set1`` or into ``Set1/Set1Part0``. Others have ``annotations_Set1Part0.txt`` beside
``Set1Part0``, ``annotations_s1.txt`` beside ``p1``, ``Set1Part0/labels/annotations.txt`` beside
``Set1Part0/images``, or tables instead (`umnist_core.datasets.signs.exports`). Set1 is the train
split and Set2 the test split of all that is published; Set3 and Set4 are in none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from umnist_core.datasets.identity import split_of_file
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.datasets.signs.exports import is_export
from umnist_core.datasets.signs.grammar import is_annotation_text
from umnist_core.paths import is_debris, open_file

_NAMED = re.compile(r".*annot.*\.(?:txt|csv)$", re.I)
_SURELY = re.compile(r"Set[1-4](?:Part\d)?/annotations\.txt$")
"""What is called so is of this data set, whatever has become of it."""

_SET = re.compile(r"set[ _-]?([1-4])(?!\d)", re.I)
_SHORT = re.compile(r"(?:^|[_-])[sp]([1-4])(?:$|[._-])", re.I)
_OF_LABELS = ("labels", "label", "annotations", "annotation")
_SPLITS = {1: "train", 2: "test"}
_DEPTH = 3
_START_BYTES = 64 * 2**10


@dataclass(frozen=True)
class SignFile:
    """A file of annotations.

    Attributes
    ----------
    path, shown
        Where it is, and its path below the folder that was opened.
    number
        Of the set, 1 to 4; None where nothing says it.
    split
        ``train`` or ``test``; None where nothing says it.
    is_table
        Whether it is a table of one of the exports.
    """

    path: Path
    shown: str
    number: int | None
    split: str | None
    is_table: bool

    @cached_property
    def _listings(self) -> list[dict[str, Path]]:
        """The image files of each folder that may be meant, by their lower-case names."""
        return [_images_of(folder) for folder in self._folders()]

    def _folders(self) -> Iterator[Path]:
        """Yield the folders in which its images may lie, the likeliest first."""
        here = self.path.parent
        tops = [here]
        if here.name.lower() in _OF_LABELS:
            tops.append(here.parent)
        for top in filter(Path.is_dir, tops):
            yield top
            for one in self._inner(top):
                yield one
                yield from self._inner(one)

    def _inner(self, folder: Path) -> list[Path]:
        found = sorted(one for one in folder.iterdir() if not is_debris(one.name) and one.is_dir())
        return [one for one in found if number_of(one.name) in (None, self.number)]

    def find_image(self, name: str) -> Path | None:
        """Return the file of an image that it names; None where it is not there."""
        key = PurePosixPath(name).name.lower()
        return next((found[key] for found in self._listings if key in found), None)

    def list_images(self) -> list[Path]:
        """Return all image files of the first folder that has any."""
        listing: dict[str, Path] = next(filter(None, self._listings), {})
        return [listing[name] for name in sorted(listing)]


def find_sign_files(root: Path) -> list[SignFile]:
    """Return the annotations of Swedish traffic signs below a folder; none of any other folder."""
    found: list[SignFile] = []
    for path in _candidates(root):
        shown = path.relative_to(root).as_posix()
        is_table = path.suffix.lower() == ".csv"
        surely = _SURELY.search(f"{root.name}/{shown}") is not None
        if not surely and not (is_export if is_table else is_annotation_text)(_start(path)):
            continue
        number = next(filter(None, map(number_of, _parts(root, path))), None)
        split = _SPLITS.get(number or 0) or split_of_file(path.stem)
        found.append(SignFile(path, shown, number, split, is_table))
    # Beside the text itself, a table is an export of it.
    texts = {(one.path.parent, one.number) for one in found if not one.is_table}
    return [one for one in found if not one.is_table or (one.path.parent, one.number) not in texts]


def number_of(name: str) -> int | None:
    """Return the number of the set that a name speaks of."""
    match = _SET.search(name) or _SHORT.search(name)
    return int(match[1]) if match else None


def _parts(root: Path, path: Path) -> Sequence[str]:
    """Return the names that may say of which set a file is, the nearest first."""
    return [path.stem, *reversed(path.relative_to(root).parts[:-1]), root.name]


def _candidates(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    try:
        # Of many images beside it, a listing asks for none by itself.
        listed = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    named = [entry for entry in listed if not is_debris(entry.name)]
    yield from (Path(one.path) for one in named if _NAMED.match(one.name) and one.is_file())
    if depth:
        for one in named:
            if one.is_dir():
                yield from _candidates(Path(one.path), depth - 1)


def _start(path: Path) -> str:
    try:
        with open_file(path) as file:
            return file.read(_START_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _images_of(folder: Path) -> dict[str, Path]:
    return {
        one.name.lower(): one
        for one in sorted(folder.iterdir())
        if one.name.lower().endswith(IMAGE_SUFFIXES) and not is_debris(one.name)
    }
