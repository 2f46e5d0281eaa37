"""What the last colour of heat stands for."""

from __future__ import annotations

OVER_MEAN = 2
"""The last colour is at least so many times the mean."""


def last_colour(most: float, mean: float) -> float:
    """Return the value of the last colour.

    Heat that is the same everywhere says that no place stands out; in the last colour, which is
    for what stands out most, it would say that every place does. So it has the middle one.

    Parameters
    ----------
    most
        Value from which on everything may have the last colour.
    mean
        Mean over the whole image, in the same unit.
    """
    return max(most, OVER_MEAN * mean)
