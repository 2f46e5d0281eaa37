"""How every net here learns: a run is a course of phases, and a phase steps of one net.

What a step draws follows from the seed, the phase and the number of the step alone. So a phase
that was killed goes on from its last state, and ends on the CPU with the same bits as one that
was not. Several processes share the steps of a phase (`umnist_core.training.distributed`).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from umnist_core.models.cards import Card
from umnist_core.training.config import OptimizerPart, TrainConfig
from umnist_core.training.distributed import Group
from umnist_core.training.failures import failures_said
from umnist_core.training.precision import find_precision
from umnist_core.training.provenance import find_commit, find_versions
from umnist_core.training.state import PhaseProgress, Settings, load_state, save_state

_NO_MEMORY = "free some there, or set run.device to cpu"

Report = Callable[[str, int, int, float], None]
"""Called with what is under way, its steps done, all its steps, and its loss (0 for none)."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A net that learns for some steps.

    Attributes
    ----------
    name
        Of its state in the folder of the run: ``NAME.safetensors``.
    net
        Where it begins; it learns in place.
    steps
        0 or more: of the phase, or of each of its epochs.
    draw
        What the loss takes, from where the phase is and a part of the step; it seeds what the net
        itself draws.
    loss_of
        The loss of what was drawn: takes the net, and it; computes in the run's precision.
    rate_at
        The learning rate of a step, from where the phase is.
    optimizer
        How weights follow gradients.
    parts
        Of a step, whose gradients are added.
    images
        Of a part: what its loss counts for in the mean of an epoch.
    largest_gradient
        The norm that gradients are cut to.
    average
        Share of itself that the running mean of the weights keeps with each step; the mean is what
        comes out. 0 for no mean.
    """

    name: str
    net: nn.Module
    steps: int
    draw: Callable[[PhaseProgress, int], tuple[Any, ...]]
    loss_of: Callable[..., Tensor]
    rate_at: Callable[[PhaseProgress], float]
    optimizer: OptimizerPart
    parts: int = 1
    images: int = 1
    largest_gradient: float = math.inf
    average: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Course:
    """A run: what its phases share, and what is told of it in files.

    Attributes
    ----------
    config, command
        What it follows from, and the command line.
    origin
        Where the weights at the start are from.
    out
        Its folder.
    settings
        What states must be of; see `umnist_core.training.state.check_settings`.
    group
        This process and the others, with the device.
    wanted
        Precision that was asked for, one of `umnist_core.training.precision.PRECISIONS`.
    save_minutes
        Between two saved states; 0 to save after every step.
    report
        Told of every step.
    """

    config: TrainConfig
    command: str
    origin: str
    out: Path
    settings: Settings
    group: Group
    wanted: str
    save_minutes: float
    report: Report

    @property
    def precision(self) -> torch.dtype | None:
        """Of mixed precision on the device; None for float32."""
        return find_precision(self.wanted, self.group.hardware)

    def facts(self) -> dict[str, Any]:
        """Return what the run's file says of every run."""
        return {
            "config": self.config.to_dict(),
            "command": self.command,
            "weights": self.origin,
            "precision": "float32" if self.precision is None else str(self.precision),
            "commit": find_commit(),
            "versions": find_versions(),
            "hardware": self.group.hardware.description,
        }

    def card(self, data: Mapping[str, Any], figures: Mapping[str, Any], seconds: float) -> Card:
        """Return the card of a checkpoint, with its data, its figures and the time it took."""
        facts = self.facts()
        notes = [f"Weights at the start: {self.origin}."]
        if data.get("stand_in"):
            notes.append("The digits are the bundled stand-in, not MNIST.")
        if self.wanted == "mixed" and self.precision is None:
            notes.append("Mixed precision was asked for; this processor has none: it was float32.")
        return Card(
            model=self.config.model.name,
            data=data,
            figures=figures,
            seconds=seconds,
            notes=tuple(notes),
            **{name: facts[name] for name in ("command", "commit", "versions", "hardware")},
        )


def run_course(course: Course, phases: Iterable[Phase]) -> None:
    """Do phases one after the other, or go on where a run stopped.

    Each is asked for when the one before is done, and its net is on the CPU with the mean of its
    weights.
    """
    for phase in phases:
        if phase.steps == 0:
            continue
        state = course.out / f"{phase.name}.safetensors"
        with failures_said(
            course.group.hardware, f"A step of {phase.name}", _NO_MEMORY, state=state
        ):
            run = PhaseRun(phase, course)
            if run.progress.step < phase.steps:
                run.go(phase.name)
                run.save()
        if run.mean is not None:
            phase.net.load_state_dict(run.mean.state_dict())
        phase.net.cpu()


