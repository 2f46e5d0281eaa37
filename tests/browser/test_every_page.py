"""Every page, at the sizes of phones, tablets and desks: nothing is cut off, axe finds nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.study_app import settle
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations

PAGES = ("", "noise_lab", "label", "studies", "results", "inference", "models", "experiments")
WITH_VIEWER = ("", "noise_lab", "inference")

TABLET, SMALL, NARROW, ENLARGED = (1024, 768), (933, 600), (768, 1024), (1280, 720)


def open_page(page: Page, app: str, name: str) -> None:
    """Open a page and wait until all of it is there."""
    page.goto(f"{app}/{name}")
    if name in WITH_VIEWER:
        page.wait_for_selector(".umnist-viewer.ready")
    page.wait_for_selector("[data-testid=stMain] .stElementContainer:not(.st-key-home *)")
    settle(page)


@pytest.mark.parametrize("size", [DESK, TABLET, SMALL, NARROW, ENLARGED, PHONE])
def test_no_control_lies_outside_the_screen(
    browser: Browser, app: str, size: tuple[int, int]
) -> None:
    """On any page; 1280 px are tried as someone has them who enlarges all by half."""
    scale = 1.5 if size == ENLARGED else 1
    width, height = (round(length / scale) for length in size)
    page = browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        has_touch=size == PHONE,
    )
    for name in PAGES:
        open_page(page, app, name)
        check_nothing_is_cut_off(page, f"{name or 'explore'} at {size}")
    page.close()


@pytest.mark.parametrize("size", [PHONE, NARROW])
def test_image_stays_in_sight_while_controls_are_scrolled(
    browser: Browser, app: str, size: tuple[int, int]
) -> None:
    """On every page that has both."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, has_touch=size == PHONE)
    for name in WITH_VIEWER:
        open_page(page, app, name)
        page.mouse.move(size[0] - 40, size[1] - 60)
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(300)
        box = page.locator(".umnist-viewer").bounding_box()
        assert box is not None
        assert box["y"] >= 0, name
        assert box["y"] + box["height"] <= size[1], name
        assert box["height"] >= 0.4 * size[1] or size == NARROW, name
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser: Browser, app: str, name: str, theme: str) -> None:
    """In either theme."""
    page = browser.new_page(
        viewport={"width": DESK[0], "height": DESK[1]},
        color_scheme=theme,  # type: ignore[arg-type]
    )
    open_page(page, app, name)
    assert find_violations(page) == []
    page.close()


def test_name_in_the_header_leads_home(page: Page, app: str) -> None:
    """From any page to Explore, without loading the app anew."""
    open_page(page, app, "models")
    page.evaluate("window.isSame = true")
    page.get_by_role("link", name="umnist", exact=True).click()
    page.wait_for_selector(".umnist-viewer.ready")
    expect(page.get_by_role("button", name="Next sample")).to_be_visible()
    wait_until(lambda: page.evaluate("location.pathname") == "/", "It led elsewhere.")
    assert page.evaluate("window.isSame") is True
