"""``umnist render``: what it writes and what it says, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from umnist_core.digits import load_glyphs
from umnist_core.rendering import render
from umnist_core.scenes import Scene, plan_scene


def umnist(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-m", "umnist_core.cli", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_png_holds_the_rendered_pixels_and_the_truth_reads_back(tmp_path: Path) -> None:
    """The file is the scene: lossless, with its truth beside it."""
    choice = ["--seed", "7", "--index", "3", "--set", "shape_pairs=3", "--set", "canvas=900"]
    done = umnist(
        "render", *choice, "--set", "factor=1..5", "a.png", "--truth", "a.json", cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    glyphs = load_glyphs()
    overrides = {"shape_pairs": "3", "canvas": "900", "factor": "1..5"}
    scene = plan_scene("released", 7, "train", 3, glyphs=glyphs, overrides=overrides)
    image = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(image, render(scene, glyphs))
    assert Scene.from_json((tmp_path / "a.json").read_text()) == scene
    assert f"label {scene.label}," in done.stdout


def test_jpeg_is_grey_and_of_quality_75(tmp_path: Path) -> None:
    """Like the released files: one channel, the tables of quality 75."""
    done = umnist("render", "--set", "canvas=900", "--set", "factor=1..5", "a.jpeg", cwd=tmp_path)
    assert done.returncode == 0
    with Image.open(tmp_path / "a.jpeg") as image:
        assert isinstance(image, JpegImageFile)
        assert image.mode == "L"
        assert image.quantization[0][0] == 8  # 16 at quality 50, halved by quality 75


@pytest.mark.parametrize(("kind", "first"), [("jpeg-kaggle", 8), ("jpeg-released", 2)])
def test_type_of_the_image_replaces_that_of_its_name(tmp_path: Path, kind: str, first: int) -> None:
    """No comment, and the tables of the quality; the name stays a JPEG's."""
    choice = ["--set", "canvas=900", "--set", "factor=1..5", "--image", kind]
    assert umnist("render", *choice, "a.jpg", cwd=tmp_path).returncode == 0
    with Image.open(tmp_path / "a.jpg") as image:
        assert isinstance(image, JpegImageFile)
        assert "comment" not in image.info
        assert image.quantization[0][0] == first


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a.gif"], 2, ".png, .jpeg, .jpg"),
        (["a.png", "--image", "jpeg-kaggle"], 2, "ends in .jpeg, .jpg; got"),
        (["a.jpeg", "--image", "gif"], 2, "jpeg-released"),
        (["a.png", "--preset", "relaesed"], 2, "released"),
        (["a.png", "--set", "shape_pairs"], 2, "NAME=VALUE"),
        (["a.png", "--set", "shape_pair=3"], 2, "shape_pairs"),
        (["a.png", "--set", "rotation=nan"], 2, "from -180 to 180"),
        (["a.png", "--layer", "front"], 2, "noise_free"),
        (["a.png", "--seed", "-1"], 2, "-1"),
        ([], 2, "OUT"),
        (["nowhere/a.png"], 1, "nowhere/a.png"),
        (["a.png", "--set", "canvas=100000"], 1, "umnist tiles export"),
        (["a.png", "--set", "canvas=28", "--set", "factor=1", "--set", "digits=2"], 1, "no place"),
    ],
)
def test_wrong_use_is_one_sentence_with_the_allowed_values(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    """Exit code 2 for a wrong command, 1 for one that could not be done; never a traceback."""
    done = umnist("render", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_shows_examples_and_every_parameter(tmp_path: Path) -> None:
    """What can be set is listed where people look for it."""
    done = umnist("render", "--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("Examples:", "umnist render --seed", "shape_pairs", "checkerboard", "rotation"):
        assert word in done.stdout


def test_unknown_command_names_the_known(tmp_path: Path) -> None:
    """A typing error ends with code 2 and the list of commands."""
    done = umnist("rendr", cwd=tmp_path)
    assert done.returncode == 2
    assert "render" in done.stderr
