"""The tables of MetH and MAMe: which image is in which split, and its class or year.

MetH (Parés and others, "MetH: A family of high-resolution and variable-shape image challenges",
2019) has a CSV for each data set. Its published code knows columns by position (0 number, 1
target, 2 image file, 3 width, 4 height, 5 product size, 6 aspect ratio, 7 split) and two by name,
``Label`` and ``Split``; the other names are not known. MAMe (Parés and others, arXiv 2007.13693)
has ``Image file``, ``Medium``, ``Subset`` and others, in another order. Columns are found by name
here and by position where no name is known; where the column of images holds none, by what the
cells of the first row look like, since MetH-SR has no target.

Classes of MetH are numbered in the order of their first appearance in the whole table, as its
code does; those of MAMe as ``MAMe_labels.csv`` does, or by the alphabet without it, which is the
same.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from umnist_core.datasets.identity import split_of_word
from umnist_core.datasets.scan import IMAGE_SUFFIXES
from umnist_core.datasets.texts import read_text
from umnist_core.errors import DamagedFileError

CLASS, YEAR, PAIR = "class", "year", "super-resolution"
"""What is asked of the images of a table."""

MOST_MIB = 256
"""Largest table; MAMe's has 4 MB."""

_POSITIONS = {"target": 1, "image": 2, "width": 3, "height": 4, "split": 7}
_NAMES: Mapping[str, Sequence[str]] = {
    "target": ("label", "medium"),
    "image": ("image file", "image_file", "image", "filename", "file"),
    "width": ("width",),
    "height": ("height",),
    "split": ("split", "subset"),
}
_KNOWN = re.compile(r"(meth-(?:medium|cultures|period|sr))(?![a-z])|(mame)(?:_(toy))?", re.I)
_CALLED = {"medium": "Medium", "cultures": "Cultures", "period": "Period", "sr": "SR"}
_FARTHEST_YEAR = 10_000
_MOST_PX = 10_000_000


@dataclass(frozen=True)
class MethRow:
    """What a table says of an image.

    Attributes
    ----------
    line
        Of the table, from 1.
    file
        Name of the image file.
    split
        ``train``, ``val`` or ``test``.
    class_name, year
        What is asked, where it is that.
    size
        Height and width, in px; None where the table does not say it.
    """

    line: int
    file: str
    split: str
    class_name: str | None = None
    year: float | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class MethTable:
    """A table.

    Attributes
    ----------
    name
        ``MetH-Medium``, ``MetH-Cultures``, ``MetH-Period``, ``MetH-SR``, ``MAMe``, ``MAMe toy``,
        or what the file is called.
    task
        ``class``, ``year`` or ``super-resolution``.
    rows
        In the order of the file.
    class_names
        In the order of their numbers; empty where nothing has a class.
    stripped
        Names of classes as the table writes them, with blanks at their ends.
    """

    name: str
    task: str
    rows: tuple[MethRow, ...]
    class_names: tuple[str, ...] = ()
    stripped: tuple[str, ...] = ()


def table_name(path: Path) -> str | None:
    """Return which of the known data sets a table is called as; None of another name."""
    found = _KNOWN.match(path.stem)
    if found is None or path.stem.lower().endswith("labels"):
        return None
    if found[2]:
        return "MAMe toy" if found[3] else "MAMe"
    return f"MetH-{_CALLED[found[1].lower().removeprefix('meth-')]}"


def is_meth_table(path: Path, start: bytes) -> bool:
    """Return whether a CSV that begins so is one of these, by its name or by its first line."""
    if table_name(path) is not None:
        return True
    named = _first_row(start.decode("utf-8-sig", "replace"))
    is_mame = {"image file", "subset", "medium"} <= set(named)
    is_meth = len(named) == 8 and named[_POSITIONS["split"]] == "split" and named[1] == "label"
    return is_mame or is_meth


