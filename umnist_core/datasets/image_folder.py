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
        Sum of the digits of each id that ``train.csv`` names; empty without that file.
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
    """Read ``train.csv``: the sum of the digits, 0 to 27, of each id.

    Raises
    ------
    DamagedFileError
        If a column is missing or a sum is not a whole number; the message names the line.
    """
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is None or not set(COLUMNS) <= set(reader.fieldnames):
            raise DamagedFileError(
                f"{table}: expected the columns {', '.join(COLUMNS)}, found "
                f"{', '.join(reader.fieldnames or ['nothing'])}; use the file as Kaggle gives it."
            )
        labels = {}
        for row in reader:
            try:
                labels[row["id"]] = int(row["digit_sum"])
            except (TypeError, ValueError):
                raise DamagedFileError(
                    f"{table}, line {reader.line_num}: expected a whole number as digit_sum, "
                    f"found {row['digit_sum']!r}; use the file as Kaggle gives it."
                ) from None
    return labels
