"""Steps of models on a GPU that is not there: training, validation, evaluation with attention.

The code that runs is that of the models and of training; here they are only put together. What a
step is given is real, as it is drawn on the CPU, and becomes fake where it is sent to the device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from umnist_core.hardware import hardware_of
from umnist_core.models.base import Model
from umnist_core.models.ips.settings import IPSConfig
from umnist_core.models.papers.convnet import ConvNet
from umnist_core.models.registry import create_model
from umnist_core.models.targets import collate_targets
from umnist_core.training.config import ModelPart, TrainConfig, load_config
from umnist_core.training.config_peaks import read_items
from umnist_core.training.course import Course, Phase, PhaseRun
from umnist_core.training.data import Item
from umnist_core.training.distributed import Group
from umnist_core.training.fake_device import fake_device
from umnist_core.training.peaks import copy_sharing
from umnist_core.training.precision import find_precision
from umnist_core.training.state import PhaseProgress
from umnist_core.training.validate import ValidationFigures, validate

M = TypeVar("M", bound=nn.Module)

CUDA = torch.device("cuda")
GPU = Group(0, 1, CUDA)


@lru_cache(maxsize=2)  # VGG16 has half a GB of weights
def configured(name: str) -> tuple[Model, list[Item]]:
    """Return the model of a configuration that comes with umnist, and a part of its step."""
    config = load_config(Path(name))
    model = create_model(config.model.name, _with_few_rounds(config.model.settings))
    (item,) = read_items(config, model, 1)
    return model, [item] * (config.run.batch_size // config.run.accumulate)


def _with_few_rounds(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with an image of fewer patches where it is resized: each round is alike."""
    if "resized_px" not in settings:
        return dict(settings)
    own = IPSConfig(**settings)
    side = own.patch_px * math.ceil(math.sqrt(own.memory + 2 * own.iteration))
    return dict(settings) | {"resized_px": (side, side)}


def place(model: M) -> M:
    """Return a copy of a model or net on the GPU; call it in `fake_device`."""
    moved = copy_sharing(model)
    hardware_of(CUDA).place(moved)
    return moved


def as_configured(before: Model | None, model: Model) -> Model:
    """Return a model on the GPU: the one before if only the side of its input is another."""
    if not isinstance(before, ConvNet) or type(before) is not type(model):
        return place(model)
    if replace(before.config, side_px=model.config.side_px) != model.config:
        return place(model)
    before.config = model.config
    return before


def lose(phase: Phase, net: nn.Module, precision: str) -> Tensor:
    """Return the loss of a phase's first step, forward alone; ``net`` is the phase's, placed."""
    hardware = hardware_of(CUDA)
    drawn = phase.draw(PhaseProgress(), 0)
    with hardware.mixed(find_precision(precision, hardware)):
        return phase.loss_of(net.train(), *drawn)


def check(model: Model, items: Sequence[Item], precision: str) -> ValidationFigures:
    """Validate on a batch."""
    prepared, targets = zip(*items, strict=True)
    batch = model.collate(prepared), collate_targets(targets)
    short = find_precision(precision, hardware_of(CUDA))
    return validate(model, [batch], GPU, precision=short)


def learn(phase: Phase, precision: str) -> list[float]:
    """Do one whole step of a phase: forward, backward and the optimiser; return the losses."""
    losses: list[float] = []
    course = Course(
        config=TrainConfig(ModelPart("")),
        command="",
        origin="",
        out=Path(),
        settings={},
        group=GPU,
        wanted=precision,
        save_minutes=math.inf,
        report=lambda _what, done, _steps, loss: losses.append(loss) if done else None,
    )
    with fake_device(CUDA):
        PhaseRun(replace(phase, net=copy_sharing(phase.net), steps=1), course).go(phase.name)
    return losses