def read_meth_table(path: Path, labels: Path | None, damaged: list[str] | None = None) -> MethTable:
    """Read a table.

    Parameters
    ----------
    path
        The CSV.
    labels
        ``MAMe_labels.csv``, of lines of a number and a name; None without.
    damaged
        Where to note rows that cannot be read, and to leave them out; None to raise at the first.

    Raises
    ------
    DamagedFileError
        If it is no table, lacks a column, a row of it cannot be read, or names a class that
        ``labels`` does not.
    """
    text = read_text(path, path.name, "a table", MOST_MIB)
    name = table_name(path) or path.stem
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DamagedFileError(
            f"{path.name}: expected a table, found that line {reader.line_num} is none ({error}); "
            "download it again."
        ) from error
    columns = _find_columns(path, name, header)
    if not rows:
        raise DamagedFileError(
            f"{path.name}: expected a row for each image, found none; download it again."
        )
    columns["image"] = _find_image_column(path, columns, rows[0][1])
    task = _find_task(path, name, header, columns, rows)
    found = tuple(_iter_rows(path, task, columns, rows, damaged))
    written = dict.fromkeys(
        cells[columns["target"]]
        for _, cells in rows
        if task == CLASS and len(cells) > columns["target"]
    )
    names = dict.fromkeys(one.class_name for one in found if one.class_name is not None)
    return MethTable(
        name,
        task,
        found,
        _order_classes(path, name, tuple(names), labels),
        tuple(one for one in written if one != one.strip()),
    )


def composed(name: str) -> str:
    """Return the name of a file as most systems write it, in lower case, to be compared."""
    return unicodedata.normalize("NFC", name).casefold()


def _first_row(text: str) -> list[str]:
    try:
        first = next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:
        return []
    return [cell.strip().lower() for cell in first]


def _find_columns(path: Path, name: str, header: Sequence[str]) -> dict[str, int]:
    columns = {
        key: header.index(found)
        for key, names in _NAMES.items()
        if (found := next((one for one in names if one in header), None)) is not None
    }
    if "split" not in columns:
        raise DamagedFileError(
            f"{path.name}: expected the column Split (Subset in MAMe), found "
            f"{', '.join(header)[:80] or 'nothing'}; download the table again."
        )
    if columns["split"] == _POSITIONS["split"] and not name.startswith("MAMe"):
        columns = {**_POSITIONS, **columns}
    return columns


def _find_image_column(path: Path, columns: Mapping[str, int], first: Sequence[str]) -> int:
    """Return the place of the images: where it should be, or where the first row has one."""
    places: list[int] = [columns.get("image", -1), *range(len(first))]
    found = next((place for place in places if _is_image(first, place)), None)
    if found is None:
        raise DamagedFileError(
            f"{path.name}: expected names of image files in a column, found none in "
            f"{', '.join(first)!r:.80}; download the table again."
        )
    return found


def _is_image(row: Sequence[str], place: int) -> bool:
    return 0 <= place < len(row) and row[place].strip().lower().endswith(IMAGE_SUFFIXES)


def _find_task(
    path: Path,
    name: str,
    header: Sequence[str],
    columns: Mapping[str, int],
    rows: Sequence[tuple[int, Sequence[str]]],
) -> str:
    if name == "MetH-SR":
        return PAIR
    if name == "MetH-Period":
        return YEAR
    if any(one in header for one in _NAMES["target"]):
        return CLASS
    place = columns.get("target", len(header))
    if name == path.stem and all(
        place < len(row) and _year(row[place]) is not None for _, row in rows
    ):
        return YEAR
    raise DamagedFileError(
        f"{path.name}: expected the column Label (Medium in MAMe), found "
        f"{', '.join(header)[:80]}; download the table again."
    )


class _WrongRow(Exception):  # noqa: N818 - its text ends a sentence, and nobody else sees it
    """What was expected of a row, and found."""


def _iter_rows(
    path: Path,
    task: str,
    columns: Mapping[str, int],
    rows: Sequence[tuple[int, Sequence[str]]],
    damaged: list[str] | None,
) -> Iterator[MethRow]:
    seen: dict[str, int] = {}
    for line, cells in rows:
        try:
            row = _read_row(line, cells, task, columns)
            if (before := seen.setdefault(composed(row.file), line)) != line:
                raise _WrongRow(
                    f"one row for each image, found {row.file!r:.60} that line {before} has, too"
                )
            yield row
        except _WrongRow as wrong:
            sentence = f"{path.name}, line {line}: expected {wrong}; download the table again."
            if damaged is None:
                raise DamagedFileError(sentence) from wrong
            damaged.append(sentence)


