"""The app of an installed wheel, started in a folder that has nothing to do with it."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.installed import Installed, install_wheel
from umnist_core.bench.ports import free_port


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def origin(installed: Installed, tmp_path: Path) -> Iterator[str]:
    """Run ``umnist app`` and give its address."""
    port = free_port()
    with subprocess.Popen(
        [installed.umnist, "app", "--port", str(port)],
        cwd=tmp_path,
        env=installed.environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as app:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/_stcore/health").raise_for_status()
                break
            except httpx.HTTPError:
                assert app.poll() is None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        app.terminate()


def test_installed_app_shows_an_image_and_its_own_colours(page: Page, origin: str) -> None:
    """Pages, the viewer's files and the theme all came with the wheel."""
    page.goto(origin)
    # The value of the pixel in the middle is read from the picture once its tiles are there.
    expect(page.locator(".readout").first).to_have_text(re.compile(r"value\s*(0|255)"))
    ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    assert page.evaluate(ground) in {"rgb(244, 244, 244)", "rgb(30, 30, 30)"}
    page.goto(f"{origin}/studies")
    expect(page.get_by_text("There is no study yet.")).to_be_visible()


def test_documents_come_with_the_wheel_and_need_nothing_from_elsewhere(
    page: Page, origin: str
) -> None:
    """Its pages are read and searched with every other address out of reach."""
    asked: list[str] = []

    def only_here(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_() if route.request.url.startswith(origin) else route.abort()

    page.route("**/*", only_here)
    page.goto(f"{origin}/docs/")
    page.get_by_role("link", name="Tune the noise").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Tune the noise"))
    page.goto(f"{origin}/docs/search.html?q=attention")
    expect(page.locator("#search-results li").first).to_be_visible()
    assert [url for url in asked if not url.startswith((origin, "data:"))] == []
    refused = httpx.get(f"{origin}/docs/nothing.html")
    assert (refused.status_code, refused.text.count("\n")) == (404, 0)
    assert "index.html" in refused.text


def test_question_mark_opens_the_page_for_that_kind_of_work(page: Page, origin: str) -> None:
    """Beside the app, which stays as it is."""
    for path, title in (("", "Show"), ("/noise_lab", "Tune the noise"), ("/models", "Train")):
        page.goto(f"{origin}{path}")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Help").click()
        expect(opened.value.get_by_role("heading", level=1)).to_have_text(re.compile(title))
        assert page.url.partition("?")[0].rstrip("/") == f"{origin}{path}"
