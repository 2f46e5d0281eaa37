"""Others' annotations and their images: COCO and Pascal VOC, as CVAT and Label Studio export.

CVAT (through Datumaro): COCO is ``annotations/instances_SUBSET.json`` with ``file_name``
below ``images/SUBSET``; VOC is ``Annotations/NAME.xml``, ``JPEGImages/NAME.EXT`` and
``ImageSets/Main/SUBSET.txt``; names may hold folders, and images may be left out. Label
Studio: COCO is ``result.json`` with ``file_name`` relative to it, as a path of the server, as
an address, or with backslashes; VOC is ``Annotations/NAME.xml`` and ``images/NAME.EXT``.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from umnist_core.datasets.annotated import AnnotatedFolder, find_annotated, is_annotations
from umnist_core.datasets.identity import split_of_file, split_of_word
from umnist_core.datasets.labels import CocoImage, read_coco, voc_file_name
from umnist_core.datasets.matching import ImageIndex
from umnist_core.datasets.scan import Scan, iter_files
from umnist_core.errors import DamagedFileError
from umnist_core.paths import is_debris, read_file

_MARK = re.compile(r"\s+-?[01]$")


@dataclass
class Linked:
    """What annotations say of the images of a folder, by their paths below it.

    Attributes
    ----------
    kind
        ``coco`` or ``voc``; None without annotations.
    labels
        Sum of the digits, of the images of COCO.
    files
        Annotation file of each image of Pascal VOC, read when its label is asked for.
    drawn
        COCO file of each image that one names, and the image's ``id`` in it.
    splits
        Split of each image, as annotations or lists name it.
    split_from
        What names it.
    missing
        Images that annotations name and that are not there, with what names them.
    fronts
        Folders whose annotations were read; ``.`` for the whole.
    """

    kind: str | None = None
    labels: dict[str, int] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    drawn: dict[str, tuple[Path, Any]] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    split_from: dict[str, str] = field(default_factory=dict)
    missing: list[tuple[str, str]] = field(default_factory=list)
    fronts: set[str] = field(default_factory=set)

    def covers(self, path: str) -> bool:
        """Return whether a path is below a folder whose annotations were read."""
        return any(front == "." or path.startswith(f"{front}/") for front in self.fronts)


def link(scan: Scan) -> Linked:
    """Find out what COCO or Pascal VOC say of images.

    Raises
    ------
    DamagedFileError
        If an annotation file is damaged or names another image than it is called by, a name
        may mean two images, or an image has two splits or two sums.
    """
    linked = Linked()
    folders = find_annotated(scan)
    _link_coco(linked, scan, [one for one in folders if one.coco])
    _link_voc(linked, scan, [one for one in folders if not one.coco])
    return linked


# -- COCO -------------------------------------------------------------------------


def _link_coco(linked: Linked, scan: Scan, folders: Sequence[AnnotatedFolder]) -> None:
    said: dict[str, tuple[int, str]] = {}
    uploads: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for one in folders:
        linked.kind = "coco"
        linked.fronts.add(one.front)
        index = ImageIndex(one.splits)
        for file in one.coco:
            shown, bases = file.relative_to(scan.home).as_posix(), _coco_bases(file, one)
            split = one.split or split_of_file(file.stem) or split_of_word(file.parent.name)
            for image in read_coco(file):
                found = index.find_upload(image.name, shown, split=split, bases=bases)
                if found is None:
                    linked.missing.append((image.name, shown))
                    continue
                path, upload = found
                uploads[path].setdefault(upload, (image.name, shown))
                if path not in linked.drawn or (not upload and image.label is not None):
                    linked.drawn[path] = (file, image.number)
                if split is not None and scan.splits[path] is None:
                    _put_split(linked, path, split, shown)
                _put_sum(said, path, image, shown)
    linked.labels = {path: label for path, (label, _) in said.items()}
    linked.missing += _iter_other_uploads(uploads)


def _put_sum(said: dict[str, tuple[int, str]], path: str, image: CocoImage, shown: str) -> None:
    if image.label is None:
        return
    place = f"image {image.number} of {shown}"
    label, before = said.setdefault(path, (image.label, place))
    if label != image.label:
        raise DamagedFileError(
            f"Expected one sum for {path}, found {label} by {before} and {image.label} by {place}; "
            "give each image its own name, there and in its file."
        )


def _iter_other_uploads(
    uploads: Mapping[str, Mapping[str, tuple[str, str]]],
) -> Iterator[tuple[str, str]]:
    """Yield the images that have the name of one that is there, and are others."""
    for named in uploads.values():
        there = "" if "" in named else next(iter(named))
        yield from (what for upload, what in named.items() if upload != there)


def _coco_bases(file: Path, folder: AnnotatedFolder) -> list[str]:
    """Return the folders that the names of a COCO file may be relative to."""
    subset = re.sub(r"^(?:instances|.*?_keypoints)_", "", file.stem)
    around = [*folder.below([f"images/{subset}", subset, "images/default"]), *folder.bases]
    if not is_annotations(file.parent):
        around = [*folder.below(["", "images"]), *around]
    # Or the folder itself stands in them, as in names that mean all of a data set.
    return [*around, *folder.below([".."])] if folder.front != "." else around


# -- Pascal VOC -------------------------------------------------------------------


def _link_voc(linked: Linked, scan: Scan, folders: Sequence[AnnotatedFolder]) -> None:
    _link_beside(linked, scan)
    for one in folders:
        index, bases = ImageIndex(one.splits), one.bases
        missing: list[tuple[str, str]] = []
        before = len(linked.files)
        for folder in one.annotation_folders():
            for name in iter_files(folder, (".xml",)):
                stem = name[: -len(".xml")]
                images = index.find_stems(stem, bases=bases)
                if not images:
                    missing.append((stem, (folder / name).relative_to(scan.home).as_posix()))
                elif not linked.drawn.keys() & set(images):
                    _take_file(linked, scan.home, folder / name, images, index=index, bases=bases)
        if missing or len(linked.files) > before:
            linked.fronts.add(one.front)
        _link_lists(one, scan, index, linked, missing)
        linked.missing += missing
    if linked.files or linked.missing:
        linked.kind = linked.kind or "voc"


def _link_beside(linked: Linked, scan: Scan) -> None:
    """Take the annotations that lie beside their images, where no COCO file speaks of these."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for path in scan.splits:
        if not linked.covers(path):
            by_stem[posixpath.splitext(path)[0]].append(path)
    index = ImageIndex(scan.splits)
    for stem, images in by_stem.items():
        if (file := scan.home / f"{stem}.xml").is_file():
            _take_file(linked, scan.home, file, images, index=index, bases=[""])
    if linked.files:
        _note_alone(linked, scan.home)
        linked.fronts.add(".")