def _read_row(line: int, cells: Sequence[str], task: str, columns: Mapping[str, int]) -> MethRow:
    needed = ["image", "split", *(["target"] if task != PAIR else [])]
    if max(columns[one] for one in needed) >= len(cells):
        raise _WrongRow(f"{max(columns.values()) + 1} cells, found {len(cells)}")
    text = {key: cells[place].strip() for key, place in columns.items() if place < len(cells)}
    file = PureWindowsPath(text["image"]).as_posix()
    if not _is_inside(file):
        raise _WrongRow(f"the name of an image file, found {text['image']!r:.60}")
    split = split_of_word(text["split"])
    if split is None:
        raise _WrongRow(f"train, validation (val) or test, found {text['split']!r:.40}")
    height, width = (_px(text.get(side, "")) for side in ("height", "width"))
    if -1 in (height, width):
        found = f"{text.get('width', '')} x {text.get('height', '')}"
        raise _WrongRow(f"width and height as whole numbers of px, found {found!r:.60}")
    size = (height, width) if height and width else None
    name, year = _read_target(task, text.get("target", ""))
    return MethRow(line, file, split, name, year, size)


def _read_target(task: str, text: str) -> tuple[str | None, float | None]:
    """Return the name of a class, or a year."""
    if task == YEAR:
        year = _year(text)
        if year is None:
            raise _WrongRow(f"a year as a number, found {text!r:.40}")
        return None, year
    if task == CLASS:
        if not text:
            raise _WrongRow("the name of a class, found nothing")
        return text, None
    return None, None


def _is_inside(file: str) -> bool:
    """Return whether a name is one of an image file below the folder."""
    path = PurePosixPath(file)
    is_below = not path.is_absolute() and not {"..", ""} & set(path.parts) and ":" not in file
    return is_below and "\0" not in file and file.lower().endswith(IMAGE_SUFFIXES)


def _year(text: str) -> float | None:
    try:
        year = float(text)
    except ValueError:
        return None
    return year if math.isfinite(year) and abs(year) <= _FARTHEST_YEAR else None


def _px(text: str) -> int:
    """Return a size; 0 where there is none, and -1 where it is no size."""
    if not text:
        return 0
    try:
        size = float(text)
    except ValueError:
        return -1
    return int(size) if math.isfinite(size) and 1 <= size <= _MOST_PX and size == int(size) else -1


# -- classes ----------------------------------------------------------------------


def _order_classes(
    path: Path, name: str, names: tuple[str, ...], labels: Path | None
) -> tuple[str, ...]:
    if not names or not name.startswith("MAMe"):
        return names
    if labels is None:
        return tuple(sorted(names))
    listed = _read_labels(labels)
    strange = [one for one in names if one not in listed]
    if strange:
        raise DamagedFileError(
            f"{path.name}: expected the classes of {labels.name}, found {strange[0]!r:.60}; "
            "download both again."
        )
    return listed


def _read_labels(path: Path) -> tuple[str, ...]:
    """Read ``MAMe_labels.csv``: a number and a name a line, without a header.

    Raises
    ------
    DamagedFileError
        If a line is none, or the numbers do not count up from 0.
    """
    names: dict[int, str] = {}
    try:
        text = read_text(path, path.name, "a table", MOST_MIB)
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise DamagedFileError(
            f"{path.name}: expected lines of a number and a name, found none ({error}); download "
            "it again."
        ) from error
    for line, row in enumerate(rows, 1):
        if not any(cell.strip() for cell in row):
            continue
        number, *rest = (cell.strip() for cell in row)
        name = rest[0] if len(rest) == 1 else ""
        is_number = number.isascii() and number.isdigit() and len(number) < 6
        if not is_number or not name or int(number) in names or name in names.values():
            raise DamagedFileError(
                f"{path.name}, line {line}: expected a number and a name that come once, found "
                f"{','.join(row)!r:.60}; download it again."
            )
        names[int(number)] = name
    if not names or max(names) >= len(names):
        raise DamagedFileError(
            f"{path.name}: expected numbers from 0 to {max(0, len(names) - 1)}, found "
            f"{max(names, default='none')}; download it again."
        )
    return tuple(names[number] for number in sorted(names))
