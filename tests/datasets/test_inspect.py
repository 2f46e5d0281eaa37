"""Looking into data sets: what is counted, and that nothing damaged is overlooked."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.datasets.exports import write_image
from tests.datasets.making import small_recipe, umnist
from tests.megapixel import megapixel_tasks
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.megapixel_sparse import write_megapixel_split
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.rendering import render

LAYOUTS = ("kaggle", "voc", "coco", "webdataset")


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sound_data_set_is_counted(tmp_path: Path, layout: str, quick: bool) -> None:
    """Splits, labels and sizes; what made it; that all is there."""
    for split in ("train", "test"):
        write_dataset(small_recipe(8, split=split, layout=layout), tmp_path)
    found = inspect_dataset(tmp_path, quick=quick)
    assert found.kind == layout
    assert found.is_sound
    assert found.counts == found.expected == {"train": 8, "test": 8}
    assert found.sizes == {"512x512": 16}
    glyphs = load_glyphs()
    labels = [
        small_recipe(8, split=split).plan(index, glyphs).label
        for split in ("train", "test")
        for index in range(8)
    ]
    assert found.labels == {str(label): labels.count(label) for label in sorted(set(labels))}
    assert found.stand_in == glyphs.is_stand_in
    assert any("--split test" in command for command in found.made_by)


def _harm(path: Path, harm: str) -> None:
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(
        {
            "cut": data[:middle],
            "cut at the end": data[:-2],
            "empty": b"",
            "text": b"these are not the pixels you are looking for",
            "garbled": data[:middle] + bytes(200) + data[middle + 200 :],
        }[harm]
    )


@pytest.mark.parametrize(
    ("harm", "image"),
    # A JPEG has no checksum: a hole in it is another picture, to every decoder.
    [*product(["cut", "cut at the end", "empty", "text"], ["jpeg", "png"]), ("garbled", "png")],
)
def test_damaged_image_is_listed_by_name(tmp_path: Path, harm: str, image: str) -> None:
    """Decoding finds all of it; the quick look finds all but what is inside."""
    recipe = small_recipe(4, image=image)
    write_dataset(recipe, tmp_path)
    name = recipe.image_id(2)
    _harm(tmp_path / "train" / f"{name}.{image}", harm)
    found = inspect_dataset(tmp_path)
    assert len(found.damaged) == 1
    assert name in found.damaged[0]
    assert not found.is_sound
    assert len(inspect_dataset(tmp_path, quick=True).damaged) == (harm != "garbled")


def test_damaged_shard_is_listed_and_the_others_are_counted(tmp_path: Path) -> None:
    """One bad shard of two does not hide the good one."""
    overrides = {"canvas": "28", "factor": "0.5", "digits": "1"}
    write_dataset(small_recipe(1030, layout="webdataset", overrides=overrides), tmp_path)
    first = tmp_path / "train-000000.tar"
    first.write_bytes(first.read_bytes()[:5000])
    found = inspect_dataset(tmp_path)
    assert found.counts == {"train": 6}
    assert len(found.damaged) == 1
    assert "train-000000.tar" in found.damaged[0]
    assert len(found.missing) == 1024


def test_missing_images_are_listed(tmp_path: Path) -> None:
    """Against the manifest of ours, or the table of Kaggle's."""
    recipe = small_recipe(4)
    write_dataset(recipe, tmp_path)
    (tmp_path / "train" / f"{recipe.image_id(1)}.jpeg").unlink()
    assert inspect_dataset(tmp_path).missing == (f"train/{recipe.image_id(1)}",)
    for name in ("dataset.json", "truth-train.parquet"):
        (tmp_path / name).unlink()
    assert inspect_dataset(tmp_path).missing == (recipe.image_id(1),)


def test_labels_that_nothing_says_are_unknown(tmp_path: Path) -> None:
    """As those of Kaggle's test images."""
    (tmp_path / "test").mkdir()
    cv2.imwrite(str(tmp_path / "test" / "a.jpeg"), np.zeros((8, 8), np.uint8))
    assert inspect_dataset(tmp_path).labels == {"unknown": 1}


def test_command_says_it_in_words_and_in_json(tmp_path: Path) -> None:
    """Code 0 for a sound data set, 1 for one that is not."""
    recipe = small_recipe(4)
    write_dataset(recipe, tmp_path / "a")
    words = umnist("datasets", "inspect", "a", cwd=tmp_path)
    assert (words.returncode, words.stderr) == (0, "")
    assert "a: kaggle" in words.stdout
    assert "train 4 of 4" in words.stdout
    assert "nothing missing or damaged" in words.stdout
    (tmp_path / "a" / "train" / f"{recipe.image_id(0)}.jpeg").write_bytes(b"")
    (tmp_path / "a" / "truth-train.parquet").unlink()
    words = umnist("datasets", "inspect", "a", cwd=tmp_path)
    assert (words.returncode, words.stderr) == (1, "")
    assert f"damaged   {recipe.image_id(0)}: expected" in words.stdout
    assert "train is unfinished" in words.stdout
    data = json.loads(umnist("datasets", "inspect", "a", "--json", cwd=tmp_path).stdout)
    assert data["unfinished"] == ["train"]
    assert data["counts"] == {"train": 4}
    assert len(data["damaged"]) == 1


@pytest.mark.parametrize("outer", ["ours", "photographs", "nothing"])
def test_command_looks_at_a_folder_and_at_the_data_sets_in_it(tmp_path: Path, outer: str) -> None:
    """What is damaged beside a data set is found, and a study's folder needs nothing beside."""
    if outer == "ours":
        write_dataset(small_recipe(2), tmp_path / "a")
        next((tmp_path / "a" / "train").glob("*.jpeg")).write_bytes(b"")
    elif outer == "photographs":
        write_image(tmp_path / "a" / "trip" / "x.png")
        (tmp_path / "a" / "trip" / "y.png").write_bytes(b"")
    write_dataset(small_recipe(3), tmp_path / "a" / "inner")
    found = umnist("datasets", "inspect", "a", "--json", cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0 if outer == "nothing" else 1, "")
    listed = [json.loads(line) for line in found.stdout.splitlines()]
    counts = {Path(one["folder"]).name: (one["counts"], len(one["damaged"])) for one in listed}
    outside = {"ours": {"train": 2}, "photographs": {"all": 2}}
    own = {} if outer == "nothing" else {"a": (outside[outer], 1)}
    assert counts == {**own, "inner": ({"train": 3}, 0)}


def test_megapixel_in_its_original_layout_is_counted(tmp_path: Path) -> None:
    """Splits, majorities and sizes."""
    recipe = small_recipe(5, preset="megapixel", overrides={"canvas": "100", "noise_count": "2"})
    glyphs = load_glyphs()
    scenes = [recipe.plan(index, glyphs) for index in range(5)]
    for split in ("train", "test"):
        images = ((render(scene, glyphs), megapixel_tasks(scene)) for scene in scenes)
        write_megapixel_split(tmp_path, split, images, {})
    found = inspect_dataset(tmp_path)
    assert (found.kind, found.is_sound) == ("megapixel", True)
    assert found.counts == {"train": 5, "test": 5}
    assert found.sizes == {"100x100": 10}
    majorities = [megapixel_tasks(scene).majority for scene in scenes]
    assert found.labels == {str(m): 2 * majorities.count(m) for m in sorted(set(majorities))}