def _note_alone(linked: Linked, home: Path) -> None:
    """Note the annotations that lie where images with theirs do, without an image."""
    used = {file.relative_to(home).as_posix() for file in linked.files.values()}
    for name in iter_files(home, (".xml",)):
        if name in used or linked.covers(name):
            continue
        try:
            shown = voc_file_name(home / name)
        except DamagedFileError:
            continue  # other programs write XML too
        linked.missing.append((shown or name[: -len(".xml")], name))


def _take_file(
    linked: Linked,
    home: Path,
    file: Path,
    images: list[str],
    *,
    index: ImageIndex,
    bases: list[str],
) -> None:
    """Take a file as the annotation of one of the images that it may belong to."""
    shown = file.relative_to(home).as_posix()
    if len(images) > 1:
        name = PurePosixPath(voc_file_name(file).replace("\\", "/")).name
        named = [path for path in images if PurePosixPath(path).name == name]
        if len(named) != 1:
            raise DamagedFileError(
                f"{shown} names the image {name!r:.120}, expected one that it may mean, found "
                f"{images[0]} and {images[1]}; rename one of them, there and here."
            )
        images = named
    _check_name(file, shown, images[0], index, bases)
    if (before := linked.files.get(images[0])) is not None:
        raise DamagedFileError(
            f"Expected one annotation of {images[0]}, found "
            f"{before.relative_to(home).as_posix()} and {shown}; remove one of them."
        )
    linked.files[images[0]] = file


def _check_name(file: Path, shown: str, path: str, index: ImageIndex, bases: list[str]) -> None:
    """Raise if a file that is called like one image names another one that is there.

    A name of none is no contradiction: images are renamed and converted.
    """
    try:
        name = voc_file_name(file)
    except DamagedFileError:
        return  # told where its label is read
    named = index.find_exact(name, bases=[posixpath.dirname(path), *bases]) if name else []
    if named and path not in named:
        raise DamagedFileError(
            f"Expected one image of {shown}, found {path} by what it is called and {named[0]} by "
            "its filename; correct one of them."
        )


def _link_lists(
    folder: AnnotatedFolder,
    scan: Scan,
    index: ImageIndex,
    linked: Linked,
    missing: list[tuple[str, str]],
) -> None:
    """Read which images the lists of ``ImageSets/Main`` put into a split."""
    alone = {name for name, _ in missing}
    lists = (folder.folder / "ImageSets" / "Main").glob("*.txt")
    for file in sorted(one for one in lists if not is_debris(one.name)):
        split, shown = split_of_word(file.stem), file.relative_to(scan.home).as_posix()
        # Others hold the images of one class, or of two splits.
        if split is None and file.stem != "default":
            continue
        for line in filter(None, map(str.strip, _lines(file))):
            # A name may hold spaces, and be followed by whether the class is in the image.
            names = dict.fromkeys([line, line.strip('"'), _MARK.sub("", line).strip('"')])
            paths = next(
                filter(None, (index.find_stems(one, bases=folder.bases) for one in names)), []
            )
            for path in paths:
                if split is not None and scan.splits[path] is None:
                    _put_split(linked, path, split, shown)
            if not paths and not alone & set(names):
                missing.append((line, shown))


def _lines(file: Path) -> list[str]:
    return read_file(file).decode("utf-8-sig", "replace").splitlines()


# -- both -------------------------------------------------------------------------


def _put_split(linked: Linked, path: str, split: str, shown: str) -> None:
    if linked.splits.setdefault(path, split) != split:
        raise DamagedFileError(
            f"Expected one split of {path}, found {linked.splits[path]} by "
            f"{linked.split_from[path]} and {split} by {shown}; take it out of one of them."
        )
    linked.split_from[path] = shown
