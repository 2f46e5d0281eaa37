"""``umnist people``: from an export and tables of predictions to figures, report and trials."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.labeling.exporting import filled
from umnist_core.cli import root
from umnist_core.errors import ConflictError, DamagedFileError, MissingFileError
from umnist_core.experiments.people import PeopleData, read_trials
from umnist_core.labeling.export import export_study
from umnist_core.labeling.exported import read_export


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zip of a study with some of everything."""
    folder = tmp_path_factory.mktemp("study")
    service, study = filled(folder / "lab")
    export_study(service, study, folder / "a.zip")
    _write_predictions(folder / "finder.csv", read_export(folder / "a.zip"))
    return folder / "a.zip"


def _write_predictions(path: Path, people: PeopleData) -> None:
    rows = [f"{name},{one.truth},{one.pixels},0.5" for name, one in sorted(people.images.items())]
    path.write_text("\n".join(["id,said_sum,pixels_sha256,margin_sum", *rows, ""]))


def _run(*words: object) -> Result:
    return CliRunner().invoke(root, ["people", *map(str, words)])


def test_compare_says_sentences_and_writes_report_and_tables(export: Path, tmp_path: Path) -> None:
    """Named by NAME=FILE; nothing is replaced unless that is asked for."""
    predictions = f"Finder={export.parent / 'finder.csv'}"
    words = ["compare", export, "--predictions", predictions, "--draws", "50"]
    files = ["--html", tmp_path / "r.html", "--csv", tmp_path / "tables"]
    done = _run(*words, *files)
    assert done.exit_code == 0, done.output
    assert "Finder is right about 100.0 %" in done.output
    assert "Finder" in (tmp_path / "r.html").read_text()
    assert (tmp_path / "tables" / "accuracy.csv").exists()
    again = _run(*words, *files)
    assert isinstance(again.exception, ConflictError)
    assert _run(*words, *files, "--force").exit_code == 0


def test_a_folder_of_tables_is_an_export(export: Path, tmp_path: Path) -> None:
    """As the help says; unpacked, it gives the same figures."""
    with zipfile.ZipFile(export) as archive:
        archive.extractall(tmp_path)
    words = ("--draws", "50", "--json")
    whole = json.loads(_run("compare", export, *words).output)
    done = _run("compare", tmp_path / "tables", *words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["raters"] == whole["raters"]


def test_compare_prints_json_alone(export: Path) -> None:
    """All figures, for programs; the model has the name of its file."""
    predictions = export.parent / "finder.csv"
    done = _run("compare", export, "--predictions", predictions, "--draws", "50", "--json")
    found = json.loads(done.output)
    assert [row["name"] for row in found["raters"] if row["kind"] == "model"] == ["finder"]


def test_report_is_printed_by_chromium_or_says_that_it_is_missing(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PDF, or one sentence and no file."""
    words = ["compare", export, "--draws", "50", "--pdf", tmp_path / "r.pdf"]
    if shutil.which("chromium"):
        assert _run(*words).exit_code == 0
        assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
        (tmp_path / "r.pdf").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    done = _run(*words)
    assert isinstance(done.exception, MissingFileError)
    assert not (tmp_path / "r.pdf").exists()


def test_trials_are_written_and_their_consistency_is_told(export: Path, tmp_path: Path) -> None:
    """In the form of model-vs-human, and read from it."""
    predictions = export.parent / "finder.csv"
    done = _run("trials", export, "--predictions", predictions, "--out", tmp_path / "raw")
    assert done.exit_code == 0, done.output
    people = read_export(export)
    trials = read_trials(tmp_path / "raw")
    assert sum(one.is_person for one in trials) == len(people.answers)
    told = _run("consistency", tmp_path / "raw", "--draws", "50", "--json")
    rows = json.loads(told.output)
    assert {row["condition"] for row in rows} == {one.condition for one in trials}


def test_wrong_files_are_refused_in_a_sentence(export: Path, tmp_path: Path) -> None:
    """No predictions, and an export that is none."""
    (tmp_path / "a.csv").write_text("id,digit_sum\na,1\n")
    done = _run("compare", export, "--predictions", tmp_path / "a.csv")
    assert isinstance(done.exception, DamagedFileError)
    assert "pixels_sha256" in str(done.exception)
    assert isinstance(_run("compare", tmp_path / "a.csv").exception, DamagedFileError)
