"""A folder of images in Kaggle's UltraMNIST layout, or any plain folder of images.

Layout (Gupta et al., Scientific Data 2024, section "Data Records"): ``train/ID.jpeg``,
``test/ID.jpeg`` and ``train.csv`` with the columns ``id`` and ``digit_sum``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from umnist_core.errors import DamagedFileError, MissingFileError, NotFoundError

IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".tif", ".tiff")
SUBFOLDERS = ("train", "test")
LABEL_FILE = "train.csv"
COLUMNS = ("id", "digit_sum")
MAJORITY = "majority"
"""Column that takes the place of ``digit_sum`` in our Megapixel MNIST."""


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder, by id.

    Attributes
    ----------
    root
        The folder that was opened.
    paths
        Image file of each id, in the order of train, test and then the names. An id is
        the file's name without its suffix; with ``test/`` in front for those of the test
        folder when there is a train folder too.
    labels
        Sum of the digits (or their majority) of each id that ``train.csv`` names; empty
        without that file.
    """

    root: Path
    paths: Mapping[str, Path]
    labels: Mapping[str, int] = field(default_factory=dict)

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
                f"the first is {next(iter(self.paths))!r}."
            )
        return self.paths[image_id]


def open_image_folder(root: Path) -> ImageFolder:
    """Open a folder in Kaggle's layout, one of its subfolders, or any folder of images.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no image in it.
    DamagedFileError
        If ``train.csv`` is there but is not the table that it should be.
    """
    if not root.is_dir():
        raise MissingFileError(
            f"Expected a folder of images, found no folder {root}; check the path."
        )
    parts = [part for part in SUBFOLDERS if (root / part).is_dir()]
    paths: dict[str, Path] = {}
    for part in parts or ["."]:
        prefix = "test/" if part == "test" and len(parts) == 2 else ""
        for path in sorted((root / part).iterdir()):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                paths[prefix + path.stem] = path
    if not paths:
        raise MissingFileError(
            f"Expected images ({', '.join(IMAGE_SUFFIXES)}) in {root} or in its train and test "
            "folders, found none; choose the folder that holds train.csv."
        )
    table = next((t for t in (root / LABEL_FILE, root.parent / LABEL_FILE) if t.is_file()), None)
    return ImageFolder(root, paths, {} if table is None else read_labels(table))


def read_labels(table: Path) -> dict[str, int]:
    """Read ``train.csv``: the sum of the digits of each id, or in Megapixel MNIST their majority.

    Raises
    ------
    DamagedFileError
        If a column is missing, a label is not a whole number of 0 or more, or an id comes
        twice; the message names the line.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            return _read_rows(table, csv.DictReader(file))
    except (OSError, csv.Error) as error:
        raise DamagedFileError(
            f"{table}: expected a table of labels, found that it cannot be read ({error}); use "
            "the file as Kaggle gives it."
        ) from error


def _read_rows(table: Path, reader: csv.DictReader[str]) -> dict[str, int]:
    columns = reader.fieldnames or []
    label_column = MAJORITY if MAJORITY in columns else COLUMNS[1]
    if not {COLUMNS[0], label_column} <= set(columns):
        shown = ", ".join(columns)[:80] or "nothing"
        raise DamagedFileError(
            f"{table}: expected the columns {', '.join(COLUMNS)}, found {shown}; use the file as "
            "Kaggle gives it."
        )
    labels: dict[str, int] = {}
    for row in reader:
        text = row[label_column] or ""
        if not (text.isascii() and text.isdigit() and len(text) < 10) or row["id"] in labels:
            raise DamagedFileError(
                f"{table}, line {reader.line_num}: expected an id that comes once and a whole "
                f"number as {label_column}, found {row['id']!r:.40} and {text!r:.40}; use the file "
                "as Kaggle gives it."
            )
        labels[row["id"]] = int(text)
    return labels
