"""Error consistency: whether two raters err on the same images more than their accuracies make.

Two raters who are right in 90 % of images agree on most of them by chance alone. Error
consistency is Cohen's kappa of right and wrong: with ``p1`` and ``p2`` the accuracies on the
images that both answered, chance gives an agreement of ``p1 p2 + (1 - p1)(1 - p2)``, and kappa is
what is observed beyond it, over what is possible beyond it. 0: errors are independent, 1: the
same images are wrong, below 0: where one errs the other does not.

Geirhos, Meding and Wichmann, "Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and
humans by measuring error consistency", NeurIPS 2020, arXiv 2006.16736. Differs from it in that two
raters who are both always right, or both always wrong, have no kappa (there it is 1), that
several pairs are pooled by a ratio of sums, and that there are intervals and a null band. Images
and people are resampled as crossed clusters: Owen, "The pigeonhole bootstrap", Annals of Applied
Statistics 1 (2007), doi 10.1214/07-AOAS122, whose excess is taken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from ..intervals import LEVEL, Floats
from .marks import Marks

DRAWS = 1000
"""Resamples of images and people, and permutations of the null band."""

LEAST_COMMON = 2
"""Images that two raters must both have answered to have a kappa."""

PAIRS = ("person-person", "person-model", "model-model")

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Kappa:
    """Error consistency of two raters, or of many pairs pooled.

    Attributes
    ----------
    pairs, images
        Pairs that went in, and the images that a pair had in common, on average.
    observed, expected
        Share of images on which both are right or both wrong, and what chance makes of it.
    kappa, low, high
        With its interval; NaN where it is not defined.
    null_low, null_high
        Where kappa lies in 95 % of cases if errors are independent.
    """

    pairs: int
    images: float
    observed: float
    expected: float
    kappa: float
    low: float
    high: float
    null_low: float
    null_high: float


@dataclass(frozen=True, eq=False)
class _Pairs:
    """What pooling needs of each pair; (raters, raters), or with draws before.

    ``excess`` is the agreement beyond chance and ``room`` what is possible beyond it, both times
    the common images, and both without the bias that few common images bring: of ``n`` images,
    the product of two shares holds an ``n``-th of their covariance.
    """

    common: Floats
    agreed: Floats
    excess: Floats
    room: Floats


def _pairs(hits: Floats, asked: Floats, weights: Floats | None = None) -> _Pairs:
    """Return the pairs; ``weights`` (images,) say how often each image counts."""
    own = asked if weights is None else asked * weights
    marked = hits if weights is None else hits * weights
    common, both = own @ asked.T, marked @ hits.T
    first = marked @ asked.T  # rater i's right answers among the images that j answered too
    second = first.T
    known = np.where(common >= LEAST_COMMON, common, np.nan)
    product = first * second / known
    covariance = (both - product) / (known - 1)
    expected = known - first - second + 2 * (product - covariance)
    agreed = common - first - second + 2 * both
    room = known - expected
    return _Pairs(*map(np.nan_to_num, (common, agreed, 2 * covariance * known, room)))


def kappa_matrix(marks: Marks) -> Floats:
    """Return Cohen's kappa of each two raters, NaN where there is none; (raters, raters)."""
    observed, expected, _ = _plain(marks)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _plain(marks: Marks) -> tuple[Floats, Floats, Floats]:
    """Return observed and expected agreement, and common images, of each two raters."""
    hits, asked = marks.hits, marks.asked
    common, first = asked @ asked.T, hits @ asked.T
    both = hits @ hits.T
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.where(common >= LEAST_COMMON, common, np.nan)
        one, two = first / known, first.T / known
        observed = (known - first - first.T + 2 * both) / known
    return observed, one * two + (1 - one) * (1 - two), common


