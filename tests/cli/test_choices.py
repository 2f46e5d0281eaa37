"""Commands that read many files say once, with counts, what was chosen to read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.datasets.making import run
from tests.pyramid.making import READ_BY_CHOICE, write_read_by_choice
from umnist_core.labeling.service import open_service
from umnist_core.settings import load_settings

FEW = ["--stimuli", "4", "--images-per-annotator", "2", "--practice", "1", "--jobs", "1"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with five labelled images: two turned, one clear, one of two pages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    write_read_by_choice(tmp_path / "data")
    return tmp_path


def _said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    lines = [line.strip() for line in capfd.readouterr().out.splitlines()]
    return [line for line in lines if " of 5 image" in line]


def test_study_create_says_what_is_shown_of_files(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Practice images too; what is logged of the study is what it was."""
    assert run(["study", "create", "Sums", "--folder", "data", *FEW], monkeypatch) == 0
    assert _said(capfd) == READ_BY_CHOICE
    service = open_service(load_settings())
    (study,) = service.studies()
    assert len(service.state(study).stimuli) == 4


def test_study_create_says_nothing_of_files_as_they_are(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor of images that it makes itself."""
    for name in ("a.jpg", "b.png", "c.png", "d.tif"):
        (here / "data" / "train" / name).unlink()
    few = ["--stimuli", "1", "--images-per-annotator", "1", "--practice", "0", "--jobs", "1"]
    assert run(["study", "create", "Sums", "--folder", "data", *few], monkeypatch) == 0
    shown = capfd.readouterr().out
    assert "turned" not in shown
    assert " of 1 image" not in shown


@pytest.mark.parametrize("variant", ["plain", "inverted", "photographs"])
def test_evaluate_says_what_is_read_of_files(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], variant: str
) -> None:
    """Of a data set, a variant of it and photographs alike; also in JSON."""
    words = ["evaluate", "digit-finder", "--device", "cpu", "--no-attention", "--variant", variant]
    words += ["--data", "data", "--out", "out.json"]
    words += ["--count", "5"] if variant == "photographs" else ["--split", "train"]
    assert run(words, monkeypatch) == 0
    assert _said(capfd) == READ_BY_CHOICE
    choices = json.loads(Path("out.json").read_text())["choices"]
    assert choices == {"turned": 2, "ground": 1, "first page": 1}
