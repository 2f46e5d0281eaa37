"""Take the screenshots of the documents; run by ``scripts/screenshots``."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, ViewportSize, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
SAMPLE = "?seed=7&index=3&show=answer"
CHROMIUM_FLAGS = (
    "--no-sandbox",  # Chromium refuses to run as root with it; only our own pages are opened
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Shot(NamedTuple):
    """One picture; those in ``tmp`` are to be looked at and not kept."""

    name: str
    size: ViewportSize
    theme: Literal["light", "dark"]


DESK: ViewportSize = {"width": 1400, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SHOTS = (
    Shot("explore.png", DESK, "light"),
    Shot("explore-phone.png", PHONE, "light"),
    Shot("tmp/explore-dark.png", DESK, "dark"),
    Shot("tmp/explore-phone-dark.png", PHONE, "dark"),
)


@contextmanager
def running_app() -> Iterator[str]:
    """Run the app on a free port until the block ends; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "umnist_core.cli", "app", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as app:
        try:
            while app.poll() is None and not _listens(port):
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/"
        finally:
            app.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def take(browser: Browser, address: str, shot: Shot) -> None:
    """Open the page anew and save what is seen once every tile is drawn."""
    page = browser.new_page(viewport=shot.size, color_scheme=shot.theme)
    page.goto(address + SAMPLE)
    page.wait_for_selector("canvas")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # the tiles' fading in
    path = FOLDER / shot.name
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    page.close()
    print(path.relative_to(FOLDER.parents[1]))


def main() -> None:
    """Take every shot."""
    with running_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
        )
        for shot in SHOTS:
            take(browser, address, shot)
        browser.close()


if __name__ == "__main__":
    main()
