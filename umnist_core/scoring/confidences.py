"""Whether answers are right as often as their confidences say: a reliability diagram in figures.

Expected calibration error: Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated
Probabilities Using Bayesian Binning", AAAI 2015. Differs from it in that bins hold equally many
answers, not equally wide ranges: a model that is sure of most answers would else have nearly all
in one bin. With few answers the error is above 0 even for confidences that are exactly right, so
what chance alone would give stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ScoringInputError
from .intervals import Interval, wilson

BINS = 10

LEAST_PER_BIN = 20
"""With fewer answers there are fewer bins."""

DRAWS = 1000
"""Sets of right and wrong answers that are drawn to see what chance gives."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ConfidenceBin:
    """Answers of about the same confidence.

    Attributes
    ----------
    answers
        How many.
    confidence
        Their mean, 0 to 1.
    accuracy
        Share of them that is right, with Wilson's interval.
    """

    answers: int
    confidence: float
    accuracy: Interval


@dataclass(frozen=True)
class Reliability:
    """How far confidences lie from the shares of right answers.

    Attributes
    ----------
    answers
        How many.
    error
        Expected calibration error: the mean over the answers of how far their bin's confidence
        lies from its accuracy, 0 to 1.
    by_chance
        What that error would be on average with as many answers if all confidences were right.
    bins
        From the least confident to the most.
    """

    answers: int
    error: float
    by_chance: float
    bins: tuple[ConfidenceBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, ready for JSON."""
        return {
            "answers": self.answers,
            "ece": self.error,
            "ece_by_chance": self.by_chance,
            "bins": [
                {
                    "answers": one.answers,
                    "confidence": one.confidence,
                    "accuracy": one.accuracy.estimate,
                    "low": one.accuracy.low,
                    "high": one.accuracy.high,
                }
                for one in self.bins
            ],
        }


def reliability(confidences: ArrayLike, correct: ArrayLike, bins: int = BINS) -> Reliability:
    """Compare confidences with what came of the answers.

    Parameters
    ----------
    confidences
        (n,), the stated chance that each answer is right, 0 to 1.
    correct
        (n,), bool or 0 and 1.
    bins
        1 or more; there are fewer where a bin would hold fewer than `LEAST_PER_BIN` answers.

    Raises
    ------
    ScoringInputError
        If there is no answer, or a confidence is none.
    """
    stated, right = np.asarray(confidences, np.float64), np.asarray(correct, np.float64)
    is_chance = stated.size > 0 and bool(((stated >= 0) & (stated <= 1)).all())
    if stated.shape != right.shape or stated.ndim != 1 or not is_chance:
        raise ScoringInputError(
            "Expected one or more confidences from 0 to 1, and for each whether the answer was "
            f"right; got {stated.shape} and {right.shape}."
        )
    order = np.argsort(stated, kind="stable")
    count = max(1, min(bins, stated.size // LEAST_PER_BIN))
    parts = np.array_split(order, count)
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    chance = np.random.default_rng(0).random((DRAWS, stated.size)) < stated[order]
    return Reliability(
        answers=stated.size,
        error=float(_errors(stated[order], right[order], starts)),
        by_chance=float(_errors(stated[order], chance.astype(np.float64), starts).mean()),
        bins=tuple(
            ConfidenceBin(
                len(part), float(stated[part].mean()), wilson(float(right[part].sum()), len(part))
            )
            for part in parts
        ),
    )


def _errors(stated: Floats, right: Floats, starts: NDArray[np.intp]) -> Floats:
    """Return the errors (...) of sets of answers (..., n), in the order of their confidence."""
    gaps = np.add.reduceat(right - stated, starts, axis=-1)  # (..., bins)
    errors: Floats = np.abs(gaps).sum(axis=-1) / stated.size
    return errors
