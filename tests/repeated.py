"""Tests that repeat themselves: a few times in every run, often with ``scripts/test --long``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def repeated(cases: Iterable[Any], usual: int) -> list[Any]:
    """Return the cases of a test, of which only the first ``usual`` run without ``--long``."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=() if place < usual else pytest.mark.long,
        )
        for place, case in enumerate(cases)
    ]
