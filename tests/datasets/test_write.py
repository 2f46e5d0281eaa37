"""Writing data sets: the files, going on after a stop, refusing what would mix."""

from __future__ import annotations

import json
import resource
import tarfile
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from tests.datasets.making import hashes, small_recipe
from umnist_core.datasets.read import open_files
from umnist_core.datasets.recipe import Recipe
from umnist_core.datasets.samples import Order, versions, write_batch
from umnist_core.datasets.staging import Staging
from umnist_core.datasets.truth import truth_row, truth_schema, write_truth
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.errors import (
    ConflictError,
    GlyphMismatchError,
    InvalidValueError,
    WriteError,
)
from umnist_core.pyramid.encode import encode_jpeg
from umnist_core.rendering import render

LAYOUTS = ("kaggle", "voc", "coco", "webdataset")


def test_png_files_are_the_rendered_scenes(tmp_path: Path) -> None:
    """Every pixel, under the id of its index."""
    recipe = small_recipe(4, image="png")
    write_dataset(recipe, tmp_path / "a")
    glyphs = load_glyphs()
    for index in range(4):
        path = tmp_path / "a" / "train" / f"{recipe.image_id(index)}.png"
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        np.testing.assert_array_equal(image, render(recipe.plan(index, glyphs), glyphs))


def test_jpeg_files_have_quality_75_and_say_where_they_come_from(tmp_path: Path) -> None:
    """The encoder's bytes, with a comment behind the first two."""
    recipe = small_recipe(1)
    write_dataset(recipe, tmp_path / "a")
    data = (tmp_path / "a" / "train" / f"{recipe.image_id(0)}.jpeg").read_bytes()
    glyphs = load_glyphs()
    comment_bytes = int.from_bytes(data[4:6], "big")
    assert data[4 + comment_bytes :] == encode_jpeg(render(recipe.plan(0, glyphs), glyphs))[2:]
    assert b"preset released, seed 3, train 0" in data[:200]


