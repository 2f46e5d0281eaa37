"""Studies of their own for tests of pages, and what they leave behind them: nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.driving import open_lab
from umnist_core.labeling import StudyService, StudySpec


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """Put the main module back, which Streamlit's test runner replaces by the page it runs.

    A process that a later test starts with ``multiprocessing`` would run that page first.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyService:
    """Let the app keep its studies in a folder of this test, and return a service of it."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path))
    monkeypatch.delenv("UMNIST_DATABASE_URL", raising=False)
    return open_lab(tmp_path)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[StudySpec]:
    """Return the settings of all studies that the form would make; it makes none."""
    specs: list[StudySpec] = []
    monkeypatch.setattr("pages._ui.studies.form.start_making", lambda _, spec: specs.append(spec))
    return specs
