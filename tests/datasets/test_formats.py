"""Each format, opened by a reader that knows nothing of us."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.datasets.making import NOISE_FREE, small_recipe
from tests.megapixel import megapixel_tasks
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.scenes import Scene

COUNT = 12
BoxXyxy = tuple[int, int, int, int]


def grey(path: Path) -> NDArray[np.uint8]:
    """Read an image with OpenCV."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


def assert_boxes_hold_the_digits(image: NDArray[np.uint8], boxes: list[BoxXyxy]) -> None:
    """Check, on a noise-free image, that ink is in every box and nowhere else; x is the column."""
    rest = image.copy()
    for x0, y0, x1, y1 in boxes:
        assert 0 <= x0 < x1 <= image.shape[1]
        assert 0 <= y0 < y1 <= image.shape[0]
        assert x1 - x0 == y1 - y0
        assert (x1 - x0) % 14 == 0
        assert image[y0:y1, x0:x1].any()
        rest[y0:y1, x0:x1] = 0
    assert not rest.any()


def test_kaggle_table_names_every_image_and_its_sum(tmp_path: Path) -> None:
    """As released: id and digit_sum, one row for each file of the train folder."""
    recipe = small_recipe(COUNT)
    write_dataset(recipe, tmp_path)
    table = pd.read_csv(tmp_path / "train.csv")
    assert list(table.columns) == ["id", "digit_sum"]
    assert {f"{name}.jpeg" for name in table["id"]} == {
        path.name for path in (tmp_path / "train").iterdir()
    }
    glyphs = load_glyphs()
    sums = [recipe.plan(index, glyphs).label for index in range(COUNT)]
    assert table["digit_sum"].tolist() == sums
    with Image.open(tmp_path / "train" / f"{table['id'][0]}.jpeg") as image:
        assert (image.mode, image.size) == ("L", (512, 512))


def test_sample_submission_names_every_test_image_and_no_sum(tmp_path: Path) -> None:
    """The answers are not given away; they are in the truth alone."""
    recipe = small_recipe(COUNT, split="test")
    write_dataset(recipe, tmp_path)
    table = pd.read_csv(tmp_path / "sample_submission.csv")
    assert list(table["id"]) == [recipe.image_id(index) for index in range(COUNT)]
    assert table["digit_sum"].eq(0).all()
    assert not (tmp_path / "train.csv").exists()


def test_truth_has_boxes_classes_factors_and_the_scene(tmp_path: Path) -> None:
    """Pandas alone reads what was drawn, and the scene draws it again."""
    recipe = small_recipe(COUNT)
    write_dataset(recipe, tmp_path)
    truth = pd.read_parquet(tmp_path / "truth-train.parquet")
    glyphs = load_glyphs()
    assert truth["index"].tolist() == list(range(COUNT))
    for index, row in enumerate(truth.to_dict("records")):
        scene = recipe.plan(index, glyphs)
        assert Scene.from_json(row["scene"]) == scene
        assert row["label"] == sum(digit["label"] for digit in row["digits"]) == scene.label
        assert json.loads(row["parameters"]) == recipe.parameters
        assert row["glyph_checksum"] == glyphs.checksum
        assert row["circles"] + row["triangles"] == len(scene.shapes)
        for found, digit in zip(row["digits"], scene.digits, strict=True):
            for name in ("label", "glyph", "row", "col", "side_px", "factor"):
                assert found[name] == getattr(digit, name)
            for name in ("row0", "col0", "row1", "col1"):
                assert found[f"ink_{name}"] == getattr(digit.ink_box, name)


def test_voc_boxes_hold_the_digits(tmp_path: Path) -> None:
    """Corners count from 1 and belong to the box, as in the development kit."""
    write_dataset(small_recipe(COUNT, layout="voc", image="png", overrides=NOISE_FREE), tmp_path)
    sums = pd.read_csv(tmp_path / "train.csv", index_col="id")["digit_sum"]
    files = sorted((tmp_path / "train").glob("*.xml"))
    assert len(files) == COUNT
    for path in files:
        root = ElementTree.parse(path).getroot()
        image = grey(path.parent / str(root.findtext("filename")))
        assert root.findtext("size/width") == str(image.shape[1])
        boxes = []
        for box in root.iter("bndbox"):
            x0, y0, x1, y1 = (int(str(box.findtext(n))) for n in ("xmin", "ymin", "xmax", "ymax"))
            boxes.append((x0 - 1, y0 - 1, x1, y1))
        assert_boxes_hold_the_digits(image, boxes)
        names = [int(str(item.findtext("name"))) for item in root.iter("object")]
        assert sum(names) == sums[path.stem]


