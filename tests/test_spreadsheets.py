"""Tables for spreadsheets: no cell that people or files bring is a formula."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest

from umnist_core.labeling import export
from umnist_core.labeling.codebook import TABLES
from umnist_core.spreadsheets import csv_text, plain_cell

PACKAGE = Path(__file__).parents[1]

FORMULAS = (
    '=HYPERLINK("http://x")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=",
    "--1",
    "-1e",
    "+",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_formula_becomes_text(text: str) -> None:
    """An apostrophe before it, in cells and in names of columns."""
    plain = "'" + text.replace("\r", "\n")
    assert plain_cell(text) == plain
    written = csv_text((text,), [{text: text}])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [[plain], [plain]]


def test_cell_of_several_lines_begins_no_row() -> None:
    """Whatever its lines end with: the next one would begin with a formula."""
    written = csv_text(("id",), [{"id": "a\r=1\r\n=2\n=3"}])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["id"], ["a\n=1\n=2\n=3"]]


@pytest.mark.parametrize("value", ["-1", "-0.5", "+3", "-1e-7", "-inf", "a=1", "", "1-2", -3, None])
def test_what_is_no_formula_is_left_alone(value: object) -> None:
    """Numbers stay numbers, whether as numbers or as texts."""
    assert plain_cell(value) == value


def test_name_that_is_no_text_is_written(tmp_path: Path) -> None:
    """The name of a file may be any bytes, and the table is UTF-8 all the same."""
    assert csv_text(("id",), [{"id": "a\udcff"}, {}]).encode() == b'id\na\\udcff\n""\n'


def test_tables_of_an_export_hold_no_formulas() -> None:
    """In every column of text; lists and numbers are left as they are."""
    for name, columns in TABLES.items():
        row = {one.name: {"ints": [-1, 2], "text": "=1"}.get(one.kind, -1) for one in columns}
        texts = [one.name for one in columns if one.kind == "text"]
        written = export._table_files({name: pd.DataFrame([row])}, "csv")[f"{name}.csv"]
        found = next(csv.DictReader(io.StringIO(written.decode())))
        assert all(found[column] == "'=1" for column in texts)
        assert not any(text.startswith("'") for key, text in found.items() if key not in texts)


def test_no_table_is_written_past_the_one_function() -> None:
    """Whoever writes CSV for people uses `csv_text` or `plain_cell`."""
    writes = re.compile(r"csv\.writer|DictWriter|to_csv")
    files = [*PACKAGE.glob("umnist_core/**/*.py"), *PACKAGE.glob("pages/**/*.py")]
    found = {path for path in files if writes.search(path.read_text())}
    named = {"umnist_core/spreadsheets.py", "umnist_core/labeling/export.py"}
    assert {path.relative_to(PACKAGE).as_posix() for path in found} == named
