"""The logistic mixed model with crossed effects of person and image, by Laplace's approximation.

The log odds of a right answer are fixed effects plus one normal number of the person and one of
the image. For given fixed effects and standard deviations the likeliest numbers are found by
penalised, iteratively reweighted least squares; around them the integral over all numbers is
that of a normal distribution. What this gives is maximised over fixed effects and standard
deviations together: the model and the approximation of lme4's ``glmer`` with ``nAGQ = 1``, which
`tests/labeling/test_mixed_model_script.py` compares with.

Each label has one person and one image, so the matrix that is to be inverted has two diagonal
blocks, and the larger of them is eliminated first. The gradient is exact.

Sources: Breslow and Clayton, JASA 88 (1993) 9-25, doi 10.2307/2290687. Bates, Mächler, Bolker and
Walker, Journal of Statistical Software 67 (2015), doi 10.18637/jss.v067.i01, whose names are kept:
spherical effects ``u``, ``eta = X beta + Z Lambda u``. Crossed people and stimuli: Baayen, Davidson
and Bates, Journal of Memory and Language 59 (2008) 390-412, doi 10.1016/j.jml.2007.12.005.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, nan

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, sparse, special

from .errors import ScoringInputError
from .intervals import LEVEL, Codes, Floats, codes_of

METHOD = "logistic, people and images crossed, Laplace"

INTERCEPT = "intercept"

_TOO_LARGE = 12.0
"""Logits beyond which a fixed effect counts as infinite: an odds ratio of 160,000."""

_NO_SPREAD = 1e-3
"""Standard deviations below this, in logits, are 0."""

_FLAT = 2e-3
"""Largest slope of the log likelihood at which the search counts as finished."""

_NO_MAXIMUM = (
    "The mixed model was not found: the search reached no maximum of its likelihood, as where "
    "there are too few answers, or some are right or wrong for certain."
)

_CLOSE = 1e-14
"""A step that promises less log likelihood is not taken: the determinant needs exact effects."""

_ROUNDING = 1e-9
"""Of log likelihoods."""


@dataclass(frozen=True)
class FixedEffect:
    """A fixed effect with Wald's interval.

    Attributes
    ----------
    name
        `INTERCEPT`, the log odds of a mean person at a mean image, or the name of a column.
    log_odds, standard_error, low, high
        Logits.
    p_value
        Two-sided, that it is 0.
    """

    name: str
    log_odds: float
    standard_error: float
    low: float
    high: float
    p_value: float

    @property
    def odds_ratio(self) -> float:
        """What the odds are multiplied by."""
        return exp(self.log_odds)


@dataclass(frozen=True)
class MixedLogistic:
    """A fitted model, or the sentence why there is none.

    Attributes
    ----------
    effects
        The intercept, then one for each column; none where nothing was fitted.
    person_sd, image_sd
        Standard deviations of people and images, logits; 0 at the boundary, NaN where they cannot
        be told.
    log_likelihood
        By Laplace's approximation; NaN where nothing was fitted.
    labels, people, images
        What it was fitted to.
    is_converged
        Whether the search ended at a maximum: the slope is flat there, and it falls on all sides.
        Else there are no figures, and `note` says why.
    note
        One sentence if something is to be known first, else empty.
    method
        For a legend.
    """

    effects: tuple[FixedEffect, ...]
    person_sd: float
    image_sd: float
    log_likelihood: float
    labels: int
    people: int
    images: int
    is_converged: bool
    note: str = ""
    method: str = METHOD

    def effect(self, name: str) -> FixedEffect | None:
        """Return a fixed effect by its name; None where there is none."""
        return next((one for one in self.effects if one.name == name), None)


def fit_mixed_logistic(
    correct: ArrayLike,
    annotators: ArrayLike,
    images: ArrayLike,
    columns: Mapping[str, ArrayLike] | None = None,
    level: float = LEVEL,
) -> MixedLogistic:
    """Fit the model to answers that are listed one after the other.

    Where each image was answered once, or each person answered once, their spread cannot be told
    from chance, and is left out.

    Parameters
    ----------
    correct, annotators, images
        (n,) each: whether correct, who answered, about which image.
    columns
        Name -> (n,) numbers, such as 1 for guided answers and 0 for others.
    level
        Of Wald's intervals.

    Raises
    ------
    ScoringInputError
        If the columns are not as long as the answers, or not finite.
    """
    marks = np.asarray(correct, dtype=float)
    given = {name: np.asarray(column, dtype=float) for name, column in (columns or {}).items()}
    for name, column in given.items():
        if column.shape != marks.shape or not np.isfinite(column).all():
            raise ScoringInputError(
                f"Expected {len(marks)} finite numbers as {name!r}, found {column.shape}; give one "
                "for each answer."
            )
    design = np.column_stack([np.ones_like(marks), *given.values()])
    people, number = codes_of(annotators)
    pictures, count = codes_of(images)
    sizes = len(marks), number, count
    why = _why_not(marks, design, number)
    if why:
        return _without(sizes, why)
    has_images = 1 < count < len(marks)
    problem = _Laplace(marks, design, people, pictures, (number < len(marks), has_images))
    return problem.fitted((INTERCEPT, *given), sizes, level)


def _why_not(marks: Floats, design: Floats, people: int) -> str:
    """Return why nothing is fitted, else an empty sentence."""
    if not marks.size:
        return "There are no answers yet."
    if people < 2:
        return "The mixed model needs answers of two people or more."
    if marks.min() == marks.max():
        return "The mixed model needs right and wrong answers; all are the same."
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "The mixed model needs columns that differ from each other and from a constant."
    for column in design.T[1:]:
        for value in (0.0, 1.0):
            own = marks[column == value]
            if set(np.unique(column)) == {0.0, 1.0} and own.min() == own.max():
                return "The mixed model needs right and wrong answers in each condition."
    return ""


class _Laplace:
    """The approximated log likelihood of standard deviations and fixed effects, with its slope.

    A vector holds the free standard deviations, of which the sign means nothing, then the fixed
    effects. ``first`` is the side that is kept, ``second`` the one that is eliminated.
    """

    def __init__(
        self, marks: Floats, design: Floats, people: Codes, images: Codes, free: tuple[bool, bool]
    ) -> None:
        self.marks, self.design = marks, design
        sides = [
            codes if is_free else np.zeros_like(codes)
            for codes, is_free in zip((people, images), free, strict=True)
        ]
        sizes = [int(side.max()) + 1 for side in sides]
        self.is_swapped = sizes[0] > sizes[1]
        order = (1, 0) if self.is_swapped else (0, 1)
        self.codes = sides[order[0]], sides[order[1]]
        self.sizes = sizes[order[0]], sizes[order[1]]
        self.free = free[order[0]], free[order[1]]
        self.u = np.zeros(self.sizes[0]), np.zeros(self.sizes[1])
        cells = self.codes[0] * self.sizes[1] + self.codes[1]
        known, self.cells = np.unique(cells, return_inverse=True)
        self.rows, self.places = known // self.sizes[1], known % self.sizes[1]
        self.starts = np.searchsorted(self.rows, np.arange(self.sizes[0] + 1))

    # -- the likeliest effects --------------------------------------------------------

    def _sums(self, values: Floats) -> tuple[Floats, Floats]:
        """Return sums of labels' values by both sides."""
        one, two = (
            np.bincount(codes, values, minlength=size).astype(float)
            for codes, size in zip(self.codes, self.sizes, strict=True)
        )
        return one, two

    def _split(self, vector: Floats) -> tuple[tuple[float, float], Floats]:
        """Return both standard deviations, 0 where there is none, and the fixed effects."""
        spreads = iter(vector[: sum(self.free)].tolist())
        first, second = (next(spreads) if is_free else 0.0 for is_free in self.free)
        return (first, second), vector[sum(self.free) :]

    def _eta(self, base: Floats, sds: tuple[float, float], u: tuple[Floats, Floats]) -> Floats:
        return np.asarray(
            base + sds[0] * u[0][self.codes[0]] + sds[1] * u[1][self.codes[1]], dtype=float
        )

    def _penalised(self, eta: Floats, u: tuple[Floats, Floats]) -> float:
        """Return the log likelihood of labels and effects together."""
        return float(
            (self.marks * eta - np.logaddexp(0, eta)).sum() - (u[0] @ u[0] + u[1] @ u[1]) / 2
        )

    def _find_mode(self, sds: tuple[float, float], beta: Floats) -> tuple[Floats, float, _Bend]:
        """Move ``u`` to the likeliest effects; return eta, the log likelihood and the bend."""
        base = self.design @ beta
        eta = self._eta(base, sds, self.u)
        value = self._penalised(eta, self.u)
        for _ in range(100):
            chance = special.expit(eta)
            bend = _Bend(self, chance * (1 - chance), sds)
            left = self._sums(self.marks - chance)
            slope = sds[0] * left[0] - self.u[0], sds[1] * left[1] - self.u[1]
            step = bend.solve(*slope)
            gain = float(slope[0] @ step[0] + slope[1] @ step[1])
            if gain < _CLOSE:
                break
            for _ in range(30):
                tried = self.u[0] + step[0], self.u[1] + step[1]
                moved = self._eta(base, sds, tried)
                found = self._penalised(moved, tried)
                if found >= value - _ROUNDING:
                    break
                step = step[0] / 2, step[1] / 2
            else:
                break
            self.u, eta, value = tried, moved, found
        return eta, value, bend

    # -- likelihood -------------------------------------------------------------------

    def loss(self, vector: Floats) -> tuple[float, Floats]:
        """Return minus the log likelihood, and its slope."""
        sds, beta = self._split(vector)
        eta, value, bend = self._find_mode(sds, beta)
        chance = special.expit(eta)
        weight = chance * (1 - chance)
        explicit, leverage = bend.traces()
        third = -leverage * weight * (1 - 2 * chance) / 2  # of labels, for each unit of eta
        left = self._sums(self.marks - chance)
        slopes = []
        for side in (place for place in (0, 1) if self.free[place]):
            own = self.u[side][self.codes[side]]
            pushed = self._pushed(weight * own, sds)
            pushed[side] += left[side]
            moved = self._eta(own, sds, bend.solve(*pushed))
            slopes.append(float(left[side] @ self.u[side]) - explicit[side] + float(third @ moved))
        for column in self.design.T:
            moved = self._eta(column, sds, bend.solve(*self._pushed(weight * column, sds)))
            slopes.append(float((self.marks - chance) @ column) + float(third @ moved))
        return -(value - bend.log_determinant / 2), -np.array(slopes)

    def _pushed(self, values: Floats, sds: tuple[float, float]) -> list[Floats]:
        """Return by how much the slope in ``u`` falls where labels' eta rises."""
        return [-sd * part for sd, part in zip(sds, self._sums(values), strict=True)]

    # -- fitting ----------------------------------------------------------------------

    def fitted(
        self, names: tuple[str, ...], sizes: tuple[int, int, int], level: float
    ) -> MixedLogistic:
        """Search for the maximum, and tell what was found."""
        start = np.zeros(sum(self.free) + len(names))
        start[: sum(self.free)] = 0.7
        start[sum(self.free)] = special.logit(np.clip(self.marks.mean(), 0.01, 0.99))
        found = optimize.minimize(
            self.loss, start, jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 200}
        )
        vector = np.asarray(found.x, dtype=float)
        value, slope = self.loss(vector)
        covariance, is_top = self._covariance(vector)
        sds, beta = self._split(vector)
        spreads = [0.0 if abs(sd) < _NO_SPREAD else abs(sd) for sd in sds]
        known = [sd if is_free else nan for sd, is_free in zip(spreads, self.free, strict=True)]
        person_sd, image_sd = reversed(known) if self.is_swapped else known
        is_finite = float(np.abs(beta).max()) < _TOO_LARGE
        is_done = bool(is_top and is_finite and np.abs(slope).max() < _FLAT)
        if not is_done:
            return _without(sizes, _NO_MAXIMUM)
        errors = np.sqrt(np.diag(covariance))
        return MixedLogistic(
            tuple(map(_effect, names, beta.tolist(), errors.tolist(), [level] * len(names))),
            person_sd,
            image_sd,
            -value,
            *sizes,
            is_converged=True,
            note=_note(person_sd, image_sd),
        )

    def _covariance(self, vector: Floats) -> tuple[Floats, bool]:
        """Return that of the fixed effects, and whether the vector is at a maximum.

        From differences of slopes. A standard deviation of 0 is taken as known: the likelihood is
        even in it, so that its slope there says nothing.
        """
        spreads = sum(self.free)
        kept = [
            place
            for place in range(len(vector))
            if place >= spreads or abs(vector[place]) >= _NO_SPREAD
        ]
        second = np.zeros((len(kept), len(kept)))
        for row, place in enumerate(kept):
            step = np.zeros_like(vector)
            step[place] = 1e-4
            second[row] = (self.loss(vector + step)[1] - self.loss(vector - step)[1])[kept] / 2e-4
        second = (second + second.T) / 2
        lowest = float(np.linalg.eigvalsh(second)[0])
        if not lowest > 0:
            return np.full((len(vector) - spreads,) * 2, nan), False
        fixed = [row for row, place in enumerate(kept) if place >= spreads]
        return np.asarray(np.linalg.inv(second)[np.ix_(fixed, fixed)], dtype=float), True


