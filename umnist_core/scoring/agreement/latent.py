"""Ability of raters and difficulty of images on one scale, for people and models together.

A rater of ability ``a`` is right about an image with probability ``1 / (1 + exp(-d (a - b)))``,
``b`` being the image's difficulty and ``d`` how well it tells raters apart: 1 for every image in
the Rasch model, log-normal around 1, with a spread that is given, in the one with two parameters.
Difficulties are normal around 0 and are integrated over on a grid. Abilities of people are normal
around their mean; their spread is found by Laplace's approximation, with the mean integrated out,
too. Each model has an ability of its own. With one fixed difference for each model this is also
the logistic mixed model with crossed person and image.

Rasch, Probabilistic Models for Some Intelligence and Attainment Tests (1960). Birnbaum, in Lord
and Novick, Statistical Theories of Mental Test Scores (1968), part 5. Marginal likelihood: Bock
and Aitkin, Psychometrika 46 (1981), doi 10.1007/BF02293801; differs from it in that images are
integrated over, and not raters, since here there are few raters and many images. Laplace's
approximation of mixed models: Breslow and Clayton, JASA 88 (1993), doi 10.2307/2290687.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from ..errors import ScoringInputError
from ..intervals import Floats
from .marks import Marks

MODEL_SD = 5.0
"""Of the weak prior of a model's ability around people's mean, logits: who is always right has an
ability that is large, not infinite."""

_DIFFICULTY_NODES = np.linspace(-4.5, 4.5, 49)
_DISCRIMINATION_NODES = np.linspace(-3.0, 3.0, 9)
_SPREADS = np.log((0.03, 4.0))
_NEAR = (-0.7, 1.0)
"""Where the spread of people lies in the model with two parameters, around that of Rasch's."""

_SPREAD_STEPS = (0.1, 0.3, 0.55, 0.8, 1.0, 1.25, 1.6, 2.1, 2.8)
_SMALL, _SMALL_SPREADS = 0.25, (0.05, 0.12, 0.2, 0.3, 0.4, 0.52, 0.66, 0.85, 1.1)
"""Spreads of people that abilities are taken over, all as likely at first: multiples of the
likeliest one, or these where that is small."""

_STEPS, _CHORDS = 20, 6
_CLOSE = 1e-7
"""A step that promises less is not taken."""

DISCRIMINATION_SD = 0.4
"""Of the logarithm of ``d`` in the model with two parameters. It is given, not found: right and
wrong answers of a few dozen raters hardly tell it, and a large one fits whatever there is."""

_USUAL, _USUAL_SD = float(np.log(1.5)), 4.0
"""Of the weak prior of the logarithm of the spread of difficulty."""


@dataclass(frozen=True, eq=False)
class Latent:
    """A fitted scale.

    Attributes
    ----------
    abilities
        float64 (raters,), logits, at the likeliest spread of people; images of mean difficulty
        are 0.
    ability_mean, ability_sd
        float64 (raters,): mean and standard deviation of what the answers leave possible, the
        spread of people not taken as known.
    mean
        Mean ability of people.
    covariance
        float64 (raters + 1, raters + 1) of abilities and mean, the spread of images taken into
        account, that of people as it was found.
    person_sd, image_sd, discrimination_sd
        Spread of people, of images, and of the logarithm of ``d``: 0 in the Rasch model, else
        `DISCRIMINATION_SD`. ``person_sd`` is 0 with fewer than two people.
    difficulties, difficulty_sd
        float64 (images,): mean and standard deviation of what the answers leave possible.
    discriminations
        float64 (images,), geometric means of ``d``.
    log_likelihood
        Marginal, people's spread integrated over by Laplace.
    """

    abilities: Floats
    ability_mean: Floats
    ability_sd: Floats
    mean: float
    covariance: Floats
    person_sd: float
    image_sd: float
    discrimination_sd: float
    difficulties: Floats
    difficulty_sd: Floats
    discriminations: Floats
    log_likelihood: float


def fit_latent(marks: Marks, *, two_parameters: bool = False) -> Latent:
    """Put raters and images on one scale.

    Parameters
    ----------
    marks
        Two raters or more, and two images or more.
    two_parameters
        Whether images differ in how well they tell raters apart.

    Raises
    ------
    ScoringInputError
        If there are fewer.
    """
    if min(marks.right.shape) < 2 or not marks.asked.any():
        raise ScoringInputError(
            f"Expected answers of two raters or more to two images or more, found "
            f"{marks.right.shape[0]} raters and {marks.right.shape[1]} images; add some."
        )
    rasch = _Fit(marks, two_parameters=False).run()
    if not two_parameters:
        return rasch
    return _Fit(marks, two_parameters=True).run(rasch.person_sd or None)


