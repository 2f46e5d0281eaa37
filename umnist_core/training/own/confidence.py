"""Calibrate the confidence of our own models on scenes that they did not learn from.

Platt scaling (Platt, "Probabilistic outputs for support vector machines and comparisons to
regularized likelihood methods", 1999): the log odds of the likeliest sum are stretched and moved
so that, of answers with a confidence of 90 %, nine in ten are right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from umnist_core.models.own.trust import HowRead, SumConfig

STEPS = 200
STRENGTH = 1.0
"""Of the prior that the odds are right as they are, in answers: few wrong ones tell little."""

SLOPES = (0.05, 2.0)
TINY = 1e-9

NAMES = (
    "confidence_slope",
    "confidence_offset",
    "confidence_scaled",
    "confidence_halving",
    "confidence_turned",
)
"""Of the weights in a model's configuration."""

UNCALIBRATED: dict[str, float] = {name: getattr(SumConfig(), name) for name in NAMES}
"""Weights with which the confidence is the probability of the likeliest class."""

PRIOR = np.array(list(UNCALIBRATED.values()))


def fit_confidence(
    chances: Sequence[float], is_right: Sequence[bool], read: Sequence[HowRead]
) -> dict[str, float]:
    """Fit the weights of the log odds of answers, and of how their images were read.

    Parameters
    ----------
    chances
        Of the likeliest class of each answer, 0 to 1.
    is_right
        Whether the answer was right.
    read
        How its image was read.

    Returns
    -------
    dict
        For a model's configuration; `UNCALIBRATED` where there is no answer.
    """
    odds = _log_odds(np.asarray(chances, float))
    right = np.asarray(is_right, float)
    if len(odds) == 0:
        return dict(UNCALIBRATED)
    lost = np.array([one.numbers() for one in read], float).reshape(-1, len(NAMES) - 2)
    columns = np.concatenate([odds[:, None], np.ones((len(odds), 1)), lost], axis=1)  # (N, 5)
    weights = PRIOR.copy()
    for _ in range(STEPS):
        step = _newton_step(columns, right, weights)
        # Newton's method on a convex loss, halving a step that goes too far.
        while _loss(columns, right, weights - step) > _loss(columns, right, weights):
            step /= 2
            if abs(step).max() < TINY:
                break
        weights = weights - step
        if abs(step).max() < TINY:
            break
    low, high = SLOPES
    fitted = [min(max(weights[0], low), high), *weights[1:]]
    return {name: float(one) for name, one in zip(NAMES, fitted, strict=True)}


def _newton_step(
    columns: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    said = _chances(columns @ weights)
    slope = columns.T @ (said - right) + STRENGTH * (weights - PRIOR)
    bend = (columns * (said * (1 - said))[:, None]).T @ columns + STRENGTH * np.eye(len(weights))
    return np.asarray(np.linalg.solve(bend, slope), np.float64)


def _chances(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
    return chances


def _loss(
    columns: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    odds = columns @ weights
    likelihood = np.logaddexp(0, odds) - right * odds
    return float(likelihood.sum() + STRENGTH / 2 * ((weights - PRIOR) ** 2).sum())


def _log_odds(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.clip(chances, 1e-6, 1 - 1e-6)
    return np.log(kept) - np.log1p(-kept)
