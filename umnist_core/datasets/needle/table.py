"""The tables of Needle MNIST in its original layout: ``img_path,label``, a row for each image."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from umnist_core.datasets.identity import split_of_word
from umnist_core.datasets.needle.image_file import SUFFIX
from umnist_core.errors import DamagedFileError
from umnist_core.paths import is_debris, open_file

COLUMNS = ("img_path", "label")

_NAME = re.compile(r"([A-Za-z]+)_(\d+)")


def find_tables(root: Path) -> list[Path]:
    """Return the tables of a folder that begin as those of Needle MNIST do."""
    names = sorted(root.glob("*.csv")) if root.is_dir() else []
    return [path for path in names if not is_debris(path.name) and _is_table(path)]


def _is_table(path: Path) -> bool:
    try:
        with open_file(path) as file:
            begin = file.read(4096).decode("utf-8-sig", "replace")
        first, second = [*csv.reader(io.StringIO(begin, newline="")), [], []][:2]
    except (OSError, csv.Error):
        return False
    if not set(COLUMNS) <= set(first):
        return False
    # Tables of other data sets have these columns too; one without rows may be anybody's.
    return any(cell.strip().lower().endswith(SUFFIX) for cell in second) or not second


def read_table(path: Path) -> Mapping[str, int]:
    """Return the label of each image, 0 or 1, by its path as it stands in the table.

    Raises
    ------
    DamagedFileError
        If the table cannot be read, lacks a column, names an image twice or has another label; the
        message names the line.
    """
    labels: dict[str, int] = {}
    try:
        with open_file(path) as file, io.TextIOWrapper(file, "utf-8-sig", "replace", "") as text:
            for line, row in _iter_rows(path, text):
                name, label = row[COLUMNS[0]], row[COLUMNS[1]].strip()
                if label not in ("0", "1") or not name.strip() or name in labels:
                    raise DamagedFileError(
                        f"{path}, line {line}: expected an image that comes once and 0 or 1 as "
                        f"label, found {name!r:.60} and {label!r:.20}; make the table again."
                    )
                labels[name] = int(label)
    except (OSError, csv.Error) as error:
        raise DamagedFileError(
            f"{path}: expected the table of Needle MNIST, found that it cannot be read ({error}); "
            "make it again."
        ) from error
    return labels


def _iter_rows(path: Path, text: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(text)
    named = reader.fieldnames or []
    if not set(COLUMNS) <= set(named):
        shown = ", ".join(named)[:80] or "nothing"
        raise DamagedFileError(
            f"{path}: expected the columns {', '.join(COLUMNS)}, found {shown}; make the table "
            "again."
        )
    for row in reader:
        yield reader.line_num, {name: row[name] or "" for name in COLUMNS}


def split_of(path: str) -> str | None:
    """Return the split that the name of an image's file says, as ``val_17.npz``; None if none."""
    found = _NAME.fullmatch(PurePosixPath(path).stem)
    return None if found is None else split_of_word(found[1])


def number_of(path: str) -> int:
    """Return the number in the name of an image's file, by which images are in order."""
    found = _NAME.fullmatch(PurePosixPath(path).stem)
    return 0 if found is None else int(found[2][:18])