class _Fit:
    """Works on a vector: the raters' abilities, people's mean, the log spread of difficulties."""

    def __init__(self, marks: Marks, *, two_parameters: bool) -> None:
        self.hits, self.asked = marks.hits, marks.asked
        self.people = marks.is_person
        self.raters = len(marks.raters)
        self.has_two = two_parameters
        spread = _DISCRIMINATION_NODES if two_parameters else np.zeros(1)
        first, second = np.meshgrid(_DIFFICULTY_NODES, spread, indexing="ij")
        self.z, u = first.ravel(), second.ravel()  # (nodes,)
        self.slope = np.exp(DISCRIMINATION_SD * u)
        self.log_weight = -(self.z**2 + u**2) / 2
        self.log_weight -= special.logsumexp(self.log_weight)

    # -- likelihood ---------------------------------------------------------------

    def _nodes(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return difficulties and discriminations (nodes,) and the logits (raters, nodes)."""
        difficulty = np.exp(theta[-1]) * self.z
        return difficulty, self.slope, self.slope * (theta[: self.raters, None] - difficulty)

    def _posterior(self, theta: Floats) -> tuple[Floats, Floats, Floats, Floats, float]:
        """Return difficulties, slopes, logits, the nodes' shares (images, nodes), likelihood."""
        difficulty, slope, logits = self._nodes(theta)
        right, wrong = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
        joint = self.hits.T @ right + (self.asked - self.hits).T @ wrong + self.log_weight
        top = joint.max(axis=1, keepdims=True)
        shares = np.exp(joint - top)
        total = shares.sum(axis=1, keepdims=True)
        return difficulty, slope, logits, shares / total, float((top + np.log(total)).sum())

    def _value(self, theta: Floats, spread: float) -> tuple[float, Floats]:
        """Return the penalised log likelihood and its gradient."""
        difficulty, slope, logits, shares, likelihood = self._posterior(theta)
        chance = special.expit(logits)
        # Sums over images of (right - chance), weighted with the nodes' shares: (raters, nodes).
        left = self.hits @ shares - (self.asked @ shares) * chance
        gradient = np.zeros_like(theta)
        gradient[: self.raters] = (left * slope).sum(axis=1)
        gradient[-1] = -(left * (slope * difficulty)).sum()
        sds = np.where(self.people, spread, MODEL_SD)
        apart = theta[: self.raters] - theta[self.raters]
        value = likelihood - (apart**2 / sds**2).sum() / 2
        gradient[: self.raters] -= apart / sds**2
        gradient[self.raters] += (apart / sds**2).sum()
        apart_from_usual = theta[-1] - _USUAL
        value -= (apart_from_usual / _USUAL_SD) ** 2 / 2
        gradient[-1] -= apart_from_usual / _USUAL_SD**2
        return value, gradient

    def _curvature(self, theta: Floats, spread: float) -> Floats:
        """Return minus the second derivatives of `_value`."""
        return self._bend(theta) + self._prior_bend(len(theta), spread)

    def _bend(self, theta: Floats) -> Floats:
        """Return that part of the curvature that does not depend on the spread of people.

        Of abilities by Louis' formula, with other spreads from differences of gradients.
        """
        _, slope, logits, shares, _ = self._posterior(theta)
        chance = special.expit(logits)
        size = len(theta)
        found = np.zeros((size, size))
        inner = ((self.asked @ shares) * (chance * (1 - chance)) * slope**2).sum(axis=1)
        block = np.diag(inner) - self._score_covariance(chance, slope, shares)
        found[: self.raters, : self.raters] = block
        step = np.zeros(size)
        step[-1] = 1e-4
        column = self._value(theta + step, 1.0)[1] - self._value(theta - step, 1.0)[1]
        found[:, -1] = found[-1, :] = -column / 2e-4
        return found

    def _prior_bend(self, size: int, spread: float) -> Floats:
        """Return what the priors of abilities add to the curvature."""
        found = np.zeros((size, size))
        weights = 1 / np.where(self.people, spread, MODEL_SD) ** 2
        at = np.arange(self.raters)
        found[at, at] = weights
        found[at, self.raters] = found[self.raters, at] = -weights
        found[self.raters, self.raters] = weights.sum()
        return found

    def _score_covariance(self, chance: Floats, slope: Floats, shares: Floats) -> Floats:
        """Return the sum over images of the covariance of the raters' scores over the nodes."""
        total = np.zeros((self.raters, self.raters))
        weighted = chance * slope  # (raters, nodes)
        size = max(1, 2_000_000 // (self.raters * len(slope)))
        for start in range(0, shares.shape[0], size):
            own = shares[start : start + size]  # (images, nodes)
            hits = self.hits[:, start : start + size, None]  # (raters, images, 1)
            asked = self.asked[:, start : start + size, None]
            scores = hits * slope - asked * weighted[:, None, :]  # (raters, images, nodes)
            means = (scores * own).sum(axis=2)
            rooted = ((scores - means[:, :, None]) * np.sqrt(own)).reshape(self.raters, -1)
            total += rooted @ rooted.T
        return total

    # -- fitting ------------------------------------------------------------------

    def run(self, around: float | None = None) -> Latent:
        """Find the spread of people, near one where it is given, and everything else at it."""
        theta, spread = self._start(), MODEL_SD
        self.bend = self._bend(theta)
        if self.people.sum() < 2:
            theta = self._maximise(theta, spread)
            return self._told(theta, spread, *self._at(theta, spread))
        held = [theta]

        def loss(log_spread: float) -> float:
            held[0] = self._maximise(held[0], float(np.exp(log_spread)))
            return -self._marginal(held[0], float(np.exp(log_spread)))

        bounds = _SPREADS if around is None else tuple(np.log(around) + np.array(_NEAR))
        best = optimize.minimize_scalar(
            loss, bounds=bounds, method="bounded", options={"xatol": 0.03}
        )
        spread = float(np.exp(best.x))
        theta = self._maximise(held[0], spread)
        return self._told(theta, spread, *self._over_spreads(theta, spread))

    def _at(self, theta: Floats, spread: float) -> tuple[Floats, Floats]:
        """Return the raters' abilities and their variances at one spread of people."""
        inverse = np.linalg.pinv(self._curvature(theta, spread), hermitian=True)
        return theta[: self.raters], np.diag(inverse)[: self.raters]

    def _over_spreads(self, theta: Floats, spread: float) -> tuple[Floats, Floats]:
        """Return abilities and their variances as means over the spreads that are possible.

        Where people answered few images the spread is hardly known, and one that happens to be
        found small would draw all of them to their mean.
        """
        weights, means, variances = [], [], []
        tried = np.array(_SMALL_SPREADS) if spread < _SMALL else spread * np.array(_SPREAD_STEPS)
        for other in map(float, tried):
            theta = self._maximise(theta, other)
            weights.append(self._marginal(theta, other))
            mean, variance = self._at(theta, other)
            means.append(mean)
            variances.append(variance)
        shares = np.exp(np.array(weights) - max(weights)) * np.gradient(tried)
        shares /= shares.sum()
        mean = shares @ np.array(means)
        return mean, shares @ (np.array(variances) + (np.array(means) - mean) ** 2)

    def _start(self) -> Floats:
        shares = (self.hits.sum(axis=1) + 0.5) / (self.asked.sum(axis=1) + 1)
        abilities = 1.3 * special.logit(shares)
        mean = abilities[self.people].mean() if self.people.any() else abilities.mean()
        return np.array([*abilities, mean, _USUAL])

    def _maximise(self, theta: Floats, spread: float) -> Floats:
        """Return the best vector, by Newton's steps.

        The curvature is worked out anew only where the last one leads no further.
        """
        for _ in range(_STEPS):
            value, gradient = self._value(theta, spread)
            for _ in range(_CHORDS):
                step = self._step(gradient, spread)
                if float(gradient @ step) < _CLOSE:
                    return theta
                moved = self._move(theta, value, step, spread)
                if moved is None:
                    break
                theta, value, gradient = moved
            was, self.bend = self.bend, self._bend(theta)
            if np.array_equal(was, self.bend):
                return theta  # no step helps any more
        return theta

    def _step(self, gradient: Floats, spread: float) -> Floats:
        curve = self.bend + self._prior_bend(len(gradient), spread)
        lowest = float(np.linalg.eigvalsh(curve)[0])
        if lowest < 1e-6:
            curve += (1e-3 - lowest) * np.eye(len(curve))
        step = np.linalg.solve(curve, gradient)
        return np.asarray(step * min(1.0, 2.0 / max(1e-12, float(np.abs(step).max()))))

    def _move(
        self, theta: Floats, value: float, step: Floats, spread: float
    ) -> tuple[Floats, float, Floats] | None:
        """Return where a step leads, halved until it helps; None where it does not."""
        for _ in range(12):
            tried, slope = self._value(theta + step, spread)
            if tried >= value:
                return theta + step, tried, slope
            step = step / 2
        return None

    def _marginal(self, theta: Floats, spread: float) -> float:
        """Return the likelihood of people's spread: abilities and their mean are integrated out."""
        value, _ = self._value(theta, spread)
        self.bend = self._bend(theta)
        curve = self.bend + self._prior_bend(len(theta), spread)
        inner = curve[: self.raters + 1, : self.raters + 1]
        return float(value - self.people.sum() * np.log(spread) - np.linalg.slogdet(inner)[1] / 2)

    def _told(self, theta: Floats, spread: float, mean: Floats, variance: Floats) -> Latent:
        difficulty, slope, _, shares, _ = self._posterior(theta)
        whole = np.asarray(
            np.linalg.pinv(self._curvature(theta, spread), hermitian=True), np.float64
        )
        means = shares @ difficulty
        spreads = np.sqrt(np.maximum(0, shares @ difficulty**2 - means**2))
        has_people = self.people.sum() >= 2
        return Latent(
            abilities=theta[: self.raters].copy(),
            mean=float(theta[self.raters]),
            ability_mean=mean,
            ability_sd=np.sqrt(np.maximum(0, variance)),
            covariance=whole[: self.raters + 1, : self.raters + 1],
            person_sd=spread if has_people else 0.0,
            image_sd=float(np.exp(theta[-1])),
            discrimination_sd=DISCRIMINATION_SD if self.has_two else 0.0,
            difficulties=means,
            difficulty_sd=spreads,
            discriminations=np.exp(shares @ np.log(slope)),
            log_likelihood=self._marginal(theta, spread),
        )
