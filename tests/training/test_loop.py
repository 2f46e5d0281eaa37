"""The loop: what a run leaves, that a kill changes nothing, that validation is evaluation."""

from __future__ import annotations

import csv
import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.training.tiny import Tiny, TinyConfig, stopping_before, tiny_config, tiny_dict
from umnist_core.errors import DamagedFileError, InvalidValueError, TooLargeError
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training.config import config_from
from umnist_core.training.data import ModelInputs, iter_batches, open_samples
from umnist_core.training.distributed import Group
from umnist_core.training.loop import train
from umnist_core.training.state import STATE_FILE
from umnist_core.training.validate import validate

ROOT = Path(__file__).resolve().parents[2]
ONE = Group(0, 1, torch.device("cpu"))


def _weights(path: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(path)[0].state_dict()


def _assert_same_bits(left: Path, right: Path) -> None:
    ours, theirs = _weights(left), _weights(right)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_run_leaves_checkpoints_metrics_and_what_it_follows_from(tmp_path: Path) -> None:
    """Best and last checkpoint with cards, a row for each epoch, TensorBoard's file, run.json."""
    result = train(tiny_config(), tmp_path, command="umnist train tiny")
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["train_loss"]) == result.rows[-1]["train_loss"]
    assert list((tmp_path / "tensorboard").glob("events.*"))
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["config"] == json.loads(json.dumps(tiny_config().to_dict()))
    _, card = load_checkpoint(result.last)
    assert card.command == "umnist train tiny"
    assert card.data["seed"] == 0
    assert card.data["run"]["run"]["seed"] == 0
    assert card.figures["validation"]["images"] == 4
    assert "from scratch" in card.notes[0]


def test_run_learns(tmp_path: Path) -> None:
    """The loss of the training images falls."""
    rows = train(tiny_config({"dropout": 0.0}, epochs=6), tmp_path).rows
    assert rows[-1]["train_loss"] < rows[0]["train_loss"] - 0.05


@pytest.mark.parametrize("stop", [None, 3])
def test_processes_that_read_end_with_their_epoch(tmp_path: Path, stop: int | None) -> None:
    """None waits for the collector: neither after a run, nor after one that an error ended."""
    settings = tiny_dict(epochs=1)
    settings["data"]["workers"] = 1
    before = multiprocessing.active_children()
    gc.disable()
    try:
        if stop is None:
            train(config_from(settings), tmp_path)
        else:
            with stopping_before(stop), pytest.raises(KeyboardInterrupt):
                train(config_from(settings), tmp_path)
        assert multiprocessing.active_children() == before
    finally:
        gc.enable()


def test_killed_run_ends_with_the_same_bits_as_one_that_was_not(tmp_path: Path) -> None:
    """Killed amid an epoch and resumed, on the CPU: same weights, same metrics."""
    config = tiny_dict(epochs=12, save_minutes=0.0)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-m", "tests.training.tiny", json.dumps(config), str(killed)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}) as process:
        state = killed / STATE_FILE
        while process.poll() is None and not (killed / "metrics.csv").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert state.exists()
    assert not (killed / "last.safetensors").exists()
    resumed = train(config_from(config), killed)
    # How often a run is saved is no part of what it is.
    straight = train(config_from(tiny_dict(epochs=12)), whole)
    _assert_same_bits(resumed.last, straight.last)
    _assert_same_bits(resumed.best, straight.best)
    timed = {"seconds", "images_per_s", "peak_bytes"}
    for ours, theirs in zip(resumed.rows, straight.rows, strict=True):
        assert {k: v for k, v in ours.items() if k not in timed} == {
            k: v for k, v in theirs.items() if k not in timed
        }


@pytest.mark.parametrize("stop_at", [1, 4, 5, 8, 14])
def test_run_stopped_after_any_step_ends_the_same(tmp_path: Path, stop_at: int) -> None:
    """First step, last of an epoch, first of the next, the last but one: all the same end."""
    straight = train(tiny_config(), tmp_path / "whole")
    with stopping_before(stop_at), pytest.raises(KeyboardInterrupt):
        train(tiny_config(save_minutes=0.0), tmp_path / "stopped")
    _assert_same_bits(train(tiny_config(), tmp_path / "stopped").last, straight.last)


def test_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    """The same command again trains nothing more."""
    before = train(tiny_config(), tmp_path)
    bits = before.last.read_bytes()
    assert train(tiny_config(), tmp_path).rows == before.rows
    assert before.last.read_bytes() == bits


def test_run_with_another_configuration_is_refused(tmp_path: Path) -> None:
    """Nothing is mixed: the sentence names the first difference."""
    train(tiny_config(), tmp_path)
    with pytest.raises(InvalidValueError, match=r"run\.seed = 0, got 1"):
        train(tiny_config(seed=1), tmp_path)


