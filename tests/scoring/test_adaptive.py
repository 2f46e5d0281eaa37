"""Staircase and QUEST+: simulated thresholds are found again, and each rule does what it says."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log

import numpy as np
import pytest

from umnist_core.scoring import ScoringInputError
from umnist_core.scoring.adaptive import Posterior, QuestPlus, SizeRange, Staircase, Threshold

SIZES = SizeRange(4, 64)

RULES: dict[str, Callable[[], QuestPlus | Staircase]] = {
    "QUEST+": lambda: QuestPlus(SIZES),
    "staircase": lambda: Staircase(SIZES, 32.0),
}


def _measure(
    rule: QuestPlus | Staircase, seed: int, slope: float, trials: int = 40
) -> tuple[float, Threshold]:
    """Return the true threshold of a simulated person, and what the rule found."""
    rng = np.random.default_rng(seed)
    true = exp(rng.uniform(log(8), log(32)))
    for _ in range(trials):
        px = rule.next_px()
        rule.tell(px, is_right=bool(rng.random() < SIZES.chance(px, true, slope)))
    return true, rule.posterior.threshold()


@pytest.mark.parametrize("name", list(RULES))
def test_threshold_is_recovered_within_a_tenth(name: str) -> None:
    """In 40 trials, 95 % of 200 runs, of people whose slope is 10; intervals hold it as often."""
    found = [_measure(RULES[name](), seed, 10.0) for seed in range(200)]
    assert np.mean([abs(one.px / true - 1) < 0.1 for true, one in found]) >= 0.95
    assert np.mean([one.low <= true <= one.high for true, one in found]) >= 0.93


@pytest.mark.parametrize("name", list(RULES))
def test_shallow_threshold_has_a_wider_interval(name: str) -> None:
    """With a slope of 3, 40 trials tell less, and the interval says so."""
    widths = []
    for slope in (10.0, 3.0):
        found = [_measure(RULES[name](), seed, slope)[1] for seed in range(20)]
        widths.append(np.mean([log(one.high / one.low) for one in found]))
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize(("down", "due"), [(1, 0.5), (2, 0.707), (3, 0.794)])
def test_staircase_settles_at_the_share_that_is_known(down: int, due: float) -> None:
    """Levitt's table, by the mean share of right answers at reversals over 3,000 trials."""
    sizes = SizeRange(4, 64, guess=0.0, lapse=0.0)
    stairs = Staircase(sizes, 16.0, down=down, factors=(1.3, 1.05))
    rng = np.random.default_rng(0)
    for _ in range(3000):
        px = stairs.next_px()
        stairs.tell(px, is_right=bool(rng.random() < sizes.chance(px, 16.0, 6.0)))
    assert sizes.chance(stairs.reversal_mean(), 16.0, 6.0) == pytest.approx(due, abs=0.04)


def test_staircase_steps_by_its_rule() -> None:
    """Two right answers and it falls, one wrong and it rises, by smaller factors, to its ends."""
    stairs = Staircase(SIZES, 32.0, down=2, factors=(2.0, 1.5))
    shown = []
    for is_right in (True, True, True, True, False, True, False):
        shown.append(stairs.next_px())
        stairs.tell(shown[-1], is_right=is_right)
    assert shown == pytest.approx([32, 32, 16, 16, 8, 12, 12])
    assert stairs.reversals == [8]
    for _ in range(9):
        stairs.tell(stairs.next_px(), is_right=False)
    assert stairs.next_px() == 64


def test_quest_plus_asks_where_answers_are_uncertain() -> None:
    """After many answers around one size it shows sizes near it, and never one outside."""
    quest = QuestPlus(SIZES)
    for _ in range(30):
        quest.tell(12.0, is_right=True)
        quest.tell(9.0, is_right=False)
    assert 8 < quest.next_px() < 13
    assert quest.candidates[[0, -1]] == pytest.approx([4, 64])


def test_quest_plus_takes_the_least_expected_entropy() -> None:
    """By asking the posterior itself what each answer to each size would leave."""
    quest = QuestPlus(SIZES, steps=9)
    for px, is_right in ((20.0, True), (10.0, False), (14.0, True)):
        quest.tell(px, is_right=is_right)
    expected = []
    for px in quest.candidates.tolist():
        chance = SIZES.chance(px, quest.posterior.thresholds, quest.posterior.slopes)
        whole = 0.0
        for shares in (quest.posterior.shares * chance, quest.posterior.shares * (1 - chance)):
            left = shares.sum(axis=1) / shares.sum()
            whole -= shares.sum() * float((left * np.log(left)).sum())
        expected.append(whole)
    assert quest.next_px() == quest.candidates[int(np.argmin(expected))]


def test_same_answers_give_the_same_place() -> None:
    """A trial is gone on with after a reload by telling what was answered."""
    first, again = QuestPlus(SIZES), QuestPlus(SIZES)
    told = []
    for number in range(12):
        px = first.next_px()
        told.append((px, number % 3 > 0))
        first.tell(px, is_right=told[-1][1])
    for px, is_right in told:
        again.tell(px, is_right=is_right)
    assert again.next_px() == first.next_px()
    assert again.posterior.threshold() == first.posterior.threshold()


def test_threshold_beyond_the_sizes_is_said() -> None:
    """Who is always wrong or always right has a threshold outside, and a sentence says so."""
    for is_right, end in ((True, "smallest"), (False, "largest")):
        stairs = Staircase(SIZES, 32.0)
        for _ in range(40):
            stairs.tell(stairs.next_px(), is_right=is_right)
        assert end in stairs.posterior.threshold().note
    assert _measure(QuestPlus(SIZES), 0, 10.0)[1].note == ""


def test_impossible_settings_are_refused() -> None:
    """Each with what was expected."""
    for bad in ((0.0, 5.0), (5.0, 5.0), (1.0, float("inf"))):
        with pytest.raises(ScoringInputError, match="larger one"):
            SizeRange(*bad)
    with pytest.raises(ScoringInputError, match="less than 1"):
        SizeRange(1, 2, guess=0.6, lapse=0.5)
    for start, down, factors in (
        (2.0, 1, (1.5,)),
        (8.0, 0, (1.5,)),
        (8.0, 1, (1.0,)),
        (8.0, 1, ()),
    ):
        with pytest.raises(ScoringInputError, match="factors above 1"):
            Staircase(SIZES, start, down, factors)
    with pytest.raises(ScoringInputError, match="2 sizes"):
        QuestPlus(SIZES, 1)
    with pytest.raises(ScoringInputError, match="above 0 px"):
        Posterior(SIZES).tell(float("nan"), is_right=True)
