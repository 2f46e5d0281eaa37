"""One browser for all tests of a process: of Playwright's loops a thread can have one alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium."""
    from playwright.sync_api import sync_playwright

    from umnist_core.bench.browser import CHROMIUM_ARGUMENTS

    path = shutil.which("chromium")
    assert path, "Expected Chromium on the path, found none; scripts/test installs it."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()
