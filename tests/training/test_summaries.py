"""Evaluation says how far confidences and warnings can be trusted, and puts it onto the card."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from tests.training.tiny import NAME, OVERRIDES, Tiny, TinyConfig
from umnist_core.cli import root as umnist
from umnist_core.datasets import Recipe
from umnist_core.models import registry
from umnist_core.models.base import DOUBTS, Doubt, FoundDigit, ModelOutput
from umnist_core.models.cards import Card, card_path, load_card
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.reduced import ReducedBatch
from umnist_core.scoring import reliability, wilson
from umnist_core.training.data import SceneSamples
from umnist_core.training.evaluate import Evaluation, evaluate
from umnist_core.training.report import run_evaluation
from umnist_core.training.summaries import MOST_MISSED, card_summary
from umnist_core.training.variants import VARIANTS, open_variant

IMAGES = 10
WORDS = [word for name, value in OVERRIDES.items() for word in ("--set", f"{name}={value}")]


class Doubting(Tiny):
    """Says 13 of every image, surer of bright ones, and doubts the dark."""

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return the same logits (B, 28), confidences and doubts by brightness."""
        bright = batch.pixels.float().mean(dim=(1, 2)) / 255  # (B,)
        logits = torch.zeros(len(bright), 28)
        logits[:, 13] = 1.0
        dark = (Doubt("photograph", "It is dark."), Doubt("unsure", "It is dark."))
        doubts = tuple(dark if one < 0.5 else () for one in bright.tolist())
        return ModelOutput({"sum": logits}, confidence=bright, doubts=doubts, no_attention="None.")


def _samples(count: int = IMAGES) -> SceneSamples:
    return SceneSamples(Recipe(count, split="test", overrides=OVERRIDES))


@pytest.fixture
def found() -> Evaluation:
    """Evaluate it on ten images."""
    return evaluate(Doubting(TinyConfig()), _samples(), batch_size=3)


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save it as a checkpoint."""
    monkeypatch.setitem(registry._entries, NAME, registry.Entry(NAME, Doubting, TinyConfig))
    path = tmp_path / "doubting.safetensors"
    save_checkpoint(path, Doubting(TinyConfig()), Card(NAME))
    return path


def _run(*arguments: object) -> Result:
    words = ["evaluate", *map(str, arguments), *WORDS, "--device", "cpu"]
    return CliRunner().invoke(umnist, words)


def _photographs(folder: Path) -> Path:
    place = folder / "photographs"
    place.mkdir()
    for name, value in (("a.png", 40), ("b.png", 200)):
        assert cv2.imwrite(str(place / name), np.full((64, 80), value, np.uint8))
    return place


# -- rows and summaries ---------------------------------------------------------------


def test_rows_have_confidence_and_kinds_of_warnings(found: Evaluation) -> None:
    """Of each image, as the model gave them."""
    for row in found.rows:
        assert 0 <= row["confidence"] <= 1
        assert row["is_calibrated"] is True
        assert row["warnings"] == ("photograph unsure" if row["confidence"] < 0.5 else "")
    assert len({row["warnings"] for row in found.rows}) == 2


def test_calibration_is_that_of_confidences_and_answers(found: Evaluation) -> None:
    """The reliability of the first task, and whether it is calibrated at all."""
    right = [row["correct_sum"] for row in found.rows]
    expected = reliability([row["confidence"] for row in found.rows], right).to_dict()
    assert found.summary()["calibration"] == {"task": "sum", "is_calibrated": True, **expected}
    plain = evaluate(Tiny(TinyConfig()), _samples(2))
    assert plain.summary()["calibration"]["is_calibrated"] is False
    chances = [row["confidence"] for row in plain.rows]
    assert all(1 / 28 < chance < 1 for chance in chances)


def test_warnings_are_counted_by_kind_and_once_in_all(found: Evaluation) -> None:
    """With Wilson's interval, also of what was warned of never."""
    dark = sum(bool(row["warnings"]) for row in found.rows)
    told = found.summary()["warnings"]
    interval = wilson(dark, IMAGES)
    expected = {"warned": dark, "share": dark / IMAGES}
    expected |= {"low": interval.low, "high": interval.high}
    assert 0 < dark < IMAGES
    assert told["images"] == IMAGES
    assert told["any"] == told["kinds"]["photograph"] == told["kinds"]["unsure"] == expected
    assert list(told["kinds"]) == list(DOUBTS)
    assert told["kinds"]["canvas"]["warned"] == 0
    assert told["kinds"]["canvas"]["high"] > 0.2


def test_model_without_doubts_has_no_warnings() -> None:
    """None were looked for, which is not the same as none found."""
    plain = evaluate(Tiny(TinyConfig()), _samples(2))
    assert plain.summary()["warnings"] == {}
    assert {row["warnings"] for row in plain.rows} == {None}


