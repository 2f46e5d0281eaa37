"""The distribution of a sum from the distributions of its digits, by convolution."""

from __future__ import annotations

import torch
from torch import Tensor

from umnist_core.errors import InvalidValueError
from umnist_core.models.base import SUM_CLASSES

DIGIT_CLASSES = 11
"""The ten digits, and nothing as the last."""

MOST_COUNT = 12
"""Digits of an image that are reckoned with, unless a model's usual number is larger."""

OTHER_COUNT_WEIGHT = 1e-3
"""Of a number of digits that UltraMNIST does not have, against 1 for one that it has."""


def _shifts(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return (10, 28, 28): class c takes the sum s to s + c; what is beyond 27 is lost."""
    # Made anew each time: one that was kept would outlive the device, or the mode, it was made in.
    sums = torch.arange(SUM_CLASSES, device=device)
    classes = torch.arange(DIGIT_CLASSES - 1, device=device)
    return (sums[None, None, :] - sums[None, :, None] == classes[:, None, None]).to(dtype)


def sum_log_probabilities(probabilities: Tensor, fewest: int = 3, most: int = 5) -> Tensor:
    """Return the logarithm of each sum's probability.

    The prior of UltraMNIST enters here: an image has ``fewest`` to ``most`` digits, all
    counts alike; other counts up to `MOST_COUNT` weigh a thousandth, so that it takes plain
    evidence for them; larger ones and sums above 27 weigh nothing.

    Parameters
    ----------
    probabilities
        float (B, N, 11): for N places that are independent, the ten digits and nothing, each
        summing to 1.

    Returns
    -------
    Tensor
        float (B, 28), whose exponentials sum to 1.

    Raises
    ------
    InvalidValueError
        If the shape is another.
    """
    if probabilities.ndim != 3 or probabilities.shape[2] != DIGIT_CLASSES:
        raise InvalidValueError(
            f"Expected probabilities (B, N, {DIGIT_CLASSES}); got {tuple(probabilities.shape)}."
        )
    # Small chances vanish in 16 bits, so mixed precision ends here.
    with torch.autocast(probabilities.device.type, enabled=False):
        wide = torch.promote_types(probabilities.dtype, torch.float32)
        return _convolve(probabilities.to(wide), fewest, most)


def _convolve(probabilities: Tensor, fewest: int, most: int) -> Tensor:
    batch, places, _ = probabilities.shape
    reckoned = max(most, min(places, MOST_COUNT))
    state = probabilities.new_zeros(batch, reckoned + 1, SUM_CLASSES)
    state[:, 0, 0] = 1  # no digit yet
    shifts = _shifts(probabilities.device, probabilities.dtype)
    for place in range(places):
        digits = probabilities[:, place, :-1]  # (B, 10)
        moves = torch.einsum("bc,cij->bij", digits, shifts)  # (B, 28, 28)
        moved = state[:, :-1] @ moves  # (B, n, 28) x (B, 28, 28) -> (B, n, 28)
        stayed = state * probabilities[:, place, -1, None, None]
        state = stayed + torch.nn.functional.pad(moved, (0, 0, 1, 0))  # one digit more
    weights = state.new_full((reckoned + 1,), OTHER_COUNT_WEIGHT)
    weights[fewest : most + 1] = 1
    sums = torch.einsum("n,bns->bs", weights, state) + 1e-9  # (B, 28)
    return (sums / sums.sum(dim=1, keepdim=True)).log()
