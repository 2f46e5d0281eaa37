"""``umnist validate`` as a user runs it: table, verdict, JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.making import SMALL_OPTIONS, umnist


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data set of small images from seed 3."""
    root = tmp_path_factory.mktemp("sets")
    options = ["--count", "30", "--seed", "3", "--jobs", "1", *SMALL_OPTIONS]
    assert umnist("generate", "theirs", *options, cwd=root).returncode == 0
    return root


def test_set_of_the_same_preset_does_not_differ(folder: Path) -> None:
    """The table has both sides and the labels, the verdict says that nothing was found."""
    done = umnist("validate", "released", "--against", "theirs", *SMALL_OPTIONS, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "theirs: 30 of 30 images" in done.stdout
    for words in ("white, share of px", "specks in 2048 x 2048 px", "labels", "delta"):
        assert words in done.stdout
    assert "No difference found by 10 tests" in done.stdout
    assert "Sizes differ" not in done.stdout
    assert "missing JPEG step" not in done.stdout  # other images than it was counted on


def test_other_ground_is_found_and_written_as_json(folder: Path) -> None:
    """Standard output and the file hold the same object, with every figure."""
    command = ["validate", "released", "--against", "theirs", "--count", "20", "--ours", "25"]
    black = ["--set", "checkerboard=0", "--set", "shape_pairs=0", "--json", "--out", "found.json"]
    done = umnist(*command, *SMALL_OPTIONS, *black, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found == json.loads((folder / "found.json").read_text())
    assert (found["ours"]["images"], found["theirs"]["images"]) == (25, 20)
    assert found["theirs"]["of"] == 30
    assert "white_share" in found["differing"]
    assert found["verdict"].startswith("Differs in: white, share of px")
    assert found["overrides"]["checkerboard"] == "0"
    white = found["figures"][0]
    assert white["name"] == "white_share"
    assert white["corrected_p"] < 0.001 < white["ks_d"]
    assert sum(pair[1] for pair in found["labels"]["counts"].values()) == 20


def test_sizes_that_differ_are_said(folder: Path) -> None:
    """Figures are rates, so that they are compared all the same."""
    options = ["--set", "canvas=400", "--set", "factor=0.5..4"]
    done = umnist("validate", "released", "--against", "theirs", *options, cwd=folder)
    assert done.returncode == 0
    assert "Sizes differ: ours are 400x400 px, theirs 512x512 px." in done.stdout


def test_folder_without_labels_is_compared_without_them(tmp_path: Path) -> None:
    """And it is said."""
    for place in range(10):
        cv2.imwrite(str(tmp_path / f"{place}.png"), np.eye(60, dtype=np.uint8) * 255)
    done = umnist("validate", "released", "--against", ".", *SMALL_OPTIONS, cwd=tmp_path)
    assert done.returncode == 0
    assert "Too few labels of theirs are known" in done.stdout
    assert "Differs in:" in done.stdout


def test_sets_that_share_strokes_get_no_verdict_to_go_by(tmp_path: Path) -> None:
    """Two seeds of Megapixel MNIST differ by their strokes, and the note says so."""
    small = ["--set", "canvas=300", "--set", "noise_count=4"]
    options = ["--preset", "megapixel", "--count", "12", "--seed", "3", "--jobs", "1", *small]
    assert umnist("generate", "theirs", *options, cwd=tmp_path).returncode == 0
    command = ["validate", "megapixel", "--against", "theirs", *small]
    assert "go by D and delta" in umnist(*command, cwd=tmp_path).stdout
    free = umnist(*command, "--set", "noise_count=0", cwd=tmp_path)
    assert free.returncode == 0
    assert "go by D and delta" not in free.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["released", "--against", "nowhere"], 1, "found no folder nowhere"),
        (["released", "--against", "theirs", "--seed", "3"], 1, "give --seed another number"),
        (["released", "--against", "theirs", "--count", "5"], 1, "found 5 of ours"),
        (["relaesed", "--against", "theirs"], 2, "released"),
        (["released"], 2, "--against"),
        (["released", "--against", "theirs", "--set", "rotation=nan"], 2, "from -180 to 180"),
        (["released", "--against", "theirs", "--model", "none-such"], 1, "name of a checkpoint"),
    ],
)
def test_wrong_use_is_one_sentence(
    folder: Path, arguments: list[str], code: int, said: str
) -> None:
    """What was expected, what was found, what to do; never a traceback."""
    small = SMALL_OPTIONS if "5" in arguments else []
    done = umnist("validate", *arguments, *small, cwd=folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
