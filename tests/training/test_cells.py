"""What cells of sweeps do: answers of checkpoints, and trainings measured on three sets."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from umnist_core.attention import AttentionMap, DigitMask
from umnist_core.datasets import Recipe
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.experiments.sweeps.plan import FILES, Resolved, load_sweep, plan_sweep, sweep_names
from umnist_core.models.base import Model
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training import cell_estimates, cell_evaluation, cell_training
from umnist_core.training.cell_attention import image_shares
from umnist_core.training.cells import find_kinds, run_kind

IPS = {
    "checkpoint": "ips-megapixel",
    "preset": "megapixel",
    "overrides": {"canvas": 200, "noise_count": 2},
    "count": 4,
}

TRAIN: dict[str, Any] = {
    "from": "ips-compact-200",
    "train_measured": 6,
    "test": {"count": 5},
    "training": {
        "model": {"settings": {"memory": 4, "iteration": 4}},
        "data": {
            "turns": [],
            "preset": "megapixel-bezier",
            "count": 20,
            "validation_share": 0.2,
            "workers": 0,
            "overrides": {"canvas": 100, "noise_count": 3},
        },
        "run": {"epochs": 2, "batch_size": 8, "precision": "float32"},
    },
}


def resolved(kind: str, settings: Mapping[str, Any], seed: int = 0) -> Resolved:
    """Return what settings come to."""
    return find_kinds()[kind].resolve(copy.deepcopy(dict(settings)), seed)


def run(kind: str, settings: Mapping[str, Any], folder: Path, seed: int = 0) -> dict[str, Any]:
    """Return the figures of a cell, as they are read from JSON again."""
    config = json.loads(json.dumps(resolved(kind, settings, seed).config))
    return dict(json.loads(json.dumps(run_kind(kind, config, folder).figures, allow_nan=False)))


def test_answers_are_those_of_the_scenes_by_their_indices(tmp_path: Path) -> None:
    """Truths are the scenes' own, counts are those of the lists, and tables add up to them."""
    found = run("evaluate", {**IPS, "first": 3}, tmp_path, seed=5)
    recipe = Recipe(9, "megapixel", 5, "test", {"canvas": "200", "noise_count": "2"})
    scenes = [recipe.plan(index, load_glyphs("test")) for index in range(3, 7)]
    assert found["index"] == [3, 4, 5, 6]
    assert found["not_drawn"] == []
    assert found["tasks"]["max"]["true"] == [
        max(digit.label for digit in scene.digits) for scene in scenes
    ]
    for task in found["tasks"].values():
        alike = [said == true for said, true in zip(task["said"], task["true"], strict=True)]
        assert (task["images"], task["right"]) == (4, sum(alike))
    assert set(found["tasks"]) == {"majority", "max", "top", "multi"}
    right = found["tasks"]["majority"]["right"]
    for rows in found["by"].values():
        assert sum(row["images"] for row in rows) == 4
        assert sum(row["right"] for row in rows) == right
    assert found["digits"] == {}


def test_digits_are_counted_by_class_and_size_and_what_cannot_be_drawn_is_named(
    tmp_path: Path,
) -> None:
    """Of a model that finds digits; scenes without a place for theirs are left out."""
    small = {"canvas": 500, "factor": "1..4", "digits": 2, "label": "free"}
    finder = {"checkpoint": "digit-finder"}
    found = run("evaluate", {**finder, "overrides": small, "count": 3}, tmp_path)
    assert found["digits"]["digits"] == 6
    for name in ("by_side_px", "by_class"):
        rows = found["digits"][name]
        assert sum(row["digits"] for row in rows) == 6
        assert sum(row["right"] for row in rows) == found["digits"]["right"]
    full = {"canvas": 112, "factor": 3, "scale_distribution": "fixed", "digits": 5, "label": "free"}
    none = run("evaluate", {**finder, "overrides": full, "count": 2}, tmp_path)
    assert (none["index"], none["not_drawn"], none["tasks"]) == ([], [0, 1], {})


