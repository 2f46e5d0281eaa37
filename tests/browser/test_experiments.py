"""Experiments in a browser: cells, figures and sweeps that run; and the site without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.study_app import settle
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations
from tests.experiments.published.making import write_evaluation
from umnist_core.experiments.published.beside import load_folder
from umnist_core.experiments.published.site import write_site

PAIRS = [({"shape_pairs": "1", "checkerboard": "4"}, (8, 9)), ({"shape_pairs": "7"}, (1, 2))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the static site with a sweep."""
    root = tmp_path_factory.mktemp("site")
    write_evaluation(root / "sweep", PAIRS, published="noise-study")
    sweep = load_folder(root / "sweep")
    assert sweep is not None
    write_site(root / "out", [sweep])
    return root / "out"


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """Return a page that reaches no network; whatever asks for one is noted."""
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]}, offline=True)
    page = context.new_page()
    yield page
    context.close()


def test_a_cell_shows_what_stands_behind_it(page: Page, app: str) -> None:
    """By a click on it and by the keyboard; its link leads to the same table."""
    page.goto(f"{app}/experiments?table=ips-patch-size")
    cell = page.get_by_role("button", name="25 px, Top (%)")
    cell.click()
    panel = page.locator(".st-key-result_panel")
    expect(panel.get_by_role("heading", name="25 px: top")).to_be_visible()
    expect(panel).to_contain_text("Seed 1 entered with its accuracy on training images")
    expect(cell).to_have_attribute("aria-pressed", "true")
    cell.press("Tab")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="25 px: multi")).to_be_visible()
    assert "table=ips-patch-size" in page.url
    page.goto(f"{app}/experiments?table=large-scale")
    expect(page.get_by_role("button", name="RieszNet, 50,000 digits, scale 8")).to_be_visible()
    settle(page)
    assert find_violations(page) == []


def test_a_point_of_the_figure_shows_what_stands_behind_it(page: Page, app: str) -> None:
    """A click on it chooses its cell."""
    page.goto(f"{app}/experiments?table=ips-thickness")
    figure = page.locator(".js-plotly-plot").first
    points = figure.locator(".scatterlayer .trace").first.locator(".point")
    expect(points.nth(6)).to_be_visible()
    points.nth(6).click(force=True)
    heading = page.locator(".st-key-result_panel").get_by_role("heading", name="2.6 px: majority")
    expect(heading).to_be_visible()


def test_a_phone_has_targets_for_thumbs(browser: Browser, app: str) -> None:
    """44 px, nothing cut off, and a cell's panel in sight once it was tapped."""
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True)
    page.goto(f"{app}/experiments?table=ips-patch-size")
    cell = page.get_by_role("button", name="150 px, Multi (%)")
    cell.scroll_into_view_if_needed()
    for button in page.locator(".umnist-grid button, .st-key-experiments_head button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    cell.tap()
    heading = page.locator(".st-key-result_panel").get_by_role("heading", name="150 px: multi")
    expect(heading).to_be_in_viewport()
    check_nothing_is_cut_off(page, "a table on a phone")
    page.close()


def test_a_sweep_that_runs_is_followed(page: Page, app: str, tmp_path: Path) -> None:
    """Without a touch: cells that come in are counted, and at its end its points stand there."""
    write_evaluation(tmp_path, PAIRS, done=1)
    page.goto(f"{app}/experiments")
    page.get_by_role("radio", name="Sweeps").or_(page.get_by_role("button", name="Sweeps")).click()
    field = page.get_by_label("Folder of a sweep")
    field.fill(str(tmp_path))
    field.press("Enter")
    expect(page.get_by_text("1 of 4 cells done")).to_be_visible()
    write_evaluation(tmp_path, PAIRS)
    expect(page.get_by_text("4 of 4 cells done")).to_be_visible()
    expect(page.get_by_text("Missed 3 of 20 images")).to_be_visible()
    settle(page)
    assert find_violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_site_opens_from_disk_without_a_network(offline: Page, site: Path, theme: str) -> None:
    """From its first page to a table and a sweep; nothing is asked for, axe finds nothing."""
    asked: list[str] = []
    offline.on("request", lambda one: asked.append(one.url))
    offline.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    offline.goto((site / "index.html").as_uri())
    assert find_violations(offline) == []
    offline.get_by_role("link", name="Implications of noise: digits found by").click()
    expect(offline.get_by_role("img").first).to_be_visible()
    assert find_violations(offline) == []
    offline.get_by_role("link", name="All results").click()
    offline.get_by_role("link", name="A sweep of tests").click()
    expect(offline.get_by_role("cell", name="0.85", exact=True).first).to_be_visible()
    assert find_violations(offline) == []
    assert [one for one in asked if not one.startswith(("file:", "data:"))] == []


def test_the_site_fits_a_phone(browser: Browser, site: Path) -> None:
    """Wide tables scroll in themselves."""
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    for name in ("index", "tables/ips-patch-size", "tables/ultramnist-settings"):
        page.goto((site / f"{name}.html").as_uri())
        wait_until(lambda: page.evaluate("document.readyState") == "complete", "It did not load.")
        check_nothing_is_cut_off(page, name)
    page.close()
