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
    estimate_step,
    find_batch_size,
    largest_that_fits,
    parse_budget,
    run_trial_step,
)


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


@given(limit=st.integers(0, 3 * MOST_IMAGES), most=st.integers(1, MOST_IMAGES))
def test_search_finds_the_largest_that_fits(limit: int, most: int) -> None:
    """Whatever the limit, and never beyond the most that is allowed."""
    assert largest_that_fits(lambda images: images <= limit, most) == min(limit, most)


def test_search_tries_steps_and_leaves_the_model_alone() -> None:
    """Where steps are run, those that run out of memory are too large."""
    model = Tiny(TinyConfig()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tried: list[int] = []

    def step(trial: Model, prepared: Any, targets: dict[str, Tensor], images: int) -> None:
        tried.append(images)
        if images > 21:
            raise torch.OutOfMemoryError
        run_trial_step(trial, prepared, targets, images)

    assert find_batch_size(model, *_one(model), 10**9, try_step=step) == 21
    assert max(tried) == 32
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_model_that_cannot_fit_says_by_how_much() -> None:
    """The sentence names what one image needs, what is too much, and the budget."""

    def never(*_: Any) -> None:
        raise torch.OutOfMemoryError

    model = Tiny(TinyConfig())
    with pytest.raises(TooLargeError, match=r"needs at least 0\.0 MB .* budget of 0\.0 MB"):
        find_batch_size(model, *_one(model), 1000, try_step=never)


def test_estimate_counts_weights_optimiser_and_activations() -> None:
    """Four copies of each weight, and for each image at least what its first layer keeps."""
    model = Tiny(TinyConfig())
    estimate = estimate_step(model, *_one(model))
    weights = sum(4 * weight.numel() for weight in model.parameters())
    assert estimate.fixed_bytes >= 4 * weights
    # The normalised input and the dropped-out one, 64 px of 4 bytes each, and 28 logits.
    assert 2 * 64 * 4 + 28 * 4 <= estimate.image_bytes <= 8 * 64 * 4
    assert estimate.step_bytes(5) == estimate.fixed_bytes + 5 * estimate.image_bytes


def test_cap_does_nothing_on_the_cpu() -> None:
    """There is no allocator to cap."""
    cap_memory(1, hardware_of(torch.device("cpu")))
