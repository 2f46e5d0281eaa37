"""When an answer is correct: one definition, for people and for models.

An answer is correct if it is the sum of the digits, exactly. There is no partial credit, and an
answer that was not given is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ScoringInputError

SUMS = 28
"""Possible answers: 0 to 27. Five digits could add up to 45; UltraMNIST draws none above 27."""


def is_correct(answer: int | None, truth: int) -> bool:
    """Return whether an answer is the sum of the digits; None, no answer, never is."""
    return answer is not None and bool(answer == truth)


def mark(answers: Sequence[int | None] | ArrayLike, truths: ArrayLike) -> NDArray[np.bool_]:
    """Return `is_correct` of many answers.

    Parameters
    ----------
    answers
        (n,), whole numbers; NaN or None where no answer was given.
    truths
        (n,), the sums of the digits.

    Raises
    ------
    ScoringInputError
        If there is not one truth for each answer.
    """
    given, true = np.asarray(answers, dtype=float), np.asarray(truths, dtype=float)
    if given.shape != true.shape:
        raise ScoringInputError(
            f"Each answer needs one truth; got {given.shape} answers and {true.shape} truths."
        )
    return np.asarray(given == true)  # NaN, no answer, equals nothing


def accuracy(answers: Sequence[int | None] | ArrayLike, truths: ArrayLike) -> float:
    """Return the share of correct answers, 0 to 1; NaN if there are no answers.

    Raises
    ------
    ScoringInputError
        If there is not one truth for each answer.
    """
    marks = mark(answers, truths)
    return float(marks.mean()) if marks.size else float("nan")
