"""Memory budgets: what they mean, and the search for the batch that fills one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.training.tiny import Tiny, TinyConfig, tiny_config
from umnist_core.errors import InvalidValueError, TooLargeError
from umnist_core.hardware import hardware_of
from umnist_core.models.base import Model
from umnist_core.training.data import ModelInputs, open_samples
from umnist_core.training.memory import (
    MOST_IMAGES,
    cap_memory,
    find_batch_size,
    largest_that_fits,
    parse_budget,
    run_trial_step,
)
from umnist_core.training.peaks import predict_batch


def _one(model: Model) -> tuple[Any, dict[str, Tensor]]:
    return ModelInputs(open_samples(tiny_config().data), model)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("11GB", 11 * 10**9), ("24 gb", 24 * 10**9), ("8GiB", 2**33), ("500MB", 5 * 10**8), ("7", 7)],
)
def test_budget_is_read_with_its_unit(text: str, expected: int) -> None:
    """GB are 10^9 bytes, GiB 2^30."""
    assert parse_budget(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0GB", "11TB", "1e9x", "11 G"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    """A sentence says how one is written."""
    with pytest.raises(InvalidValueError, match="such as 11GB"):
        parse_budget(text)


@given(
    limit=st.integers(0, 3 * MOST_IMAGES),
    most=st.integers(1, MOST_IMAGES),
    start=st.integers(-5, 2 * MOST_IMAGES),
)
def test_search_finds_the_largest_that_fits(limit: int, most: int, start: int) -> None:
    """Whatever the limit, wherever it begins, and never beyond the most that is allowed."""
    tried: list[int] = []

    def fits(images: int) -> bool:
        tried.append(images)
        return images <= limit

    assert largest_that_fits(fits, most, start) == min(limit, most)
    assert len(tried) == len(set(tried))
    assert all(1 <= images <= most for images in tried)


@pytest.mark.parametrize(("limit", "tries"), [(95, 2), (94, 2), (96, 4), (85, 8)])
def test_search_from_a_good_guess_tries_few(limit: int, tries: int) -> None:
    """A step on a card is dear; where 95 are predicted, 2 show that it is so."""
    tried: list[int] = []

    def fits(images: int) -> bool:
        tried.append(images)
        return images <= limit

    assert largest_that_fits(fits, start=95) == limit
    assert len(tried) <= tries


def test_search_tries_steps_and_leaves_the_model_alone() -> None:
    """Where steps are run, those that run out of memory are too large; the first is predicted."""
    model = Tiny(TinyConfig()).train()
    prepared, targets = _one(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tried: list[int] = []

    def step(trial: Model, prepared: Any, targets: dict[str, Tensor], images: int) -> None:
        tried.append(images)
        if images > 21:
            raise torch.OutOfMemoryError
        run_trial_step(trial, prepared, targets, images)

    budget = predict_batch(model, prepared, targets, 25, "float32")
    assert find_batch_size(model, prepared, targets, budget, try_step=step) == 21
    assert tried[0] == 25
    assert sorted(tried) == [18, 20, 21, 22, 24, 25]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_model_that_cannot_fit_says_by_how_much() -> None:
    """The sentence names what one image needs, what is too much, and the budget."""

    def never(*_: Any) -> None:
        raise torch.OutOfMemoryError

    model = Tiny(TinyConfig())
    with pytest.raises(TooLargeError, match=r"needs at least 0\.0 MB .* budget of 0\.0 MB"):
        find_batch_size(model, *_one(model), 1000, try_step=never)


def test_batch_on_the_cpu_is_the_largest_that_is_predicted_to_fit() -> None:
    """One byte less than what a batch is predicted to need, and it is one image smaller."""
    model = Tiny(TinyConfig())
    prepared, targets = _one(model)
    needed = predict_batch(model, prepared, targets, 300, "float32")
    assert find_batch_size(model, prepared, targets, needed) == 300
    assert find_batch_size(model, prepared, targets, needed - 1) == 299


def test_cap_does_nothing_on_the_cpu() -> None:
    """There is no allocator to cap."""
    cap_memory(1, hardware_of(torch.device("cpu")))
