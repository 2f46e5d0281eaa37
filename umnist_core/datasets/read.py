"""Reading a data set of any layout by id: image, label, truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.decode import decode_grey
from umnist_core.datasets.image_folder import LABEL_FILE, SUBFOLDERS, open_image_folder, read_labels
from umnist_core.datasets.labels import class_label, coco_labels, voc_label
from umnist_core.datasets.manifest import MANIFEST, Manifest, read_manifest
from umnist_core.datasets.recipe import IMAGE_TYPES
from umnist_core.datasets.shards import read_members
from umnist_core.datasets.truth import TruthTable, truth_path
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError, TooLargeError
from umnist_core.scenes import Scene
from umnist_core.seeds import SPLITS
from umnist_core.settings import load_settings

_SHARD_SUFFIXES = (*(f".{image}" for image in IMAGE_TYPES), ".jpg")


@dataclass(frozen=True)
class ImagePart:
    """Where the bytes of an image are.

    Attributes
    ----------
    path
        The file, or the shard that it is a part of.
    split
        ``train`` or ``test``; None where the layout does not say.
    offset, size
        Part of the file, in bytes; the size is None for a whole file.
    """

    path: Path
    split: str | None
    offset: int = 0
    size: int | None = None


@dataclass(frozen=True, eq=False)
class DatasetReader:
    """The images of a data set, by id.

    Attributes
    ----------
    root
        The folder.
    kind
        ``kaggle``, ``voc``, ``coco``, ``webdataset``, or ``images`` for a plain folder.
    manifest
        What `umnist generate` says of it; None for the data sets of others.
    parts
        Where each image is, in order: train before test. An id is the stem of its file,
        with ``test/`` in front when there is a train split too.
    labels
        Those that a table or annotation file names, by id.
    classes
        Where the class of each image of a WebDataset is.
    """

    root: Path
    kind: str
    manifest: Manifest | None
    parts: Mapping[str, ImagePart]
    labels: Mapping[str, int]
    classes: Mapping[str, ImagePart] = field(default_factory=dict)
    _tables: dict[str, TruthTable | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in order."""
        return tuple(self.parts)

    def get_part(self, image_id: str) -> ImagePart:
        """Return where an image is.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        if image_id not in self.parts:
            raise NotFoundError(
                f"{self.root} holds {len(self.parts)} images, none of them {image_id!r}; the first "
                f"is {next(iter(self.parts))!r}."
            )
        return self.parts[image_id]

    def read_bytes(self, image_id: str, most: int | None = None) -> bytes:
        """Return the file of an image, or its first ``most`` bytes.

        Raises
        ------
        NotFoundError
            If there is no such image.
        MissingFileError
            If it cannot be read.
        TooLargeError
            If it has more bytes than the settings allow.
        """
        return _read_part(self.get_part(image_id), image_id, most)

    def read_end(self, image_id: str, most: int) -> bytes:
        """Return the last ``most`` bytes of an image's file; as `read_bytes`."""
        part = self.get_part(image_id)
        size = _size(part, image_id)
        skipped = max(0, size - most)
        return _read_part(
            replace(part, offset=part.offset + skipped, size=size - skipped), image_id
        )

    def read_image(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W).

        Raises
        ------
        NotFoundError, MissingFileError, TooLargeError
            As `read_bytes`.
        DamagedFileError
            If a part of it is missing or garbled.
        """
        return decode_grey(self.read_bytes(image_id), image_id)

    def label(self, image_id: str) -> int | None:
        """Return the label of an image; None where nothing says it.

        It is the sum of the digits, or the majority in Megapixel MNIST.

        Raises
        ------
        NotFoundError
            If there is no such image.
        DamagedFileError
            If what says it is damaged.
        """
        part = self.get_part(image_id)
        if image_id in self.labels:
            return self.labels[image_id]
        table = self._find_table(part.split)
        if table is not None and (stem := _stem(image_id)) in table.labels:
            return table.labels[stem]
        if self.kind == "voc" and (path := part.path.with_suffix(".xml")).is_file():
            return voc_label(path)
        if image_id in self.classes:
            name = f"the class of {image_id}"
            return class_label(_read_part(self.classes[image_id], name), name)
        return None

    def truth(self, image_id: str) -> Scene | None:
        """Return what is in an image; None for the data sets of others.

        Raises
        ------
        NotFoundError
            If there is no such image.
        DamagedFileError
            If the table of truth is damaged.
        """
        table = self._find_table(self.get_part(image_id).split)
        return None if table is None else table.get_scene(_stem(image_id))

    def _find_table(self, split: str | None) -> TruthTable | None:
        if split is None or self.manifest is None:
            return None
        if split not in self._tables:
            path = truth_path(self.root, split)
            self._tables[split] = TruthTable(path) if path.is_file() else None
        return self._tables[split]


def _read_part(part: ImagePart, name: str, most: int | None = None) -> bytes:
    size = _size(part, name)
    limit_mib = load_settings().max_file_mib
    if size > limit_mib * 2**20:
        raise TooLargeError(
            f"{name} has {size / 2**20:.0f} MiB, more than the {limit_mib} MiB that may be read; "
            "raise UMNIST_MAX_FILE_MIB to read it."
        )
    with _said_as_missing(part, name), part.path.open("rb") as file:
        file.seek(part.offset)
        return file.read(size if most is None else min(most, size))


def _size(part: ImagePart, name: str) -> int:
    if part.size is not None:
        return part.size
    with _said_as_missing(part, name):
        return part.path.stat().st_size


@contextmanager
def _said_as_missing(part: ImagePart, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MissingFileError(
            f"Expected {name} in {part.path}, found {error.strerror or error}; copy or make it "
            "again."
        ) from error


def open_dataset(root: Path, *, damaged: list[str] | None = None) -> DatasetReader:
    """Open a data set: Kaggle's, one of ours in any layout, or any folder of images.

    Parameters
    ----------
    root
        The folder. Only the layout's own tables are read; nothing is unpickled.
    damaged
        Where to note shards that cannot be read; None to raise at the first.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no image in it.
    DamagedFileError
        If the manifest, a table of labels or a shard is damaged.
    """
    root = root.expanduser()
    manifest = read_manifest(root)
    shards = sorted(root.glob("*.tar")) if root.is_dir() else []
    if shards and (manifest is None or manifest.layout == "webdataset"):
        labels = read_labels(root / LABEL_FILE) if (root / LABEL_FILE).is_file() else {}
        images, classes = _shard_parts(shards, damaged)
        return DatasetReader(root, "webdataset", manifest, images, labels, classes)
    try:
        folder = open_image_folder(root)
    except MissingFileError as error:
        raise _better_reason(root, manifest, error) from error
    parts = {image_id: ImagePart(path, _split(path)) for image_id, path in folder.paths.items()}
    annotations = sorted([*root.glob("annotations*.json"), *root.glob("annotations/*.json")])
    labels = dict(folder.labels)
    kind = _kind(root, parts, annotations) if manifest is None else manifest.layout
    if kind == "coco":
        for path in annotations:
            found = coco_labels(path)
            labels |= {name: found[_stem(name)] for name in parts if _stem(name) in found}
    return DatasetReader(root, kind, manifest, parts, labels)


def _stem(image_id: str) -> str:
    return image_id.rpartition("/")[2]


def _split(path: Path) -> str | None:
    return path.parent.name if path.parent.name in SUBFOLDERS else None


def _kind(root: Path, parts: Mapping[str, ImagePart], annotations: list[Path]) -> str:
    if annotations:
        return "coco"
    first = next(iter(parts.values()))
    if first.path.with_suffix(".xml").is_file():
        return "voc"
    is_kaggle = first.split is not None or (root / LABEL_FILE).is_file()
    return "kaggle" if is_kaggle else "images"


def _shard_parts(
    shards: list[Path], damaged: list[str] | None
) -> tuple[dict[str, ImagePart], dict[str, ImagePart]]:
    """Return where each image of a WebDataset is, and each class."""
    splits = [_shard_split(path) for path in shards]
    images, classes = {}, {}
    for path, split in sorted(zip(shards, splits, strict=True), key=_train_first):
        prefix = "test/" if split == "test" and "train" in splits else ""
        try:
            members = read_members(path)
        except DamagedFileError as error:
            if damaged is None:
                raise
            damaged.append(str(error))
            continue
        for name, (offset, size) in members.items():
            part, stem = ImagePart(path, split, offset, size), prefix + Path(name).stem
            if Path(name).suffix in _SHARD_SUFFIXES:
                images[stem] = part
            elif Path(name).suffix == ".cls":
                classes[stem] = part
    if not images and not damaged:
        raise MissingFileError(
            f"Expected images ({', '.join(_SHARD_SUFFIXES)}) in the {len(shards)} tar files of "
            f"{shards[0].parent}, found none; choose a folder with a WebDataset of images."
        )
    return images, classes


def _shard_split(path: Path) -> str | None:
    return next((split for split in SPLITS if path.name.startswith(split)), None)


def _train_first(item: tuple[Path, str | None]) -> tuple[bool, str]:
    return (item[1] == "test", item[0].name)


def _better_reason(
    root: Path, manifest: Manifest | None, error: MissingFileError
) -> MissingFileError:
    """Return what a folder without images is, where that can be told."""
    if manifest is not None:
        return MissingFileError(
            f"{root} is a data set whose images are not there yet; run the command in its "
            f"{MANIFEST} again."
        )
    inner = find_datasets(root)
    if inner:
        return MissingFileError(
            f"{root} holds {len(inner)} data sets ({', '.join(path.name for path in inner)}); "
            "choose one of them."
        )
    arrays = sorted(root.glob("*.npy")) if root.is_dir() else []
    if arrays:
        return MissingFileError(
            f"Expected a folder of images in {root}, found {arrays[0].name}, a NumPy file, which "
            "may hold code and is not opened here; choose a folder of images."
        )
    return error


def find_datasets(root: Path) -> list[Path]:
    """Return the folders in ``root`` that are data sets of ours, such as those of a study."""
    return sorted(path.parent for path in root.glob(f"*/{MANIFEST}"))
