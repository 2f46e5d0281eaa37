"""Tables as CSV that a person may open in a spreadsheet: no cell of theirs is a formula.

Whatever can be brought by people or files (names, notes, texts of errors) may begin like a
formula, which a spreadsheet would run; such a cell gets an apostrophe before it. Numbers stay
numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)")


def plain_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; the same where it is none.

    Parameters
    ----------
    value
        Of any type; a text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return
        and is no number gets an apostrophe before it. Its lines end with a line feed alone.
    """
    if not isinstance(value, str):
        return value
    is_formula = value.startswith(_STARTS) and not _NUMBER.fullmatch(value)
    # Python's writer puts no quotes around a carriage return, which then ends the row.
    text = re.sub("\r\n?", "\n", value)
    return f"'{text}" if is_formula else text


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[Any, Any]]) -> str:
    """Return a table as CSV, its names of columns first.

    Parameters
    ----------
    columns
        All that a row may have.
    rows
        Cells by the names of columns; one that is missing is empty. Names of files that are no
        text get backslashes.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(plain_cell, columns))
    writer.writerows([plain_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue().encode(errors="backslashreplace").decode()
