"""What tests of pages leave behind them: nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """Put the main module back, which Streamlit's test runner replaces by the page it runs.

    A process that a later test starts with ``multiprocessing`` would run that page first.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
