"""The site of the documents from the disk, in a browser without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PROJECT

SITE = PROJECT / "umnist_core" / "server" / "site"


@pytest.fixture(scope="module")
def site() -> str:
    """Have the build make it, if it has not, and give its address."""
    code = "import site_build; site_build.fill_manual(site_build.ROOT)"
    scripts = PROJECT / "scripts"
    subprocess.run([sys.executable, "-c", code], cwd=scripts, check=True)
    return SITE.as_uri()


@pytest.fixture(params=["light", "dark"])
def reader(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, str]]:
    """Open a browser of somebody who is offline and likes it light, or dark."""
    context = browser.new_context(offline=True, color_scheme=request.param)
    yield context.new_page(), request.param
    context.close()


def test_site_is_read_from_the_disk_light_and_dark(reader: tuple[Page, str], site: str) -> None:
    """As the reader's system is, and without a serious fault of accessibility."""
    page, scheme = reader
    page.goto(f"{site}/index.html")
    page.get_by_role("link", name="Run a study").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Run a study"))
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 244, 244)", "dark": "rgb(30, 30, 30)"}[scheme]
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_site_is_searched_from_the_disk(reader: tuple[Page, str], site: str) -> None:
    """What is found leads to its page."""
    page, _ = reader
    page.goto(f"{site}/search.html?q=wilson")
    page.locator("#search-results li a").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert Path(page.url.partition("?")[0]).name != "search.html"


def test_chain_of_a_chart_is_drawn_as_boxes(reader: tuple[Page, str], site: str) -> None:
    """Without Mermaid's program."""
    page, _ = reader
    page.goto(f"{site}/architecture.html")
    expect(page.locator("ol.chain").first).to_contain_text("static/viewer")
    chain = page.locator("ol.chain", has_text="slider").locator("strong")
    expect(chain.first).to_have_text("slider")
    expect(chain.last).to_have_text("PNG")
