"""An export that an older umnist has written is imported, and says what it said."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from zipfile import ZipFile

from umnist_core.labeling import StudyService
from umnist_core.labeling.export import export_study
from umnist_core.labeling.importing import import_study
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.recompute import find_differences
from umnist_core.labeling.results import load_report

EXPORT = Path(__file__).with_name("study_export_1.zip")
SAME = ("log/", "tables/", "settings.json", "images.json", "texts/")


def _columns_of(then: bytes, now: bytes) -> bytes:
    """Return a table of this version with the columns of an older one, which are fewer or all."""
    header = then.decode().splitlines()[0].split(",")
    rows = csv.DictReader(io.StringIO(now.decode()))
    text = io.StringIO()
    writer = csv.DictWriter(text, header, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_golden_export_is_imported_and_goes_out_the_same(tmp_path: Path) -> None:
    """Log, hashes and tables to the byte, but for columns since; figures as they were then."""
    service = StudyService(MemoryLog(), tmp_path)
    study = import_study(service, EXPORT)
    export_study(service, study, tmp_path / "again.zip")
    with ZipFile(EXPORT) as before, ZipFile(tmp_path / "again.zip") as after:
        due = [name for name in before.namelist() if name.startswith(SAME)]
        assert len(due) > 15
        for name in due:
            if not name.endswith(".parquet"):  # which names the library that wrote it
                then, now = before.read(name), after.read(name)
                assert (_columns_of(then, now) if name.endswith(".csv") else now) == then, name
        figures = json.loads(before.read("figures.json"))
    reported = load_report(service, study).to_dict()
    assert set(reported) - set(figures) == {"mixed", "without_excluded"}  # which came later
    tables = reported["tables"]
    assert set(tables) - set(figures["tables"]) == {"effort"}
    reported["tables"] = {name: tables[name] for name in figures["tables"]}
    assert list(find_differences(figures, {name: reported[name] for name in figures})) == []
