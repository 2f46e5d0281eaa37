"""Data sets side by side: what is counted of each and of both, in words and in JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.exports import image_bytes, write_shard
from tests.datasets.making import umnist
from tests.datasets.meth.making import Row, write_meth, write_photograph
from umnist_core.datasets.compare import Quartiles, compare_datasets, shape_figures
from umnist_core.datasets.inspect import inspect_dataset

MEDIUM: tuple[Row, ...] = (
    ("1.png", "Silk", "train", (20, 10)),
    ("2.png", "Gold", "train", (10, 20)),
    ("3.png", "Gold", "test", (10, 10)),
    ("4.png", "Silk", "test", (10, 40)),
)
PERIOD: tuple[Row, ...] = (
    ("2.png", "1500", "train", (10, 20)),
    ("4.png", "1899", "validation", (10, 40)),
    ("9.png", "1900", "test", (30, 10)),
    ("8.png", "1720", "test", (30, 10)),
    ("7.png", "1721", "test", (30, 10)),
)


def _write(root: Path) -> tuple[Path, Path]:
    """Write both; of the two images in both, one has the same bytes."""
    medium = write_meth(root / "MetH-Medium", MEDIUM)
    period = write_meth(root / "MetH-Period", PERIOD)
    shutil.copy(medium / "data" / "2.png", period / "data" / "2.png")
    # The same length and another picture: its bytes are compared, not its length.
    other = bytearray((medium / "data" / "4.png").read_bytes())
    write_photograph(period / "data" / "4.png", 10, 40, seed=77)
    assert (period / "data" / "4.png").read_bytes() != bytes(other)
    return medium, period


def test_sizes_and_shapes_are_those_of_the_images(tmp_path: Path) -> None:
    """Megapixels, width over height, and how many are portraits, against NumPy's own words."""
    medium, _ = _write(tmp_path)
    found = shape_figures(inspect_dataset(medium, quick=True))
    assert (found.images, found.portraits, found.squares, found.landscapes) == (4, 2, 1, 1)
    assert found.megapixels == Quartiles(225e-6, 100e-6, 175e-6, 200e-6, 250e-6, 400e-6)
    assert found.aspect is not None
    assert found.aspect.mean == pytest.approx(np.mean([2, 0.5, 1, 0.25]))
    assert (found.aspect.least, found.aspect.most) == (0.25, 2)
    assert found.published["mean_mpx"] == 5.5


def test_images_in_both_are_told_by_name_and_by_bytes(tmp_path: Path) -> None:
    """In both directions, each beside table 1."""
    folders = _write(tmp_path)
    found = compare_datasets([inspect_dataset(one) for one in folders])
    first, second = found.shared
    assert (first.first, first.second) == (str(folders[0]), str(folders[1]))
    assert (first.images, first.by_name, first.by_bytes) == (4, 2, 1)
    assert (second.images, second.by_name, second.by_bytes) == (5, 2, 1)
    assert (first.published_percent, second.published_percent) == (20.81, 21.38)
    quick = compare_datasets([inspect_dataset(one, quick=True) for one in folders], quick=True)
    assert [one.by_bytes for one in quick.shared] == [None, None]
    years = found.shapes[1].years
    assert years["test"] == {"1700-1749": 2, "1850-1900": 1}


def test_files_of_one_length_and_other_bytes_are_not_the_same(tmp_path: Path) -> None:
    """Length alone decides which files need not be read."""
    for name, ink in (("a", 3), ("b", 7)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.tif").write_bytes(image_bytes(ink, ".tif"))
    sizes = {(tmp_path / name / "x.tif").stat().st_size for name in "ab"}
    assert len(sizes) == 1
    found = compare_datasets([inspect_dataset(tmp_path / name) for name in "ab"])
    assert [(one.by_name, one.by_bytes) for one in found.shared] == [(1, 0), (1, 0)]


def test_any_data_sets_are_compared(tmp_path: Path) -> None:
    """Of shards the parts are compared; the document says nothing of them."""
    write_shard(tmp_path / "a" / "train-0.tar", {"x.png": image_bytes(3), "y.png": image_bytes(4)})
    write_shard(tmp_path / "b" / "train-0.tar", {"x.png": image_bytes(3), "y.png": image_bytes(5)})
    found = compare_datasets([inspect_dataset(tmp_path / name) for name in "ab"])
    assert [(one.by_name, one.by_bytes) for one in found.shared] == [(2, 1), (2, 1)]
    assert [one.published for one in found.shapes] == [{}, {}]


def test_command_shows_figures_beside_the_documents(tmp_path: Path) -> None:
    """After what is in each; damage in one of them ends it with code 1."""
    _write(tmp_path)
    words = umnist("datasets", "inspect", "MetH-Medium", "MetH-Period", cwd=tmp_path)
    assert (words.returncode, words.stderr) == (0, "")
    lines = words.stdout.splitlines()
    assert "MetH-Medium: MetH-Medium, 4 images" in lines
    assert any(
        one.startswith("  megapixels    mean 0.00  quartiles") and "figure 2: mean 5.5" in one
        for one in lines
    )
    assert any("portrait 50.0 %  square 25.0 %  landscape 25.0 %" in one for one in lines)
    assert any("slightly more portraits" in one for one in lines)
    (years,) = (one for one in lines if one.startswith("  years train ") and "(" in one)
    assert "1500-1549: 1 (1000)" in years
    both = "images of MetH-Medium in MetH-Period: 50.00 % by name, 25.00 % by bytes"
    assert f"{both}  (document, table 1: 20.81 %)" in lines
    (tmp_path / "MetH-Medium" / "data" / "1.png").write_bytes(b"")
    command = ("datasets", "inspect", "MetH-Medium", "MetH-Period", "--quick", "--json")
    data = umnist(*command, cwd=tmp_path)
    assert data.returncode == 1
    *inspections, last = (json.loads(line) for line in data.stdout.splitlines())
    assert [one["kind"] for one in inspections] == ["MetH-Medium", "MetH-Period"]
    assert last["comparison"]["shared"][0]["by_name"] == 2
    assert last["comparison"]["shapes"][1]["published"]["years"]["val"]["1850-1900"] == 300


def test_one_folder_is_not_compared(tmp_path: Path) -> None:
    """A folder with data sets in it prints one object for each and none for all."""
    write_meth(tmp_path / "MetH-Medium", MEDIUM)
    found = umnist("datasets", "inspect", "MetH-Medium", "--json", cwd=tmp_path)
    (only,) = (json.loads(line) for line in found.stdout.splitlines())
    assert only["labels"] == {"Silk": 2, "Gold": 2}