def test_process_keeps_the_model_of_its_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cells of a checkpoint load it once."""
    loads = []

    def load(path: Path) -> tuple[Model, Card]:
        loads.append(path)
        return load_checkpoint(path)

    cell_evaluation._loaded.cache_clear()
    monkeypatch.setattr(cell_evaluation, "load_checkpoint", load)
    for seed in (0, 1):
        run("evaluate", {**IPS, "count": 1}, tmp_path, seed)
    assert len(loads) == 1


def test_trained_cell_keeps_all_three_sets_of_every_epoch(tmp_path: Path) -> None:
    """Each with loss and right answers; the last row is what the weights at the end answer."""
    tests = {"thick": {"thickness": 3}}
    found = run("train", {**TRAIN, "tests": tests}, tmp_path / "run")
    assert [row["epoch"] for row in found["epochs"]] == [1, 2]
    for row in found["epochs"]:
        assert [row[part]["images"] for part in ("train", "validation", "test")] == [6, 4, 5]
        assert all(row[part]["loss"] > 0 for part in ("train", "validation", "test"))
        assert row["train"]["loss"] != row["test"]["loss"]
    assert (found["first"], found["final"]) == (found["epochs"][0], found["epochs"][1])
    best = max(found["epochs"], key=lambda row: sum(row["validation"]["right"].values()))
    assert found["best"] == best
    answered = {task: one["right"] for task, one in found["answers"]["tasks"].items()}
    assert answered == found["final"]["test"]["right"]
    assert (
        found["tests"]["thick"]["tasks"]["max"]["true"] == found["answers"]["tasks"]["max"]["true"]
    )
    assert found["weights"] == "trained from scratch"


def test_trained_cell_that_was_killed_goes_on_to_the_same_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder holds where it stood; the figures are those of a run without a stop."""
    straight = run("train", TRAIN, tmp_path / "straight")
    measure = cell_training.EpochMeasures.__call__

    def stop_in_the_second(self: Any, trainer: Any) -> Any:
        if trainer.progress.epoch == 1:
            raise KeyboardInterrupt
        return measure(self, trainer)

    with monkeypatch.context() as patched:
        patched.setattr(cell_training.EpochMeasures, "__call__", stop_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            run("train", TRAIN, tmp_path / "stopped")
    assert run("train", TRAIN, tmp_path / "stopped") == straight


def test_seed_is_that_of_weights_and_images_unless_the_file_names_one() -> None:
    """A cell's seed draws all that is drawn; the test is the same for every seed."""
    found = resolved("train", TRAIN, seed=7)
    training = found.config["training"]
    assert (training["run"]["seed"], training["data"]["seed"]) == (7, 7)
    assert found.config["test"]["seed"] == 0
    changed = copy.deepcopy(TRAIN)
    changed["training"]["data"]["seed"] = 3
    training = resolved("train", changed, seed=7).config["training"]
    assert (training["run"]["seed"], training["data"]["seed"]) == (7, 3)
    course = resolved("train", {"from": "plain-cnn"}, seed=7).config["training"]
    assert (course["recipe"]["seed"], course["data"]["seed"]) == (7, 0)


def test_noise_study_learns_without_noise_and_is_tested_with_it() -> None:
    """The layer without noise is that of the training images alone."""
    (cell, *_) = plan_sweep(load_sweep(Path("fig6-paper")), find_kinds()).cells
    assert cell.config["training"]["data"]["layer"] == "noise_free"
    assert cell.config["test"]["layer"] == "full"
    assert cell.config["tests"]["5 pairs, 4 cells"] == {"shape_pairs": "5", "checkerboard": "4"}


def test_what_a_cell_is_made_from_is_known_by_content() -> None:
    """Digits, and weights and settings of a checkpoint, also where a training begins with it."""
    found = resolved("evaluate", IPS).data
    assert found["digits_sha256"] == load_glyphs("test").checksum
    begun = copy.deepcopy(TRAIN)
    begun["training"]["model"]["initial"] = "ips-megapixel"
    data = resolved("train", begun).data
    assert data["checkpoint_sha256"] == found["checkpoint_sha256"]
    assert data["digits_sha256"] == load_glyphs("train").checksum
    assert data["test_digits_sha256"] == found["digits_sha256"]
    assert resolved("train", TRAIN).data != data
    assert "models/ips" in resolved("train", TRAIN).rooms


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("evaluate", {}, "Expected the name of a checkpoint under base.checkpoint"),
        ("evaluate", {**IPS, "counts": 3}, "There is no setting base.counts"),
        ("evaluate", {**IPS, "overrides": {"canvas": 2}}, "canvas is a whole number"),
        ("evaluate", {**IPS, "count": 0}, "count is 1 to"),
        ("train", {}, "Expected the name or file of a training configuration under base.from"),
        ("train", {**TRAIN, "training": {"run": {"epoch": 3}}}, "There is no setting run.epoch"),
        ("train", {**TRAIN, "tests": {"a": {"thicknes": 1}}}, "There is no parameter 'thicknes'"),
        ("train", {**TRAIN, "test": {"count": 1}}, "test.count is 2 or more"),
    ],
)
def test_wrong_settings_get_one_sentence(kind: str, settings: dict[str, Any], words: str) -> None:
    """Before anything is run."""
    with pytest.raises(InvalidValueError, match=words):
        resolved(kind, settings)
    with pytest.raises(NotFoundError, match="the name of a checkpoint"):
        resolved("evaluate", {**IPS, "checkpoint": "nobody"})


