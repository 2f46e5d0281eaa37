"""Image files below a folder: Kaggle's UltraMNIST, class folders, COCO, VOC, or any other.

Layout of Kaggle's (Gupta et al., Scientific Data 2024, section "Data Records"):
``train/ID.jpeg``, ``test/ID.jpeg`` and ``train.csv`` with the columns ``id`` and
``digit_sum``. The released generator itself writes class folders and no table:
``train/LABEL/ID.jpeg``. Those of CVAT and Label Studio are in `umnist_core.datasets.linking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from umnist_core.datasets.annotated import find_home
from umnist_core.datasets.boxes import DrawnBox, find_boxes
from umnist_core.datasets.identity import (
    ImageIdentity,
    by_id,
    short_names,
    split_of_word,
    split_order,
)
from umnist_core.datasets.label_mark import is_our_labels
from umnist_core.datasets.labels import voc_label
from umnist_core.datasets.linking import Linked, link
from umnist_core.datasets.manifest import Manifest, read_manifest
from umnist_core.datasets.scan import (
    IMAGE_SUFFIXES,
    Scan,
    class_labels,
    scan_images,
    split_of_path,
)
from umnist_core.datasets.shard_folder import find_shard_image, find_shards
from umnist_core.datasets.tables import SplitTables, find_tables, read_split_tables
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError
from umnist_core.scenes import Tasks


@dataclass(frozen=True)
class ImageFolder:
    """The image files below a folder, by id.

    Attributes
    ----------
    root
        The folder that was opened.
    kind
        ``kaggle``, ``classes``, ``voc``, ``coco`` or ``images``.
    identities
        Which image each id is, in the order of train, val, test and the paths. An id is the
        shortest name that no other image has; see `short_names`.
    paths
        Image file of each id.
    labels
        Sum of the digits (or their majority) of each id of which a table, COCO or the name of
        a class folder says it.
    tasks
        The tasks of each id, where the table has such, as of Megapixel MNIST.
    annotations
        Pascal VOC's file of each id that has one; its label is there.
    missing
        Images that a table or annotations name and that are not there.
    drawn
        COCO file of each id that one names, and the image's ``id`` in it.
    first_px
        Number of the first pixel in the files of Pascal VOC; see `voc_boxes`.
    """

    root: Path
    kind: str
    identities: Mapping[str, ImageIdentity]
    paths: Mapping[str, Path]
    labels: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, Tasks] = field(default_factory=dict)
    annotations: Mapping[str, Path] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    drawn: Mapping[str, tuple[Path, Any]] = field(default_factory=dict)
    first_px: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in order."""
        return tuple(self.paths)

    def get_path(self, image_id: str) -> Path:
        """Return the file of an id.

        Raises
        ------
        NotFoundError
            If the folder has no such image.
        """
        if image_id not in self.paths:
            raise NotFoundError(
                f"{self.root} holds {len(self.paths)} images, none of them {image_id!r}; "
                f"the first is {next(iter(self.paths), None)!r}."
            )
        return self.paths[image_id]

    def find_label(self, image_id: str) -> int | None:
        """Return the label of an id; None where nothing says it.

        Raises
        ------
        DamagedFileError
            If its annotation is damaged.
        """
        if image_id in self.labels or image_id not in self.annotations:
            return self.labels.get(image_id)
        return voc_label(self.annotations[image_id])

    def find_boxes(self, image_id: str) -> tuple[DrawnBox, ...]:
        """Return the boxes that COCO or Pascal VOC have of an id; nothing where neither has any.

        Raises
        ------
        DamagedFileError
            If its annotation is damaged.
        """
        drawn, file = self.drawn.get(image_id), self.annotations.get(image_id)
        return find_boxes(drawn, file, first_px=self.first_px) or ()


