"""The app on a folder of studies of its own, and how tests look at the study pages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page

from tests.browser.conftest import wait_until
from tests.pages.driving import open_lab
from umnist_core.bench.ports import free_port
from umnist_core.labeling import StudyService

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 120_000


@dataclass(frozen=True)
class StudyApp:
    """A running app, and a service of the same store in the test's own process."""

    address: str
    service: StudyService

    def open(self, page: Page, name: str, study: str | None = None) -> None:
        """Open a page of the app and wait until it has been drawn."""
        query = "" if study is None else f"?study={study}"
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.address}/{name}{query}")
        page.wait_for_selector("[data-testid=stMain] .stElementContainer:not(.st-key-home *) p")
        settle(page)


def settle(page: Page) -> None:
    """Wait until the page's script has nothing more to do."""
    page.wait_for_selector("[data-test-script-state=notRunning]")


def open_expander(page: Page, title: str) -> None:
    """Open an expander, and wait until the page lies as it will: it slides, and scrolls with it.

    A list that is opened meanwhile is closed again by the scrolling, and a picture is cut where
    it was.
    """
    page.locator("summary", has_text=title).click()
    page.evaluate(
        """async () => {
            const main = document.querySelector('[data-testid=stMain]');
            const lies = () => `${main.scrollHeight} ${main.scrollTop}`;
            for (let was = '', frames = 0; frames < 30; frames += 1) {
                await new Promise(requestAnimationFrame);
                if (lies() !== was) [was, frames] = [lies(), 0];
            }
        }"""
    )


@contextmanager
def running_app(folder: Path, *options: str, **variables: str) -> Iterator[StudyApp]:
    """Run ``umnist app`` with its studies in a folder; options and variables are the command's."""
    port = free_port()
    environment = {
        **os.environ,
        **variables,
        "PYTHONPATH": str(PROJECT),
        "UMNIST_LABELING": str(folder),
        "UMNIST_DATABASE_URL": "",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "umnist_core.cli", "app", "--port", str(port), *options],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        assert process.poll() is None, "The app ended by itself."
        try:
            return httpx.get(f"{address}/health", timeout=60).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(is_up, "The app did not start.")
        yield StudyApp(address, open_lab(folder))
    finally:
        process.terminate()
        process.wait()


def open_window(browser: Browser, size: tuple[int, int], theme: str) -> Page:
    """Return a page in a window of its own, which is light or dark."""
    width, height = size
    return browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
    )


def fits(page: Page) -> bool:
    """Return whether nothing goes beyond the sides of the window, by more than rounding."""
    return bool(
        page.evaluate(
            "document.querySelector('[data-testid=stMain]').scrollWidth <= window.innerWidth + 1"
        )
    )