class ErrorConsistency:
    """Error consistency of all raters, with what intervals and null bands are drawn from.

    Parameters
    ----------
    marks
        Of people and models.
    rng
        Draws images, people and permutations.
    draws
        How many of each.
    level
        Of intervals and bands.
    """

    def __init__(
        self,
        marks: Marks,
        *,
        rng: np.random.Generator,
        draws: int = DRAWS,
        level: float = LEVEL,
    ) -> None:
        self.marks, self.level, self._rng = marks, level, rng
        self._hits, self._asked = marks.hits, marks.asked
        self._base = _pairs(self._hits, self._asked)
        self._observed, self._expected, self._common = _plain(marks)
        self.kappas = kappa_matrix(marks)
        count, images = len(marks.raters), len(marks.images)
        shape = (draws, count, count)
        self._excess, self._room = np.zeros(shape), np.zeros(shape)
        self._null = np.zeros(shape)
        self._resampled = np.zeros(shape)
        for draw in range(draws):
            weights = rng.multinomial(images, np.full(images, 1 / max(1, images))).astype(float)
            self._keep(draw, weights)
            self._null[draw] = _pairs(self._permuted(), self._asked).excess

    def _keep(self, draw: int, weights: Floats) -> None:
        found = _pairs(self._hits, self._asked, weights)
        self._excess[draw], self._room[draw] = found.excess, found.room
        with np.errstate(invalid="ignore", divide="ignore"):
            plain = found.excess * (found.common - 1) / found.common
            room = found.room - (found.excess - plain)
            self._resampled[draw] = np.where(room > 0, plain / room, np.nan)

    def _permuted(self) -> Floats:
        """Return each rater's marks in another order, over the images that they answered."""
        order = np.argsort(self._rng.random(self._hits.shape) + 2 * (self._asked == 0), axis=1)
        back = np.argsort(self._asked == 0, axis=1, kind="stable")
        moved = np.zeros_like(self._hits)
        np.put_along_axis(moved, back, np.take_along_axis(self._hits, order, axis=1), axis=1)
        return moved

    # -- pairs --------------------------------------------------------------------

    def pair(self, first: int, second: int) -> Kappa:
        """Return the error consistency of two raters, by their places."""
        at = first, second
        tail = (1 - self.level) / 2
        found = self._resampled[:, first, second]
        known = found[~np.isnan(found)]
        low, high = np.quantile(known, (tail, 1 - tail)) if len(known) else (nan, nan)
        null_low, null_high = self._exact_null(first, second)
        kappa = float(self.kappas[at])
        if np.isnan(kappa):
            low = high = nan
        return Kappa(
            int(self._common[at] >= LEAST_COMMON),
            float(self._common[at]),
            float(self._observed[at]),
            float(self._expected[at]),
            kappa,
            float(low),
            float(high),
            null_low,
            null_high,
        )

    def _exact_null(self, first: int, second: int) -> tuple[float, float]:
        """Return the null band: how many images both get right is then hypergeometric."""
        shared = (self._asked[first] * self._asked[second]) > 0
        images = int(shared.sum())
        one, two = (int(self._hits[rater][shared].sum()) for rater in (first, second))
        expected = self._expected[first, second]
        if images < LEAST_COMMON or not expected < 1:
            return nan, nan
        tail = (1 - self.level) / 2
        both = stats.hypergeom.ppf((tail, 1 - tail), images, one, two)
        observed = (images - one - two + 2 * both) / images
        ends = (observed - expected) / (1 - expected)
        return float(ends[0]), float(ends[1])

    def iter_pairs(self) -> Iterator[tuple[int, int, str]]:
        """Yield the places of each two raters, and which of `PAIRS` they are."""
        kinds = self.marks.kinds
        for first in range(len(kinds)):
            for second in range(first + 1, len(kinds)):
                models = (kinds[first], kinds[second]).count("model")
                yield first, second, PAIRS[models]

    # -- pooled -------------------------------------------------------------------

    def group(self, kind: str, model: int | None = None) -> Kappa:
        """Return the pooled error consistency of one of `PAIRS`; of one model's with people."""
        chosen = np.zeros(self.kappas.shape, dtype=bool)
        for first, second, own in self.iter_pairs():
            chosen[first, second] = own == kind and model in (None, first, second)
        return self.pool(chosen)

    def against_others(self, person: int) -> Kappa:
        """Return the pooled error consistency of one person with all others."""
        chosen = np.zeros(self.kappas.shape, dtype=bool)
        chosen[person] = self.marks.is_person
        chosen[person, person] = False
        return self.pool(chosen, fixed=person)

    def pool(self, chosen: Bools, fixed: int | None = None) -> Kappa:
        """Return the error consistency of several pairs together.

        Parameters
        ----------
        chosen
            bool (raters, raters); each pair once.
        fixed
            A person who is not drawn anew, as the figure is that person's.
        """
        usable = chosen & (self._common >= LEAST_COMMON)
        pairs, total = int(usable.sum()), float(self._common[usable].sum())
        kappa = _ratio(self._base.excess[usable].sum(), self._base.room[usable].sum())
        if not pairs or np.isnan(kappa):
            return Kappa(pairs, nan, nan, nan, kappa, nan, nan, nan, nan)
        reach = self._reach(usable, fixed, kappa)
        null = self._null[:, usable].sum(axis=1) / self._base.room[usable].sum()
        tail = (1 - self.level) / 2
        band = np.quantile(null, (tail, 1 - tail))
        room = self._base.room[usable].sum() / total
        return Kappa(
            pairs,
            total / pairs,
            float(self._base.agreed[usable].sum() / total),
            float(1 - room),
            kappa,
            max(-1.0, kappa - reach),
            min(1.0, kappa + reach),
            float(band[0]),
            float(band[1]),
        )

    def _reach(self, usable: Bools, fixed: int | None, kappa: float) -> float:
        """Return half the interval, from what images and people each add to the variance."""
        weights = self._people_weights(usable, fixed)
        pairs = np.nonzero(usable)
        drawn = weights[:, pairs[0]] * weights[:, pairs[1]]  # (draws, pairs)
        excess, room = self._excess[:, usable], self._room[:, usable]
        of_images = _variance(excess.sum(axis=1), room.sum(axis=1), kappa)
        same = self._base.excess[usable], self._base.room[usable]
        of_people = _variance(drawn @ same[0], drawn @ same[1], kappa)
        of_both = _variance((drawn * excess).sum(axis=1), (drawn * room).sum(axis=1), kappa)
        # With v of images, w of people and e of single answers, these are v + e, w + k e and
        # v + w + (2 k + 1) e, where k is 1 for pairs with one person and 3 for pairs with two.
        whole = max(of_images, 2 * of_images + 2 * of_people - of_both)
        people = int((weights.std(axis=0) > 0).sum())
        freedom = len(self.marks.images) - 1.0
        if people > 1 and whole > of_images:
            freedom = min(freedom, (people - 1) * (whole / (whole - of_images)) ** 2)
        return float(special.stdtrit(freedom, 0.5 + self.level / 2)) * sqrt(whole)

    def _people_weights(self, usable: Bools, fixed: int | None) -> Floats:
        """Return how often each rater is drawn, float64 (draws, raters); models once always."""
        draws = len(self._excess)
        weights = np.ones((draws, len(self.marks.raters)))
        in_pairs = usable.any(axis=0) | usable.any(axis=1)
        drawn = np.nonzero(self.marks.is_person & in_pairs)[0]
        drawn = drawn[drawn != fixed] if fixed is not None else drawn
        if len(drawn) > 1:
            shares = np.full(len(drawn), 1 / len(drawn))
            weights[:, drawn] = self._rng.multinomial(len(drawn), shares, size=draws)
        return weights


def _ratio(excess: float, room: float) -> float:
    """Return a kappa; without the bias, few images may take it past the ends that it has."""
    return min(1.0, max(-1.0, float(excess / room))) if room > 0 else nan


def _variance(excess: Floats, room: Floats, centre: float) -> float:
    """Return the variance of drawn ratios; draws without room, as of one person, are left out."""
    known = room > 0
    if known.sum() < 2:
        return 0.0
    ratios = excess[known] / room[known]
    # Around their mean: the ratios of resamples are a little off the whole one.
    return float(np.var(ratios, ddof=1)) if np.isfinite(centre) else nan
