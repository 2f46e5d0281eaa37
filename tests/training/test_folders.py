"""Folders for training and evaluation: every layout that `umnist datasets inspect` reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.megapixel import megapixel_tasks
from tests.training.tiny import OVERRIDES, Tiny, TinyConfig
from umnist_core.cli import root as umnist
from umnist_core.datasets import Recipe
from umnist_core.datasets.megapixel_sparse import write_megapixel_split
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import MEGAPIXEL_TASKS
from umnist_core.models.targets import scene_targets
from umnist_core.rendering import render
from umnist_core.training.config import DataPart
from umnist_core.training.data import SceneSamples, open_samples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.samples import find_targets, targets_of

COUNT = 4
MEGAPIXEL = Recipe(
    COUNT, "megapixel", 5, overrides={"canvas": "200", "noise_count": "2"}, image="png"
)


class Other(Tiny):
    """One that answers the tasks of Megapixel MNIST."""

    tasks = MEGAPIXEL_TASKS


def _write_original(folder: Path) -> None:
    """Write the images of the recipe as the files of the original code, in both splits."""
    folder.mkdir()
    samples = SceneSamples(MEGAPIXEL)
    scenes = [MEGAPIXEL.plan(index, samples.glyphs) for index in range(COUNT)]
    for split, shown in (("train", scenes), ("test", scenes[:2])):
        images = ((render(scene, samples.glyphs), megapixel_tasks(scene)) for scene in shown)
        write_megapixel_split(folder, split, images, {})


def _write_table(folder: Path) -> None:
    """Write them as files with a table of the four tasks and no truth."""
    write_dataset(MEGAPIXEL, folder)
    (folder / "dataset.json").unlink()
    (folder / "truth-train.parquet").unlink()


def _write_classes(folder: Path) -> dict[str, int]:
    """Write images in folders of their sums, as the released generator does; return the sums."""
    recipe = Recipe(COUNT, overrides=OVERRIDES, image="png")
    write_dataset(recipe, folder / "set")
    samples = SceneSamples(recipe)
    sums = {}
    for sample in map(samples.get, range(COUNT)):
        target = folder / "noised" / "train" / str(sample.label)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "set" / "train" / f"{sample.image_id}.png", target)
        sums[sample.image_id] = int(sample.label or 0)
    return sums


@pytest.mark.parametrize("write", [_write_original, _write_table])
def test_files_of_megapixel_mnist_give_what_their_scenes_give(
    tmp_path: Path, write: object
) -> None:
    """The same pixels and the same four targets, from the original files or from our table."""
    assert callable(write)
    write(tmp_path / "set")
    folder = open_samples(DataPart(folder=str(tmp_path / "set"), count=0))
    scenes = SceneSamples(MEGAPIXEL)
    assert len(folder) == COUNT
    drawn = {scenes.get(place).image_id: scenes.get(place) for place in range(COUNT)}
    for place in range(COUNT):
        sample = folder.get(place)
        other = drawn.get(sample.image_id, scenes.get(place))
        assert other.scene is not None
        assert (sample.scene, sample.label) == (None, None)
        assert np.array_equal(sample.source.read_whole(), other.source.read_whole())
        expected = scene_targets(other.scene, MEGAPIXEL_TASKS, False)
        found = targets_of(sample, Other(TinyConfig()))
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_class_folders_give_sums(tmp_path: Path) -> None:
    """The folder of an image is its label, and the first images are not all of one."""
    sums = _write_classes(tmp_path)
    samples = open_samples(DataPart(folder=str(tmp_path / "noised"), count=0))
    assert {one.image_id: one.label for one in map(samples.get, range(COUNT))} == sums
    assert [samples.get(place).image_id for place in range(COUNT)] == sorted(sums)
    rows = evaluate(Tiny(TinyConfig()), samples).rows
    assert [row["true_sum"] for row in rows] == [sums[row["id"]] for row in rows]


def test_images_that_answer_other_tasks_are_refused(tmp_path: Path) -> None:
    """Sums for a model of Megapixel MNIST and the reverse: what was asked and what is there."""
    _write_original(tmp_path / "original")
    _write_classes(tmp_path)
    sample = open_samples(DataPart(folder=str(tmp_path / "original"), count=0)).get(0)
    with pytest.raises(InvalidValueError, match="an answer to sum, found Megapixel MNIST"):
        find_targets(sample, Tiny.tasks)
    sample = open_samples(DataPart(folder=str(tmp_path / "noised"), count=0)).get(0)
    with pytest.raises(InvalidValueError, match=r"to majority, max, top, multi, found .* sum"):
        find_targets(sample, MEGAPIXEL_TASKS)


def test_split_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    """So that the next command is right."""
    _write_classes(tmp_path)
    with pytest.raises(InvalidValueError, match=f"found 0, and {COUNT} of train; choose another"):
        open_samples(DataPart(folder=str(tmp_path / "noised"), count=0, split="test"))


def test_commands_train_and_evaluate_on_the_original_files(tmp_path: Path) -> None:
    """A run of IPS on a folder that make_mnist.py might have written, and its four accuracies."""
    _write_original(tmp_path / "set")
    config = tmp_path / "run.toml"
    config.write_text(
        '[model]\nname = "ips"\n[model.settings]\nencoder = "compact"\nmemory = 4\niteration = 8\n'
        f'[data]\nfolder = "{tmp_path / "set"}"\ncount = 0\nvalidation_share = 0.5\nworkers = 1\n'
        '[run]\nepochs = 1\nbatch_size = 2\ndevice = "cpu"\n'
    )
    words = ["train", str(config), "--out", str(tmp_path / "run")]
    run = CliRunner().invoke(umnist, words)
    assert run.exit_code == 0, run.output
    words = ["evaluate", str(tmp_path / "run" / "best.safetensors"), "--device", "cpu"]
    run = CliRunner().invoke(umnist, [*words, "--data", str(tmp_path / "set")])
    assert run.exit_code == 0, run.output
    for task in MEGAPIXEL_TASKS:
        assert f"{task.name}: " in run.output
    assert run.output.count("of 2") == len(MEGAPIXEL_TASKS)
