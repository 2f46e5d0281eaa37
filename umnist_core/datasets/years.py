"""Years in bins of fifty, as the document of MetH-Period counts them (its figure 5)."""

from __future__ import annotations

import math

BIN_YEARS = 50

FIRST_YEAR, LAST_YEAR = 1500, 1900
"""Range of MetH-Period. Its last year is in the last bin, which the document does not say: a bin
of 1900 alone would be the ninth of its eight."""


def year_bin(year: float) -> str:
    """Return the bin of a year as ``"1500-1549"``; ``"1850-1900"`` is the last of MetH-Period."""
    if year == LAST_YEAR:
        return _words(LAST_YEAR - BIN_YEARS)
    return _words(math.floor(year / BIN_YEARS) * BIN_YEARS)


def all_bins() -> list[str]:
    """Return the eight bins of MetH-Period, ascending."""
    return [_words(first) for first in range(FIRST_YEAR, LAST_YEAR, BIN_YEARS)]


def _words(first: int) -> str:
    is_last = first == LAST_YEAR - BIN_YEARS
    return f"{first}-{first + BIN_YEARS if is_last else first + BIN_YEARS - 1}"
