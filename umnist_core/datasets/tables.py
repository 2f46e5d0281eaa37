"""Tables of labels: Kaggle's ``train.csv``, and the one of our Megapixel MNIST."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from umnist_core.datasets.matching import ImageIndex
from umnist_core.errors import DamagedFileError
from umnist_core.paths import open_file
from umnist_core.scenes import MegapixelTasks
from umnist_core.seeds import FOLDER_SPLITS

LABEL_FILE = "train.csv"
COLUMNS = ("id", "digit_sum")
TASK_COLUMNS = ("id", "majority", "max", "top", "multi")
"""Those of our Megapixel MNIST, ``multi`` as classes with spaces between them."""

_ONE_NUMBER = f"a whole number as {COLUMNS[1]}"


@dataclass(frozen=True)
class LabelTable:
    """What is said of images by a table, by their ids.

    Attributes
    ----------
    labels
        Sum of the digits, or the majority in Megapixel MNIST.
    tasks
        The four labels of images of Megapixel MNIST.
    """

    labels: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, MegapixelTasks] = field(default_factory=dict)


@dataclass(frozen=True)
class SplitTables:
    """What the tables of a folder say of its images, by their paths.

    Attributes
    ----------
    labels, tasks
        As of `LabelTable`.
    missing
        Ids that a table has and the folder has not.
    is_there
        Whether there is a table.
    """

    labels: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, MegapixelTasks] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    is_there: bool = False


def find_tables(folder: Path) -> dict[str, Path]:
    """Return the tables of labels in a folder, by split.

    ``train.csv`` must be one; ``val.csv`` and ``test.csv`` of others may be anything.
    """
    files = {split: folder / f"{split}.csv" for split in FOLDER_SPLITS}
    return {
        split: file
        for split, file in files.items()
        if file.is_file() and (file.name == LABEL_FILE or is_label_table(file))
    }


def read_split_tables(
    folder: Path, splits: Mapping[str, str | None], *, only: str | None = None
) -> SplitTables:
    """Return what the tables of a folder say of images.

    Each speaks of the images of its own split, or of all where there are no splits.

    Parameters
    ----------
    folder
        Where the tables are.
    splits
        Split of each image, by its path.
    only
        The split whose table alone is read; None for all.

    Raises
    ------
    DamagedFileError
        If a table is damaged, one of its ids may mean two images, or two rows mean one.
    """
    has_splits = any(splits.values())
    labels: dict[str, int] = {}
    tasks: dict[str, MegapixelTasks] = {}
    rows: dict[str, str] = {}
    missing = []
    tables = find_tables(folder)
    for split, file in tables.items():
        if only not in (None, split):
            continue
        table = read_labels(file)
        own = {path: one for path, one in splits.items() if not has_splits or one == split}
        index, bases = ImageIndex(own), (split, f"images/{split}", f"{split}/images", "", "images")
        for name, label in table.labels.items():
            path = index.find_row(name, file.name, bases=bases)
            if path is None:
                missing.append(name)
                continue
            row = f"{name!r:.120} of {file.name}"
            if rows.setdefault(path, row) != row:
                raise DamagedFileError(
                    f"Expected one row for {path} in the tables of {folder}, found {rows[path]} "
                    f"and {row}; remove one of them."
                )
            labels[path] = label
            if name in table.tasks:
                tasks[path] = table.tasks[name]
    return SplitTables(labels, tasks, tuple(missing), bool(tables))


def read_labels(table: Path) -> LabelTable:
    """Read ``train.csv``: the sum of the digits of each id, or the tasks of Megapixel MNIST.

    Raises
    ------
    DamagedFileError
        If a column is missing, a label is not a whole number of 0 or more, a task is no class
        from 0 to 9, or an id comes twice; the message names the line.
    """
    try:
        with _open_text(table) as file:
            return _read_rows(table, csv.DictReader(file))
    except (OSError, csv.Error) as error:
        raise DamagedFileError(
            f"{table}: expected a table of labels, found that it cannot be read ({error}); use "
            "the file as Kaggle gives it."
        ) from error


def is_label_table(table: Path) -> bool:
    """Return whether a file begins as a table of labels does."""
    try:
        with _open_text(table) as file:
            named = set(next(csv.reader(file), []))
    except (OSError, csv.Error):
        return False
    return set(COLUMNS) <= named or set(TASK_COLUMNS) <= named


def _open_text(table: Path) -> TextIO:
    return io.TextIOWrapper(open_file(table), "utf-8-sig", "replace", newline="")


def is_digit(text: str) -> bool:
    """Return whether a text is one of the ten digits."""
    return len(text) == 1 and text in "0123456789"


def is_label(text: str) -> bool:
    """Return whether a text is a label, such as the name of a class folder."""
    return text.isascii() and text.isdigit() and len(text) < 10


def _read_rows(table: Path, reader: csv.DictReader[str]) -> LabelTable:
    named = reader.fieldnames or []
    columns = TASK_COLUMNS if TASK_COLUMNS[1] in named else COLUMNS
    if not set(columns) <= set(named):
        shown = ", ".join(named)[:80] or "nothing"
        raise DamagedFileError(
            f"{table}: expected the columns {', '.join(columns)}, found {shown}; use the file as "
            "Kaggle gives it."
        )
    wanted = f"classes as {', '.join(columns[1:])}" if columns is TASK_COLUMNS else _ONE_NUMBER
    labels: dict[str, int] = {}
    tasks: dict[str, MegapixelTasks] = {}
    for row in reader:
        texts = [row[column] or "" for column in columns[1:]]
        found = _tasks(texts) if columns is TASK_COLUMNS else None
        is_sane = is_label(texts[0]) if columns is COLUMNS else found is not None
        if not is_sane or row["id"] in labels:
            raise DamagedFileError(
                f"{table}, line {reader.line_num}: expected an id that comes once and {wanted}, "
                f"found {row['id']!r:.40} and {', '.join(texts)!r:.40}; use the file as Kaggle "
                "gives it."
            )
        labels[row["id"]] = int(texts[0])
        if found is not None:
            tasks[row["id"]] = found
    return LabelTable(labels, tasks)


def _tasks(texts: Sequence[str]) -> MegapixelTasks | None:
    """Return the tasks that the cells of a row say; None where one of them is no class."""
    *single, several = texts
    classes = several.split()
    if not all(map(is_digit, [*single, *classes])):
        return None
    majority, largest, top = map(int, single)
    return MegapixelTasks(majority, largest, top, tuple(sorted(set(map(int, classes)))))
