"""The memory that configurations need at most, beside the budgets that they name.

Also of VGG16 on one image of 4000 x 4000 px, as torchvision builds it: it averages the last feature
map to 7 x 7, so that its classifier takes any size. Parés et al. publish what that needs: "MetH: A
family of high-resolution and variable-shape image challenges", section "Dataset impact".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import vgg16

from umnist_core.errors import InvalidValueError
from umnist_core.models.base import Model
from umnist_core.models.ips.patches import PatchReader
from umnist_core.models.reduced import ReducedImage
from umnist_core.models.registry import create_model
from umnist_core.training.config import DataPart, OptimizerPart, TrainConfig
from umnist_core.training.course import Phase
from umnist_core.training.data import Item, ModelInputs, open_samples
from umnist_core.training.memory import parse_budget
from umnist_core.training.own.courses import parse_course, rehearse_course
from umnist_core.training.peaks import STEPS, batch_phase, predict_forward, predict_steps
from umnist_core.training.photograph_samples import stand_in_item
from umnist_core.training.precision import PRECISIONS

VGG16 = "vgg16-4000"
VGG16_SIDE_PX = 4000

Bytes = Mapping[str, int]
"""Precision -> bytes at most."""


@dataclass(frozen=True)
class ConfigPeaks:
    """The memory that a configuration needs at most, as predicted.

    Attributes
    ----------
    images
        Of a part of a step; 0 where parts differ.
    parts
        Of a step, whose gradients are added.
    answer
        To answer for one image; for VGG16 for all.
    attention
        In float32, to say where it looked as well; 0 for what has no attention.
    step
        To train.
    precision
        As configured.
    budget
        In bytes; 0 for none.
    """

    images: int
    parts: int
    answer: Bytes
    attention: int
    step: Bytes
    precision: str
    budget: int

    @property
    def fits(self) -> bool | None:
        """Whether training as configured fits into the budget; None without one."""
        return self.step[self.precision] <= self.budget if self.budget else None


def predict_config(
    config: TrainConfig, device: torch.device, *, images: int | None = None
) -> ConfigPeaks:
    """Predict what a configuration needs.

    Parameters
    ----------
    config
        Its checkpoint at the start need not be there: weights do not matter.
    device
        It need not be here.
    images
        Of a part of a step, in place of the configured ones.

    Raises
    ------
    InvalidValueError
        If the batch size is to be searched for, or a course has no one batch that could be set.
    MissingFileError, DamagedFileError
        If its images cannot be read.
    """
    if config.recipe:
        return _predict_course(config, device, images)
    run = config.run
    size = images or run.batch_size // run.accumulate
    if size < 1:
        raise InvalidValueError(
            "Expected a number of images, found a batch size that is to be searched for; say how "
            "many with --images."
        )
    model = create_model(config.model.name, config.model.settings)
    items = read_items(config, model, size)
    # From the second part on the gradients of the first are there.
    parts = min(2, run.accumulate)
    phase = batch_phase(model, items, device, optimizer=config.optimizer, parts=parts)
    step = {one: predict_steps(phase, device, one) for one in PRECISIONS}
    prepared = items[0][0]
    return ConfigPeaks(
        images=size,
        parts=run.accumulate,
        answer={one: _answer(model, prepared, device, one) for one in PRECISIONS},
        attention=_attention(model, prepared, device),
        step=step,
        precision=run.precision,
        budget=parse_budget(run.memory_budget) if run.memory_budget else 0,
    )


def read_items(config: TrainConfig, model: Model, images: int) -> list[Item]:
    """Return so many images of a configuration, with what is to be said of each.

    A square of `STAND_IN_PX` stands in for photographs, which need not be here, nor need as many
    digits as training asks for.
    """
    if model.sees_colour:
        first = stand_in_item(model)
        if not isinstance(first[0], PatchReader):
            return [first] * images
        return [first, *(stand_in_item(model, place) for place in range(1, images))]
    few = replace(config.data, count=min(config.data.count, max(images, 2)))
    inputs = ModelInputs(open_samples(few), model)
    first = inputs[0]
    if isinstance(first[0], ReducedImage):  # all alike, as far as memory goes
        return [first] * images
    return [first, *(inputs[place] for place in range(1, images))]


def _answer(model: Model, prepared: Any, device: torch.device, precision: str) -> int:
    return predict_forward(model, lambda net: net(net.collate([prepared])), device, precision)


def _attention(model: Model, prepared: Any, device: torch.device) -> int:
    def attend(net: Model) -> None:
        told.append(net.attend(net.collate([prepared])).attention is not None)

    told: list[bool] = []
    found = predict_forward(model, attend, device)
    return found if told[0] else 0


def _predict_course(config: TrainConfig, device: torch.device, images: int | None) -> ConfigPeaks:
    """Predict what a course of our own needs: the most of its phases."""
    if images is not None:
        raise InvalidValueError(
            f"The phases of {config.model.name} have batches of their own; got {images} images; "
            "leave the number out."
        )
    phases = list(rehearse_course(config))
    model = create_model(config.model.name, config.model.settings).eval()
    with torch.no_grad():
        prepared = model.prepare(open_samples(DataPart(count=2)).get(0).source)
    return ConfigPeaks(
        images=0,
        parts=1,
        answer={one: _answer(model, prepared, device, one) for one in PRECISIONS},
        attention=_attention(model, prepared, device),
        step={
            one: max(predict_steps(phase, device, one) for phase in phases) for one in PRECISIONS
        },
        precision=parse_course(config).precision,
        budget=0,
    )


def predict_vgg16(
    device: torch.device, *, images: int = 1, side_px: int = VGG16_SIDE_PX
) -> ConfigPeaks:
    """Predict what VGG16 needs to train on images of a side, and to answer for as many."""
    net = vgg16()
    pixels = torch.zeros(1, 3, side_px, side_px).expand(images, -1, -1, -1)
    classes = torch.zeros(images, dtype=torch.int64)

    def loss_of(net: nn.Module, pixels: Tensor, classes: Tensor) -> Tensor:
        return nn.functional.cross_entropy(net(pixels.to(device)), classes.to(device))

    phase = Phase(
        name=VGG16,
        net=net,
        steps=STEPS,
        draw=lambda _progress, _part: (pixels, classes),
        loss_of=loss_of,
        rate_at=lambda _progress: 0.0,
        optimizer=OptimizerPart(),
    )
    return ConfigPeaks(
        images=images,
        parts=1,
        answer={
            one: predict_forward(net, lambda net: net(pixels.to(device)), device, one)
            for one in PRECISIONS
        },
        attention=0,
        step={one: predict_steps(phase, device, one) for one in PRECISIONS},
        precision=PRECISIONS[0],
        budget=0,
    )
