"""Data sets of ours that ask other things than a sum: every layout of them, and those of before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from umnist_core.datasets import open_dataset
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.recipe import LAYOUTS, Recipe
from umnist_core.datasets.truth import truth_schema
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.errors import DamagedFileError
from umnist_core.rendering import render
from umnist_core.scenes import NeedleTasks

COUNT = 6
SMALL = {"canvas": "200"}


def _recipe(layout: str = "kaggle", split: str = "train", preset: str = "needle") -> Recipe:
    overrides = SMALL if preset == "needle" else {}
    return Recipe(
        COUNT, preset, seed=3, split=split, overrides=overrides, layout=layout, image="png"
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("preset", ["needle", "patchgd"])
def test_every_layout_gives_back_images_answers_and_scenes(
    tmp_path: Path, layout: str, preset: str
) -> None:
    """Written and read: pixels, label, task, and the scene with its distractors."""
    recipe = _recipe(layout, preset=preset)
    write_dataset(recipe, tmp_path)
    data, glyphs = open_dataset(tmp_path), load_glyphs(recipe.digits_subset)
    found = inspect_dataset(tmp_path)
    assert found.is_sound
    planned = [recipe.plan(index, glyphs) for index in range(COUNT)]
    by_stem = {data.get_identity(name).stem: name for name in data.ids}
    for index, scene in enumerate(planned):
        name = by_stem[recipe.image_id(index)]
        np.testing.assert_array_equal(data.read_image(name), render(scene, glyphs))
        assert data.truth(name) == scene
        assert data.label(name) == scene.label
        if preset == "needle":
            assert data.tasks(name) == NeedleTasks(1 - index % 2)
            assert data.digit_sum(name) is None
        else:
            assert data.tasks(name) is None
            assert data.digit_sum(name) == scene.label


@pytest.mark.parametrize("split", ["train", "test"])
def test_needle_tables_name_its_task(tmp_path: Path, split: str) -> None:
    """0 or 1 to train with, 0 in the sample of a submission; the truth counts distractors."""
    recipe = _recipe(split=split)
    assert recipe.digits_subset == split
    write_dataset(recipe, tmp_path)
    name = "train.csv" if split == "train" else "sample_submission.csv"
    table = pd.read_csv(tmp_path / name)
    assert list(table.columns) == ["id", "needle"]
    labels = [1, 0] * (COUNT // 2)
    assert table["needle"].tolist() == (labels if split == "train" else [0] * COUNT)
    truth = pd.read_parquet(tmp_path / f"truth-{split}.parquet")
    assert truth["needle"].tolist() == truth["label"].tolist() == labels
    assert truth["distractors"].tolist() == [15, 16] * (COUNT // 2)
    assert truth["majority"].isna().all()
    assert [len(digits) for digits in truth["digits"]] == labels


def test_table_alone_says_whether_there_is_a_needle(tmp_path: Path) -> None:
    """Without our manifest too; a cell that is neither is named with its line."""
    write_dataset(_recipe(), tmp_path)
    (tmp_path / "dataset.json").unlink()
    data = open_dataset(tmp_path)
    assert [data.tasks(name) for name in data.ids].count(NeedleTasks(1)) == COUNT // 2
    assert [data.digit_sum(name) for name in data.ids] == [None] * COUNT
    table = tmp_path / "train.csv"
    table.write_text(table.read_text().replace(",1\n", ",2\n", 1))
    with pytest.raises(DamagedFileError, match=r"line 2: .* 0 or 1 as needle"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("preset", ["megapixel", "released"])
def test_truth_of_an_earlier_version_is_read(tmp_path: Path, preset: str) -> None:
    """It has neither the column of needles nor that of distractors."""
    small = (
        {"canvas": "120", "noise_count": "2"}
        if preset == "megapixel"
        else {"canvas": "200", "factor": "1"}
    )
    recipe = Recipe(2, preset, overrides=small)
    write_dataset(recipe, tmp_path)
    path = tmp_path / "truth-train.parquet"
    table = pq.read_table(path)
    older = table.drop_columns(["needle", "distractors"])
    pq.write_table(older, path)
    (tmp_path / "train.csv").unlink()
    data, glyphs = open_dataset(tmp_path), load_glyphs()
    for index in range(2):
        scene, name = recipe.plan(index, glyphs), recipe.image_id(index)
        assert data.truth(name) == scene
        assert data.label(name) == scene.label
        assert data.tasks(name) == (None if scene.asks_sum else scene.tasks)
    assert pa.schema(truth_schema()).names != older.schema.names


def test_counts_of_needle_and_its_label_are_inspected(tmp_path: Path) -> None:
    """Half of the images have one."""
    write_dataset(_recipe(), tmp_path)
    found = inspect_dataset(tmp_path)
    assert (found.counts, found.labels) == ({"train": COUNT}, {"0": 3, "1": 3})
