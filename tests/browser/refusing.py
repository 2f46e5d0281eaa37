"""A browser that is set to take no cookies, with which it refuses storage and locks as well."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE_S
from umnist_core.bench.browser import CHROMIUM_ARGUMENTS

_BLOCK = 2
"""``CONTENT_SETTING_BLOCK`` of Chromium."""


@contextmanager
def refusing_browser(browser: Browser, folder: Path, **settings: Any) -> Iterator[Page]:
    """Yield a page of a Chromium of its own, set as by "Block all cookies"."""
    profile = folder / "Default"
    profile.mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": _BLOCK}}}
    (profile / "Preferences").write_text(json.dumps(blocked))
    context = browser.browser_type.launch_persistent_context(
        folder,
        executable_path=shutil.which("chromium"),
        args=CHROMIUM_ARGUMENTS,
        **settings,
    )
    context.set_default_timeout(1000 * PATIENCE_S)
    yield context.pages[0]
    context.close()