def open_image_folder(
    root: Path, *, empty: bool = False, damaged: list[str] | None = None
) -> ImageFolder:
    """Open a folder of any layout with a file for each image, or a part of it.

    Parameters
    ----------
    root
        The folder.
    empty
        Whether annotations without any of their images may be opened.
    damaged
        Where to note tar files beside the images that cannot be read; None to raise.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no image file in it, as in a WebDataset.
    DamagedFileError
        If there are images in tar files, too: which of the two are meant cannot be told. If a
        table or an annotation file is damaged, or says two things of one image, or one
        thing that two images may be meant by; the message names both places.
    """
    if not root.is_dir():
        raise MissingFileError(
            f"Expected a folder of images, found no folder {root}; check the path."
        )
    home = find_home(root)
    scan = scan_images(root, home)
    if not scan.splits and root.name.lower() == "annotations":
        return open_image_folder(root.parent, empty=empty, damaged=damaged)
    manifest = read_manifest(root)
    _refuse_shards(root, manifest, scan, damaged)
    linked = link(scan)
    if not scan.splits and not (empty and linked.kind):
        raise _no_images(root, linked)
    splits = {path: linked.splits.get(path) or split for path, split in scan.splits.items()}
    rest = {path: split for path, split in scan.splits.items() if not linked.covers(path)}
    classes = class_labels(replace(scan, splits=rest))
    table = _read_tables(root, home, splits)
    labels = _agreed(linked.labels, classes, table)
    order = sorted(splits, key=lambda path: _order(path, splits[path], classes))
    front = root.relative_to(home).as_posix()
    inner = {_below(path, front): path for path in order}
    names = short_names(ImageIdentity(str(root), splits[inner[one]], one) for one in inner)
    at = {name: inner[one.path] for name, one in names.items()}
    missing = [f"{name} ({place})" for name, place in linked.missing if home == root]
    return ImageFolder(
        root,
        linked.kind or _kind(splits, classes, table),
        names,
        {name: home / path for name, path in at.items()},
        by_id(at, labels),
        by_id(at, table.tasks),
        by_id(at, linked.files),
        (*missing, *table.missing),
        by_id(at, linked.drawn),
        first_px=1 if _is_our_voc(root, manifest) else 0,
    )


def _is_our_voc(root: Path, manifest: Manifest | None) -> bool:
    """Return whether a folder, or the one above a split's, is a VOC data set of ours."""
    if is_our_labels(root):
        return True
    if manifest is None and split_of_word(root.name):
        manifest = read_manifest(root.parent)
    return manifest is not None and manifest.layout == "voc"


def _refuse_shards(
    root: Path, manifest: Manifest | None, scan: Scan, damaged: list[str] | None
) -> None:
    """Raise if the images of a folder are those of its tar files, or may be."""
    if manifest is not None and manifest.layout != "webdataset":
        return
    shards = find_shards(root)
    if not shards:
        return
    if manifest is not None or not scan.splits:
        raise MissingFileError(
            f"Expected image files in {root}, found a WebDataset ({shards[0].name}), whose images "
            "are read where a whole data set is; unpack it to open its images one by one."
        )
    if (inside := find_shard_image(root, shards, damaged)) is not None:
        raise DamagedFileError(
            f"Expected images in files or in tar files, found both in {root}, "
            f"{next(iter(scan.splits))} and {inside}; move one of the two elsewhere."
        )


def _no_images(root: Path, linked: Linked) -> MissingFileError:
    if linked.missing:
        name, place = linked.missing[0]
        return MissingFileError(
            f"Expected the {len(linked.missing)} images that annotations in {root} name, found "
            f"none of them (the first is {name!r:.120} in {place}); export them too, or copy them "
            "there."
        )
    return MissingFileError(
        f"Expected images ({', '.join(IMAGE_SUFFIXES)}) in {root} or in the folders below it, "
        "found none; choose the folder that holds train.csv."
    )


def _read_tables(root: Path, home: Path, splits: Mapping[str, str | None]) -> SplitTables:
    """Read the tables in the folder, or those above a folder of one split."""
    if find_tables(root):
        # Beside the images of one split, a table speaks of them, whatever it is called.
        front = root.relative_to(home).as_posix()
        is_split = any(split_of_path(_below(path, front)) for path in splits)
        return read_split_tables(root, splits if is_split else dict.fromkeys(splits))
    return read_split_tables(root.parent, splits, only=split_of_word(root.name))


def _agreed(
    linked: Mapping[str, int], classes: Mapping[str, int], table: SplitTables
) -> dict[str, int]:
    """Return the label of each path; a table must not contradict what else says one."""
    others = {**linked, **classes}
    for path, label in table.labels.items():
        # The label of tasks is no sum.
        if others.get(path, label) != label and path not in table.tasks:
            where = "its annotations" if path in linked else "its folder's name"
            raise DamagedFileError(
                f"Expected one label of {path}, found {label} by the table and {others[path]} by "
                f"{where}; correct one of them."
            )
    return {**others, **table.labels}


def _kind(splits: Mapping[str, str | None], classes: Mapping[str, int], table: SplitTables) -> str:
    if next(iter(splits), None) in classes:
        return "classes"
    return "kaggle" if any(splits.values()) or table.is_there else "images"


def _order(path: str, split: str | None, classes: Mapping[str, int]) -> tuple[object, ...]:
    """Return what images are sorted by; the first of class folders are not all of one class."""
    *folders, name = PurePosixPath(path).parts
    return (
        split_order(split),
        bool(classes) and path not in classes,
        *((name, folders) if path in classes else (folders, name)),
    )


def _below(path: str, front: str) -> str:
    """Return a path below ``home`` as one below the folder ``front`` of it."""
    return path if front == "." else path.removeprefix(f"{front}/")
