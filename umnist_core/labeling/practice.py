"""An image to practise on, as the state has it and as a person is told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PracticeImage:
    """An image to practise on, with its answer.

    Attributes
    ----------
    id
        Names its frozen file.
    label
        Sum of the digits.
    digits
        ``label``, ``row``, ``col`` and ``side_px`` of each; empty where only the sum is known.
    """

    id: str
    label: int
    digits: tuple[Mapping[str, int], ...]