def test_every_shipped_sweep_comes_to_different_cells() -> None:
    """Each file is allowed, and no two of its cells are the same."""
    assert len(sweep_names()) == len(list(FILES.iterdir()))
    for name in sweep_names():
        sweep = plan_sweep(load_sweep(Path(name)), find_kinds())
        assert len({cell.name for cell in sweep.cells}) == len(sweep.cells) == sweep.file.count


def test_estimates_come_from_trials_and_say_what_cannot_be_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cell of twice the images takes longer; what needs too much memory is not begun."""
    plain = cell_estimates.try_cell("train", resolved("train", TRAIN).config)
    assert (plain.note, plain.seconds > 0) == ("", True)
    assert cell_estimates.try_cell("evaluate", resolved("evaluate", IPS).config).seconds > 0
    course = cell_estimates.try_cell("train", resolved("train", {"from": "plain-cnn"}).config)
    assert "course of its own" in course.note
    monkeypatch.setattr("umnist_core.hardware.processor.Processor.free_bytes", lambda _: 1e6)
    large = cell_estimates.try_cell("train", resolved("train", TRAIN).config)
    assert large.seconds == float("inf")
    assert "more than half of what" in large.note


def test_attention_is_divided_among_digits_noise_and_nothing(tmp_path: Path) -> None:
    """Shares add up to the whole, as those of chance do; noise without ink is refused."""
    found = run("attend", {**IPS, "count": 2}, tmp_path)["by_image"]
    for place in range(2):
        for ending in ("", "_chance"):
            shares = [found[f"{name}{ending}"][place] for name in ("digits", "noise", "blank")]
            assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert found["digits"][0] > found["digits_chance"][0]
    with pytest.raises(InvalidValueError, match="has no ink of its own"):
        resolved("attend", {"checkpoint": "digit-finder"})


def test_a_place_counts_as_what_it_holds() -> None:
    """A digit's ink goes before noise, and noise before nothing."""
    image = np.zeros((20, 20), np.uint8)
    image[2:4, 2:4] = image[2:4, 12:14] = image[8, 8] = 255
    masks = [DigitMask(2, 2, np.ones((2, 2), bool))]
    boxes = np.array([[0, 0, 10, 10], [0, 10, 10, 20], [10, 0, 20, 10]], np.float32)
    weights = np.array([[[0.5, 0.3, 0.2]]], np.float32)
    found = image_shares(AttentionMap(weights, boxes, 20, 20, ("sum",), "trial"), image, masks)
    told = [found[name] for name in ("digits", "noise", "blank")]
    assert told == pytest.approx([0.5, 0.3, 0.2], abs=1e-6)
    chances = [found[f"{name}_chance"] for name in ("digits", "noise", "blank")]
    assert chances == [0.25, 0.25, 0.5]
