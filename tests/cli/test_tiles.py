"""``umnist tiles export``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from umnist_core.cli.tiles import tiles_group


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(tiles_group, ["export", *arguments])
    return result.exit_code, result.output


def test_export_writes_a_scene_or_a_file_and_says_what(tmp_path: Path) -> None:
    """The names written and the size are the answer; a name in .zip makes a zip."""
    small = ("--set", "canvas=600", "--set", "factor=1..3")
    code, output = _run(str(tmp_path / "scene"), *small)
    assert code == 0
    assert "scene.dzi: 600 x 600 px" in output
    assert (tmp_path / "scene_files" / "10" / "1_1.png").exists()
    Image.fromarray(np.zeros((30, 70), np.uint8)).save(tmp_path / "image.png")
    code, output = _run(str(tmp_path / "file.zip"), "--file", str(tmp_path / "image.png"))
    assert code == 0
    assert "file.zip: 70 x 30 px" in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--set", "shape_pairs=900"), "shape_pairs is a whole number from 0 to 50"),
        (("--set", "noise=3"), "There is no parameter 'noise'; the parameters are digits"),
        (("--layer", "ink"), "'full', 'noise_free', 'background', 'digits'"),
        (("--tile-size", "3"), "16<=x<=4096"),
        (("--format", "gif"), "'png', 'jpeg'"),
        (("--file", "image.png", "--seed", "3"), "so --seed has no meaning"),
        (("--file", "image.png", "--set", "digits=3"), "so --set has no meaning"),
    ],
)
def test_wrong_value_is_an_error_of_usage_that_names_the_allowed(
    arguments: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2, and what could have been given."""
    code, output = _run("out", *arguments)
    assert code == 2
    assert sentence in output


def test_help_shows_examples_and_every_parameter() -> None:
    """What --set takes is listed."""
    code, output = _run("--help")
    assert code == 0
    assert "Examples:" in output
    assert "shape_pairs" in output
