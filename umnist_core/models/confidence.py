"""How sure a model is of its answer: as it was calibrated, else as its probabilities say."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from umnist_core.models.base import ModelOutput, Task


def answer_confidences(output: ModelOutput, tasks: Sequence[Task]) -> tuple[Tensor, bool]:
    """Return the chance that the answer to the first task is right, for each image.

    Parameters
    ----------
    output
        For B images.
    tasks
        Of the model, one or more.

    Returns
    -------
    tuple
        float64 (B,), 0 to 1, on the CPU; and whether it is calibrated. If it is not, it is the
        probability of the likeliest class, or of all decisions where several classes may be
        right.
    """
    if output.confidence is not None:
        return output.confidence.detach().double().cpu(), True
    logits = output.logits[tasks[0].name].detach().double().cpu()  # (B, classes)
    if not tasks[0].is_multi:
        return logits.softmax(dim=1).amax(dim=1), False
    chances = logits.sigmoid()
    return torch.maximum(chances, 1 - chances).prod(dim=1), False
