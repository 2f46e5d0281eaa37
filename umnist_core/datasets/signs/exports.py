"""The annotations of the Swedish traffic signs as others exported them: a row for each sign.

Columns go by other names in each export, and corners stand in one cell or in four, upper left
first. Exports leave out images without signs, which are found by looking at the folder.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from umnist_core.datasets.signs.grammar import (
    MISC,
    VISIBILITIES,
    Annotations,
    Sign,
    SignedImage,
    parse_number,
)
from umnist_core.errors import DamagedFileError

_COLUMNS: Mapping[str, Sequence[str]] = {
    "image": ("image_name", "filename", "file_name", "file", "image", "image_path", "path"),
    "name": ("category", "sign_name", "name", "class", "label", "sign_type"),
    "visibility": ("visibility", "sign_status", "status"),
    "box": ("bbox", "box", "bounding_box"),
}
_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
)
_NUMBERS = re.compile(r"[^\s,;\[\]()]+")


def is_export(text: str) -> bool:
    """Return whether a table begins as such an export does."""
    return _find_columns(_header(text)) is not None


def parse_export(text: str, shown: str) -> Annotations:
    """Read the text of an export; ``shown`` is what it is called in messages.

    Raises
    ------
    DamagedFileError
        If it is no table, or has not the columns.
    """
    columns = _find_columns(_header(text))
    if columns is None:
        raise DamagedFileError(
            f"{shown}: expected columns for image, sign, visibility and corners, found "
            f"{', '.join(_header(text))[:80] or 'nothing'}; use annotations.txt instead."
        )
    images: dict[str, SignedImage] = {}
    damage: list[str] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        next(reader)
        for row in filter(None, reader):
            cells = {name: _cell(row, place) for name, place in columns.items()}
            wrong = _add_row(images, cells)
            if wrong:
                damage.append(f"{shown}, line {reader.line_num}: {wrong}")
    except csv.Error as error:
        raise DamagedFileError(
            f"{shown}: expected a table, found that line {reader.line_num} is none ({error}); use "
            "annotations.txt instead."
        ) from error
    return Annotations(tuple(images.values()), tuple(damage))


def _header(text: str) -> list[str]:
    try:
        first = next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error:
        return []
    return [name.strip().lower() for name in first]


def _find_columns(named: Sequence[str]) -> dict[str, int] | None:
    """Return the place of each column; None where this is another table."""
    found = {
        key: named.index(name)
        for key, names in _COLUMNS.items()
        if (name := next((one for one in names if one in named), None)) is not None
    }
    if not {"image", "name", "visibility"} <= found.keys():
        return None
    if "sign_type" in named and found["name"] != named.index("sign_type"):
        found["type"] = named.index("sign_type")
    if "box" in found:
        return found
    corners = next((names for names in _CORNERS if set(names) <= set(named)), None)
    if corners is None:
        return None
    return found | {f"corner{place}": named.index(name) for place, name in enumerate(corners)}


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _add_row(images: dict[str, SignedImage], cells: Mapping[str, str]) -> str:
    """Add what a row says; return what is wrong with it, or nothing."""
    name = cells["image"].replace("\\", "/")
    if not name:
        return f"expected a row of an image, found {', '.join(cells.values())!r:.80}; left out."
    image = images.setdefault(name, SignedImage(name))
    sign = cells["name"].upper()
    if sign == MISC:
        images[name] = replace(image, misc=image.misc + 1)
        return ""
    if not sign:
        return ""  # an export that does list images without signs
    box = cells.get("box")
    texts = (
        _NUMBERS.findall(box)
        if box is not None
        else [cells[f"corner{place}"] for place in range(4)]
    )
    numbers = [number for one in texts if (number := parse_number(one)) is not None]
    visibility = cells["visibility"].upper()
    if len(texts) != len(numbers) or len(numbers) != 4 or visibility not in VISIBILITIES:
        images[name] = replace(image, is_whole=False)
        return (
            f"expected one of {', '.join(VISIBILITIES)} and four corners of {sign:.40}, found "
            f"{cells['visibility']!r:.20} and {' '.join(texts)!r:.60}; {name} is kept without it "
            "and has no class."
        )
    found = Sign(visibility, cells.get("type", "").upper(), sign, *numbers)
    images[name] = replace(image, signs=(*image.signs, found))
    return ""
