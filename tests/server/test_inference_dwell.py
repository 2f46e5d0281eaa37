"""Where people looked, beside where a model did."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.attention import AttentionMap
from umnist_core.errors import NotFoundError
from umnist_core.inference.process import Outcome
from umnist_core.server.heat import Choice
from umnist_core.server.inference.dwell import agreement, register_dwell


def outcome_of(*weights: float) -> Outcome:
    """Return a prediction that looked at the quarters of an image, with one task a weight."""
    boxes = np.array([[0, 0, 50, 50], [50, 50, 100, 100]], np.float32)
    values = np.array([[[weight, 1 - weight]] for weight in weights], np.float32)
    names = tuple(f"task{place}" for place in range(len(weights)))
    return Outcome({}, AttentionMap(values, boxes, 100, 100, names, "test"), ())


def corner() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return a grid of people who looked at the first quarter alone."""
    grid = np.zeros((2, 2))
    grid[0, 0] = 800.0
    return grid


def test_agreement_is_of_the_task_that_is_asked_for() -> None:
    """Each task has its own agreement with people."""
    key = register_dwell(corner())
    outcome = outcome_of(1.0, 0.25)
    assert agreement(outcome, Choice(task="task0"), key)["similarity"] == pytest.approx(1)
    assert agreement(outcome, Choice(task="task1"), key)["similarity"] == pytest.approx(0.25)


def test_an_even_grid_gives_no_correlation_in_json() -> None:
    """JSON knows no NaN: a correlation that is not defined is null."""
    key = register_dwell(np.ones((2, 2)))
    assert agreement(outcome_of(0.5), Choice(), key)["correlation"] is None


def test_a_grid_that_is_not_kept_is_said() -> None:
    """Old grids are forgotten, with a sentence."""
    first = register_dwell(np.full((2, 2), 7.0))
    for number in range(64):
        register_dwell(np.full((2, 2), 100.0 + number))
    with pytest.raises(NotFoundError, match="open the image again"):
        agreement(outcome_of(0.5), Choice(), first)
