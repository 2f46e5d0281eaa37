"""Every command that reads a folder: which image is meant is right, or refused in a sentence."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.exports import coco_of_twins, write_image
from tests.datasets.making import run
from umnist_core.training.config import DataPart
from umnist_core.training.data import open_samples

FEW = ["--stimuli", "2", "--images-per-annotator", "2", "--practice", "0", "--jobs", "1"]

COMMANDS = {
    "inspect": ["datasets", "inspect", "a"],
    "predict": ["predict", "a", "--model", "digit-finder"],
    "evaluate": ["evaluate", "digit-finder", "--data", "a"],
    "validate": ["validate", "released", "--against", "a"],
    "study": ["study", "create", "Sums", "--folder", "a", *FEW],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, with the lab in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_repeated_image_is_refused_with_both_places(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """One sentence, and nothing is made."""
    coco_of_twins(here / "a")
    before = sorted(here.rglob("*.png"))
    assert run(COMMANDS[command], monkeypatch) == 1
    shown = capfd.readouterr()
    assert "train/twin.png and test/twin.png" in shown.err
    assert len([line for line in shown.err.splitlines() if "twin" in line]) == 1
    assert sorted(here.rglob("*.png")) == before


def test_predict_gives_each_file_a_row_of_its_own_name(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Three suffixes and two folders of one name; none is left out."""
    rng = np.random.default_rng(3)
    for name in ("plain.png", "plain.jpg", "plain.tif", "deep/plain.png"):
        (here / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(here / "a" / name), rng.integers(0, 256, (64, 64), np.uint8))
    assert run(COMMANDS["predict"], monkeypatch) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert [row["id"] for row in rows] == ["plain.jpg", "plain.png", "plain.tif", "deep/plain"]


def test_evaluation_of_a_split_takes_that_split_alone(tmp_path: Path) -> None:
    """Also val; an image outside of the splits is in none of them."""
    for name in ("train/a", "train/b", "val/a", "val/c", "test/a", "test/b", "stray"):
        write_image(tmp_path / f"{name}.png")
    for split, names in (("train", "ab"), ("val", "ac"), ("test", "ab")):
        samples = open_samples(DataPart(folder=str(tmp_path), split=split, count=0))
        assert [samples.get(place).image_id for place in range(len(samples))] == list(names)
