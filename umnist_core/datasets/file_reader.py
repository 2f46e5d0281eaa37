"""Images that are files, or parts of files, and what lies beside them says of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.boxes import DrawnBox, find_boxes
from umnist_core.datasets.decode import (
    GROUND,
    HEAD_BYTES,
    decode_colour,
    decode_grey,
    has_alpha,
    has_ground,
    header_choices,
    image_size,
    is_read_whole,
)
from umnist_core.datasets.ends import is_cut_short
from umnist_core.datasets.identity import ImageIdentity
from umnist_core.datasets.labels import class_label, voc_label
from umnist_core.datasets.manifest import MANIFEST
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.recipe import image_id as id_of
from umnist_core.datasets.shard_folder import ImagePart
from umnist_core.datasets.truth import TruthTable, truth_path
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError, TooLargeError
from umnist_core.paths import check_file, open_file
from umnist_core.scenes import Scene, Tasks
from umnist_core.settings import load_settings

_TAIL_BYTES = 512


@dataclass(frozen=True, eq=False)
class FileReader(DatasetReader):
    """The images of a data set that has a file, or a part of one, for each.

    Attributes
    ----------
    identities
        Which image each id is, in order: train, val, test.
    parts
        Where its bytes are.
    labels
        What a table, COCO or a folder's name says, by id.
    table_tasks
        What a table says of images of which no sum is asked, as in Megapixel MNIST.
    annotations
        Pascal VOC's file of an image.
    classes
        Where the class of each image of a WebDataset is.
    missing
        Images that a table or annotations name and that are not there.
    drawn
        COCO file of each id that one names, and the image's ``id`` in it.
    first_px
        Number of the first pixel in the files of Pascal VOC; see `voc_boxes`.
    """

    identities: Mapping[str, ImageIdentity]
    parts: Mapping[str, ImagePart]
    labels: Mapping[str, int] = field(default_factory=dict)
    table_tasks: Mapping[str, Tasks] = field(default_factory=dict)
    annotations: Mapping[str, Path] = field(default_factory=dict)
    classes: Mapping[str, ImagePart] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    drawn: Mapping[str, tuple[Path, Any]] = field(default_factory=dict)
    first_px: int = 0
    _tables: dict[str, TruthTable | None] = field(default_factory=dict, init=False, repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in order."""
        return tuple(self.parts)

    def get_identity(self, image_id: str) -> ImageIdentity:
        """Return which image an id is.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        self.get_part(image_id)
        return self.identities[image_id]

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
                f"is {next(iter(self.parts), None)!r}."
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

    def _read_head(self, image_id: str) -> bytes:
        """Return as much of an image's file as tells its size; as `read_bytes`."""
        start = self.read_bytes(image_id, HEAD_BYTES)
        return self.read_bytes(image_id) if is_read_whole(start) else start

    def read_size(self, image_id: str) -> tuple[int, int]:
        """Return height and width, in px, from a header that can be read and an end that is there.

        Raises
        ------
        NotFoundError, MissingFileError, TooLargeError
            As `read_bytes`.
        DamagedFileError
            If the header is damaged or the end is not there.
        """
        head = self._read_head(image_id)
        size = image_size(head, image_id)
        if is_cut_short(head, self.read_end(image_id, _TAIL_BYTES)):
            raise DamagedFileError(
                f"{image_id}: expected a whole image, found one that is cut short; copy or make "
                "it again."
            )
        return size

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

    def read_colour(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W, 3) in RGB; raises as `read_image`."""
        return decode_colour(self.read_bytes(image_id), image_id)

    def find_path(self, image_id: str) -> Path | None:
        """Return the file that holds one image alone; None of a part of a file.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        part = self.get_part(image_id)
        return part.path if part.size is None else None

    def find_choices(self, image_id: str, *, quick: bool = False) -> tuple[str, ...]:
        """Return what was chosen to read an image; as `DatasetReader` says.

        Raises
        ------
        NotFoundError, MissingFileError, TooLargeError, DamagedFileError
            As `read_image`.
        """
        head = self._read_head(image_id)
        found = header_choices(head, image_id)
        # Most images have no alpha, and are not read once more.
        if quick or not has_alpha(head, image_id):
            return found
        return (*found, GROUND) if has_ground(self.read_bytes(image_id), image_id) else found

    def find_change(self, image_id: str) -> str | None:
        """Return a sentence if an image's bytes are not those that were written.

        Raises
        ------
        NotFoundError, MissingFileError, TooLargeError
            As `read_bytes`.
        DamagedFileError
            If the table of truth is damaged.
        """
        identity = self.get_identity(image_id)
        truth = self._find_truth(identity.split)
        expected = None if truth is None else truth.checksums.get(identity.stem)
        if expected is None:
            return None
        found = hashlib.sha256(self.read_bytes(image_id)).hexdigest()
        if found == expected:
            return None
        return (
            f"{image_id}: expected the bytes that were written, with SHA-256 {expected[:12]}..., "
            f"found others, with {found[:12]}...; run the command in {MANIFEST} again to make it "
            "anew."
        )

    def label(self, image_id: str) -> int | None:
        """Return what a table says of an image, or else the annotations beside it.

        Raises
        ------
        NotFoundError
            If there is no such image.
        DamagedFileError
            If what says it is damaged.
        """
        identity = self.get_identity(image_id)
        if image_id in self.labels:
            return self.labels[image_id]
        truth = self._find_truth(identity.split)
        if truth is not None and identity.stem in truth.labels:
            return truth.labels[identity.stem]
        if image_id in self.annotations:
            return voc_label(self.annotations[image_id])
        if image_id in self.classes:
            name = f"the class of {image_id}"
            return class_label(_read_part(self.classes[image_id], name), name)
        return None

    def tasks(self, image_id: str) -> Tasks | None:
        """Return what a table or the truth says of an image whose sum is not asked; else None.

        Raises
        ------
        NotFoundError, DamagedFileError
            As `label`.
        """
        identity = self.get_identity(image_id)
        truth = self._find_truth(identity.split)
        found = self.table_tasks.get(image_id)
        return truth.tasks.get(identity.stem) if truth and found is None else found

    def truth(self, image_id: str) -> Scene | None:
        """Return what is in an image; None for the data sets of others.

        Raises
        ------
        NotFoundError
            If there is no such image.
        DamagedFileError
            If the table of truth is damaged.
        """
        identity = self.get_identity(image_id)
        truth = self._find_truth(identity.split)
        return None if truth is None else truth.get_scene(identity.stem)

    def boxes(self, image_id: str) -> tuple[DrawnBox, ...] | None:
        """Return the boxes that COCO or Pascal VOC have of an image; None where neither speaks.

        Raises
        ------
        NotFoundError
            If there is no such image.
        DamagedFileError
            If its annotation is damaged.
        """
        self.get_part(image_id)
        drawn, file = self.drawn.get(image_id), self.annotations.get(image_id)
        return find_boxes(drawn, file, first_px=self.first_px)

    def iter_missing(self) -> Iterator[str]:
        """Yield the images that the manifest, or else a table or annotations, promise."""
        if self.manifest is None:
            yield from self.missing
            return
        found = {(one.split, one.stem) for one in self.identities.values()}
        for split, record in self.manifest.splits.items():
            for index in range(record.count):
                if (split, name := id_of(self.manifest.seed, split, index)) not in found:
                    yield f"{split}/{name}"

    def _find_truth(self, split: str | None) -> TruthTable | None:
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
    with _said_as_missing(part, name), open_file(part.path) as file:
        file.seek(part.offset)
        return file.read(size if most is None else min(most, size))


def _size(part: ImagePart, name: str) -> int:
    if part.size is not None:
        return part.size
    with _said_as_missing(part, name):
        return check_file(part.path).st_size


@contextmanager
def _said_as_missing(part: ImagePart, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MissingFileError(
            f"Expected {name} in {part.path}, found {error.strerror or error}; copy or make it "
            "again."
        ) from error