class Finding(Tiny):
    """Finds one digit, where it is told to."""

    box = (0.0, 0.0, 1.0, 1.0)
    label = 0

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits (B, 28) of 0 and the digit."""
        row, col, height, width = self.box
        digit = FoundDigit(self.label, 1.0, row, col, height, width)
        count = len(batch.pixels)
        return ModelOutput({"sum": torch.zeros(count, 28)}, found=((digit,),) * count)


@pytest.mark.parametrize("name", ["turned-90", "shifted", "rescaled-2000", "inverted"])
def test_digits_are_right_where_the_variant_has_them(name: str) -> None:
    """In the frame of the changed image; the table by side is of the sides that were drawn."""
    overrides = {"canvas": "200", "digits": "1", "factor": "2"}
    samples = open_variant(SceneSamples(Recipe(1, split="test", overrides=overrides)), name)
    sample = samples.get(0)
    assert sample.scene is not None
    (digit,) = sample.digits or sample.scene.digits
    model = Finding(TinyConfig())
    model.box = (digit.row, digit.col, digit.side_px, digit.side_px)
    model.label = digit.label
    (row,) = evaluate(model, samples).rows
    assert (row["digits_right"], row["sides_px"], row["digits"]) == ("1", "56", 1)


# -- the command ----------------------------------------------------------------------


def test_command_evaluates_a_variant_and_says_so(checkpoint: Path, tmp_path: Path) -> None:
    """The figures have its name, the text its meaning, confidence and warnings."""
    out = tmp_path / "figures.json"
    done = _run(checkpoint, "--variant", "inverted", "--count", 4, "--out", out)
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())
    assert figures["data"]["variant"] == "inverted"
    plain = evaluate(Doubting(TinyConfig()), _samples(4))
    bins = figures["calibration"]["bins"]
    mean = np.mean([row["confidence"] for row in plain.rows])
    assert bins[0]["confidence"] == pytest.approx(1 - mean, abs=0.01)
    assert "inverted, black and white exchanged:" in done.output
    assert "confidence (calibrated): expected calibration error 0." in done.output
    assert f"warned of: {25 * figures['warnings']['any']['warned']:.1f} %" in done.output


def test_all_variants_give_one_file_with_a_summary_of_each(
    checkpoint: Path, tmp_path: Path
) -> None:
    """With photographs where there is a folder of them; the truth of no digits is 0."""
    out = tmp_path / "all.json"
    words = [checkpoint, "--variant", "all", "--count", 2, "--out", out]
    done = _run(*words, "--data", _photographs(tmp_path))
    assert done.exit_code == 0, done.output
    figures = json.loads(out.read_text())
    assert figures["model"] == NAME
    assert list(figures["variants"]) == list(VARIANTS)
    assert {one["images"] for one in figures["variants"].values()} == {2}
    photographs = figures["variants"]["photographs"]
    assert photographs["tasks"]["sum"]["accuracy"]["images"] == 0
    assert photographs["calibration"] == {}
    assert photographs["warnings"]["any"]["warned"] == 1
    ground = figures["variants"]["no-digits"]["tasks"]["sum"]
    assert [row["digits"] for row in ground["by_digits"]] == [0]
    done = _run(*words)
    assert done.exit_code == 0, done.output
    assert "photographs" not in json.loads(out.read_text())["variants"]


def test_figures_on_the_card_are_few_and_have_their_command(
    checkpoint: Path, tmp_path: Path
) -> None:
    """Nothing of time or machine, no path, and the weights stay as they are."""
    weights, before = checkpoint.read_bytes(), load_card(checkpoint)
    folder = _photographs(tmp_path)
    for words in (
        ["--variant", "turned-90", "--count", 3, "--seed", 8],
        ["--variant", "photographs", "--data", folder, "--count", 5],
        ["--count", 4, "--name", "three digits"],
    ):
        done = _run(checkpoint, *words, "--onto-card")
        assert done.exit_code == 0, done.output
    _, card = load_checkpoint(checkpoint)
    assert checkpoint.read_bytes() == weights
    assert dataclasses.replace(card, measured={}) == before
    settings = " ".join(WORDS)
    assert {name: one["command"] for name, one in card.measured.items()} == {
        "turned-90": "umnist evaluate doubting.safetensors --variant turned-90 --seed 8 --split "
        f"test --count 3 {settings}",
        "photographs": "umnist evaluate doubting.safetensors --variant photographs --data "
        f"photographs --seed 0 --split test --count 5 {settings}",
        "three digits": "umnist evaluate doubting.safetensors --seed 0 --split test --count 4 "
        f"{settings}",
    }
    summary = card.measured["turned-90"]["summary"]
    assert set(summary) == {"data", "images", "tasks", "calibration", "warnings", "answers"}
    assert set(summary["tasks"]["sum"]) == {"accuracy"}
    assert set(card.measured["photographs"]["summary"]) == {"data", "images", "warnings"}
    assert str(tmp_path) not in card_path(checkpoint).read_text()
    assert "seconds" not in json.dumps(card.measured)


def test_figures_of_the_same_name_are_replaced(checkpoint: Path) -> None:
    """And those of another stay."""
    for count, name in ((2, "a"), (3, "b"), (4, "a")):
        done = _run(checkpoint, "--count", count, "--onto-card", "--name", name)
        assert done.exit_code == 0, done.output
    measured = load_card(checkpoint).measured
    assert {name: one["summary"]["images"] for name, one in measured.items()} == {"a": 4, "b": 3}


def test_summary_for_a_card_keeps_accuracy_by_number_of_digits() -> None:
    """Where there are several numbers of them; and what was not measured is left out."""
    overrides = {**OVERRIDES, "digits": "1..5", "label": "free"}
    samples = SceneSamples(Recipe(IMAGES, split="test", overrides=overrides))
    kept = card_summary(evaluate(Doubting(TinyConfig()), samples).summary())
    rows = kept["tasks"]["sum"]["by_digits"]
    assert len(rows) > 1
    assert sum(row["images"] for row in rows) == IMAGES
    assert "digits" not in kept


def test_answers_are_counted_by_truth_and_missed_scenes_are_listed() -> None:
    """Of one model that says 13 of all: what is no 13 was missed, under its index in the preset."""
    samples = SceneSamples(Recipe(IMAGES, split="test", overrides=OVERRIDES), first=5)
    found = evaluate(Doubting(TinyConfig()), samples)
    told = card_summary(found.summary())["answers"]
    labels = [samples.get(place).label for place in range(IMAGES)]
    truths = [label for label in labels if label is not None]
    assert len(truths) == IMAGES
    assert told["task"] == "sum"
    assert told["said"] == {str(true): {"13": truths.count(true)} for true in sorted(set(truths))}
    wrong = [{"index": 5 + at, "true": t, "said": 13} for at, t in enumerate(truths) if t != 13]
    assert told["missed"] == wrong[:MOST_MISSED]


def test_missed_images_that_nobody_can_draw_are_not_listed() -> None:
    """A changed scene has the index of another image; the counts stay."""
    changed = open_variant(_samples(4), "inverted")
    told = evaluate(Doubting(TinyConfig()), changed).summary()["answers"]
    assert sum(sum(row.values()) for row in told["said"].values()) == 4
    assert "missed" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--variant", "odd"], "rescaled-3900"),
        (["--variant", "photographs"], "--data with a folder of photographs"),
        (["--variant", "all", "--answers", "a.csv"], "of one variant, got all"),
        (["--variant", "all", "--onto-card", "--name", "a"], "of one variant, got all"),
        (["--name", "a"], "add --onto-card"),
    ],
)
def test_wrong_use_is_refused_with_code_2(
    checkpoint: Path, words: list[str], told: str, tmp_path: Path
) -> None:
    """Before anything is drawn or written."""
    done = _run(checkpoint, *words)
    assert done.exit_code == 2
    assert told in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "doubting.json",
        "doubting.safetensors",
    ]


def test_help_names_every_variant() -> None:
    """It is read without torch, and so lists them itself."""
    done = CliRunner().invoke(umnist, ["evaluate", "--help"])
    said = "".join(done.output.split())  # lines break at hyphens too
    assert all(name in said for name in VARIANTS)


def test_answers_table_has_confidences_and_warnings(checkpoint: Path, tmp_path: Path) -> None:
    """A row for each image."""
    done = _run(checkpoint, "--count", 3, "--answers", tmp_path / "a.csv")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 3
    assert all({"confidence", "is_calibrated", "warnings"} <= set(row) for row in rows)


def _options(**more: Any) -> dict[str, Any]:
    names = ("data", "memory_budget", "out", "answers", "submission", "name")
    settings: dict[str, Any] = {**dict.fromkeys(names), "count": 2, "overrides": OVERRIDES}
    settings |= {"preset": "released", "seed": 0, "split": "test", "variant": "plain"}
    settings |= {"batch_size": 2, "workers": 0, "device": "cpu", "attention": True}
    return {**settings, "onto_card": False, **more}


def test_plain_evaluation_prints_no_heading(checkpoint: Path) -> None:
    """One variant that changes nothing needs no name."""
    lines = list(run_evaluation(str(checkpoint), _options()))
    assert lines[1].startswith("sum: ")
