"""One definition of correct."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from umnist_core.scoring import ScoringInputError, accuracy, is_correct, mark


@pytest.mark.parametrize(
    ("answer", "truth", "correct"),
    [(0, 0, True), (27, 27, True), (12, 13, False), (None, 0, False), (28, 27, False)],
)
def test_answer_is_correct_only_if_it_is_the_sum(
    answer: int | None, truth: int, correct: bool
) -> None:
    """Next to right is wrong, and no answer is not the answer 0."""
    assert is_correct(answer, truth) is correct
    assert mark([answer], [truth]).tolist() == [correct]


def test_accuracy_is_the_share_of_correct_answers() -> None:
    """Answers that were not given count as wrong; without any, the share is not known."""
    assert accuracy([3, 4, None, 6], [3, 5, 0, 6]) == 0.5
    assert accuracy(np.array([1, 2]), np.array([1, 2])) == 1.0
    assert isnan(accuracy([], []))


def test_marking_demands_one_truth_for_each_answer() -> None:
    """A column that lost a row is not silently stretched."""
    with pytest.raises(ScoringInputError, match="one truth"):
        mark([1, 2, 3], [1])
