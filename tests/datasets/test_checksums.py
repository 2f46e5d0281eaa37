"""Bytes that changed after they were written: found by a look, drawn again by the next run."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.datasets.making import hashes, small_recipe
from umnist_core.datasets import open_files
from umnist_core.datasets import write as writing
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs

LAYOUTS = ("kaggle", "voc", "webdataset")


def change_pixels(path: Path, offset: int, size: int) -> None:
    """Change a byte of a JPEG's coded data: its ends stay, and every decoder takes it."""
    data = bytearray(path.read_bytes())
    data[offset + size - 8] ^= 0x55
    path.write_bytes(data)


@pytest.mark.parametrize("image", ["jpeg", "jpeg-kaggle"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_finished_image_whose_bytes_changed_is_listed_and_drawn_again(
    tmp_path: Path, layout: str, image: str
) -> None:
    """A JPEG has no checksum of its own: the table of truth has it."""
    recipe = small_recipe(3, layout=layout, image=image)
    write_dataset(recipe, tmp_path)
    before = hashes(tmp_path)
    data = open_files(tmp_path)
    name = recipe.image_id(1)
    part = data.get_part(name)
    change_pixels(part.path, part.offset, part.size or part.path.stat().st_size)
    data.read_image(name)  # it still decodes, to another picture
    found = inspect_dataset(tmp_path)
    assert len(found.damaged) == 1
    assert found.damaged[0].startswith(f"{name}: expected the bytes that were written")
    assert not found.is_sound
    assert write_dataset(recipe, tmp_path).drawn == (3 if layout == "webdataset" else 1)
    assert hashes(tmp_path) == before
    assert inspect_dataset(tmp_path).is_sound


def test_image_without_a_comment_under_anothers_name_is_restored(tmp_path: Path) -> None:
    """Nothing in the file tells which it is; its checksum does."""
    recipe = small_recipe(3, image="jpeg-kaggle")
    write_dataset(recipe, tmp_path)
    before = hashes(tmp_path)
    one, other, *_ = sorted((tmp_path / "train").iterdir())
    one.write_bytes(other.read_bytes())
    assert len(inspect_dataset(tmp_path).damaged) == 1
    assert write_dataset(recipe, tmp_path).drawn == 1
    assert hashes(tmp_path) == before


@pytest.mark.parametrize("layout", ["kaggle", "webdataset"])
def test_image_of_an_unfinished_run_whose_bytes_changed_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    """The run was stopped before its table of truth: what it noted on the way is enough."""
    recipe = small_recipe(6, layout=layout)
    write_dataset(recipe, tmp_path / "whole")

    def stopped(path: Path, parts: Iterator[Any]) -> None:
        list(itertools.islice(parts, 1))
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_truth", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(recipe, tmp_path / "a")
    monkeypatch.undo()
    assert not (tmp_path / "a" / "truth-train.parquet").exists()
    data = open_files(tmp_path / "a")
    part = data.get_part(recipe.image_id(1))
    change_pixels(part.path, part.offset, part.size or part.path.stat().st_size)
    write_dataset(recipe, tmp_path / "a")
    assert hashes(tmp_path / "a") == hashes(tmp_path / "whole")


def test_table_has_the_checksum_of_every_file(tmp_path: Path) -> None:
    """As `sha256sum` prints it."""
    recipe = small_recipe(3, image="png")
    write_dataset(recipe, tmp_path)
    table = pq.read_table(tmp_path / "truth-train.parquet", columns=["id", "sha256"])
    assert {row["id"]: row["sha256"] for row in table.to_pylist()} == {
        path.stem: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "train").iterdir()
    }


def test_table_of_an_earlier_version_is_read_and_completed(tmp_path: Path) -> None:
    """It has no checksums: images count as before, and the next run notes theirs."""
    recipe = small_recipe(3)
    write_dataset(recipe, tmp_path)
    before = hashes(tmp_path)
    path = tmp_path / "truth-train.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["sha256"]), path)
    assert inspect_dataset(tmp_path).is_sound
    assert open_files(tmp_path).truth(recipe.image_id(0)) == recipe.plan(0, load_glyphs())
    assert write_dataset(recipe, tmp_path).drawn == 0
    assert hashes(tmp_path) == before


def test_quick_look_reads_no_checksum(tmp_path: Path) -> None:
    """It says so: headers and ends alone."""
    recipe = small_recipe(2)
    write_dataset(recipe, tmp_path)
    path = tmp_path / "train" / f"{recipe.image_id(1)}.jpeg"
    change_pixels(path, 0, path.stat().st_size)
    found = inspect_dataset(tmp_path, quick=True)
    assert (found.is_sound, found.check) == (True, "ends")
