"""``umnist tiles export``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.pyramid.making import write_oriented, write_pages
from umnist_core.cli.tiles import tiles_group
from umnist_core.errors import InvalidValueError

GREY = np.random.default_rng(0).integers(0, 256, (20, 40), np.uint8)


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


def test_page_of_a_file_is_chosen_and_said(tmp_path: Path) -> None:
    """The first unless another is asked for; a page that is not there is refused."""
    path = write_pages(tmp_path / "stack.tif", [np.zeros((30, 70), np.uint8)] * 2 + [GREY])
    code, output = _run(str(tmp_path / "first"), "--file", str(path))
    assert (code, "Page 1 is shown, number 1 of 3." in output) == (0, True)
    code, output = _run(str(tmp_path / "third"), "--file", str(path), "--page", "3")
    assert code == 0
    assert "third.dzi: 40 x 20 px" in output
    assert "Page 3 is shown, number 3 of 3." in output
    with pytest.raises(InvalidValueError, match="has pages 1 to 3, and page 4 was asked for"):
        CliRunner().invoke(
            tiles_group,
            ["export", str(tmp_path / "x"), "--file", str(path), "--page", "4"],
            catch_exceptions=False,
        )
    code, output = _run(str(tmp_path / "x"), "--page", "2")
    assert (code, "name the file with --file" in output) == (2, True)


def test_turned_file_says_that_it_is_turned(tmp_path: Path) -> None:
    """With the size as shown."""
    path = write_oriented(tmp_path / "photo.jpg", GREY, 8)
    code, output = _run(str(tmp_path / "photo"), "--file", str(path))
    assert code == 0
    assert "photo.dzi: 20 x 40 px" in output
    assert "turned a quarter anticlockwise" in output
