"""Evaluation: right counts, intervals, strata, attention, and Kaggle's file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tests.training.tiny import OVERRIDES, Tiny, TinyConfig, tiny_dict
from umnist_core.attention import AttentionMap
from umnist_core.cli import root as umnist
from umnist_core.datasets import Recipe
from umnist_core.datasets.write import write_dataset
from umnist_core.errors import InvalidValueError
from umnist_core.models.base import ModelOutput
from umnist_core.models.reduced import ReducedBatch
from umnist_core.scoring import wilson
from umnist_core.training.config import DataPart, config_from
from umnist_core.training.data import SceneSamples, open_samples
from umnist_core.training.evaluate import Evaluation, evaluate, write_submission

IMAGES = 10


class Sure(Tiny):
    """Says 13 of every image, and looks at its upper left px."""

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits and a map."""
        self.modes.append(self.training)
        logits = torch.zeros(len(batch.pixels), 28)
        logits[:, 13] = 1.0
        weights, boxes = np.ones((1, 1, 1), np.float32), np.array([[0, 0, 1, 1]], np.float32)
        maps = [AttentionMap(weights, boxes, *size, ("sum",), "test") for size in batch.sizes]
        return ModelOutput({"sum": logits}, attention=tuple(maps))


def _samples(count: int = IMAGES) -> SceneSamples:
    return SceneSamples(Recipe(count, split="test", overrides=OVERRIDES))


@pytest.fixture
def found() -> Evaluation:
    """Evaluate such a model on ten images."""
    return evaluate(Sure(TinyConfig()), _samples(), batch_size=3)


def test_accuracy_is_that_of_the_images_and_has_wilsons_interval(found: Evaluation) -> None:
    """Sums that are 13, over ten, with the interval of `umnist_core.scoring`."""
    sums = [_samples().get(place).label for place in range(IMAGES)]
    correct = sums.count(13)
    tables = found.summary()["tasks"]["sum"]
    expected = wilson(correct, IMAGES)
    assert tables["accuracy"] == {
        "images": IMAGES,
        "correct": correct,
        "accuracy": expected.estimate,
        "low": expected.low,
        "high": expected.high,
    }


def test_strata_hold_every_image_once(found: Evaluation) -> None:
    """By smallest digit, digits, cells, shapes and strokes; 14-px digits are in the first bin."""
    tables = found.summary()["tasks"]["sum"]
    for name in ("smallest_side_px", "digits", "cells", "shapes", "strokes"):
        assert sum(row["images"] for row in tables[f"by_{name}"]) == IMAGES
    assert tables["by_smallest_side_px"][0]["from"] == 0
    assert tables["by_smallest_side_px"][0]["below"] == 28


def test_attention_is_compared_with_exact_digits(found: Evaluation) -> None:
    """A single px in the corner has no more than chance there, and all is counted."""
    attention = found.summary()["attention"]
    assert attention["images"] == IMAGES
    assert 0 < attention["chance"] < 0.5
    assert attention["mass"] == np.mean([row["attention_mass"] for row in found.rows])


def test_evaluation_is_in_evaluation_mode() -> None:
    """Whatever the mode was, and it comes back."""
    model = Sure(TinyConfig()).train()
    evaluate(model, _samples(2))
    assert model.modes == [False]
    assert model.training


def test_model_without_attention_says_why() -> None:
    """The reason stands where the figures would."""
    none = evaluate(Tiny(TinyConfig()), _samples(2)).summary()["attention"]
    assert none == {"none": "It looks everywhere alike."}


def test_submission_has_kaggles_columns(found: Evaluation, tmp_path: Path) -> None:
    """A row for each image, in order."""
    write_submission(tmp_path / "out.csv", found)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "id,digit_sum"
    assert lines[1:] == [f"{_samples().get(place).image_id},13" for place in range(IMAGES)]


def test_submission_needs_sums(found: Evaluation, tmp_path: Path) -> None:
    """A model of Megapixel MNIST has no such file."""
    other = Evaluation(found.rows, ("majority",), 1.0, 1.0, 0)
    with pytest.raises(InvalidValueError, match="answers majority"):
        write_submission(tmp_path / "out.csv", other)


