"""Data sets are read as their images are shown: turned, and on the same ground."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from tests.datasets.exports import write_shard
from tests.datasets.making import umnist
from tests.pyramid.making import ORIENTATIONS, write_oriented, write_pages
from umnist_core.datasets import open_dataset
from umnist_core.datasets.decode import HEAD_BYTES
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.pyramid.files import file_source

GREY = np.random.default_rng(0).integers(0, 256, (60, 40), np.uint8)


def _kaggle(root: Path, orientation: int) -> Path:
    (root / "train").mkdir(parents=True)
    (root / "train.csv").write_text("id,digit_sum\na,3\n")
    return write_oriented(root / "train" / "a.png", GREY, orientation)


def _classes(root: Path, orientation: int) -> Path:
    (root / "train" / "3").mkdir(parents=True)
    return write_oriented(root / "train" / "3" / "a.png", GREY, orientation)


def _shard(root: Path, orientation: int) -> Path:
    root.mkdir(parents=True)
    path = write_oriented(root.parent / "a.png", GREY, orientation)
    with tarfile.open(root / "train-000000.tar", "w") as archive:
        for name, data in (("a.png", path.read_bytes()), ("a.cls", b"3")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("write", [_kaggle, _classes, _shard])
def test_every_layout_is_read_as_the_viewer_shows_it(
    tmp_path: Path, write: Callable[[Path, int], Path], orientation: int
) -> None:
    """The pixels that are evaluated, and the sizes that are listed, are those on the screen."""
    path = write(tmp_path / "data", orientation)
    shown = file_source(path).read_whole()
    data = open_dataset(tmp_path / "data")
    (name,) = data.ids
    assert np.array_equal(data.read_image(name), shown)
    found = inspect_dataset(tmp_path / "data", quick=True, jobs=1)
    assert dict(found.sizes) == {f"{shown.shape[1]}x{shown.shape[0]}": 1}
    assert found.is_sound


def test_large_webp_is_no_damaged_one(tmp_path: Path) -> None:
    """Its orientation lies behind its pixels, beyond the beginning that a JPEG's size is in."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 300, 3), np.uint8)
    path = write_oriented(tmp_path / "a.webp", noise, 6)
    assert path.stat().st_size > HEAD_BYTES
    for quick in (False, True):
        found = inspect_dataset(tmp_path, quick=quick, jobs=1)
        assert (found.damaged, dict(found.sizes)) == ((), {"500x300": 1})


CHOSEN = {"turned": 2, "ground": 1, "first page": 2}


@pytest.mark.parametrize("in_shard", [False, True])
def test_choices_are_counted_where_a_data_set_is_looked_into(
    tmp_path: Path, in_shard: bool
) -> None:
    """In words and in JSON; a quick look decodes nothing, so it sees no transparency."""
    clear: NDArray[np.uint8] = np.zeros((30, 30, 4), np.uint8)
    clear[10:20, 10:20, 3] = 255
    files = tmp_path / "data"
    files.mkdir()
    Image.fromarray(clear, "RGBA").save(files / "clear.png")
    Image.fromarray(clear | 255, "RGBA").save(files / "opaque.png")
    Image.fromarray(GREY).save(files / "plain.tif")
    write_oriented(files / "turned.png", GREY, 6)
    write_oriented(files / "mirrored.webp", np.stack([GREY] * 3, axis=2), 2)
    for name in ("two.tif", "three.tif"):
        write_pages(files / name, [GREY] * 3)
    pyvips.Image.new_from_array(GREY).tiffsave(
        str(files / "levels.tif"), tile=True, tile_width=16, tile_height=16, pyramid=True
    )
    if in_shard:
        members = {path.name: path.read_bytes() for path in files.iterdir()}
        shutil.rmtree(files)
        write_shard(files / "s.tar", members)
    found = inspect_dataset(files)
    assert (found.damaged, dict(found.choices)) == ((), CHOSEN)
    quick = inspect_dataset(files, quick=True)
    assert dict(quick.choices) == {kind: n for kind, n in CHOSEN.items() if kind != "ground"}
    told = umnist("datasets", "inspect", "data", cwd=tmp_path).stdout
    assert "read as   2 turned, as the file's orientation says\n" in told
    assert "read as   1 with transparent parts drawn on white or black\n" in told
    assert "read as   2 of a file with several pages, the first of them\n" in told
    as_json = umnist("datasets", "inspect", "data", "--json", cwd=tmp_path).stdout
    assert json.loads(as_json)["choices"] == CHOSEN


def test_ink_on_nothing_is_not_an_empty_image(tmp_path: Path) -> None:
    """What is evaluated has the ground that is shown."""
    (tmp_path / "train").mkdir()
    clear: NDArray[np.uint8] = np.zeros((30, 30, 4), np.uint8)
    clear[10:20, 10:20, 3] = 255
    Image.fromarray(clear, "RGBA").save(tmp_path / "train" / "a.png")
    data = open_dataset(tmp_path)
    read = data.read_image(data.ids[0])
    assert (read[0, 0], read[15, 15]) == (255, 0)
