"""How much memory a model needs at most, found without having it.

A forward pass, or the steps of a phase as `umnist_core.training.course` does them, runs on tensors
without numbers (`umnist_core.training.fake_device`), for any device. What each operation makes is
counted from then until nobody holds it: weights, gradients, the optimiser's state, what autograd
keeps, and what passes.

Not counted: what kernels ask for inside an operation, which nobody outside knows (cuDNN's
workspaces, oneDNN's copies in other orders); what an allocator loses between its blocks; and the
driver's own context. On the CPU predictions are compared with what the system measured in
docs/memory.md.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from umnist_core.hardware import hardware_of
from umnist_core.models.base import Model
from umnist_core.models.targets import collate_targets
from umnist_core.training.config import ModelPart, OptimizerPart, TrainConfig
from umnist_core.training.course import Course, Phase, PhaseRun
from umnist_core.training.distributed import Group
from umnist_core.training.fake_device import fake_device
from umnist_core.training.memory import still_norms
from umnist_core.training.precision import find_precision
from umnist_core.training.validate import evaluation_mode, to_device

M = TypeVar("M", bound=nn.Module)

BLOCK_BYTES = 512
"""PyTorch's allocator on GPUs gives whole blocks of so many."""

STEPS = 2
"""The optimiser has its state from the end of the first on."""


class MemoryCount(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the memory of tensors on a device, from when they are made until nobody holds them.

    Parameters
    ----------
    device
        Others are left out.

    Attributes
    ----------
    now, peak
        Bytes that are held, and the most that were.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._type = device.type
        self._block = 1 if hardware_of(device).is_processor else BLOCK_BYTES
        self._held: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, Tensor) and one.device.type == self._type:
                self._note(one.untyped_storage())
        return made

    def _note(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._held:
            return
        size = -(-storage.nbytes() // self._block) * self._block
        self._held.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._let_go, key, size).atexit = False

    def _let_go(self, key: int, size: int) -> None:
        self._held.discard(key)
        self.now -= size


def copy_sharing(net: M) -> M:
    """Return a copy of a net with the same tensors, which may be moved apart from it."""
    tensors = itertools.chain(net.parameters(), net.buffers())
    return copy.deepcopy(net, {id(one): one for one in tensors})


def predict_forward(
    net: M,
    run: Callable[[M], Any],
    device: torch.device,
    precision: str = "float32",
) -> int:
    """Return how many bytes there are at most while a net runs, without gradients of weights.

    Parameters
    ----------
    net
        It stays as it is.
    run
        What is done with it, on the device in evaluation mode.
    device
        It need not be here.
    precision
        One of `umnist_core.training.precision.PRECISIONS`.
    """
    moved, count = copy_sharing(net), MemoryCount(device)
    with fake_device(device, count):
        hardware = hardware_of(device)
        hardware.place(moved)
        short = find_precision(precision, hardware)
        with evaluation_mode(moved), torch.no_grad(), hardware.mixed(short):
            run(moved)
    return count.peak


def predict_steps(phase: Phase, device: torch.device, precision: str = "float32") -> int:
    """Return how many bytes there are at most in the steps of a phase.

    Parameters
    ----------
    phase
        Its net stays as it is; with `STEPS` steps.
    device, precision
        As of `predict_forward`.
    """
    count = MemoryCount(device)
    course = Course(
        config=TrainConfig(ModelPart("")),
        command="",
        origin="",
        out=Path(),
        settings={},
        group=Group(0, 1, device),
        wanted=precision,
        save_minutes=math.inf,
        report=lambda *_: None,
    )
    with fake_device(device, count):
        phase = dataclasses.replace(phase, net=copy_sharing(phase.net), steps=STEPS)
        PhaseRun(phase, course).go(phase.name)
    return count.peak


def batch_phase(
    model: Model,
    items: Sequence[tuple[Any, dict[str, Tensor]]],
    device: torch.device,
    *,
    optimizer: OptimizerPart | None = None,
    parts: int = 1,
    is_still: bool = False,
) -> Phase:
    """Return a phase whose steps see the same images in every part.

    Parameters
    ----------
    model
        Which learns.
    items
        Images as the model prepares them, and what is to be said of each.
    device
        Where it learns.
    optimizer
        Adam by default.
    parts
        Of a step.
    is_still
        Whether batch normalisation is not trained; see `umnist_core.training.memory.still_norms`.
    """
    prepared, targets = zip(*items, strict=True)
    batch, joined = model.collate(prepared), collate_targets(targets)

    def loss_of(net: Model, batch: Any, targets: dict[str, Tensor]) -> Tensor:
        with still_norms(net, is_needed=is_still):
            return net.loss(net(batch), targets)

    return Phase(
        name="trial",
        net=model,
        steps=STEPS,
        draw=lambda _progress, _part: (batch, to_device(joined, hardware_of(device))),
        loss_of=loss_of,
        rate_at=lambda _progress: 0.0,
        optimizer=optimizer or OptimizerPart(),
        parts=parts,
        images=len(items),
    )


def predict_batch(
    model: Model, prepared: Any, targets: dict[str, Tensor], images: int, precision: str
) -> int:
    """Return how many bytes there are at most in steps of Adam on one image so many times.

    Parameters
    ----------
    model
        On its device; it stays as it is.
    prepared, targets
        One image, as the model prepares it, and what is to be said of it.
    images
        Of a batch, 1 or more.
    precision
        As of `predict_forward`.
    """
    items = [(prepared, targets)] * images
    phase = batch_phase(model, items, model.device, is_still=images == 1)
    return predict_steps(phase, model.device, precision)
