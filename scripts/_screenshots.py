"""Take the screenshots of the documents; run by ``scripts/screenshots``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from umnist_core.bench.browser import CHROMIUM_ARGUMENTS, running_app

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
EXPLORE = "/?seed=7&index=3&show=answer"
INFERENCE = "/inference?model=digit-finder&seed=7&index=3"
PATIENCE_MS = 120_000


class Shot(NamedTuple):
    """One picture; those in ``tmp`` are to be looked at and not kept."""

    name: str
    path: str
    size: ViewportSize
    theme: Literal["light", "dark"]


DESK: ViewportSize = {"width": 1400, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SHOTS = (
    Shot("explore.png", EXPLORE, DESK, "light"),
    Shot("explore-phone.png", EXPLORE, PHONE, "light"),
    Shot("tmp/explore-dark.png", EXPLORE, DESK, "dark"),
    Shot("tmp/explore-phone-dark.png", EXPLORE, PHONE, "dark"),
    Shot("inference.png", INFERENCE, DESK, "light"),
    Shot("tmp/inference-phone.png", INFERENCE, PHONE, "light"),
    Shot("tmp/inference-dark.png", INFERENCE, DESK, "dark"),
    Shot("tmp/inference-phone-dark.png", INFERENCE, PHONE, "dark"),
)


def take(browser: Browser, address: str, shot: Shot) -> None:
    """Open the page anew and save what is seen once every tile is drawn."""
    page = browser.new_page(viewport=shot.size, color_scheme=shot.theme)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address + shot.path)
    page.wait_for_selector("canvas")
    page.wait_for_load_state("networkidle")
    if shot.path == INFERENCE:
        predict(page)
    page.wait_for_timeout(1000)  # the tiles' fading in
    path = FOLDER / shot.name
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    page.close()
    print(path.relative_to(FOLDER.parents[1]))


def predict(page: Page) -> None:
    """Have the model look, and wait for what it says."""
    page.get_by_role("button", name="Predict", exact=True).click()
    page.locator(".umnist-watch .cost").wait_for()


def main() -> None:
    """Take every shot."""
    with running_app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS
        )
        for shot in SHOTS:
            take(browser, address, shot)
        browser.close()


if __name__ == "__main__":
    main()