def test_coco_boxes_hold_the_digits(tmp_path: Path) -> None:
    """One file; x, y, width and height count from 0; categories name the digits."""
    write_dataset(small_recipe(COUNT, layout="coco", image="png", overrides=NOISE_FREE), tmp_path)
    data = json.loads((tmp_path / "annotations-train.json").read_text())
    names = {category["id"]: int(category["name"]) for category in data["categories"]}
    assert sorted(names.values()) == list(range(10))
    assert len({annotation["id"] for annotation in data["annotations"]}) == len(data["annotations"])
    assert len(data["images"]) == COUNT
    for entry in data["images"]:
        own = [a for a in data["annotations"] if a["image_id"] == entry["id"]]
        image = grey(tmp_path / entry["file_name"])
        assert image.shape == (entry["height"], entry["width"])
        boxes = [(x, y, x + w, y + h) for x, y, w, h in (a["bbox"] for a in own)]
        assert_boxes_hold_the_digits(image, boxes)
        assert sum(names[a["category_id"]] for a in own) == entry["label"]
        assert all(a["area"] == a["bbox"][2] * a["bbox"][3] for a in own)


def test_webdataset_shards_hold_image_class_and_scene(tmp_path: Path) -> None:
    """Members of a sample stand together; headers carry no time and no user."""
    recipe = small_recipe(COUNT, layout="webdataset", image="png")
    write_dataset(recipe, tmp_path)
    glyphs = load_glyphs()
    with tarfile.open(tmp_path / "train-000000.tar") as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == [
            f"{recipe.image_id(index)}.{suffix}"
            for index in range(COUNT)
            for suffix in ("png", "cls", "json")
        ]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
        for index in range(COUNT):
            image, label, scene = (tar.extractfile(m) for m in members[3 * index : 3 * index + 3])
            assert image is not None
            assert label is not None
            assert scene is not None
            planned = recipe.plan(index, glyphs)
            assert Image.open(io.BytesIO(image.read())).size == (512, 512)
            assert int(label.read()) == planned.label
            assert Scene.from_json(scene.read().decode()) == planned


def test_webdataset_starts_a_new_shard_when_one_is_full(tmp_path: Path) -> None:
    """Shards are bounded, and number on from 0."""
    overrides = {"canvas": "28", "factor": "0.5", "digits": "1"}
    recipe = small_recipe(1030, layout="webdataset", image="png", overrides=overrides)
    assert recipe.shard_count == 1024
    write_dataset(recipe, tmp_path, jobs=2)
    counts = []
    for path in sorted(tmp_path.glob("*.tar")):
        with tarfile.open(path) as tar:
            counts.append(len(tar.getnames()))
    assert counts == [3 * 1024, 3 * 6]


@pytest.mark.parametrize("split", ["train", "test"])
def test_megapixel_tables_name_the_four_tasks(tmp_path: Path, split: str) -> None:
    """Its label is not a sum, so the column is not called one."""
    overrides = {"canvas": "256", "noise_count": "3"}
    recipe = small_recipe(6, preset="megapixel", split=split, overrides=overrides)
    write_dataset(recipe, tmp_path)
    name = "train.csv" if split == "train" else "sample_submission.csv"
    table = pd.read_csv(tmp_path / name, dtype=str)
    assert list(table.columns) == ["id", "majority", "max", "top", "multi"]
    truth = pd.read_parquet(tmp_path / f"truth-{split}.parquet")
    glyphs = load_glyphs(recipe.digits_subset)
    for index, row in enumerate(truth.to_dict("records")):
        tasks = megapixel_tasks(recipe.plan(index, glyphs))
        assert (row["majority"], row["max"], row["top"]) == (tasks.majority, tasks.max, tasks.top)
        assert tuple(row["multi"]) == tasks.multi
        if split == "train":
            assert table["multi"][index] == " ".join(map(str, tasks.multi))
            assert table["majority"][index] == str(tasks.majority)
