"""Every baseline trains an epoch on 64 tiny images, is saved, loaded and evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.models.small import BASELINES, SMALL
from tests.training.tiny import OVERRIDES
from umnist_core.datasets import Recipe
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.training.config import config_from
from umnist_core.training.data import SceneSamples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.loop import train


@pytest.mark.parametrize("name", BASELINES)
def test_baseline_trains_an_epoch_and_is_evaluated(name: str, tmp_path: Path) -> None:
    """64 training images of 64 px; finite losses, changed weights, answers for fresh images."""
    config = config_from(
        {
            "model": {"name": name, "settings": SMALL[name]},
            "data": {"count": 70, "overrides": OVERRIDES, "workers": 0, "validation_share": 0.086},
            "run": {"epochs": 1, "batch_size": 32, "device": "cpu"},
        }
    )
    result = train(config, tmp_path)
    (row,) = result.rows
    model, card = load_checkpoint(result.best)
    assert card.data["training_images"] == 64
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    assert row["train_loss"] < 1000
    samples = SceneSamples(Recipe(4, split="test", overrides=OVERRIDES))
    found = evaluate(model, samples, batch_size=4)
    assert [row["id"] for row in found.rows] == [samples.get(place).image_id for place in range(4)]
    assert all(0 <= row["said_sum"] <= 27 for row in found.rows)
