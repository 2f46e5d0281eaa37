"""Needle MNIST for training: planned, from our files, and from the original ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.training.tiny import Tiny, TinyConfig
from umnist_core.cli import root as umnist
from umnist_core.datasets import Recipe
from umnist_core.datasets.needle import write_needle
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import MEGAPIXEL_TASKS, NEEDLE_TASK, ModelOutput
from umnist_core.models.reduced import ReducedBatch
from umnist_core.models.registry import create_model
from umnist_core.models.targets import BOXES, CLASSES, NO_DIGIT, collate_targets, scene_targets
from umnist_core.training.config import DataPart
from umnist_core.training.data import SceneSamples, open_samples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.samples import find_targets

COUNT = 4
RECIPE = Recipe(COUNT, "needle", 1234, overrides={"canvas": "64"}, image="png")
LABELS = [1, 0, 1, 0]


class Seeker(Tiny):
    """One that answers whether there is a needle, and always says that there is."""

    tasks = (NEEDLE_TASK,)

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits (B, 2)."""
        logits = torch.tensor([[0.0, 1.0]]).expand(len(batch.pixels), 2)
        return ModelOutput({"needle": logits}, no_attention="It looks nowhere.")


def test_every_source_gives_the_same_images_and_targets(tmp_path: Path) -> None:
    """Drawn on the fly, from a folder with truth, and from the original layout."""
    write_dataset(RECIPE, tmp_path / "ours")
    write_needle(tmp_path / "original", canvas=64, count=COUNT)
    planned = SceneSamples(RECIPE)
    ours = open_samples(DataPart(folder=str(tmp_path / "ours"), count=0))
    original = open_samples(DataPart(folder=str(tmp_path / "original"), count=0))
    by_id = {ours.get(place).image_id: ours.get(place) for place in range(COUNT)}
    for place, label in enumerate(LABELS):
        first = planned.get(place)
        for sample in (first, by_id[RECIPE.image_id(place)], original.get(place)):
            np.testing.assert_array_equal(sample.source.read_whole(), first.source.read_whole())
            targets = find_targets(sample, Seeker.tasks)
            assert targets is not None
            assert int(targets["needle"]) == label


def test_boxes_of_an_image_without_a_needle_are_none() -> None:
    """One batch holds images with one digit and with none."""
    samples = SceneSamples(RECIPE)
    scenes = [RECIPE.plan(place, samples.glyphs) for place in (1, 0)]
    batch = collate_targets([scene_targets(scene, Seeker.tasks, True) for scene in scenes])
    assert batch[BOXES].shape == (2, 1, 4)
    assert batch[CLASSES].dtype == torch.int64
    assert batch[CLASSES].tolist() == [[NO_DIGIT], [3]]


def test_models_of_other_tasks_are_refused(tmp_path: Path) -> None:
    """What was asked and what is there, of scenes and of files."""
    write_needle(tmp_path, canvas=64, count=2)
    files = open_samples(DataPart(folder=str(tmp_path), count=0))
    for sample in (SceneSamples(RECIPE).get(0), files.get(0)):
        with pytest.raises(InvalidValueError, match=r"to majority.*, found Needle MNIST"):
            find_targets(sample, MEGAPIXEL_TASKS)
    with pytest.raises(InvalidValueError, match="'needle' is none of a scene whose sum is asked"):
        find_targets(SceneSamples(Recipe(1, "patchgd")).get(0), Seeker.tasks)


def test_evaluation_counts_images_with_and_without() -> None:
    """Also where nothing of an image is a digit of the answer."""
    rows = evaluate(Seeker(TinyConfig()), SceneSamples(RECIPE)).rows
    assert [row["correct_needle"] for row in rows] == [True, False, True, False]
    assert [row["true_needle"] for row in rows] == LABELS
    assert [row["digits"] for row in rows] == LABELS
    assert [row["smallest_side_px"] for row in rows] == [28, None, 28, None]


def test_attention_is_compared_where_there_is_a_needle() -> None:
    """An image without one has nothing that could be looked at, and spoils no mean."""
    model = create_model("ips", {"encoder": "compact", "tasks": ["needle"]}).eval()
    found = evaluate(model, SceneSamples(RECIPE))
    assert ["attention_mass" in row for row in found.rows] == [True, False, True, False]
    assert found.summary()["attention"]["images"] == COUNT // 2
    without = Recipe(2, "needle", overrides={"canvas": "64", "label": "0"})
    attention = evaluate(model, SceneSamples(without)).summary()["attention"]
    assert attention == {"none": "No image has a digit whose ink is known."}


def test_commands_train_and_evaluate_on_the_original_files(tmp_path: Path) -> None:
    """A run of IPS on the original layout, and its accuracy on the validation split."""
    write_needle(tmp_path / "set", canvas=128, count=COUNT)
    config = tmp_path / "run.toml"
    config.write_text(
        '[model]\nname = "ips"\n[model.settings]\nencoder = "compact"\nmemory = 4\niteration = 8\n'
        'tasks = ["needle"]\n'
        f'[data]\nfolder = "{tmp_path / "set"}"\ncount = 0\nvalidation_share = 0.5\nworkers = 1\n'
        '[run]\nepochs = 1\nbatch_size = 2\ndevice = "cpu"\n'
    )
    words = ["train", str(config), "--out", str(tmp_path / "run")]
    run = CliRunner().invoke(umnist, words)
    assert run.exit_code == 0, run.output
    words = ["evaluate", str(tmp_path / "run" / "best.safetensors"), "--device", "cpu"]
    run = CliRunner().invoke(umnist, [*words, "--data", str(tmp_path / "set"), "--split", "val"])
    assert run.exit_code == 0, run.output
    assert "needle: " in run.output
    assert "of 4" in run.output
