"""In simulated studies, intervals hold the truth and the test errs as often as they say.

The truth is the accuracy over people and images in general: each study draws both anew. Bounds
are 93 to 97 % and 4 to 6 %; in 4,000 studies chance alone moves a rate by at most 1 point (three
standard errors), and every seed is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has none

from tests.scoring.simulated import SimulatedStudy, simulate, true_accuracy
from umnist_core.scoring import (
    Interval,
    annotator_interval,
    crossed_interval,
    difference_intervals,
    permutation_test,
    wilson,
)

ANNOTATOR_SDS = (0.4, 0.7)
STUDIES = 4000
PERMUTATIONS = 499
EFFECT = 0.4

UNEQUAL = np.array([40] * 8 + [30] * 8 + [20] * 8 + [12, 9, 7, 5, 3, 2, 1, 1])
"""People who finish, people who pause for good, and people who leave at once."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Multiply small matrices in one thread: several would wait for each other."""
    with threadpool_limits(1):
        yield


def _studies(
    annotator_sd: float,
    count: int,
    *,
    effect: float = 0.0,
    labels: NDArray[np.intp] | None = None,
    images: int = 1000,
    times: int = 1,
) -> Iterator[SimulatedStudy]:
    rng = np.random.default_rng(round(annotator_sd * 10))
    for _ in range(count):
        yield simulate(rng, annotator_sd, effect=effect, labels=labels, images=images, times=times)


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


@pytest.mark.parametrize("annotator_sd", ANNOTATOR_SDS)
def test_annotator_interval_holds_the_truth_in_95_percent_of_studies(annotator_sd: float) -> None:
    """33 people of 30 labels: 93 to 97 %, where Wilson's interval holds it in less than 90 %."""
    truth = true_accuracy(annotator_sd)
    pools = [study.pool(False) for study in _studies(annotator_sd, STUDIES)]
    held = [_holds(annotator_interval(pool.correct, pool.annotators), truth) for pool in pools]
    naive = [_holds(wilson(pool.correct.sum(), len(pool.correct)), truth) for pool in pools]
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(naive) < 0.9


@pytest.mark.parametrize("annotator_sd", ANNOTATOR_SDS)
def test_annotator_interval_holds_with_unequal_numbers_of_labels(annotator_sd: float) -> None:
    """People of 1 to 40 labels: 93 to 97 %."""
    truth = true_accuracy(annotator_sd)
    held = [
        _holds(annotator_interval(study.pool(True).correct, study.pool(True).annotators), truth)
        for study in _studies(annotator_sd, STUDIES, labels=UNEQUAL)
    ]
    assert 0.93 <= np.mean(held) <= 0.97


def test_crossed_interval_holds_where_images_are_answered_several_times() -> None:
    """Three labels an image: 93 to 97 %, where the interval that ignores it holds in fewer."""
    truth, sd = true_accuracy(0.4), 0.4
    pools = [study.pool(False) for study in _studies(sd, STUDIES, images=330, times=3)]
    crossed = [_holds(crossed_interval(*pool.arrays), truth) for pool in pools]
    ignoring = [_holds(annotator_interval(*pool.arrays[:2]), truth) for pool in pools]
    assert 0.93 <= np.mean(crossed) <= 0.97
    assert np.mean(ignoring) < 0.93


@pytest.mark.parametrize("annotator_sd", ANNOTATOR_SDS)
def test_paired_interval_holds_the_true_difference(annotator_sd: float) -> None:
    """Guided people are better: 93 to 97 %, with intervals narrower than the unpaired ones."""
    truth = true_accuracy(annotator_sd, EFFECT) - true_accuracy(annotator_sd)
    held, ratios = [], []
    for study in _studies(annotator_sd, STUDIES, effect=EFFECT):
        _, paired, ratio = difference_intervals(*study.arrays, study.guided)
        held.append(_holds(paired, truth))
        ratios.append(ratio)
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(ratios) < 0.92


@pytest.mark.parametrize("annotator_sd", ANNOTATOR_SDS)
def test_permutation_test_rejects_a_true_null_in_5_percent_of_studies(annotator_sd: float) -> None:
    """Pools that differ by chance alone: p is at most 0.05 in 4 to 6 % of studies."""
    rng = np.random.default_rng(1)
    rejected = [
        permutation_test(*study.arrays, study.guided, rng=rng, permutations=PERMUTATIONS).p_value
        <= 0.05
        for study in _studies(annotator_sd, STUDIES)
    ]
    assert 0.04 <= np.mean(rejected) <= 0.06


def test_permutation_test_gains_power_from_shared_images() -> None:
    """It finds a difference more often than in the same answers to images that nobody shares."""
    rng = np.random.default_rng(2)
    found: dict[str, list[bool]] = {"shared": [], "apart": []}
    for study in _studies(0.4, 400, effect=EFFECT):
        apart = study.images + 1000 * study.guided
        for name, images in (("shared", study.images), ("apart", apart)):
            test = permutation_test(
                study.correct,
                study.annotators,
                images,
                study.guided,
                rng=rng,
                permutations=PERMUTATIONS,
            )
            found[name].append(test.p_value <= 0.05)
    assert np.mean(found["shared"]) > np.mean(found["apart"]) + 0.03