def test_damaged_state_is_refused(tmp_path: Path) -> None:
    """A cut or foreign state says so; it is never unpickled."""
    train(tiny_config(), tmp_path)
    path = tmp_path / STATE_FILE
    for data in (path.read_bytes()[:100], b"\x80\x04N."):
        path.write_bytes(data)
        with pytest.raises(DamagedFileError, match="remove it to begin again"):
            train(tiny_config(), tmp_path)


def test_seed_decides_the_weights(tmp_path: Path) -> None:
    """Two runs of a seed are equal, those of two seeds are not."""
    first, again, other = (
        train(tiny_config(seed=seed, epochs=1), tmp_path / name).last
        for seed, name in ((1, "first"), (1, "again"), (2, "other"))
    )
    _assert_same_bits(first, again)
    assert not torch.equal(_weights(first)["head.1.weight"], _weights(other)["head.1.weight"])


def test_accumulated_parts_make_the_step_of_the_whole(tmp_path: Path) -> None:
    """Four parts of 2 images and one of 8 end with the same weights but for rounding."""
    settings = {"dropout": 0.0, "has_norm": False}
    whole, parts = (
        _weights(train(tiny_config(settings, accumulate=n), tmp_path / str(n)).last) for n in (1, 4)
    )
    for name, weight in whole.items():
        torch.testing.assert_close(parts[name], weight, rtol=0, atol=1e-5)


def test_validation_is_in_evaluation_mode() -> None:
    """No dropout, no statistics of the batch, nothing learned, and the mode comes back."""
    samples = open_samples(tiny_config().data)
    torch.manual_seed(0)
    model = Tiny(TinyConfig()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def score(batch: int) -> tuple[float, int]:
        inputs = ModelInputs(samples, model)
        places = [list(range(first, first + batch)) for first in range(0, 24, batch)]
        found = validate(model, iter_batches(inputs, places, 0), ONE)
        return round(found.loss, 5), found.correct["sum"]

    # In training mode a score depends on which images share a batch, and on dropout.
    assert score(4) == score(4) == score(12)
    assert not any(model.modes)
    assert model.training
    assert all(part.training for part in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_run_validates_in_evaluation_mode_and_trains_in_training_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each epoch, 5 steps are in training mode and the validation batch is not."""
    seen: list[bool] = []
    plain = Tiny.forward

    def forward(self: Tiny, batch: object) -> object:
        seen.append(self.training)
        return plain(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Tiny, "forward", forward)
    train(tiny_config(epochs=2), tmp_path)
    assert seen == ([True] * 5 + [False]) * 2


def test_run_stops_when_nothing_gets_better(tmp_path: Path) -> None:
    """With a learning rate of next to nothing, the first epoch stays the best."""
    data = tiny_dict(epochs=30, patience=2, select="accuracy")
    data["optimizer"] = {"learning_rate": 1e-12}
    assert len(train(config_from(data), tmp_path).rows) == 3


def test_batch_that_the_data_cannot_fill_is_refused(tmp_path: Path) -> None:
    """More images a step than there are, or parts that do not divide: a sentence."""
    with pytest.raises(InvalidValueError, match="at most the 40 training images"):
        train(tiny_config(batch_size=41), tmp_path / "a")
    with pytest.raises(InvalidValueError, match=r"run.batch_size = 8"):
        train(tiny_config(accumulate=3), tmp_path / "b")


def test_run_begins_with_the_weights_of_an_earlier_one(tmp_path: Path) -> None:
    """A second stage goes on from a checkpoint, and its card says so."""
    first = train(tiny_config(epochs=1), tmp_path / "first")
    data = tiny_dict(epochs=1)
    data["model"]["initial"] = str(first.last)
    data["optimizer"] = {"learning_rate": 1e-12}
    second = train(config_from(data), tmp_path / "second")
    torch.testing.assert_close(
        _weights(second.last)["head.1.weight"], _weights(first.last)["head.1.weight"]
    )
    assert "last.safetensors" in load_checkpoint(second.last)[1].notes[0]


def test_batch_size_fills_the_memory_budget(tmp_path: Path) -> None:
    """More memory gives more images a step, up to those that there are; too little a sentence."""
    small = train(tiny_config(batch_size=0, memory_budget="0.05MB", epochs=1), tmp_path / "s")
    large = train(tiny_config(batch_size=0, memory_budget="50MB", epochs=1), tmp_path / "l")
    assert 0 < small.batch_size < large.batch_size == 40
    with pytest.raises(TooLargeError, match=r"more than the budget of 0\.0 MB"):
        train(tiny_config(batch_size=0, memory_budget="0.01MB"), tmp_path / "n")