class _Loss(nn.Module):
    """From what was drawn to its loss, so that one forward pass is all that processes share."""

    def __init__(self, phase: Phase) -> None:
        super().__init__()
        self.net, self._loss_of = phase.net, phase.loss_of

    def forward(self, *drawn: Any) -> Tensor:
        return self._loss_of(self.net, *drawn)


class PhaseRun:
    """A phase under way: its optimiser, its running mean, and its state in a file.

    Parameters
    ----------
    phase, course
        What is done.
    start
        Where it is if there is no state of it.

    Raises
    ------
    InvalidValueError, DamagedFileError
        If there is a state, and it is of other settings, or none.
    """

    def __init__(self, phase: Phase, course: Course, start: PhaseProgress | None = None) -> None:
        self.phase, self.course = phase, course
        course.group.hardware.place(phase.net)
        self.precision = course.precision
        self.mean = copy.deepcopy(phase.net) if phase.average else None
        self._kept = phase.net
        if self.mean is not None:
            self._kept = nn.ModuleDict({"net": phase.net, "mean": self.mean})
        self.optimizer = _optimizer(phase)
        self._scaler = course.group.hardware.scaler(self.precision)
        self._path = course.out / f"{phase.name}.safetensors"
        self.progress = start or PhaseProgress()
        if self._path.is_file():
            self.progress, scaler = load_state(
                self._path, self._kept, self.optimizer, course.settings
            )
            if scaler:
                self._scaler.load_state_dict(scaler)
        self._loss: nn.Module = _Loss(phase)
        if course.group.world > 1:
            # Buffers are averaged once an epoch: those of one process would forget the others'.
            self._loss = DistributedDataParallel(self._loss, broadcast_buffers=False)
        self._started = time.monotonic() - self.progress.seconds
        self._saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent, over all resumptions."""
        return time.monotonic() - self._started

    def go(self, what: str) -> None:
        """Do the steps that are left, and report them as ``what``."""
        phase, progress, course = self.phase, self.progress, self.course
        phase.net.train()
        course.report(what, progress.step, phase.steps, 0.0)
        while progress.step < phase.steps:
            loss = self._step()
            progress.step += 1
            course.report(what, progress.step, phase.steps, loss)
            # Several processes save between epochs alone: each has a sum of losses of its own.
            is_due = time.monotonic() - self._saved >= 60 * course.save_minutes
            if is_due and progress.step < phase.steps and course.group.world == 1:
                self.save()

    def save(self) -> None:
        """Write where the phase is, or raise a WriteError and leave the state before."""
        self.progress.seconds = self.seconds
        save_state(
            self._path,
            self._kept,
            self.optimizer,
            scaler=self._scaler.state_dict(),
            progress=self.progress,
            settings=self.course.settings,
        )
        self._saved = time.monotonic()

    def _step(self) -> float:
        phase, progress = self.phase, self.progress
        rate = phase.rate_at(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        losses = [self._add_gradients(part) for part in range(phase.parts)]
        if phase.largest_gradient < math.inf:
            self._scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(phase.net.parameters(), phase.largest_gradient)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        if self.mean is not None:
            kept = min(phase.average, (1 + progress.step) / (10 + progress.step))
            average_into(self.mean, phase.net, kept)
        return sum(losses) / len(losses)

    def _add_gradients(self, part: int) -> float:
        phase = self.phase
        drawn = phase.draw(self.progress, part)
        with self._sync(part == phase.parts - 1):
            with self.course.group.hardware.mixed(self.precision):
                loss = self._loss(*drawn)
            self._scaler.scale(loss / phase.parts).backward()
        found = float(loss.detach())
        self.progress.loss_sum += found * phase.images
        self.progress.seen += phase.images
        return found

    def _sync(self, is_last: bool) -> AbstractContextManager[Any]:
        if isinstance(self._loss, DistributedDataParallel) and not is_last:
            return self._loss.no_sync()
        return nullcontext()


RMSPROP_EPSILON = 1e-5
"""Of the released code of Pawlowski et al., arXiv 1908.06037; PyTorch's own is a thousandth."""


def _optimizer(phase: Phase) -> torch.optim.Optimizer:
    part = phase.optimizer
    learned = [weight for weight in phase.net.parameters() if weight.requires_grad]
    rate, decay = part.learning_rate, part.weight_decay
    if part.name == "rmsprop":
        return torch.optim.RMSprop(learned, lr=rate, eps=RMSPROP_EPSILON, weight_decay=decay)
    kind = torch.optim.Adam if part.name == "adam" else torch.optim.AdamW
    return kind(learned, lr=rate, weight_decay=decay)


@torch.no_grad()
def average_into(mean: nn.Module, net: nn.Module, kept: float) -> None:
    """Move the running mean of weights towards a net's by ``1 - kept``."""
    for own, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if own.dtype.is_floating_point:
            own.lerp_(new, 1 - kept)
        else:
            own.copy_(new)