@pytest.mark.parametrize(("image", "quality"), [("jpeg-kaggle", 75), ("jpeg-released", 95)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_without_a_comment_are_the_encoders_bytes_and_go_on(
    tmp_path: Path, layout: str, image: str, quality: int
) -> None:
    """Under the same names; run again nothing is drawn, and one that is cut short is."""
    recipe = small_recipe(3, layout=layout, image=image)
    write_dataset(recipe, tmp_path / "a")
    data, glyphs = open_files(tmp_path / "a"), load_glyphs()
    for index in range(3):
        pixels = render(recipe.plan(index, glyphs), glyphs)
        assert data.read_bytes(recipe.image_id(index)) == encode_jpeg(pixels, quality)
    before = hashes(tmp_path / "a")
    if layout == "coco":
        entries = json.loads((tmp_path / "a" / "annotations-train.json").read_text())["images"]
        assert {one["file_name"] for one in entries} <= before.keys()
    assert write_dataset(recipe, tmp_path / "a").drawn == 0
    _cut(data.get_part(recipe.image_id(1)).path)
    assert write_dataset(recipe, tmp_path / "a").drawn > 0
    assert hashes(tmp_path / "a") == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_running_again_draws_nothing_and_changes_no_byte(tmp_path: Path, layout: str) -> None:
    """A finished data set stays as it is."""
    recipe = small_recipe(9, layout=layout)
    assert write_dataset(recipe, tmp_path / "a").drawn == 9
    before = hashes(tmp_path / "a")
    assert write_dataset(recipe, tmp_path / "a").drawn == 0
    assert hashes(tmp_path / "a") == before


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _zero_end(path: Path) -> None:
    """Leave what some file systems do after a power cut: the full length, ending in zeros."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


def _swap_for_another(path: Path) -> None:
    other = next(p for p in sorted(path.parent.iterdir()) if p != path and p.suffix == path.suffix)
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize("harm", [_remove, _cut, _empty, _zero_end])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_harmed_file_is_restored_byte_for_byte(tmp_path: Path, layout: str, harm: Any) -> None:
    """Images, shards, annotations and tables, one after the other."""
    recipe = small_recipe(6, layout=layout)
    write_dataset(recipe, tmp_path / "a")
    before = hashes(tmp_path / "a")
    for name in before:
        if name != "dataset.json":
            harm(tmp_path / "a" / name)
            write_dataset(recipe, tmp_path / "a")
            assert hashes(tmp_path / "a") == before, name


def test_image_under_anothers_name_is_restored(tmp_path: Path) -> None:
    """Whole, but another one: its comment tells."""
    recipe = small_recipe(4)
    write_dataset(recipe, tmp_path / "a")
    before = hashes(tmp_path / "a")
    _swap_for_another(tmp_path / "a" / "train" / f"{recipe.image_id(2)}.jpeg")
    assert write_dataset(recipe, tmp_path / "a").drawn == 1
    assert hashes(tmp_path / "a") == before


def test_shard_with_something_else_in_it_is_restored(tmp_path: Path) -> None:
    """As many bytes as before, all samples in it, and a stranger in the padding."""
    recipe = small_recipe(3, layout="webdataset")
    write_dataset(recipe, tmp_path / "a")
    before = hashes(tmp_path / "a")
    path = tmp_path / "a" / "train-000000.tar"
    with tarfile.open(path, "a") as tar:
        tar.addfile(tarfile.TarInfo("stranger"))
    assert path.stat().st_size % tarfile.RECORDSIZE == 0
    assert write_dataset(recipe, tmp_path / "a").drawn == 3
    assert hashes(tmp_path / "a") == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_splits_lie_in_one_folder_in_either_order(tmp_path: Path, layout: str) -> None:
    """As on Kaggle; the second run adds to the first."""
    recipes = [small_recipe(5, split=split, layout=layout) for split in ("train", "test")]
    for name, order in zip("ab", permutations(recipes), strict=True):
        for recipe in order:
            write_dataset(recipe, tmp_path / name)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert {"train.csv", "sample_submission.csv"} < hashes(tmp_path / "a").keys()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("image", ["jpeg", "png"])
def test_bytes_do_not_depend_on_the_number_of_processes(
    tmp_path: Path, layout: str, image: str
) -> None:
    """One process, two, and all cores."""
    recipe = small_recipe(13, layout=layout, image=image)
    for jobs in (1, 2, -1):
        write_dataset(recipe, tmp_path / str(jobs), jobs=jobs)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2") == hashes(tmp_path / "-1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 4}, "seed is 3 there and 4 here"),
        ({"count": 5}, "holds 6 images of train, more than the 5 asked for"),
        ({"layout": "voc"}, "layout is kaggle there and voc here"),
        ({"image": "png"}, "image is jpeg there and png here"),
        ({"preset": "paper"}, "preset is released there and paper here"),
        ({"overrides": {"shear": "5"}}, "shear is -50..50 there and 5 here"),
        ({"overrides": {"shape_pairs": "0"}}, "shape_pairs is not set there and 0 here"),
    ],
)
def test_another_data_set_is_refused_and_left_alone(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    """Nothing lost, nothing mixed; the first difference is named."""
    write_dataset(small_recipe(6), tmp_path / "a")
    before = hashes(tmp_path / "a")
    with pytest.raises(ConflictError, match=said):
        write_dataset(small_recipe(**{"count": 6, **changes}), tmp_path / "a")
    assert hashes(tmp_path / "a") == before


def test_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """A user's photographs stay a user's photographs."""
    (tmp_path / "photo.jpeg").write_bytes(b"mine")
    with pytest.raises(ConflictError, match=r"photo\.jpeg"):
        write_dataset(small_recipe(2), tmp_path)
    assert list(hashes(tmp_path)) == ["photo.jpeg"]


def test_what_a_kill_before_the_manifest_leaves_is_no_obstacle(tmp_path: Path) -> None:
    """Only a hidden folder; the next run begins."""
    Staging(tmp_path / "a", "train").begin()
    (tmp_path / "a" / ".unfinished-train" / "dataset.json.1234").write_text("{")
    write_dataset(small_recipe(2), tmp_path / "a")
    write_dataset(small_recipe(2), tmp_path / "b")
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_full_disc_is_one_sentence_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """The system refuses to write beyond 20 kB a file: as a full disc, in the midst of a run."""
    recipe = small_recipe(12)
    write_dataset(recipe, tmp_path / "b")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(WriteError, match="the same command goes on"):
            write_dataset(recipe, tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    whole = hashes(tmp_path / "b")
    there = {name: sha for name, sha in hashes(tmp_path / "a").items() if name[0] != "."}
    assert all(whole[name] == sha for name, sha in there.items())
    assert len(there) < len(whole)
    write_dataset(recipe, tmp_path / "a")
    assert hashes(tmp_path / "a") == whole


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """A file in the way, and a place where the system allows no folder."""
    (tmp_path / "file").touch()
    with pytest.raises(ConflictError, match="found the file"):
        write_dataset(small_recipe(2), tmp_path / "file")
    with pytest.raises(WriteError, match="could not be written"):
        write_dataset(small_recipe(2), tmp_path / "file" / "below")


@pytest.mark.parametrize("jobs", [0, -2])
def test_senseless_number_of_processes_is_refused(tmp_path: Path, jobs: int) -> None:
    """Before a folder is made."""
    with pytest.raises(InvalidValueError, match="jobs"):
        write_dataset(small_recipe(2), tmp_path / "a", jobs=jobs)
    assert not (tmp_path / "a").exists()


def test_worker_with_other_digits_or_versions_writes_nothing(tmp_path: Path) -> None:
    """A cluster in which one machine lacks MNIST, or runs an older program."""
    recipe = small_recipe(2)
    Staging(tmp_path, "train").begin()
    order = Order(recipe, tmp_path, load_glyphs().checksum, versions(recipe))
    with pytest.raises(GlyphMismatchError, match="every worker the same digits"):
        write_batch(replace(order, glyph_checksum="0" * 64), 0, 2)
    with pytest.raises(InvalidValueError, match="install the same"):
        write_batch(replace(order, versions=("0.0.0", "OpenCV 1")), 0, 2)
    with pytest.raises(WriteError, match="every worker must see"):
        write_batch(replace(order, root=tmp_path / "elsewhere"), 0, 2)
    assert hashes(tmp_path) == {}


def test_table_of_truth_does_not_depend_on_how_its_rows_came(tmp_path: Path) -> None:
    """Batches of one size or another: the same bytes."""
    recipe, glyphs = small_recipe(600), load_glyphs()
    scene = recipe.plan(0, glyphs)
    rows = [truth_row(recipe.image_id(index), scene, "0" * 64) for index in range(600)]
    for size in (7, 600):
        parts = (
            pa.Table.from_pylist(rows[first : first + size], truth_schema())
            for first in range(0, 600, size)
        )
        write_truth(tmp_path / str(size), parts)
    assert (tmp_path / "7").read_bytes() == (tmp_path / "600").read_bytes()


def test_megapixel_digits_of_the_test_split_come_from_the_test_set() -> None:
    """As in its original; UltraMNIST takes both splits' digits from the training set."""
    subsets = {
        (preset, split): Recipe(count=1, preset=preset, split=split).digits_subset
        for preset in ("released", "megapixel")
        for split in ("train", "test")
    }
    assert subsets == {
        ("released", "train"): "train",
        ("released", "test"): "train",
        ("megapixel", "train"): "train",
        ("megapixel", "test"): "test",
    }
