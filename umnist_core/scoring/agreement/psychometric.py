"""How the share of right answers depends on one quantity: a psychometric function.

``p(x) = guess + (1 - guess - lapse) / (1 + exp(-slope (x - threshold)))``, with a minus before
the slope where answers get worse with ``x``. The threshold is where half of what lies between
guessing and lapsing is reached. Maximum likelihood, the lapse rate with a weak prior that keeps
it small; intervals from the profile of the likelihood, or from people drawn anew.

Wichmann and Hill, Perception & Psychophysics 63 (2001) 1293-1313 and 1314-1329, doi
10.3758/BF03194544 and 10.3758/BF03194545. Profile likelihood: Venzon and Moolgavkar, Applied
Statistics 37 (1988) 87-94, doi 10.2307/2347496.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, log, nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

from ..errors import ScoringInputError
from ..intervals import LEVEL, Floats, codes_of

GUESS = 1 / 28
"""Of 28 sums one is right."""

LAPSE_MAX = 0.25
_LAPSE_PRIOR = 9.0
"""Of a beta distribution with 1 and 10: a lapse rate of 0 is likeliest, its mean is 0.09."""

_GUESS_MAX = 0.5
_PLACES = (-1.5, 2.5)
"""Between which a threshold is looked for, in ranges of x from its least value."""

_LOG_SLOPES = (log(0.3), log(400.0))
"""Of the slope over the whole range of x, logits."""

_BADLY_FITTING = 0.01


@dataclass(frozen=True)
class Bounded:
    """An estimate with the ends of its interval; an end that the answers leave open is infinite."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class PsychometricFit:
    """A fitted curve.

    Attributes
    ----------
    threshold
        In units of x.
    slope
        Logits for each unit of x, above 0.
    guess, lapse
        Rates of right answers without, and of wrong ones with any evidence, 0 to 1.
    falls
        Whether answers get worse with x.
    deviance, p_value
        Twice the log likelihood that the shares themselves have more; how often a curve that holds
        gives as much. NaN with no more values of x than parameters.
    note
        One sentence if something is to be known first, else empty.
    """

    threshold: Bounded
    slope: Bounded
    guess: float
    lapse: float
    falls: bool
    deviance: float
    p_value: float
    note: str = ""

    def predict(self, x: ArrayLike) -> Floats:
        """Return the share of right answers at some values of x."""
        sign = -1.0 if self.falls else 1.0
        distance = np.asarray(x, dtype=float) - self.threshold.estimate
        core = special.expit(sign * self.slope.estimate * distance)
        return np.asarray(self.guess + (1 - self.guess - self.lapse) * core)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, ready for JSON: None for an end that is open or not known."""
        plain = {
            "threshold": self.threshold.estimate,
            "threshold_low": self.threshold.low,
            "threshold_high": self.threshold.high,
            "slope": self.slope.estimate,
            "slope_low": self.slope.low,
            "slope_high": self.slope.high,
            "guess": self.guess,
            "lapse": self.lapse,
            "deviance": self.deviance,
            "p_value": self.p_value,
        }
        known = {name: value if isfinite(value) else None for name, value in plain.items()}
        return known | {"falls": self.falls, "note": self.note}


def fit_psychometric(
    x: ArrayLike,
    correct: ArrayLike,
    total: ArrayLike,
    *,
    guess: float | None = GUESS,
    lapse: float | None = None,
    falls: bool | None = None,
    level: float = LEVEL,
) -> PsychometricFit:
    """Fit a curve to counts of independent answers.

    Parameters
    ----------
    x
        (n,), finite.
    correct, total
        (n,), right answers and all answers at each.
    guess, lapse
        The rate, or None to fit it.
    falls
        Whether answers get worse with x; None to go by the answers.
    level
        Of the intervals.

    Raises
    ------
    ScoringInputError
        If these are no counts, or are all at one value of x.
    """
    fit = _Curve(x, correct, total, guess=guess, lapse=lapse, falls=falls)
    return fit.with_profiles(fit.best(), level)


def fit_psychometric_by_people(
    x: ArrayLike,
    right: ArrayLike,
    people: ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 300,
    guess: float | None = GUESS,
    falls: bool | None = None,
    level: float = LEVEL,
) -> PsychometricFit:
    """Fit a curve to single answers of several people, who are drawn anew for the intervals.

    Answers of one person are alike, so intervals that take answers as independent are too narrow.

    Parameters
    ----------
    x, right, people
        (n,) each: the quantity, whether right, and who answered.
    rng, draws
        Draw the people.
    guess, falls, level
        As of `fit_psychometric`.

    Raises
    ------
    ScoringInputError
        As `fit_psychometric`.
    """
    values, marks = np.asarray(x, dtype=float), np.asarray(right, dtype=float)
    codes, count = codes_of(people)
    levels, places = np.unique(values, return_inverse=True)
    shape = (count, len(levels))
    cells = codes * len(levels) + places.reshape(-1)
    hits = np.bincount(cells, marks, minlength=count * len(levels)).reshape(shape)
    asked = np.bincount(cells, minlength=count * len(levels)).reshape(shape).astype(float)
    asked_in_all = asked.sum(axis=0)
    whole = _Curve(levels, hits.sum(axis=0), asked_in_all, guess=guess, lapse=None, falls=falls)
    best = whole.best()
    told = whole.told(best)
    if count < 2:
        return replace(told, note="One person says nothing of how people differ: no interval.")
    found = []
    for drawn in rng.multinomial(count, np.full(count, 1 / count), size=draws):
        again = whole.with_counts(drawn @ hits, drawn @ asked)
        found.append(again.from_start(best)[:2])
    tail = (1 - level) / 2
    ends = np.quantile(np.array(found), (tail, 1 - tail), axis=0)
    place, slope = whole.place, whole.slope
    return replace(
        told,
        threshold=Bounded(told.threshold.estimate, place(ends[0, 0]), place(ends[1, 0])),
        slope=Bounded(told.slope.estimate, slope(ends[0, 1]), slope(ends[1, 1])),
        note=told.note if not isfinite(told.p_value) else _misfit_note(told.p_value),
    )


class _Curve:
    """Works on (threshold in ranges of x, log of the slope over the range, lapse, guess)."""

    def __init__(
        self,
        x: ArrayLike,
        correct: ArrayLike,
        total: ArrayLike,
        *,
        guess: float | None,
        lapse: float | None,
        falls: bool | None = None,
    ) -> None:
        self.x, hits, asked = (np.asarray(one, dtype=float) for one in (x, correct, total))
        _check_counts(self.x, hits, asked)
        self.least, self.range = float(self.x.min()), float(np.ptp(self.x))
        self.scaled = (self.x - self.least) / self.range
        self.hits, self.asked = hits, asked
        if falls is None:
            middle = (self.scaled * asked).sum() / asked.sum()
            falls = bool(
                ((self.scaled - middle) * (hits - asked * hits.sum() / asked.sum())).sum() < 0
            )
        self.falls = falls
        self.bounds = [
            _PLACES,
            _LOG_SLOPES,
            (0.0, LAPSE_MAX) if lapse is None else (lapse, lapse),
            (0.0, _GUESS_MAX) if guess is None else (guess, guess),
        ]
        self.fitted = 2 + (lapse is None) + (guess is None)

    def with_counts(self, hits: Floats, asked: Floats) -> _Curve:
        """Return the same curve for other answers."""
        other = object.__new__(_Curve)
        other.__dict__ = {**self.__dict__, "hits": hits, "asked": asked}
        return other

    def place(self, scaled: float) -> float:
        """Return a threshold in units of x; infinite at the ends of where it is looked for."""
        if scaled <= _PLACES[0] + 1e-6:
            return -inf
        return inf if scaled >= _PLACES[1] - 1e-6 else self.least + self.range * scaled

    def slope(self, log_slope: float) -> float:
        """Return a slope for each unit of x; 0 or infinite at the ends of the search."""
        if log_slope <= _LOG_SLOPES[0] + 1e-6:
            return 0.0
        return inf if log_slope >= _LOG_SLOPES[1] - 1e-6 else exp(log_slope) / self.range

    def loss(self, theta: Floats) -> tuple[float, Floats]:
        """Return minus the penalised log likelihood and its gradient."""
        sign = -1.0 if self.falls else 1.0
        steep, distance = exp(theta[1]), self.scaled - theta[0]
        core = special.expit(sign * steep * distance)
        height = 1 - theta[2] - theta[3]
        chance = np.clip(theta[3] + height * core, 1e-12, 1 - 1e-12)
        misses = self.asked - self.hits
        value = -(self.hits * np.log(chance) + misses * np.log1p(-chance)).sum()
        by_chance = -(self.hits / chance - misses / (1 - chance))
        inner = by_chance * height * core * (1 - core) * sign * steep
        gradient = [-inner.sum(), (inner * distance).sum()]
        gradient += [-(by_chance * core).sum(), (by_chance * (1 - core)).sum()]
        value -= _LAPSE_PRIOR * log(1 - theta[2])
        gradient[2] += _LAPSE_PRIOR / (1 - theta[2])
        return float(value), np.array(gradient)

    def best(self) -> Floats:
        """Return the best parameters, from several starts."""
        starts = [
            np.array([place, steep, 0.02, 0.05])
            for place in (0.1, 0.5, 0.9)
            for steep in (log(4.0), log(15.0))
        ]
        found = [self._minimise(start) for start in starts]
        return min(found, key=lambda one: one[0])[1]

    def from_start(self, start: Floats) -> Floats:
        """Return the best parameters near a start."""
        return self._minimise(start)[1]

    def _minimise(
        self, start: Floats, fixed: tuple[int, float] | None = None
    ) -> tuple[float, Floats]:
        bounds = list(self.bounds)
        if fixed is not None:
            bounds[fixed[0]] = (fixed[1], fixed[1])
        low, high = np.array(bounds).T
        found = optimize.minimize(
            self.loss, np.clip(start, low, high), jac=True, bounds=bounds, method="L-BFGS-B"
        )
        return float(found.fun), np.asarray(found.x, dtype=float)

    def told(self, best: Floats) -> PsychometricFit:
        """Return the fit without intervals."""
        share = self.hits / self.asked
        own = special.xlogy(self.hits, share) + special.xlogy(self.asked - self.hits, 1 - share)
        penalty = -_LAPSE_PRIOR * log(1 - best[2])
        deviance = max(0.0, 2 * (float(own.sum()) + self.loss(best)[0] - penalty))
        freedom = len(self.x) - self.fitted
        p_value = float(stats.chi2.sf(deviance, freedom)) if freedom > 0 else nan
        place, slope = self.least + self.range * best[0], exp(best[1]) / self.range
        return PsychometricFit(
            Bounded(float(place), nan, nan),
            Bounded(float(slope), nan, nan),
            float(best[3]),
            float(best[2]),
            self.falls,
            deviance,
            p_value,
            _misfit_note(p_value),
        )

    def with_profiles(self, best: Floats, level: float) -> PsychometricFit:
        """Return the fit with intervals of profile likelihood."""
        told = self.told(best)
        ends = [self._profile(best, at, side, level) for at in (0, 1) for side in (-1, 1)]
        threshold = Bounded(told.threshold.estimate, self.place(ends[0]), self.place(ends[1]))
        slope = Bounded(told.slope.estimate, self.slope(ends[2]), self.slope(ends[3]))
        note = told.note
        if not all(map(isfinite, (threshold.low, threshold.high, slope.high))) or slope.low == 0:
            note = note or "The answers leave an end of an interval open: the curve is not in view."
        return replace(told, threshold=threshold, slope=slope, note=note)

    def _profile(self, best: Floats, at: int, side: int, level: float) -> float:
        """Return where the profile of one parameter has fallen by the bound of its interval."""
        allowed = self.loss(best)[0] + float(stats.chi2.ppf(level, 1)) / 2
        far = self.bounds[at][0 if side < 0 else 1]
        held = [best]

        def excess(value: float) -> float:
            found, held[0] = self._minimise(held[0], (at, value))
            return found - allowed

        return _crossing(excess, float(best[at]), far, 0.05 if at == 0 else 0.2)


def _crossing(excess: Callable[[float], float], start: float, far: float, step: float) -> float:
    """Return where a function that is negative at ``start`` becomes positive, at most ``far``."""
    sign, inner = (1.0 if far > start else -1.0), start
    while True:
        outer = inner + sign * step
        if (far - outer) * sign <= 0:
            if excess(far) <= 0:
                return far
            outer = far
        if excess(outer) > 0:
            return float(optimize.brentq(excess, inner, outer, xtol=1e-4))
        inner, step = outer, step * 1.6


def _misfit_note(p_value: float) -> str:
    if isfinite(p_value) and p_value < _BADLY_FITTING:
        return (
            "Shares lie further from the curve than independent answers would, so intervals that "
            "take answers as independent are too narrow."
        )
    return ""


def _check_counts(x: Floats, hits: Floats, asked: Floats) -> None:
    are_counts = (
        x.ndim == 1
        and x.shape == hits.shape == asked.shape
        and np.isfinite(x).all()
        and bool(((hits >= 0) & (hits <= asked) & (asked > 0)).all())
    )
    if not are_counts or len(np.unique(x)) < 2:
        raise ScoringInputError(
            "A curve needs two values or more of x, each with answers and how many of them are "
            f"right; got {len(np.unique(x)) if x.size else 0} values; measure at more."
        )
