"""Error consistency: Cohen's kappa, pooled, with intervals and null bands."""

from __future__ import annotations

import numpy as np
import pytest

from umnist_core.bench.recovery import KnownRules, simulate_marks, true_kappas
from umnist_core.scoring import ScoringInputError
from umnist_core.scoring.agreement import ErrorConsistency, Marks, kappa_matrix


def marks_of(*rows: str, models: int = 0) -> Marks:
    """Return marks of raters, a text each: 1 right, 0 wrong, a point where not asked."""
    right = np.array([[np.nan if one == "." else float(one) for one in row] for row in rows])
    people = len(rows) - models
    names = (*(f"p{at}" for at in range(people)), *(f"m{at}" for at in range(models)))
    kinds = ("person",) * people + ("model",) * models
    return Marks(names, kinds, tuple(map(str, range(right.shape[1]))), right)


def by_definition(one: str, two: str) -> float:
    """Return kappa of two texts, counted by hand."""
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if "." not in (a, b)]
    p1 = sum(a == "1" for a, _ in pairs) / len(pairs)
    p2 = sum(b == "1" for _, b in pairs) / len(pairs)
    expected = p1 * p2 + (1 - p1) * (1 - p2)
    return (sum(a == b for a, b in pairs) / len(pairs) - expected) / (1 - expected)


def test_kappa_is_that_of_its_definition_on_common_images() -> None:
    """Only images that both answered count, in shares as in agreement."""
    rows = ("1101011.10", "110.011011", "0101110011")
    found = kappa_matrix(marks_of(*rows))
    for first in range(3):
        for second in range(3):
            assert found[first, second] == pytest.approx(by_definition(rows[first], rows[second]))


def test_raters_who_never_err_or_share_one_image_have_no_kappa() -> None:
    """There is nothing beyond chance to agree on."""
    found = kappa_matrix(marks_of("1111", "1111", "0..."))
    assert np.isnan(found[0, 1])
    assert np.isnan(found[0, 2])


def test_the_same_errors_give_1_and_opposite_ones_less_than_0() -> None:
    """Of a pair and of pairs that are pooled."""
    rng = np.random.default_rng(0)
    same = ErrorConsistency(marks_of("10110100" * 8, "10110100" * 8), rng=rng, draws=100)
    assert same.pair(0, 1).kappa == pytest.approx(1)
    assert same.group("person-person").kappa == pytest.approx(1)
    other = ErrorConsistency(marks_of("10110100" * 8, "01001011" * 8), rng=rng, draws=100)
    assert other.pair(0, 1).kappa == pytest.approx(-1)
    assert other.group("person-person").kappa < -0.9


def test_pooled_kappa_stays_where_kappas_are() -> None:
    """Two who are never both right have -1, and no less for the bias that is taken off."""
    rows = marks_of("100", "011")
    found = ErrorConsistency(rows, rng=np.random.default_rng(0), draws=100).group("person-person")
    assert -1 <= found.low <= found.kappa == -1


def test_pooled_kappa_finds_the_truth_where_people_share_few_images() -> None:
    """The product of shares of few images is no longer taken for chance alone."""
    rules = KnownRules(people=40, images=200, asked=0.15)
    own, _ = true_kappas(rules)
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        marks, _, _ = simulate_marks(rules, rng)
        found.append(ErrorConsistency(marks, rng=rng, draws=2).group("person-person").kappa)
    assert np.mean(found) == pytest.approx(own, abs=3 * np.std(found) / np.sqrt(30))


def test_interval_of_pooled_kappa_holds_the_truth_where_people_share_few_images() -> None:
    """In about 95 % of studies, of people with each other and with a model."""
    rules = KnownRules(images=100, asked=0.3)
    truths = true_kappas(rules)
    held = np.zeros(2)
    for seed in range(40):
        rng = np.random.default_rng((7, seed))
        marks, _, _ = simulate_marks(rules, rng)
        errors = ErrorConsistency(marks, rng=rng, draws=100)
        groups = errors.group("person-person"), errors.group("person-model", rules.people)
        held += [one.low <= true <= one.high for one, true in zip(groups, truths, strict=True)]
    assert (held / 40 >= 0.85).all()


def test_null_band_holds_independent_errors_and_not_shared_ones() -> None:
    """A hard image is hard for all: that is what the band tells from chance."""
    rng = np.random.default_rng(1)
    marks, _, _ = simulate_marks(KnownRules(), rng)
    shared = ErrorConsistency(marks, rng=rng, draws=200)
    one = shared.group("person-person")
    assert one.kappa > one.null_high > 0 > one.null_low
    pair = shared.pair(0, 1)
    assert pair.null_low < 0 < pair.null_high
    alone = Marks(
        marks.raters, marks.kinds, marks.images, (rng.random(marks.right.shape) < 0.6).astype(float)
    )
    other = ErrorConsistency(alone, rng=rng, draws=200).group("person-person")
    assert other.null_low - 0.01 <= other.kappa <= other.null_high + 0.01


def test_permuted_marks_stay_with_their_rater_and_their_images() -> None:
    """The null band keeps accuracies, and asks nobody about other images."""
    marks = marks_of("110..1", "0101.1")
    errors = ErrorConsistency(marks, rng=np.random.default_rng(0), draws=2)
    moved = errors._permuted()
    assert moved.sum(axis=1).tolist() == marks.hits.sum(axis=1).tolist()
    assert (moved[marks.asked == 0] == 0).all()


def test_ceiling_of_a_person_is_of_the_others_alone() -> None:
    """A person who errs alone lies below the others, who err together."""
    rng = np.random.default_rng(2)
    base = "".join(rng.choice(["0", "1"], 80))
    alone = "".join(rng.choice(["0", "1"], 80))
    errors = ErrorConsistency(marks_of(base, base, base, alone), rng=rng, draws=50)
    assert errors.against_others(0).pairs == 3
    assert errors.against_others(3).kappa < errors.against_others(0).kappa


def test_first_answer_of_a_rater_to_an_image_counts() -> None:
    """And models come last."""
    marks = Marks.of_rows(["m", "a", "a"], ["x", "x", "x"], [True, False, True], ["m"])
    assert marks.raters == ("a", "m")
    assert marks.right.tolist() == [[0.0], [1.0]]


def test_other_marks_than_right_and_wrong_are_refused() -> None:
    """In a sentence each."""
    with pytest.raises(ScoringInputError, match="0, 1 or NaN"):
        Marks(("a",), ("person",), ("x",), np.array([[0.5]]))
    with pytest.raises(ScoringInputError, match="one row a rater"):
        Marks(("a",), ("person",), ("x", "y"), np.array([[1.0]]))
    with pytest.raises(ScoringInputError, match="rename"):
        Marks(("a", "a"), ("person", "person"), ("x",), np.array([[1.0], [1.0]]))
