"""What is in a page that is one file, without opening it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from tests.inference.images import save_photo
from umnist_core.cli.page import page_command
from umnist_core.errors import InvalidValueError, MissingFileError
from umnist_core.inference.requests import FileImage
from umnist_core.scenes import SceneRef
from umnist_core.server import TileService, one_page
from umnist_core.server.one_page import generated_image, make_page, page_image


def _held(data: bytes) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', data.decode(), re.S)
    assert found is not None
    held: dict[str, Any] = json.loads(found[1])
    return held


def _tile(held: dict[str, Any], address: str) -> np.ndarray[Any, Any]:
    data = base64.b64decode(held["files"]["data"][held["files"]["places"][address]])
    tile = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert tile is not None
    return tile


def test_whole_scene_of_4000_px_is_small_and_equal_tiles_are_there_once() -> None:
    """A scene alone is below 1.5 MB, viewer included."""
    bare = {"shape_pairs": "0", "checkerboard": "0"}
    for overrides, most in (({}, 1.5e6), (bare, 0.6e6)):
        ref = SceneRef.of("released", overrides, seed=7, split="train", index=3)
        data = make_page([generated_image(ref)])
        assert len(data) < most
        held = _held(data)
        assert held["images"][0]["size"] == {"width": 4000, "height": 4000}
        tiles = held["files"]["data"]
        assert len(set(tiles)) == len(tiles)
    assert len(tiles) < len(held["files"]["places"])


def test_large_file_is_reduced_and_says_so(tmp_path: Path) -> None:
    """Coordinates stay those of the file."""
    grey = np.zeros((300, 500), np.uint8)
    grey[:150] = 200
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    image = page_image(FileImage(str(tmp_path / "a.png")))
    (shown,) = _held(make_page([image], max_px=250 * 150))["images"]
    assert shown["size"] == {"width": 500, "height": 300}
    assert (shown["pane"]["width"], shown["pane"]["height"]) == (250, 150)
    assert "500 x 300 px; here it is reduced 2 times" in shown["notes"][0]
    held = _held(make_page([image], max_px=250 * 150))
    tile = _tile(held, f"{one_page.SCHEME}/0/image_files/8/0_0.png")
    assert tile.shape == (150, 250)
    assert set(np.unique(tile)) == {0, 200}
    assert shown["truth"] is None


def test_viewer_that_was_not_built_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With what to do."""
    monkeypatch.setattr(one_page, "STATIC_DIR", tmp_path)
    ref = SceneRef.of("released", {"canvas": "600", "factor": "1..4"})
    with pytest.raises(MissingFileError, match="install umnist again"):
        make_page([generated_image(ref)])


def test_command_takes_files_or_a_scene_and_writes_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options of a scene add one to the files; without either there is the default scene."""
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path / "a.png")
    small = ["--set", "canvas=600", "--set", "factor=1..4"]
    for words, titles in (
        (["a.png"], ["a.png"]),
        (["a.png", *small], ["released, seed 0, train, 0", "a.png"]),
        (small, ["released, seed 0, train, 0"]),
    ):
        done = CliRunner().invoke(page_command, [*words, "--out", "b.html"])
        assert done.exit_code == 0, done.output
        held = _held((tmp_path / "b.html").read_bytes())
        assert [one["title"] for one in held["images"]] == titles
    assert "--set canvas=600" in held["images"][0]["command"]
    for words in (["a.png", "--out", "b.txt"], ["--page", "2", "--out", "b.html"]):
        assert CliRunner().invoke(page_command, words).exit_code == 2


@pytest.mark.parametrize("query", ["canvas=600&factor=1..4", "preset=large-scale&scale=2"])
def test_server_gives_the_page_of_a_generated_image(query: str) -> None:
    """As a download, whose name says which image it is."""
    reply = TileService().reply("/scene.html", f"seed=7&index=3&{query}")
    headers = dict(reply.start["headers"])
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    assert headers[b"content-disposition"].startswith(b"attachment")
    assert _held(reply.body)["images"][0]["runs"] == []


def test_server_gives_no_page_of_what_a_model_sees() -> None:
    """A model's own small image is a picture of the image, not the image."""
    with pytest.raises(InvalidValueError, match="the image itself"):
        TileService().reply("/scene.html", "seed=7&canvas=600&factor=1..4&view=model-256")