@pytest.mark.parametrize("with_attention", [True, False])
def test_figures_are_the_same_in_several_processes(with_attention: bool) -> None:
    """Processes answer in turn, and rows stay in the order of the images."""
    model, samples = Sure(TinyConfig()), open_samples(DataPart(count=7, overrides=OVERRIDES))
    found = [
        evaluate(model, samples, batch_size=2, workers=workers, with_attention=with_attention)
        for workers in (0, 2)
    ]
    assert len(found[0].rows) == 7
    assert found[1].rows == found[0].rows
    assert found[1].no_attention == found[0].no_attention
    assert found[1].peak_bytes > 0


def test_images_without_labels_are_answered_and_not_counted(tmp_path: Path) -> None:
    """As those of Kaggle's test folder."""
    write_dataset(Recipe(3, overrides=OVERRIDES, image="png"), tmp_path / "set")
    plain = tmp_path / "plain"
    (tmp_path / "set" / "train").rename(plain)
    found = evaluate(Sure(TinyConfig()), open_samples(DataPart(folder=str(plain), count=0)))
    accuracy = found.summary()["tasks"]["sum"]["accuracy"]
    assert accuracy == {"images": 0, "correct": 0, "accuracy": None, "low": None, "high": None}
    assert [row["said_sum"] for row in found.rows] == [13] * 3


def test_commands_train_and_evaluate(tmp_path: Path) -> None:
    """From a TOML file to figures, answers and a submission."""
    config = tmp_path / "run.toml"
    config.write_text('[model]\nname = "tiny"\n[data]\ncount = 44\nworkers = 0\n')
    changes = ["run.epochs=1", "run.batch_size=8", "run.device=cpu"]
    changes += [f'data.overrides.{name}="{value}"' for name, value in OVERRIDES.items()]
    words = [word for change in changes for word in ("--set", change)]
    out = tmp_path / "run"
    run = CliRunner().invoke(umnist, ["train", str(config), "--out", str(out), *words])
    assert run.exit_code == 0, run.output
    assert "1 epochs, batch size 8" in run.output
    words = [word for name, value in OVERRIDES.items() for word in ("--set", f"{name}={value}")]
    words += ["--count", "6", "--device", "cpu", "--out", str(tmp_path / "figures.json")]
    words += ["--answers", str(tmp_path / "answers.csv")]
    words += ["--submission", str(tmp_path / "out.csv")]
    run = CliRunner().invoke(umnist, ["evaluate", str(out / "best.safetensors"), *words])
    assert run.exit_code == 0, run.output
    assert "of 6" in run.output
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["model"], figures["images"]) == ("tiny", 6)
    answers = list(csv.DictReader((tmp_path / "answers.csv").read_text().splitlines()))
    submitted = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["said_sum"] for row in answers] == [row["digit_sum"] for row in submitted]


def test_command_searches_the_batch_that_fills_a_budget(tmp_path: Path) -> None:
    """``--memory-budget`` replaces the file's batch size, and a later ``--set`` replaces that."""
    data = tiny_dict(epochs=1)
    assert config_from(data).run.batch_size == 8
    config = tmp_path / "run.toml"
    config.write_text(
        '[model]\nname = "tiny"\n[data]\ncount = 44\nworkers = 0\n[data.overrides]\n'
        + "".join(f'{name} = "{value}"\n' for name, value in OVERRIDES.items())
        + '[run]\nepochs = 1\nbatch_size = 8\ndevice = "cpu"\n'
    )
    for extra, expected in (([], 40), (["--set", "run.batch_size=5"], 5)):
        out = tmp_path / str(expected)
        words = ["train", str(config), "--out", str(out), "--memory-budget", "50MB", *extra]
        run = CliRunner().invoke(umnist, words)
        assert run.exit_code == 0, run.output
        assert f"batch size {expected}" in run.output
