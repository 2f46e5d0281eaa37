"""What the phases of our own models have in common: settings, seeds, schedule, optimiser."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError
from umnist_core.training.config import OptimizerPart
from umnist_core.training.course import Phase
from umnist_core.training.precision import PRECISIONS
from umnist_core.training.schedule import warmed_cosine
from umnist_core.training.state import PhaseProgress

AVERAGE = 0.996
"""Weights are kept as a running mean over about 250 steps."""

LARGEST_GRADIENT = 2.0
SHORT_STEPS = 2
"""Of a phase of a course that is shortened; from the second on the optimiser has its state."""

WEIGHT_DECAY = 0.02

DrawBatch = Callable[[int, np.random.Generator], tuple[Any, ...]]
"""From the number of a step, and a generator of its own, to what the loss takes."""


@dataclass(frozen=True, kw_only=True)
class CourseSettings:
    """What the settings of every course of our own models have.

    Attributes
    ----------
    seed
        Of the scenes and of everything else that is drawn, 0 or more.
    learning_rate
        Its height, above 0; see `umnist_core.training.schedule.warmed_cosine`.
    save_minutes
        Between two saved states; 0 to save after every step.
    workers
        Processes that read scenes; 0 to read in this one. Results do not follow from it.
    precision
        One of `umnist_core.training.precision.PRECISIONS`.
    check_images
        Scenes of the training digits, not trained on, on which the result is tried; 1 or more.
    """

    seed: int = 501
    learning_rate: float = 3e-3
    save_minutes: float = 3.0
    workers: int = 2
    precision: str = "float32"
    check_images: int = 400

    def __post_init__(self) -> None:
        if self.seed < 0 or self.save_minutes < 0 or self.learning_rate <= 0:
            raise InvalidValueError(
                "Expected seed and save_minutes of 0 or more and a learning_rate above 0; got "
                f"{self.seed}, {self.save_minutes} and {self.learning_rate}."
            )
        if self.precision not in PRECISIONS:
            raise InvalidValueError(
                f"precision is one of {', '.join(PRECISIONS)}; got {self.precision!r}."
            )
        if self.check_images < 1 or self.workers < 0:
            raise InvalidValueError(
                "check_images is 1 or more and workers 0 or more; got "
                f"{self.check_images} and {self.workers}."
            )

    def shortened(self) -> Self:
        """Return the course with few scenes and steps, each step as large as before."""
        return replace(self, workers=0)


def make_phase(
    settings: CourseSettings,
    name: str,
    net: nn.Module,
    steps: int,
    draw_batch: DrawBatch,
    *,
    loss_of: Callable[..., Tensor],
    rate_share: float = 1.0,
) -> Phase:
    """Return a phase of one of our own models.

    Parameters
    ----------
    settings
        Of its course.
    name, net, steps
        As of `Phase`; what is drawn follows from the name, too.
    draw_batch
        What a step sees, on the CPU.
    loss_of
        Takes the net and what was drawn, its tensors on the net's device.
    rate_share
        Of the course's learning rate, for this phase.
    """

    def draw(progress: PhaseProgress, _part: int) -> tuple[int, np.random.Generator]:
        rng = np.random.default_rng((settings.seed, zlib.crc32(name.encode()), progress.step))
        torch.manual_seed(int(rng.integers(2**31)))  # for dropout
        return progress.step, rng

    def drawn_loss(net: nn.Module, step: int, rng: np.random.Generator) -> Tensor:
        # Drawn here, in the precision of the run, because glyphs are bent in it: on a CPU with
        # bfloat16 other bits would come out elsewhere.
        device = next(net.parameters()).device
        batch = draw_batch(step, rng)
        return loss_of(net, *(one.to(device) if isinstance(one, Tensor) else one for one in batch))

    return Phase(
        name=name,
        net=net,
        steps=steps,
        draw=draw,
        loss_of=drawn_loss,
        rate_at=lambda now: warmed_cosine(settings.learning_rate * rate_share, now.step, steps),
        optimizer=OptimizerPart("adamw", settings.learning_rate, WEIGHT_DECAY),
        largest_gradient=LARGEST_GRADIENT,
        average=AVERAGE,
    )
