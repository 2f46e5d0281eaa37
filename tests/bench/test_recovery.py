"""Simulated studies of known rules: the statistics of people and models find them."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.bench.recovery import KnownRules, bench_recovery, simulate_marks, true_kappas


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of every figure; docs/people-and-models.md has 500 studies."""
    told: list[tuple[int, int]] = []
    found = bench_recovery(
        runs=16,
        two_parameter_runs=3,
        draws=120,
        rules=KnownRules(images=100),
        progress=lambda done, of: told.append((done, of)),
    )
    assert told[-1] == (16, 16)
    assert "ability, two parameters" in found.coverage
    for name, share in found.coverage.items():
        assert share >= 0.75, name
    for name in ("ability", "difficulty"):
        assert 0.9 <= found.coverage[name] <= 0.98
    assert abs(found.bias["kappa of people"]) < 0.03
    assert abs(found.bias["effect of model"]) < 0.3


def test_the_same_seed_gives_the_same_studies() -> None:
    """And the first runs are the same however many there are."""
    first = bench_recovery(runs=2, two_parameter_runs=0, draws=20)
    assert first == bench_recovery(runs=2, two_parameter_runs=0, draws=20)


def test_true_kappas_are_those_of_very_many_people_and_images() -> None:
    """The quadrature, against a large draw."""
    rules = KnownRules(people=400, images=20_000)
    marks, _, _ = simulate_marks(rules, np.random.default_rng(0))
    people = marks.right[:-1]
    shares, by_image = people.mean(axis=1), people.mean(axis=0)
    both = (by_image**2 * 400 - by_image) / 399  # of two different people
    mean = shares.mean()
    kappa = 2 * (both.mean() - mean**2) / (2 * mean * (1 - mean))
    assert true_kappas(rules)[0] == pytest.approx(kappa, abs=0.02)
