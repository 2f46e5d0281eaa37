"""A memory budget: how many images of a batch fit, and what is done about it.

A batch size is predicted first (`umnist_core.training.peaks`). On CUDA the allocator is capped at
the budget, so that going over it fails as it would on the card of that size, and from the predicted
batch the largest is searched by running real steps. The cap covers what PyTorch allocates; the
driver's own context, some hundred MB, comes on top, as it does in the published figures. On the CPU
nothing can be capped, and the prediction is what counts.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.hardware import Hardware, hardware_of, is_out_of_memory
from umnist_core.models.base import Model
from umnist_core.models.targets import collate_targets
from umnist_core.training.precision import find_precision

_UNITS = {"": 1, "MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}
_BUDGET = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([KMG]?I?B?)", re.IGNORECASE)

MOST_IMAGES = 4096
"""No search goes further."""

FEW_IMAGES = (2, 8)
"""Batches from whose memory that of larger ones is guessed."""

NEAR = 128
"""Of where a search begins, the share that its first step goes from there."""

TryStep = Callable[[Model, Any, dict[str, Tensor], int], None]
"""Takes a model, an image, what is to be said of it, and how many such images a batch has."""


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


def largest_that_fits(fits: Callable[[int], bool], most: int = MOST_IMAGES, start: int = 1) -> int:
    """Return the largest number up to ``most`` that fits, 0 if not even 1 does.

    Parameters
    ----------
    fits
        Whether so many images fit; if some number does, so does every smaller one.
    most
        1 or more.
    start
        Where the search begins, best at the answer: the closer it is, the fewer are tried.
    """
    start = min(max(start, 1), most)
    step = max(1, start // NEAR)
    low, high = (start, most + 1) if fits(start) else (0, start)  # low fits, high does not
    while high - low > 1 and (low == 0 or high > most):
        tried = max(1, high - step) if low == 0 else min(most, low + step)
        low, high = (tried, high) if fits(tried) else (low, tried)
        step *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def find_batch_size(
    model: Model,
    prepared: Any,
    targets: dict[str, Tensor],
    budget: int,
    *,
    precision: str = "float32",
    try_step: TryStep | None = None,
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
    precision
        One of `umnist_core.training.precision.PRECISIONS`.
    try_step
        Runs a step on a copy of the model and raises what is out of memory where it does not
        fit; by default `run_trial_step` on CUDA, and the prediction alone on the CPU.

    Raises
    ------
    TooLargeError
        If not even the smallest batch fits; the sentence says by how much.
    """
    from umnist_core.training.peaks import predict_batch  # which knows configurations

    @cache
    def predict(images: int) -> int:
        return predict_batch(model, prepared, targets, images, precision)

    most = _largest_predicted(predict, budget)
    if try_step is None and not hardware_of(model.device).is_processor:
        try_step = partial(run_trial_step, precision=precision)
    if try_step is not None:
        most = _largest_tried(model, prepared, targets, try_step, start=most)
    if most > 0:
        return most
    needed = predict(1)
    over = f"{gigabytes(needed - budget)} more than" if needed > budget else "and when tried beyond"
    raise TooLargeError(
        f"A step with one image needs at least {gigabytes(needed)} (predicted), {over} the budget "
        f"of {gigabytes(budget)}; choose a smaller image size or model, or a larger budget."
    )


def _largest_predicted(predict: Callable[[int], int], budget: int) -> int:
    """Return the largest batch that fits as predicted; from two small ones to where it may lie."""
    few, more = FEW_IMAGES
    image_bytes = max(1, (predict(more) - predict(few)) // (more - few))
    start = few + (budget - predict(few)) // image_bytes
    return largest_that_fits(lambda images: predict(images) <= budget, start=start)


def _largest_tried(
    model: Model, prepared: Any, targets: dict[str, Tensor], try_step: TryStep, *, start: int
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

    return largest_that_fits(fits, start=start)


def run_trial_step(
    model: Model,
    prepared: Any,
    targets: dict[str, Tensor],
    images: int,
    *,
    precision: str = "float32",
) -> None:
    """Run a whole step of Adam with a batch that holds one image so many times."""
    hardware = hardware_of(model.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0)
    batch = model.collate([prepared] * images)
    joined = {
        name: hardware.send(value) for name, value in collate_targets([targets] * images).items()
    }
    with still_norms(model, is_needed=images == 1):
        with hardware.mixed(find_precision(precision, hardware)):
            loss = model.loss(model(batch), joined)
        loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    hardware.wait()


@contextmanager
def still_norms(net: nn.Module, *, is_needed: bool) -> Iterator[None]:
    """Let batch normalisation use what it learned until the block ends.

    A single image has no variance where a batch is normalised over one pixel.
    """
    norms = [
        part
        for part in net.modules()
        if is_needed and isinstance(part, nn.modules.batchnorm._BatchNorm) and part.training
    ]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