class _Bend:
    """The matrix ``Lambda Z' W Z Lambda + I``, factorised: two diagonals and what joins them."""

    def __init__(self, of: _Laplace, weight: Floats, sds: tuple[float, float]) -> None:
        self.of, self.weight, self.sds = of, weight, sds
        one, two = of._sums(weight)
        self.second = 1 + sds[1] ** 2 * two
        cells = np.bincount(of.cells, weight, minlength=len(of.rows)) * sds[0] * sds[1]
        self.joint = sparse.csr_matrix((cells, of.places, of.starts), shape=of.sizes)
        self.scaled = sparse.csr_matrix(
            (cells / self.second[of.places], of.places, of.starts), shape=of.sizes
        )
        kept = np.diag(1 + sds[0] ** 2 * one) - (self.scaled @ self.joint.T).toarray()
        self.inverse = np.linalg.inv(kept)
        self.log_determinant = float(np.linalg.slogdet(kept)[1] + np.log(self.second).sum())

    def solve(self, first: Floats, second: Floats) -> tuple[Floats, Floats]:
        """Return the matrix's inverse times a vector, of which both sides' parts are given."""
        one = self.inverse @ (first - self.scaled @ second)
        return one, second / self.second - self.scaled.T @ one

    def traces(self) -> tuple[tuple[float, float], Floats]:
        """Return half the slope of the log determinant in both spreads, and labels' leverages.

        Both as if the weights were constant.
        """
        of, (first, second) = self.of, self.sds
        mixed = np.asarray((self.scaled.T @ self.inverse.T).T)  # (first, second), minus the block
        scaled = np.asarray(self.scaled.data)
        cells = mixed[of.rows, of.places]
        own = 1 / self.second + np.bincount(of.places, scaled * cells, minlength=of.sizes[1])
        at_first = np.diag(self.inverse)[of.codes[0]]
        at_second, joint = own[of.codes[1]], -cells[of.cells]
        slopes = (
            float(self.weight @ (first * at_first + second * joint)),
            float(self.weight @ (second * at_second + first * joint)),
        )
        leverage = first**2 * at_first + 2 * first * second * joint + second**2 * at_second
        return slopes, np.asarray(leverage)


def _effect(name: str, at: float, error: float, level: float) -> FixedEffect:
    reach = float(special.ndtri(0.5 + level / 2)) * error
    p_value = 2 * float(special.ndtr(-abs(at) / error)) if error > 0 else nan
    return FixedEffect(name, at, error, at - reach, at + reach, p_value)


def _without(sizes: tuple[int, int, int], why: str) -> MixedLogistic:
    return MixedLogistic((), nan, nan, nan, *sizes, is_converged=False, note=why)


def _note(person_sd: float, image_sd: float) -> str:
    if person_sd == 0 or image_sd == 0:
        which = " and ".join(
            name for name, sd in (("people", person_sd), ("images", image_sd)) if sd == 0
        )
        return f"The mixed model finds no spread of {which}: it lies at the boundary."
    if np.isnan(image_sd):
        return (
            "The mixed model has people alone: each image was answered once, or there is but one, "
            "so that images cannot be told from chance."
        )
    return ""
