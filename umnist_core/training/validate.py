"""How a model does on images that it does not learn from, always in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, isnan

import torch
from torch import Tensor, nn

from umnist_core.hardware import Hardware
from umnist_core.models.base import CLASS, Model, Task
from umnist_core.training.data import Batch
from umnist_core.training.distributed import Group


@dataclass(frozen=True)
class ValidationFigures:
    """What came out.

    Attributes
    ----------
    images
        How many there were.
    loss
        Mean over them; infinite where it is no number.
    correct
        Right answers of each task that asks for a class.
    """

    images: int
    loss: float
    correct: dict[str, int]

    @property
    def accuracies(self) -> dict[str, float]:
        """Share of right answers of each task, 0 to 1."""
        return {task: count / max(1, self.images) for task, count in self.correct.items()}

    @property
    def accuracy(self) -> float:
        """Mean over the tasks; 0 without one that asks for a class."""
        return sum(self.accuracies.values()) / max(1, len(self.correct))


@contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Put a module in evaluation mode until the block ends, and each part back into its own.

    Batch normalisation then uses what it learned and not the batch, and learns nothing; without
    it, as in the paper's released code, a score depends on which images share a batch.
    """
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def validate(
    model: Model, batches: Iterable[Batch], group: Group, *, precision: torch.dtype | None = None
) -> ValidationFigures:
    """Return loss and right answers over the batches of all processes of a group.

    Parameters
    ----------
    model
        On the device of the group; afterwards it is in the mode that it was in.
    batches
        Those of this process.
    group
        Every process of it must call.
    precision
        Of mixed precision; None for float32.
    """
    # loss times images, images, right answers of each task
    asked = [task for task in model.tasks if task.asks == CLASS]
    sums = torch.zeros(2 + len(asked), dtype=torch.float64, device=group.device)
    with evaluation_mode(model), torch.no_grad(), group.hardware.mixed(precision):
        for batch, read_targets in batches:
            targets = to_device(read_targets, group.hardware)
            output = model(batch)
            logits = output.logits
            images = len(next(iter(logits.values())))
            sums[0] += model.validation_loss(output, targets).double() * images
            sums[1] += images
            for place, task in enumerate(asked):
                sums[2 + place] += right_answers(logits[task.name], targets[task.name], task).sum()
    loss_sum, images_sum, *correct = group.sum(sums).tolist()
    loss = loss_sum / max(1.0, images_sum)
    counts = {task.name: int(count) for task, count in zip(asked, correct, strict=True)}
    return ValidationFigures(int(images_sum), inf if isnan(loss) else loss, counts)


def right_answers(logits: Tensor, targets: Tensor, task: Task) -> Tensor:
    """Return whether each answer is right, bool (B,); of a multi task all classes must be."""
    if task.is_multi:
        return ((logits > 0) == (targets > 0.5)).all(dim=1)
    return logits.argmax(dim=1) == targets


def to_device(targets: dict[str, Tensor], hardware: Hardware) -> dict[str, Tensor]:
    """Return the targets on a device."""
    return {name: hardware.send(value) for name, value in targets.items()}


def chunks(places: Sequence[int], size: int) -> list[Sequence[int]]:
    """Divide places into batches; the last may be smaller."""
    return [places[first : first + size] for first in range(0, len(places), size)]
