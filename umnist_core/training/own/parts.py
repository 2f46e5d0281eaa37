"""Train a net by itself for some steps: what the models of our own are trained with.

The net's running mean is what comes out. A state is kept every few minutes, and a part that was
stopped goes on from there to the same bits: what a step draws depends on the seed, the part
and the number of the step alone.
"""

from __future__ import annotations

import copy
import math
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError
from umnist_core.training.precision import PRECISIONS, find_precision, mixed
from umnist_core.training.state import Progress, load_state, save_state

WARM_UP_STEPS = 100
AVERAGE = 0.996
"""Weights are kept as a running mean over about 250 steps."""

CPU = torch.device("cpu")

LARGEST_GRADIENT = 2.0
WEIGHT_DECAY = 0.02

MAY_DIFFER = ("save_minutes", "workers")
"""Settings that a run which goes on may have changed: its results do not follow from them."""

Report = Callable[[str, int, int, float], None]
"""Called with the part, its steps done, all its steps, and its loss (0 where there is none)."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What the settings of every such training have.

    Attributes
    ----------
    seed
        Of the scenes and of everything else that is drawn, 0 or more.
    learning_rate
        Its height, above 0; it warms up over 100 steps and ends along a cosine.
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


@dataclass(frozen=True)
class Part:
    """A net that is trained by itself.

    Attributes
    ----------
    name
        Of its state in the folder of the run.
    steps
        0 or more; with 0 the net stays as it is.
    loss_of
        The loss of a step: takes the net, the number of the step, and a generator of its own.
    rate_share
        Of the run's learning rate, for this part.
    """

    name: str
    steps: int
    loss_of: Callable[[nn.Module, int, np.random.Generator], Tensor]
    rate_share: float = 1.0


def train_part(part: Part, net: nn.Module, pace: Pace, out: Path, report: Report) -> nn.Module:
    """Return the running mean of a net's weights after its steps; a stopped run goes on.

    Parameters
    ----------
    part, pace
        What is trained, and how.
    net
        Where it begins; it learns in place.
    out
        Folder for the state.
    report
        Told of every step.

    Raises
    ------
    InvalidValueError, DamagedFileError
        If the folder holds the state of a run with other settings, or no state.
    WriteError
        If a state cannot be written.
    """
    if part.steps == 0:
        return net
    net.to(memory_format=torch.channels_last)
    pair = nn.ModuleDict({"net": net, "mean": copy.deepcopy(net)})
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=WEIGHT_DECAY)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{part.name}.safetensors"
    own = asdict(pace)
    settings = {"training": {name: one for name, one in own.items() if name not in MAY_DIFFER}}
    progress = Progress()
    if path.exists():
        progress, _ = load_state(path, pair, optimizer, settings)
    saved_at = time.monotonic()
    while progress.step < part.steps:
        loss = _step(part, pair, optimizer, progress.step, pace)
        progress.step += 1
        report(part.name, progress.step, part.steps, loss)
        minutes = (time.monotonic() - saved_at) / 60
        if minutes >= pace.save_minutes or progress.step == part.steps:
            save_state(path, pair, optimizer, scaler={}, progress=progress, config=settings)
            saved_at = time.monotonic()
    return pair["mean"]


def _step(
    part: Part,
    pair: nn.ModuleDict,
    optimizer: torch.optim.Optimizer,
    step: int,
    pace: Pace,
) -> float:
    net = pair["net"].train()
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    height = 0.5 * (1 + math.cos(math.pi * step / part.steps)) + 1e-3
    for group in optimizer.param_groups:
        group["lr"] = pace.learning_rate * part.rate_share * warm * height
    rng = np.random.default_rng((pace.seed, zlib.crc32(part.name.encode()), step))
    torch.manual_seed(int(rng.integers(2**31)))  # for dropout
    with mixed(CPU, find_precision(pace.precision, CPU)):
        loss = part.loss_of(net, step, rng)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), LARGEST_GRADIENT)
    optimizer.step()
    average_into(pair["mean"], net, min(AVERAGE, (1 + step) / (10 + step)))
    return float(loss.detach())


@torch.no_grad()
def average_into(mean: nn.Module, net: nn.Module, kept: float) -> None:
    """Move the running mean of weights towards a net's by ``1 - kept``."""
    for own, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if own.dtype.is_floating_point:
            own.lerp_(new, 1 - kept)
        else:
            own.copy_(new)
