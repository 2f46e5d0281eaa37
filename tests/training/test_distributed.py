"""Several processes under torchrun train as one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.tiny import tiny_dict
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training.config import config_from
from umnist_core.training.loop import train

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("has_norm", [False, True], ids=["plain", "batch-norm"])
def test_two_processes_end_like_one(tmp_path: Path, has_norm: bool) -> None:
    """Same learned weights within 1e-5, same figures, files written once.

    One process does a step in two parts, so that batches are normalised over the same images.
    """
    data = tiny_dict(epochs=2)
    data["model"]["settings"] = {"dropout": 0.0, "has_norm": has_norm}
    two = tmp_path / "two"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "tests.training.tiny", json.dumps(data), str(two)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    data["run"]["accumulate"] = 2
    one = train(config_from(data), tmp_path / "one")
    ours, card = load_checkpoint(two / "last.safetensors")
    theirs = load_checkpoint(one.last)[0]
    for (name, weight), (_, expected) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        torch.testing.assert_close(weight, expected, rtol=0, atol=1e-5, msg=name)
    assert card.figures["validation"]["images"] == 4
    rows = (two / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3
    assert float(rows[-1].split(",")[2]) == pytest.approx(one.rows[-1]["train_loss"], abs=1e-5)
    assert json.loads((two / "run.json").read_text())["processes"] == 2
