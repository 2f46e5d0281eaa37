"""The verdict on a replication: its intervals hold as often as they say, its words follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf, nan

import numpy as np
import pandas as pd
import pytest
from scipy import special
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has none

from tests.repeated import repeated
from umnist_core.scoring import ScoringInputError
from umnist_core.scoring.replication import (
    DIFFERENCE,
    StudyFigure,
    compare_figures,
    compare_studies,
    measure,
    overall_sentence,
    verdict_sentence,
)

IMAGE_SD = 1.5

CASES = [((25, 25), 100), ((8, 20), 100), ((25, 25), 1000), ((8, 20), 1000)]
"""People of the original and of the replication in each pool, and pairs of studies."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Multiply small matrices in one thread: several would wait for each other."""
    with threadpool_limits(1):
        yield


def _study(
    rng: np.random.Generator, ease: np.ndarray, people: int, *, shift: float = 0.0
) -> pd.DataFrame:
    """Return labels of a study of given images: people of 20 images each, in two pools."""
    rows = []
    for pool, effect in (("unguided", 0.0), ("guided", 0.4)):
        deck = rng.permutation(len(ease))[: people * 20]
        who = np.repeat(np.arange(people), 20)
        skill = rng.normal(0, 0.5, people)[who]
        right = rng.random(len(deck)) < special.expit(skill + ease[deck] + effect + shift)
        rows.append(
            pd.DataFrame(
                {
                    "pool": pool,
                    "annotator": [f"{pool}{one}" for one in who],
                    "stimulus": deck,
                    "answer": np.where(right, 7, 8),
                    "truth": 7,
                    "kind": "label",
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def _figure(estimate: float, error: float, freedom: float = inf) -> StudyFigure:
    reach = 1.96 * error
    return StudyFigure(
        "guided", estimate, error, freedom, estimate - reach, estimate + reach, 900, 30
    )


@pytest.mark.parametrize(("people", "studies"), repeated(CASES, 2))
def test_prediction_interval_holds_a_true_replication_as_often_as_it_says(
    people: tuple[int, int], studies: int
) -> None:
    """Of replications of the same images by others, 95 % are consistent, few people or many."""
    rng = np.random.default_rng(sum(people))
    held: dict[str, list[bool]] = {}
    for _ in range(studies):
        ease = rng.normal(0, IMAGE_SD, 500)
        pair = [measure(_study(rng, ease, count)) for count in people]
        for one in compare_studies(pair[0], pair[1]):
            held.setdefault(one.original.name, []).append(one.is_consistent)
    assert list(held) == ["unguided", "guided", "difference"]
    for name, each in held.items():
        # Three standard errors of chance; the images being the same, it is a little too wide.
        chance = 3 * (0.95 * 0.05 / studies) ** 0.5
        assert 0.95 - chance < np.mean(each) < 0.98 + chance, (name, np.mean(each))


def test_equivalence_is_claimed_falsely_no_more_often_than_it_says() -> None:
    """Where the studies differ by exactly the bounds, at most 5 % are called equivalent."""
    rng = np.random.default_rng(3)
    claimed = []
    for _ in range(4000):
        first, second = rng.normal(0.5, 0.02), rng.normal(0.55, 0.015)
        one = compare_figures(_figure(first, 0.02), _figure(second, 0.015), 0.05)
        claimed.append(one.is_equivalent)
    assert np.mean(claimed) < 0.06


def test_prediction_interval_is_that_of_patil_peng_and_leek() -> None:
    """Original plus and minus 1.96 roots of the sum of both variances."""
    one = compare_figures(_figure(0.50, 0.03), _figure(0.56, 0.04), 0.05)
    assert (one.predicted_low, one.predicted_high) == pytest.approx((0.402, 0.598), abs=1e-4)
    span = 1.6449 * 0.05
    assert (one.difference_low, one.difference_high) == pytest.approx(
        (0.06 - span, 0.06 + span), abs=1e-4
    )


@pytest.mark.parametrize(
    ("replication", "verdict", "said"),
    [
        (_figure(0.51, 0.01), "replicated", "equivalent"),
        (_figure(0.52, 0.04), "consistent", "is not shown"),
        (_figure(0.70, 0.01), "differs", "not consistent"),
        (_figure(0.532, 0.001), "differs_little", "not consistent"),
        (_figure(nan, nan), "unknown", "not to be said yet"),
    ],
)
def test_every_verdict_is_said_in_words(replication: StudyFigure, verdict: str, said: str) -> None:
    """Consistent and equivalent are told apart, and neither is taken for the other."""
    one = compare_figures(_figure(0.50, 0.01), replication, 0.05)
    narrow = compare_figures(_figure(0.50, 0.001), replication, 0.05)
    found = narrow if verdict == "differs_little" else one
    assert found.verdict == verdict
    assert said in verdict_sentence(found)
    assert overall_sentence((found,))


def test_figures_survive_being_written_and_read() -> None:
    """What is not known is None in JSON, and not known again."""
    for one in (_figure(0.5, 0.02, 12.0), replace(_figure(0.5, nan), low=nan, high=nan)):
        assert repr(StudyFigure.from_dict(one.to_dict())).replace("inf", "nan") == repr(
            one
        ).replace("inf", "nan")
    with pytest.raises(ScoringInputError, match="figure with name"):
        StudyFigure.from_dict({"name": "guided"})


def test_one_pool_has_no_difference_and_repeats_count_for_nothing() -> None:
    """A study of one pool is compared in its accuracy alone, of first answers."""
    labels = _study(np.random.default_rng(1), np.zeros(200), 5)
    own = labels[labels["pool"] == "guided"]
    again = own.assign(kind="repeat", answer=0)
    assert measure(pd.concat([own, again])) == measure(own)
    assert [one.name for one in measure(own)] == ["guided"]


def test_sentence_names_no_difference_that_cannot_be() -> None:
    """Of few people the prediction interval goes beyond 100 points; what is said does not."""
    one = StudyFigure(DIFFERENCE, 0.05, 0.3, 2.0, -1.2, 1.3, 40, 4)
    said = verdict_sentence(compare_figures(one, one))
    assert "\N{MINUS SIGN}100.0 to +100.0 points was to be expected" in said
