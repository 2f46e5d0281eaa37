"""What an export says of its tables to programs that know nothing of umnist."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.labeling.exporting import filled
from umnist_core.labeling.codebook import TABLES
from umnist_core.labeling.export import export_study

NAME = re.compile(r"[a-z0-9._-]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
READ: dict[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": {"True": True, "False": False}.__getitem__,
    "array": json.loads,
}
"""Type of the standard -> how a program reads a cell; a wrong cell raises."""

SPSS_RESERVED = {"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an unpacked export."""
    here = tmp_path_factory.mktemp("export")
    service, study = filled(here / "lab")
    export_study(service, study, here / "x.zip")
    with ZipFile(here / "x.zip") as archive:
        archive.extractall(here / "out")
    return here / "out"


def test_descriptor_is_a_data_package(folder: Path) -> None:
    """Required properties, names of the allowed letters, sizes and hashes of the very files."""
    package = json.loads((folder / "datapackage.json").read_text())
    assert package["$schema"].endswith("/profiles/2.0/datapackage.json")
    assert NAME.fullmatch(package["name"])
    assert TIME.fullmatch(package["created"])
    assert [one["name"] for one in package["resources"]] == list(TABLES)
    for one in package["resources"]:
        data = (folder / one["path"]).read_bytes()
        assert (one["type"], one["encoding"], one["bytes"]) == ("table", "utf-8", len(data))
        assert one["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert NAME.fullmatch(one["name"])


def test_every_cell_is_of_the_type_that_the_descriptor_says(folder: Path) -> None:
    """A program that reads by the schema alone reads every table, header and cell."""
    package = json.loads((folder / "datapackage.json").read_text())
    for one in package["resources"]:
        fields = one["schema"]["fields"]
        with (folder / one["path"]).open(newline="", encoding=one["encoding"]) as file:
            header, *rows = csv.reader(file)
        assert header == [field["name"] for field in fields]
        assert rows or one["name"] in ("questions", "boxes", "thresholds")  # none here
        for row in rows:
            for cell, field in zip(row, fields, strict=True):
                if cell not in one["schema"]["missingValues"]:
                    READ[field["type"]](cell)


def test_times_have_one_form_and_names_suit_spss(folder: Path) -> None:
    """UTC with milliseconds and a Z; names of at most 64 bytes that are no reserved word."""
    for name in TABLES:
        with (folder / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for column in rows[0] if rows else ():
            assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", column)
            assert column.upper() not in SPSS_RESERVED
            if column.endswith("_utc"):
                assert all(not row[column] or TIME.fullmatch(row[column]) for row in rows), column
