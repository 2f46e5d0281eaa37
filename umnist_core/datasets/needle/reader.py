"""Needle MNIST in its original layout, read as any other data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from umnist_core.datasets.boxes import DrawnBox
from umnist_core.datasets.identity import ImageIdentity, by_id, short_names, split_order
from umnist_core.datasets.known import Known
from umnist_core.datasets.matching import ImageIndex
from umnist_core.datasets.needle.image_file import (
    ARGS_FILE,
    SUFFIX,
    read_patch_map,
    read_picture,
    read_size,
)
from umnist_core.datasets.needle.table import find_tables, number_of, read_table, split_of
from umnist_core.datasets.reader import DatasetReader
from umnist_core.datasets.scan import iter_files
from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError
from umnist_core.scenes import NeedleTasks
from umnist_core.scenes.needle_parameters import NEEDLE_CLASS


@dataclass(frozen=True, eq=False)
class NeedleReader(DatasetReader):
    """The images of Needle MNIST in its original layout.

    Attributes
    ----------
    identities
        Which image each id is, in order: train, val, test, and by their numbers.
    labels
        1 where the table says that there is a needle, else 0, by id.
    missing
        Images that a table names and that are not there.
    """

    identities: Mapping[str, ImageIdentity]
    labels: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, in order."""
        return tuple(self.identities)

    def get_identity(self, image_id: str) -> ImageIdentity:
        """Return which image an id is.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        if image_id not in self.identities:
            raise NotFoundError(
                f"{self.root} holds {len(self.identities)} images, none of them {image_id!r}; the "
                f"first is {next(iter(self.identities), None)!r}."
            )
        return self.identities[image_id]

    def read_size(self, image_id: str) -> tuple[int, int]:
        """Return height and width in px; raises as `read_image`, as far as headers tell."""
        return read_size(self._path(image_id))

    def read_image(self, image_id: str) -> NDArray[np.uint8]:
        """Return the pixels of an image, uint8 (H, W): its greys of 0 to 1 times 255, rounded.

        Raises
        ------
        NotFoundError
            If there is no such image.
        MissingFileError, DamagedFileError, TooLargeError
            As `umnist_core.datasets.needle.image_file.read_picture`.
        """
        return read_picture(self._path(image_id))

    def read_patch_map(self, image_id: str) -> NDArray[np.float64] | None:
        """Return the patch map of an image as it is stored; None where it has none.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError
            As `read_image`.
        """
        return read_patch_map(self._path(image_id))

    def label(self, image_id: str) -> int | None:
        """Return whether there is a needle, 1 or 0; None where no table says it.

        Raises
        ------
        NotFoundError
            If there is no such image.
        """
        self.get_identity(image_id)
        return self.labels.get(image_id)

    def tasks(self, image_id: str) -> NeedleTasks | None:
        """Return `label` as the answer to its task."""
        label = self.label(image_id)
        return None if label is None else NeedleTasks(label)

    def digit_sum(self, image_id: str) -> int | None:
        """Return None: sums are not asked, also of images that no table names."""
        self.get_identity(image_id)
        return None

    def known(self, image_id: str) -> Known:
        """Return the label, and where the patch map says that the needle is.

        Raises
        ------
        NotFoundError, MissingFileError, DamagedFileError
            As `read_image`.
        """
        known = Known(self.label(image_id))
        patch_map = self.read_patch_map(image_id)
        if patch_map is None or not patch_map.any():
            return known
        height, width = self.read_size(image_id)
        return replace(known, boxes=(_box_of(patch_map, height, width),))

    def iter_missing(self) -> Iterator[str]:
        """Yield the images that a table names and that are not there."""
        return iter(self.missing)

    def _path(self, image_id: str) -> Path:
        return self.root / self.get_identity(image_id).path


def _box_of(patch_map: NDArray[np.float64], height: int, width: int) -> DrawnBox:
    """Return the box around the patches of a map that are not 0, in px of the image."""
    rows, cols = np.nonzero(patch_map)
    down, across = height / patch_map.shape[0], width / patch_map.shape[1]
    x, y = float(cols.min() * across), float(rows.min() * down)
    right, bottom = float((cols.max() + 1) * across), float((rows.max() + 1) * down)
    return DrawnBox(str(NEEDLE_CLASS), x, y, right - x, bottom - y)


def find_needle(root: Path) -> list[Path] | None:
    """Return the tables of Needle MNIST in a folder; None if it is no such data set.

    It is one where it has such a table, or its ``args`` beside files that are named as its images.
    """
    tables = find_tables(root)
    if tables or not (root / ARGS_FILE).is_file():
        return tables or None
    return tables if any(split_of(path.name) for path in root.glob(f"*_*{SUFFIX}")) else None


def open_needle(root: Path, tables: list[Path]) -> NeedleReader:
    """Open Needle MNIST in its original layout.

    Parameters
    ----------
    root
        The folder; its images may lie in folders of it.
    tables
        As `find_needle` gives them.

    Raises
    ------
    MissingFileError
        If there is no image.
    DamagedFileError
        If a table is damaged, or two rows name one image.
    """
    splits = {path: split_of(path) for path in iter_files(root, (SUFFIX,))}
    if not splits:
        raise MissingFileError(
            f"Expected images of Needle MNIST, named as train_0{SUFFIX}, in {root}, found none "
            f"beside {tables[0].name}; put them there."
        )
    order = sorted(splits, key=lambda path: (split_order(splits[path]), number_of(path), path))
    labels, missing = _link(root, tables, splits)
    names = short_names(ImageIdentity(str(root), splits[path], path) for path in order)
    paths = {name: one.path for name, one in names.items()}
    return NeedleReader(root, "needle", None, names, by_id(paths, labels), missing)


def _link(
    root: Path, tables: list[Path], splits: Mapping[str, str | None]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the label of each image by its path, and the rows whose images are not there."""
    index = ImageIndex(splits)
    labels: dict[str, int] = {}
    rows: dict[str, str] = {}
    missing = []
    for table in tables:
        for name, label in read_table(table).items():
            # Beside its table an image is meant by its name, in whichever folder it was written.
            last = PureWindowsPath(name.strip()).name
            path = last if last in splits else index.find(name.strip(), table.name, bases=("",))
            row = f"{name!r:.120} of {table.name}"
            if path is None:
                missing.append(name)
            elif rows.setdefault(path, row) != row:
                raise DamagedFileError(
                    f"Expected one row for {path} in the tables of {root}, found {rows[path]} and "
                    f"{row}; remove one of them."
                )
            else:
                labels[path] = label
    return labels, tuple(missing)
