"""A memory budget: how many images of a batch fit, and what is done about it.

On CUDA the allocator is capped at the budget, so that going over it fails as it would on the
card of that size, and the batch size is searched by running real steps. The cap covers what
PyTorch allocates; the driver's own context, some hundred MB, comes on top, as it does in the
published figures. On the CPU nothing can be capped: weights, gradients, the optimiser's state
and what autograd keeps of a step are counted, and the batch size follows from that estimate;
workspaces of single operations come on top.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.hardware import Hardware, hardware_of, is_out_of_memory
from umnist_core.models.base import Model
from umnist_core.models.targets import collate_targets

_UNITS = {"": 1, "MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}
_BUDGET = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([KMG]?I?B?)", re.IGNORECASE)

MOST_IMAGES = 4096
"""No search goes further."""


def parse_budget(text: str) -> int:
    """Return the bytes of a budget such as ``11GB`` (10^9 each), ``8GiB``, ``500MB`` or ``9e9``.

    Raises
    ------
    InvalidValueError
        If it is none.
    """
    found = _BUDGET.fullmatch(text.strip())
    unit = found.group(2).upper() if found else "?"
    if found is None or unit not in _UNITS or not float(found.group(1)):
        raise InvalidValueError(
            "A memory budget is a number with MB, GB, MiB or GiB, or of bytes, such as 11GB; got "
            f"{text[:40]!r}."
        )
    return round(float(found.group(1)) * _UNITS[unit])


def gigabytes(count: float) -> str:
    """Return bytes as people read them, ``"11.00 GB"`` or ``"3.5 MB"``."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def cap_memory(budget: int, hardware: Hardware) -> None:
    """Let PyTorch allocate no more than the budget on a GPU; nothing on the CPU.

    Raises
    ------
    TooLargeError
        If the GPU has less.
    """
    if not hardware.is_processor and budget > hardware.total_bytes:
        raise TooLargeError(
            f"A budget of {gigabytes(budget)} needs a device with as much, found "
            f"{gigabytes(hardware.total_bytes)} ({hardware.title}); set a smaller budget."
        )
    hardware.cap(budget)


def largest_that_fits(fits: Callable[[int], bool], most: int = MOST_IMAGES) -> int:
    """Return the largest number up to ``most`` that fits, 0 if not even 1 does.

    Parameters
    ----------
    fits
        Whether so many images fit; if some number does, so does every smaller one.
    """
    if not fits(1):
        return 0
    low, high = 1, 2
    while high <= most and fits(high):
        low, high = high, high * 2
    high = min(high, most + 1)  # low fits, high does not or is not allowed
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


@dataclass(frozen=True)
class Estimate:
    """Memory of a training step, counted on the CPU.

    Attributes
    ----------
    fixed_bytes
        Weights, buffers, gradients and the optimiser's state.
    image_bytes
        What autograd keeps for each image of the batch.
    """

    fixed_bytes: int
    image_bytes: int

    def step_bytes(self, images: int) -> int:
        """Return the memory of a step with so many images."""
        return self.fixed_bytes + images * self.image_bytes


def estimate_step(model: Model, prepared: Any, targets: dict[str, Tensor]) -> Estimate:
    """Count the memory of a step of Adam from two small ones.

    Parameters
    ----------
    model
        It is copied, and stays as it is.
    prepared
        One image, as the model prepares it.
    targets
        Of that image.
    """
    trial = copy.deepcopy(model).cpu().train()
    two, four = (_kept_bytes(trial, prepared, targets, images) for images in (2, 4))
    weights = sum(p.numel() * p.element_size() for p in trial.parameters())
    learned = sum(p.numel() * p.element_size() for p in trial.parameters() if p.requires_grad)
    buffers = sum(b.numel() * b.element_size() for b in trial.buffers())
    image_bytes = max(0, four - two) // 2
    # A gradient and two averages of each weight.
    fixed = weights + buffers + 3 * learned + max(0, two - 2 * image_bytes)
    return Estimate(fixed, image_bytes)


def _kept_bytes(model: Model, prepared: Any, targets: dict[str, Tensor], images: int) -> int:
    """Return the bytes that autograd keeps of a step's forward pass, beside the weights."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}
    alive: list[Tensor] = []  # or an address could come twice

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = step_loss(model, prepared, targets, images)
        total = sum(kept.values())
    del loss
    return total


def step_loss(model: Model, prepared: Any, targets: dict[str, Tensor], images: int) -> Tensor:
    """Return the loss of a batch that holds one image so many times."""
    batch = model.collate([prepared] * images)
    joined = {
        name: value.to(model.device) for name, value in collate_targets([targets] * images).items()
    }
    return model.loss(model(batch), joined)


def find_batch_size(
    model: Model,
    prepared: Any,
    targets: dict[str, Tensor],
    budget: int,
    *,
    try_step: Callable[[Model, Any, dict[str, Tensor], int], None] | None = None,
) -> int:
    """Return the largest batch of one device whose training step fits into the budget.

    Parameters
    ----------
    model
        On its device; it stays as it is.
    prepared, targets
        One image and what is to be said of it.
    budget
        In bytes; on CUDA the cap must be set already.
    try_step
        Runs a step on a copy of the model and raises what is out of memory where it does not
        fit; by default `run_trial_step` on CUDA, and the estimate on the CPU.

    Raises
    ------
    TooLargeError
        If not even the smallest batch fits; the sentence says by how much.
    """
    if try_step is None and hardware_of(model.device).is_processor:
        estimate = estimate_step(model, prepared, targets)
        most = largest_that_fits(lambda images: estimate.step_bytes(images) <= budget)
    else:
        most = _largest_tried(model, prepared, targets, try_step or run_trial_step)
        estimate = None
    if most > 0:
        return most
    estimate = estimate or estimate_step(model, prepared, targets)
    needed = estimate.step_bytes(1)
    over = max(0, needed - budget)
    raise TooLargeError(
        f"A step with one image needs at least {gigabytes(needed)} (estimated), "
        f"{gigabytes(over)} more than the budget of {gigabytes(budget)}; choose a smaller image "
        "size or model, or a larger budget."
    )


def _largest_tried(
    model: Model,
    prepared: Any,
    targets: dict[str, Tensor],
    try_step: Callable[[Model, Any, dict[str, Tensor], int], None],
) -> int:
    trial = copy.deepcopy(model).train()

    def fits(images: int) -> bool:
        try:
            try_step(trial, prepared, targets, images)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            trial.zero_grad(set_to_none=True)
            hardware_of(model.device).release()
        return True

    return largest_that_fits(fits)


def run_trial_step(model: Model, prepared: Any, targets: dict[str, Tensor], images: int) -> None:
    """Run a whole step of Adam with a batch that holds one image so many times."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0)
    # A single image has no variance where a batch is normalised over one pixel.
    modes = {part: part.training for part in model.modules()} if images == 1 else {}
    for part in modes:
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()
    try:
        step_loss(model, prepared, targets, images).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        hardware_of(model.device).wait()
    finally:
        for part, mode in modes.items():
            part.training = mode
