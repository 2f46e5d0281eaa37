"""Krippendorff's alpha against published worked examples, and what it says of little."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from umnist_core.scoring.errors import ScoringInputError
from umnist_core.scoring.krippendorff import Alpha, krippendorff_alpha

Floats = NDArray[np.float64]


def _table(*rows: str) -> Floats:
    """Return a table of rows such as ``"1 2 . 3"``."""
    cells = [["nan" if cell == "." else cell for cell in row.split()] for row in rows]
    return np.array(cells, dtype=float)


FOUR_OBSERVERS = _table(
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
"""Krippendorff (2011), section C: four observers, twelve units, missing values."""

TWO_VALUES = _table("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0")
"""Krippendorff (2011), section A: two observers, two values; here in numbers."""

FIVE_VALUES = _table("1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4")
"""Krippendorff (2011), section B: two observers, the values a to e as 1 to 5."""


def _alpha(table: Floats, metric: str = "nominal", draws: int = 0) -> Alpha:
    return krippendorff_alpha(table, metric, rng=np.random.default_rng(0), draws=draws)


@pytest.mark.parametrize(
    ("table", "metric", "due"),
    [
        (TWO_VALUES, "nominal", 0.095),
        (FIVE_VALUES, "nominal", 0.692),
        (FOUR_OBSERVERS, "nominal", 0.743),
        (FOUR_OBSERVERS, "ordinal", 0.815),
        (FOUR_OBSERVERS, "interval", 0.849),
        (FOUR_OBSERVERS, "ratio", 0.797),
    ],
)
def test_alpha_is_that_of_the_published_examples(table: Floats, metric: str, due: float) -> None:
    """To the three places that are printed."""
    assert round(_alpha(table, metric).estimate, 3) == due


def test_alpha_counts_what_can_be_paired() -> None:
    """Of twelve units eleven have two values or more; 40 values are paired, of 4 people."""
    found = _alpha(FOUR_OBSERVERS)
    assert (found.units, found.people, found.values) == (11, 4, 40)


def test_alpha_is_one_of_agreement_and_none_of_sameness() -> None:
    """Where all values are the same, chance cannot be told, and a sentence says so."""
    assert _alpha(_table("1 2 3", "1 2 3"), "ordinal").estimate == 1
    for table, told in ((_table("1 1", "1 1"), "the same"), (_table("1 .", ". 2"), "No unit")):
        found = _alpha(table)
        assert np.isnan([found.estimate, found.low, found.high]).all()
        assert told in found.note


def test_interval_holds_alpha_of_the_population() -> None:
    """Of 200 samples of 60 units by 3 people, 95 % intervals hold it in 90 to 99 %."""
    rng = np.random.default_rng(4)

    def sample(units: int) -> Floats:
        truth = rng.integers(4, size=units)
        told = np.where(rng.random((3, units)) < 0.75, truth, rng.integers(4, size=(3, units)))
        return np.where(rng.random((3, units)) < 0.1, np.nan, told)

    due = _alpha(sample(60_000)).estimate
    found = [krippendorff_alpha(sample(60), rng=rng, draws=200) for _ in range(200)]
    assert np.mean([one.low <= due <= one.high for one in found]) == pytest.approx(0.945, abs=0.045)


def test_few_units_have_no_interval() -> None:
    """And a sentence says what one needs."""
    found = _alpha(_table("1 2", "1 1"), draws=50)
    assert np.isnan(found.low)
    assert "3 units" in found.note


def test_no_table_is_refused() -> None:
    """One row alone, an infinite number, another metric."""
    for bad in (np.ones(3), np.array([[np.inf, 1], [1, 1]])):
        with pytest.raises(ScoringInputError, match="people by units"):
            _alpha(bad)
    with pytest.raises(ScoringInputError, match="nominal, ordinal, interval"):
        _alpha(TWO_VALUES, "other")
