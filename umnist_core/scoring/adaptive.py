"""A person's threshold in px, by trials whose size follows from the answers before.

The share of right answers rises with the size of the smallest digit as

    p(px) = guess + (1 - guess - lapse) / (1 + exp(-slope (log px - log threshold)))

so the threshold is the size at which half of what lies between guessing and lapsing is reached,
and the slope is in logits for each factor of e. What answers leave possible is kept as a grid of
thresholds and slopes (`Posterior`), whichever rule chose the sizes; its mean is the estimate. Two
rules choose them:

- `Staircase`, the transformed up-down method: smaller after so many right answers in a row, larger
  after a wrong one. It needs no model, and `Staircase.reversal_mean` is its own estimate.
- `QuestPlus`: the size after whose answer the expected entropy of thresholds is least.

Both are plain and without files or clock: what was shown and answered is all their state, so that
a trial can be gone on with after a reload by telling them the same answers again.

In 40 trials either rule comes within 10 % of the threshold for 95 % of people whose accuracy rises
from a quarter to three quarters within a factor of 1.3 in size (slope 8). Where it takes a factor
of 1.45 (slope 6), for 86 to 89 %: 40 answers do not hold more, as 91 % is what 40 trials at the
very threshold would give. docs/statistics.md has the table.

Levitt, JASA 49 (1971) 467-477, doi 10.1121/1.1912375. Watson, Journal of Vision 17 (2017) 3:10,
doi 10.1167/17.3.10; differs from it in that guessing and lapsing are given, in the logistic
function of the logarithm, and in that the slope is summed over before the entropy is taken, since
it is the threshold that is asked for (Prins, Journal of Vision 13 (2013) 7:3, doi
10.1167/13.7.3). Estimating from all trials and not from reversals: Treutwein, Vision Research 35
(1995) 2503-2522, doi 10.1016/0042-6989(95)00016-X.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, log, nan

import numpy as np
from scipy import special

from .errors import ScoringInputError
from .intervals import LEVEL, Floats

GUESS = 1 / 28
"""Of 28 sums one is right."""

LAPSE = 0.02
"""Wrong answers to what was plainly seen."""

_THRESHOLDS, _SIZES = 161, 33
_SLOPES = np.exp(np.linspace(log(2.0), log(30.0), 13))


@dataclass(frozen=True)
class Threshold:
    """What the answers so far say of a threshold.

    Attributes
    ----------
    px
        The threshold: geometric mean of what is possible.
    low, high
        Ends of the credible interval, px.
    slope
        Geometric mean, logits for each factor of e.
    trials
        Answers that it rests on.
    note
        One sentence if something is to be known first, else empty.
    """

    px: float
    low: float
    high: float
    slope: float
    trials: int
    note: str = ""


@dataclass(frozen=True)
class SizeRange:
    """Sizes that can be shown, and rates that are given.

    Attributes
    ----------
    low_px, high_px
        Smallest and largest size, above 0.
    guess, lapse
        Rates of right answers without, and of wrong ones with any evidence; below 1 together.

    Raises
    ------
    ScoringInputError
        If a value is outside its range.
    """

    low_px: float
    high_px: float
    guess: float = GUESS
    lapse: float = LAPSE

    def __post_init__(self) -> None:
        if not (0 < self.low_px < self.high_px and isfinite(self.high_px)):
            raise ScoringInputError(
                "Expected sizes from one above 0 px to a larger one, found "
                f"{self.low_px:g} to {self.high_px:g} px; change them."
            )
        if not (self.guess >= 0 and self.lapse >= 0 and self.guess + self.lapse < 1):
            raise ScoringInputError(
                "Expected rates of guessing and lapsing of 0 or more that add up to less than 1, "
                f"found {self.guess:g} and {self.lapse:g}; change them."
            )

    def clip(self, px: float) -> float:
        """Return the size that can be shown and is nearest."""
        return min(self.high_px, max(self.low_px, px))

    def chance(
        self, px: float | Floats, threshold_px: float | Floats, slope: float | Floats
    ) -> Floats:
        """Return the share of right answers."""
        core = special.expit(slope * (np.log(px) - np.log(threshold_px)))
        return np.asarray(self.guess + (1 - self.guess - self.lapse) * core)


class Posterior:
    """What answers leave possible: a grid of thresholds and slopes, at first all alike.

    Parameters
    ----------
    sizes
        What can be shown; a threshold is looked for between the ends.
    """

    def __init__(self, sizes: SizeRange) -> None:
        self.sizes = sizes
        ends = log(sizes.low_px), log(sizes.high_px)
        self.thresholds = np.exp(np.linspace(*ends, _THRESHOLDS))[:, None]  # (thresholds, 1)
        self.slopes = _SLOPES[None, :]  # (1, slopes)
        self.shares = np.full((_THRESHOLDS, len(_SLOPES)), 1 / (_THRESHOLDS * len(_SLOPES)))
        self.trials = 0

    def tell(self, px: float, *, is_right: bool, times: int = 1) -> None:
        """Take in an answer, or as many that were alike.

        Raises
        ------
        ScoringInputError
            If the size is not above 0.
        """
        if not (px > 0 and isfinite(px)):
            raise ScoringInputError(
                f"Expected a size above 0 px, found {px:g}; give the one shown."
            )
        chance = self.sizes.chance(px, self.thresholds, self.slopes)
        self.shares = self.shares * (chance if is_right else 1 - chance) ** times
        self.shares /= self.shares.sum()
        self.trials += times

    def threshold(self, level: float = LEVEL) -> Threshold:
        """Return what is known of the threshold."""
        shares = self.shares.sum(axis=1)
        logs = np.log(self.thresholds[:, 0])
        total = np.cumsum(shares)
        tail = (1 - level) / 2
        low, high = (float(np.interp(at, total, logs)) for at in (tail, 1 - tail))
        at_ends = max(shares[:2].sum(), shares[-2:].sum())
        note = ""
        if at_ends > tail:
            end = "smallest" if shares[:2].sum() > tail else "largest"
            note = f"The threshold may lie beyond the {end} size that was shown."
        slope = exp(float(self.shares.sum(axis=0) @ np.log(self.slopes[0])))
        return Threshold(exp(float(shares @ logs)), exp(low), exp(high), slope, self.trials, note)


class QuestPlus:
    """Chooses the size from which most is to be learnt.

    Parameters
    ----------
    sizes
        What can be shown.
    steps
        How many sizes between its ends are considered, evenly in the logarithm; 2 or more.
    candidates
        The sizes that are considered, where those are given.
    """

    def __init__(
        self, sizes: SizeRange, steps: int = _SIZES, *, candidates: Sequence[float] | None = None
    ) -> None:
        if steps < 2:
            raise ScoringInputError(f"Expected 2 sizes or more, found {steps}; give more.")
        self.posterior = Posterior(sizes)
        even = np.exp(np.linspace(log(sizes.low_px), log(sizes.high_px), steps))
        self.candidates = even if candidates is None else np.array(candidates, dtype=np.float64)
        self._chances = np.stack(
            [
                sizes.chance(px, self.posterior.thresholds, self.posterior.slopes)
                for px in self.candidates.tolist()
            ]
        )  # (sizes, thresholds, slopes)

    def next_px(self) -> float:
        """Return the size to show."""
        shares = self.posterior.shares
        right = np.einsum("xts,ts->xt", self._chances, shares)  # (sizes, thresholds)
        wrong = shares.sum(axis=1) - right
        # The expected entropy of thresholds: that of threshold and answer, less the answer's.
        joint = special.entr(right).sum(axis=1) + special.entr(np.maximum(wrong, 0)).sum(axis=1)
        answers = np.clip(right.sum(axis=1), 0, 1)
        expected = joint - special.entr(answers) - special.entr(1 - answers)
        return float(self.candidates[int(np.argmin(expected))])

    def tell(self, px: float, *, is_right: bool) -> None:
        """Take in an answer; errors as of `Posterior.tell`."""
        self.posterior.tell(px, is_right=is_right)


@dataclass
class Staircase:
    """The transformed up-down method, in factors of px.

    With ``down`` 1, 2 and 3 it settles at 50, 71 and 79 % right answers.

    Attributes
    ----------
    sizes
        What can be shown.
    start_px
        The first size.
    down
        Right answers in a row after which the size falls; 1 or more. It rises after each wrong one.
    factors
        By how much sizes change before the first reversal, the second and so on; the last for all
        further ones. Each above 1.
    reversals
        Sizes at which the direction changed, px.

    Raises
    ------
    ScoringInputError
        If a value is outside its range.
    """

    sizes: SizeRange
    start_px: float
    down: int = 1
    factors: Sequence[float] = (1.6, 1.35, 1.2, 1.12)
    reversals: list[float] = field(default_factory=list, init=False)
    _px: float = field(default=nan, init=False)
    _run: int = field(default=0, init=False)
    _direction: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        good = self.down >= 1 and self.factors and min(self.factors) > 1
        if not good or not self.sizes.low_px <= self.start_px <= self.sizes.high_px:
            raise ScoringInputError(
                "Expected a first size that can be shown, 1 right answer or more before it falls, "
                f"and factors above 1; found {self.start_px:g} px, {self.down} and "
                f"{tuple(self.factors)}; change them."
            )
        self.posterior = Posterior(self.sizes)
        self._px = self.start_px

    def next_px(self) -> float:
        """Return the size to show."""
        return self._px

    def tell(self, px: float, *, is_right: bool) -> None:
        """Take in an answer; errors as of `Posterior.tell`."""
        self.posterior.tell(px, is_right=is_right)
        self._run = self._run + 1 if is_right else 0
        if is_right and self._run < self.down:
            return
        self._run = 0
        direction = -1 if is_right else 1
        if self._direction and direction != self._direction:
            self.reversals.append(px)
        self._direction = direction
        factor = self.factors[min(len(self.reversals), len(self.factors) - 1)]
        self._px = self.sizes.clip(px * factor**direction)

    def reversal_mean(self, dropped: int = 2) -> float:
        """Return the geometric mean of an even number of the last reversals, px.

        Parameters
        ----------
        dropped
            Of the first reversals, at which steps were still large.

        Returns
        -------
        float
            NaN with fewer than two reversals after those.
        """
        kept = self.reversals[dropped:]
        kept = kept[len(kept) % 2 :]
        return exp(float(np.mean(np.log(kept)))) if kept else nan


@dataclass
class LevelStaircase:
    """The transformed up-down method over sizes that are given, as `Staircase` has it over all.

    It begins with the largest size and moves by two until the first wrong answer, then by one.

    Attributes
    ----------
    levels
        How many sizes there are, ascending.
    down
        As of `Staircase`.
    level
        Number of the size to show, 0 for the smallest.
    reversals
        Levels at which the direction changed.
    """

    levels: int
    down: int = 1
    level: int = field(default=0, init=False)
    reversals: list[int] = field(default_factory=list, init=False)
    _run: int = field(default=0, init=False)
    _direction: int = field(default=0, init=False)
    _step: int = field(default=2, init=False)

    def __post_init__(self) -> None:
        self.level = self.levels - 1

    def tell(self, level: int, *, is_right: bool) -> None:
        """Take in an answer to the size that was shown, which may be another than was asked for."""
        self._run = self._run + 1 if is_right else 0
        self._step = self._step if is_right else 1
        if is_right and self._run < self.down:
            return
        self._run = 0
        direction = -1 if is_right else 1
        if self._direction and direction != self._direction:
            self.reversals.append(level)
        self._direction = direction
        self.level = min(self.levels - 1, max(0, level + direction * self._step))


@dataclass(frozen=True)
class MeanThreshold:
    """The geometric mean of several people's thresholds.

    Attributes
    ----------
    px, low, high
        Mean and ends of Student's t interval on logarithms, over people; ends are NaN for fewer
        than two.
    people
        How many.
    """

    px: float
    low: float
    high: float
    people: int


def mean_threshold(thresholds_px: Sequence[float], level: float = LEVEL) -> MeanThreshold:
    """Return the mean of people's thresholds; NaN of none.

    The uncertainty of each one's threshold is part of how far they lie apart.
    """
    people = len(thresholds_px)
    logs = np.log(np.asarray(thresholds_px, dtype=np.float64))
    if people < 2:
        return MeanThreshold(exp(float(logs[0])) if people else nan, nan, nan, people)
    mean, error = float(logs.mean()), float(logs.std(ddof=1)) / people**0.5
    reach = float(special.stdtrit(people - 1, 0.5 + level / 2)) * error
    return MeanThreshold(exp(mean), exp(mean - reach), exp(mean + reach), people)
