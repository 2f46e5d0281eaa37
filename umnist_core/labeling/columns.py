"""What a column of a table is, and tables made of rows by their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

_DTYPES: Mapping[str, Any] = {
    "text": object,
    "int": "int64",
    "float": "float64",
    "bool": "bool",
    "ints": object,
    "int?": "Int64",
    "bool?": "boolean",
}
"""``ints`` are lists of whole numbers, or None; int and bool alone may lack no value."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name
        As in the table.
    kind
        ``"text"``, ``"int"``, ``"float"``, ``"bool"`` or ``"ints"``.
    meaning
        With unit, and with the zero of its clock where it is a time.
    """

    name: str
    kind: str
    meaning: str


def edges_of(what: str) -> Iterator[Column]:
    """Yield the columns of the four edges of a square or a box."""
    sides = {"row0": "Upper", "col0": "Left", "row1": "Lower", "col1": "Right"}
    zero = {"row0": "from the top of the image", "col0": "from the left of the image"}
    for name, side in sides.items():
        where = f", canvas px {zero[name]}." if name in zero else ", exclusive, canvas px."
        yield Column(name, "float", f"{side} edge of the {what}{where}")


def table_of(columns: Iterable[Column], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a table whose columns are of their kinds, also where there are no rows.

    Raises
    ------
    KeyError
        If a row lacks a column; None is a value where the kind allows it.
    """
    kept = list(rows)
    return pd.DataFrame(
        {
            column.name: pd.Series([row[column.name] for row in kept], dtype=_DTYPES[column.kind])
            for column in columns
        }
    )
