"""Tables of labels: Kaggle's ``train.csv``, and those of our data sets that ask no sum."""

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
from umnist_core.scenes import TASK_KINDS, Tasks
from umnist_core.seeds import FOLDER_SPLITS

LABEL_FILE = "train.csv"
ID = "id"
COLUMNS = (ID, "digit_sum")
"""Others have `ID` and a column for each task, several answers to one with spaces between them."""

_ONE_NUMBER = f"a whole number as {COLUMNS[1]}"


@dataclass(frozen=True)
class LabelTable:
    """What is said of images by a table, by their ids.

    Attributes
    ----------
    labels
        Sum of the digits, or the label of the tasks.
    tasks
        The answers of images of which no sum is asked.
    """

    labels: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, Tasks] = field(default_factory=dict)


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
    tasks: Mapping[str, Tasks] = field(default_factory=dict)
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
    tasks: dict[str, Tasks] = {}
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
    """Read ``train.csv``: the sum of the digits of each id, or its tasks.

    Raises
    ------
    DamagedFileError
        If a column is missing, a label is not a whole number of 0 or more, an answer to a task is
        none, or an id comes twice; the message names the line.
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
    return any({ID, *names} <= named for names in (COLUMNS, *(one.names() for one in TASK_KINDS)))


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
    kind = next((one for one in TASK_KINDS if one.names()[0] in named), None)
    columns = COLUMNS if kind is None else (ID, *kind.names())
    if not set(columns) <= set(named):
        shown = ", ".join(named)[:80] or "nothing"
        raise DamagedFileError(
            f"{table}: expected the columns {', '.join(columns)}, found {shown}; use the file as "
            "Kaggle gives it."
        )
    wanted = _ONE_NUMBER if kind is None else f"{kind.answers} as {', '.join(kind.names())}"
    labels: dict[str, int] = {}
    tasks: dict[str, Tasks] = {}
    for row in reader:
        texts = [row[column] or "" for column in columns[1:]]
        found = None if kind is None else _tasks(kind, texts)
        is_sane = is_label(texts[0]) if kind is None else found is not None
        if not is_sane or row[ID] in labels:
            raise DamagedFileError(
                f"{table}, line {reader.line_num}: expected an id that comes once and {wanted}, "
                f"found {row[ID]!r:.40} and {', '.join(texts)!r:.40}; use the file as Kaggle "
                "gives it."
            )
        labels[row[ID]] = int(texts[0])
        if found is not None:
            tasks[row[ID]] = found
    return LabelTable(labels, tasks)


def _tasks(kind: type[Tasks], texts: Sequence[str]) -> Tasks | None:
    """Return the tasks that the cells of a row say; None where one of them is no answer."""
    answers: dict[str, object] = {}
    for name, text in zip(kind.names(), texts, strict=True):
        listed = text.split() if name in kind.several else [text]
        if not all(is_digit(one) and int(one) <= kind.largest for one in listed):
            return None
        found = sorted(set(map(int, listed)))
        answers[name] = found if name in kind.several else found[0]
    return kind.from_dict(answers)
