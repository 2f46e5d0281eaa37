"""Whether two sets of images differ: a test for each figure, and one verdict for all.

Figures are tested with the two-sample Kolmogorov-Smirnov test, labels with Pearson's chi-square
whose distribution is drawn by permutation, because labels come a few times each. On figures that
take few values the first is too careful, never too bold. P-values are corrected by Holm's method
(Scandinavian Journal of Statistics 6 (1979) 65-70), so that all tests together raise a false
alarm in at most 5 % of comparisons, however the figures depend on each other.

Sources: Cliff, Psychological Bulletin 114 (1993) 494-509. Counting the observed among the drawn:
Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9 (2010) 39.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp, kstwo

from umnist_core.errors import InvalidValueError
from umnist_core.experiments.validation.measure import Measured
from umnist_core.seeds import sample_rng

LEVEL = 0.05
"""Share of comparisons of a set with its like in which any test may raise an alarm."""

FEWEST = 10
"""Images on either side; with fewer only what anybody sees is found."""

LABELS = "labels"
"""Name of the comparison of labels among the figures that differ."""

PERMUTATIONS = 1_999
"""The smallest p-value of labels is one in 2,000, which stays significant among up to 100 tests."""

_EXACT_MAX = 1000
"""Up to so many images a side the exact distribution is computed; it takes time."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """What the test of one figure, or of the labels, says.

    Attributes
    ----------
    name
        Of the figure, or `LABELS`.
    effect
        How far the samples are apart, 0 to 1: for a figure the largest difference of the
        distribution functions (D of Kolmogorov and Smirnov), for labels Cramer's V.
    p_value
        How often chance alone gives an effect as large.
    corrected_p
        The same corrected for all tests that were made, at most 1.
    """

    name: str
    effect: float
    p_value: float
    corrected_p: float


@dataclass(frozen=True)
class FigureComparison:
    """One figure on both sides.

    Attributes
    ----------
    finding
        Of Kolmogorov's and Smirnov's test.
    ours, theirs
        First quartile, median and third quartile.
    cliffs_delta
        How often one of theirs is larger than one of ours, less how often it is smaller; -1 to 1.
    """

    finding: Finding
    ours: tuple[float, float, float]
    theirs: tuple[float, float, float]
    cliffs_delta: float


@dataclass(frozen=True)
class LabelComparison:
    """Labels on both sides.

    Attributes
    ----------
    finding
        Of the chi-square by permutation.
    counts
        Label -> images of ours and of theirs.
    """

    finding: Finding
    counts: Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Comparison:
    """All figures of both sides.

    Attributes
    ----------
    figures
        One for each.
    labels
        None where they are known of too few images on either side.
    """

    figures: tuple[FigureComparison, ...]
    labels: LabelComparison | None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all tests that were made."""
        labels = () if self.labels is None else (self.labels.finding,)
        return (*(figure.finding for figure in self.figures), *labels)

    @property
    def differing(self) -> tuple[str, ...]:
        """What was found to differ, by name."""
        return tuple(one.name for one in self.findings if one.corrected_p <= LEVEL)


def compare_measured(ours: Measured, theirs: Measured, seed: int = 0) -> Comparison:
    """Compare the figures that both sides have, and their labels where they are known.

    Parameters
    ----------
    ours, theirs
        Images on either side are independent of those on the other.
    seed
        Of the permutations of the labels.

    Raises
    ------
    InvalidValueError
        If a side has fewer than `FEWEST` images.
    """
    for side, measured in (("ours", ours), ("theirs", theirs)):
        if measured.count < FEWEST:
            raise InvalidValueError(
                f"Expected {FEWEST} images or more on either side, found {measured.count} of "
                f"{side}; measure more."
            )
    figures = [
        _compare_figure(name, values, theirs.figures[name]) for name, values in ours.figures.items()
    ]
    labels = None
    if min(len(ours.known_labels), len(theirs.known_labels)) >= FEWEST:
        labels = _compare_labels(ours.known_labels, theirs.known_labels, seed)
    return _corrected(figures, labels)


def _corrected(figures: list[FigureComparison], labels: LabelComparison | None) -> Comparison:
    findings = Comparison(tuple(figures), labels).findings
    values = holm([one.p_value for one in findings])
    found = [replace(one, corrected_p=p) for one, p in zip(findings, values, strict=True)]
    return Comparison(
        tuple(replace(figure, finding=one) for figure, one in zip(figures, found, strict=False)),
        None if labels is None else replace(labels, finding=found[-1]),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's method, in their order."""
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(1, np.maximum.accumulate(steps))
    return [float(p) for p in corrected]


def smallest_found_effect(ours: int, theirs: int, tests: int) -> float:
    """Return about how large D must be for one figure alone to be found different, 0 to 1.

    Parameters
    ----------
    ours, theirs
        Images on either side.
    tests
        How many are made.
    """
    together = round(ours * theirs / (ours + theirs))
    return float(kstwo.isf(LEVEL / tests, together))


def _compare_figure(name: str, ours: Floats, theirs: Floats) -> FigureComparison:
    method = "exact" if max(len(ours), len(theirs)) <= _EXACT_MAX else "asymp"
    found = ks_2samp(ours, theirs, method=method)
    larger = np.searchsorted(np.sort(ours), theirs, side="left").sum()
    smaller = len(ours) * len(theirs) - np.searchsorted(np.sort(ours), theirs, side="right").sum()
    return FigureComparison(
        finding=Finding(name, float(found.statistic), float(found.pvalue), 1.0),
        ours=_quartiles(ours),
        theirs=_quartiles(theirs),
        cliffs_delta=float(larger - smaller) / (len(ours) * len(theirs)),
    )


def _quartiles(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def _compare_labels(ours: Sequence[int], theirs: Sequence[int], seed: int) -> LabelComparison:
    names, places = np.unique([*ours, *theirs], return_inverse=True)
    pooled = np.bincount(places)
    ours_counts = np.bincount(places[: len(ours)], minlength=len(names))
    rng = sample_rng(seed, "test", 0, "permutations")
    drawn = rng.multivariate_hypergeometric(pooled, len(ours), PERMUTATIONS, method="marginals")
    observed = _chi_square(ours_counts, pooled)
    as_large = int((_chi_square(drawn, pooled) >= observed * (1 - 1e-12)).sum())
    counts = zip(names.tolist(), ours_counts.tolist(), (pooled - ours_counts).tolist(), strict=True)
    return LabelComparison(
        finding=Finding(
            LABELS,
            effect=float(np.sqrt(observed / pooled.sum())),
            p_value=(1 + as_large) / (1 + PERMUTATIONS),
            corrected_p=1.0,
        ),
        counts={name: (a, b) for name, a, b in counts},
    )


def _chi_square(counts: NDArray[np.int64], pooled: NDArray[np.int64]) -> Floats:
    """Return Pearson's chi-square of (..., L) labels of ours against the rest of ``pooled``."""
    share = counts.sum(axis=-1, keepdims=True) / pooled.sum()
    expected = share * pooled
    # Both rows of the table miss their expectation by as much, so their terms join.
    terms = (counts - expected) ** 2 / (expected * (1 - share))
    chi_square: Floats = terms.sum(axis=-1)
    return chi_square
