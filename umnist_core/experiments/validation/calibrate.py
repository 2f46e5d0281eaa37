"""How often the comparison is wrong, counted on measured images.

From the figures of some hundred images, subsets are drawn and compared: two without a common
image from one set for false alarms, one from each of two sets for power.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from umnist_core.errors import InvalidValueError
from umnist_core.experiments.validation.compare import LEVEL, Comparison, compare_measured
from umnist_core.experiments.validation.measure import Measured
from umnist_core.seeds import sample_rng

CASES = 200

STEP_FOUND: Mapping[int, int] = MappingProxyType({10: 198, 25: 200, 50: 200, 100: 200})
"""Images a side -> in how many of `CASES` comparisons of ``released`` with the same without its
JPEG step the difference was found; see docs/validation.md."""


@dataclass(frozen=True)
class Alarms:
    """How many comparisons found a difference.

    Attributes
    ----------
    cases
        Comparisons.
    any
        Those in which anything differed.
    by_name
        Name of a figure, or of the labels -> those in which it did.
    alone
        The same, had it been the only test, without correction.
    """

    cases: int
    any: int
    by_name: Mapping[str, int]
    alone: Mapping[str, int]


def count_false_alarms(measured: Measured, images: int, *, seed: int, cases: int = CASES) -> Alarms:
    """Compare random subsets of one set with each other.

    Parameters
    ----------
    measured
        Twice as many images as ``images`` or more.
    images
        In either subset.
    seed
        Of the subsets.
    cases
        Comparisons.

    Raises
    ------
    InvalidValueError
        If there are too few images.
    """
    _check_enough(measured, 2 * images)
    found = []
    for case in range(cases):
        order = sample_rng(seed, "test", case, "subsets").random(measured.count).argsort()
        ours, theirs = _chosen(measured, order[:images]), _chosen(measured, order[-images:])
        found.append(compare_measured(ours, theirs, case))
    return _alarms(found)


def count_found(
    ours: Measured, theirs: Measured, images: int, *, seed: int, cases: int = CASES
) -> Alarms:
    """Compare random subsets of one set with random subsets of another.

    Parameters
    ----------
    ours, theirs
        Sets that differ.
    images, seed, cases
        As of `count_false_alarms`.

    Raises
    ------
    InvalidValueError
        If there are too few images.
    """
    found = []
    for case in range(cases):
        rng = sample_rng(seed, "test", case, "subsets")
        sides = []
        for measured in (ours, theirs):
            _check_enough(measured, images)
            sides.append(_chosen(measured, rng.random(measured.count).argsort()[:images]))
        found.append(compare_measured(sides[0], sides[1], case))
    return _alarms(found)


def _check_enough(measured: Measured, images: int) -> None:
    if measured.count < images:
        raise InvalidValueError(
            f"Expected {images} measured images or more, found {measured.count}; measure more, "
            "or compare fewer at once."
        )


def _chosen(measured: Measured, places: NDArray[np.int64]) -> Measured:
    return Measured(
        {name: values[places] for name, values in measured.figures.items()},
        tuple(measured.labels[place] for place in places.tolist()),
        measured.sizes,
        measured.of,
    )


def _alarms(found: list[Comparison]) -> Alarms:
    by_name = Counter(name for one in found for name in one.differing)
    alone = Counter(
        finding.name for one in found for finding in one.findings if finding.p_value <= LEVEL
    )
    return Alarms(
        cases=len(found),
        any=sum(bool(one.differing) for one in found),
        by_name=dict(by_name.most_common()),
        alone=dict(alone.most_common()),
    )
