"""An export that an older umnist has written is imported, and says what it said."""

from __future__ import annotations

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


def test_golden_export_is_imported_and_goes_out_the_same(tmp_path: Path) -> None:
    """Log, hashes and tables to the byte; figures as they were worked out then."""
    service = StudyService(MemoryLog(), tmp_path)
    study = import_study(service, EXPORT)
    export_study(service, study, tmp_path / "again.zip")
    with ZipFile(EXPORT) as before, ZipFile(tmp_path / "again.zip") as after:
        due = [name for name in before.namelist() if name.startswith(SAME)]
        assert len(due) > 15
        for name in due:
            if not name.endswith(".parquet"):  # which names the library that wrote it
                assert after.read(name) == before.read(name), name
        figures = json.loads(before.read("figures.json"))
    assert list(find_differences(figures, load_report(service, study).to_dict())) == []
