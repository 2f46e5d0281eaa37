"""A model that trains in an instant, and runs of it; also a program that the tests kill.

As a program it trains by the configuration in JSON that is its first argument, into the
folder that is its second, in as many processes as `torchrun` starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from umnist_core.models import registry
from umnist_core.models.base import SUM_CLASSES, Model, ModelOutput
from umnist_core.models.reduced import (
    ReducedBatch,
    ReducedImage,
    collate_reduced,
    normalised,
    prepare_reduced,
)
from umnist_core.pyramid import TileSource
from umnist_core.training.config import TrainConfig, config_from
from umnist_core.training.course import Course, Report
from umnist_core.training.distributed import Group
from umnist_core.training.loop import train

NAME = "tiny"

OVERRIDES = {"canvas": "64", "factor": "0.5", "digits": "3"}
"""Images of 64 px with digits of 14."""


@dataclass(frozen=True)
class TinyConfig:
    """Whether it normalises batches, and how much it drops out."""

    side_px: int = 8
    dropout: float = 0.5
    has_norm: bool = True


class Tiny(Model):
    """A linear layer on 8 x 8 px, with all that can go wrong on resuming."""

    config: TinyConfig

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        pixels = config.side_px**2
        self.norm = nn.BatchNorm1d(pixels) if config.has_norm else nn.Identity()
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(pixels, SUM_CLASSES))
        self.modes: list[bool] = []

    def prepare(self, source: TileSource) -> ReducedImage:
        """Reduce the image."""
        return prepare_reduced(source, self.config.side_px)

    def collate(self, prepared: Sequence[ReducedImage]) -> ReducedBatch:
        """Join reduced images."""
        return collate_reduced(prepared)

    def forward(self, batch: ReducedBatch) -> ModelOutput:
        """Return logits (B, 28); note the mode."""
        self.modes.append(self.training)
        pixels = normalised(batch, self.config.side_px, self.device)[:, 0].flatten(1)  # (B, 64)
        logits: Tensor = self.head(self.norm(pixels))  # (B, 28)
        return ModelOutput({"sum": logits}, no_attention="It looks everywhere alike.")


def register_tiny() -> None:
    """Make the model known under its name, as a file of the package would."""
    registry._FILES[NAME] = "base"
    registry._entries[NAME] = registry.Entry(NAME, Tiny, TinyConfig)


def tiny_dict(**run: Any) -> dict[str, Any]:
    """Return a run of 3 epochs on 40 images; keywords replace settings of its section run."""
    return {
        "model": {"name": NAME, "settings": {}},
        "data": {"count": 44, "overrides": OVERRIDES, "workers": 0},
        "run": {"epochs": 3, "batch_size": 8, "device": "cpu", "save_minutes": 10.0, **run},
    }


def tiny_config(settings: Mapping[str, Any] | None = None, **run: Any) -> TrainConfig:
    """Return such a run, with settings of the model."""
    data = tiny_dict(**run)
    data["model"]["settings"] = dict(settings or {})
    return config_from(data)


def course_in(out: Path, report: Report = lambda *told: None, **settings: Any) -> Course:
    """Return a course of one process on the CPU, which saves after each step."""
    out.mkdir(exist_ok=True)
    return Course(
        config=tiny_config(),
        command="",
        origin="from scratch",
        out=out,
        settings={"training": settings},
        group=Group(0, 1, torch.device("cpu")),
        wanted="float32",
        save_minutes=0.0,
        report=report,
    )


@contextmanager
def stopping_before(step: int) -> Iterator[None]:
    """Interrupt whatever learns before the step of this number, from 0, takes effect."""
    seen = 0

    def stop(*_: object) -> None:
        nonlocal seen
        if seen == step:
            raise KeyboardInterrupt
        seen += 1

    handle = register_optimizer_step_pre_hook(stop)
    try:
        yield
    finally:
        handle.remove()


if __name__ == "__main__":
    torch.set_num_threads(1)
    register_tiny()
    train(config_from(json.loads(sys.argv[1])), Path(sys.argv[2]))
