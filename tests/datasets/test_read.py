"""Reading data sets by id: ours in every layout, Kaggle's own, and others'."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.making import small_recipe
from umnist_core.datasets.read import open_dataset, open_files
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.errors import NotFoundError
from umnist_core.rendering import render

LAYOUTS = ("kaggle", "voc", "coco", "webdataset")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_reader_gives_back_images_labels_and_scenes_of_both_splits(
    tmp_path: Path, layout: str
) -> None:
    """The same ids and the same answers, however the data set lies on disk."""
    for split in ("train", "test"):
        write_dataset(small_recipe(5, split=split, layout=layout, image="png"), tmp_path)
    data = open_dataset(tmp_path)
    assert data.kind == layout
    glyphs = load_glyphs()
    ids = []
    for split, prefix in (("train", ""), ("test", "test/")):
        recipe = small_recipe(5, split=split)
        for index in range(5):
            ids.append(prefix + recipe.image_id(index))
            scene = recipe.plan(index, glyphs)
            assert data.label(ids[-1]) == scene.label
            assert data.truth(ids[-1]) == scene
            np.testing.assert_array_equal(data.read_image(ids[-1]), render(scene, glyphs))
    assert sorted(data.ids) == sorted(ids)
    assert data.ids.index(ids[0]) < data.ids.index(ids[-1])


@pytest.mark.parametrize("layout", ["voc", "coco", "webdataset"])
def test_labels_of_others_come_from_their_annotations(tmp_path: Path, layout: str) -> None:
    """Neither our manifest nor a table: the XML, the JSON or the class alone."""
    recipe = small_recipe(6, layout=layout)
    write_dataset(recipe, tmp_path)
    for name in ("dataset.json", "train.csv", "truth-train.parquet"):
        (tmp_path / name).unlink()
    data = open_dataset(tmp_path)
    assert (data.kind, data.manifest) == (layout, None)
    glyphs = load_glyphs()
    for index in range(6):
        name = recipe.image_id(index)
        assert data.label(name) == recipe.plan(index, glyphs).label
        assert data.truth(name) is None


@pytest.mark.parametrize("with_table", [True, False])
def test_kaggles_own_folder_opens_unchanged(tmp_path: Path, with_table: bool) -> None:
    """Two folders of JPEGs and two tables, as downloaded; the table may be left out."""
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for name in ("aaaaaaaaaa", "bbbbbbbbbb"):
            image = np.full((40, 40), 255 if name < "b" else 0, np.uint8)
            cv2.imwrite(str(tmp_path / split / f"{name}.jpeg"), image)
    (tmp_path / "sample_submission.csv").write_text("id,digit_sum\naaaaaaaaaa,0\nbbbbbbbbbb,0\n")
    if with_table:
        (tmp_path / "train.csv").write_text("id,digit_sum\nbbbbbbbbbb,27\naaaaaaaaaa,3\n")
    data = open_dataset(tmp_path)
    assert data.kind == "kaggle"
    assert data.ids == ("aaaaaaaaaa", "bbbbbbbbbb", "test/aaaaaaaaaa", "test/bbbbbbbbbb")
    labels = [data.label(name) for name in data.ids]
    assert labels == ([3, 27, None, None] if with_table else [None] * 4)
    assert data.read_image("aaaaaaaaaa").tolist() == [[255] * 40] * 40
    assert data.truth("aaaaaaaaaa") is None


def test_released_generators_folder_opens_unchanged(tmp_path: Path) -> None:
    """Folders of sums below ``noised/train``, and no table."""
    for name in ("7/bbbbbbbbbb", "12/aaaaaaaaaa"):
        path = tmp_path / "noised" / "train" / f"{name}.jpeg"
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), np.full((40, 40), 255, np.uint8))
    data = open_dataset(tmp_path / "noised")
    assert data.kind == "classes"
    assert data.ids == ("aaaaaaaaaa", "bbbbbbbbbb")
    assert [data.label(name) for name in data.ids] == [12, 7]
    assert {data.get_split(name) for name in data.ids} == {"train"}
    assert list(data.iter_missing()) == []
    assert data.read_image("bbbbbbbbbb").tolist() == [[255] * 40] * 40


@pytest.mark.parametrize("with_truth", [True, False])
def test_megapixel_images_have_tasks_and_no_sum(tmp_path: Path, with_truth: bool) -> None:
    """From the truth of ours, or from the table alone; a label of UltraMNIST is a sum."""
    overrides = {"canvas": "100", "noise_count": "1"}
    recipe = small_recipe(3, preset="megapixel", overrides=overrides)
    write_dataset(recipe, tmp_path / "megapixel")
    (tmp_path / "megapixel" / ("train.csv" if with_truth else "dataset.json")).unlink()
    data = open_dataset(tmp_path / "megapixel")
    glyphs = load_glyphs(recipe.digits_subset)
    for index in range(3):
        scene = recipe.plan(index, glyphs)
        name = recipe.image_id(index)
        assert data.tasks(name) == scene.tasks
        assert (data.label(name), data.digit_sum(name)) == (scene.label, None)
    write_dataset(small_recipe(1), tmp_path / "ultra")
    data = open_dataset(tmp_path / "ultra")
    (name,) = data.ids
    assert data.tasks(name) is None
    assert data.digit_sum(name) == data.label(name) is not None


def test_plain_folder_reads_colours_and_depths_as_grey(tmp_path: Path) -> None:
    """Whatever is a JPEG, PNG, TIFF or WebP becomes uint8 (H, W)."""
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cv2.imwrite(str(tmp_path / "a.png"), cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    cv2.imwrite(str(tmp_path / "b.png"), grey.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "c.tiff"), grey)
    data = open_dataset(tmp_path)
    assert data.kind == "images"
    for name in "abc":
        image = data.read_image(name)
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - grey).max() <= (0 if name == "c" else 1)


def test_foreign_tar_without_classes_has_no_labels(tmp_path: Path) -> None:
    """Only images are needed; members of other kinds are passed over."""
    cv2.imwrite(str(tmp_path / "x.jpg"), np.zeros((8, 8), np.uint8))
    (tmp_path / "notes.txt").write_text("hello")
    with tarfile.open(tmp_path / "shard-0.tar", "w") as tar:
        tar.add(tmp_path / "x.jpg", "deep/x.jpg")
        tar.add(tmp_path / "notes.txt", "notes.txt")
    (tmp_path / "x.jpg").unlink()
    data = open_dataset(tmp_path)
    assert data.ids == ("x",)
    assert data.label("x") is None
    assert data.read_image("x").shape == (8, 8)


def test_objects_that_are_no_digits_give_no_label(tmp_path: Path) -> None:
    """Cats do not add up."""
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((8, 8), np.uint8))
    (tmp_path / "a.xml").write_text("<annotation><object><name>cat</name></object></annotation>")
    assert open_dataset(tmp_path).label("a") is None
    (tmp_path / "a.xml").unlink()
    data = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 17}],
        "categories": [{"id": 17, "name": "cat"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(data))
    assert open_dataset(tmp_path).label("a") is None


def test_unknown_id_is_refused_by_name(tmp_path: Path) -> None:
    """By every way to ask for it."""
    write_dataset(small_recipe(2), tmp_path)
    data = open_files(tmp_path)
    for ask in (data.label, data.tasks, data.truth, data.read_image, data.read_bytes):
        with pytest.raises(NotFoundError, match="'zzz'"):
            ask("zzz")


def test_truth_survives_without_the_images_of_the_other_split(tmp_path: Path) -> None:
    """A user who deletes the test images still reads the rest."""
    for split in ("train", "test"):
        write_dataset(small_recipe(3, split=split), tmp_path)
    shutil.rmtree(tmp_path / "test")
    data = open_dataset(tmp_path)
    assert len(data.ids) == 3
    assert all(data.truth(name) is not None for name in data.ids)
