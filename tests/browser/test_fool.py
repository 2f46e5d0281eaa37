"""Fooling a model in a real browser: the search beside a viewer, and its pair in the real app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.look_page import (
    FIRST,
    LookPage,
    LookServer,
    look_data,
    look_page,
    show_scenes,
)
from tests.browser.study_app import PATIENCE_MS, running_app, settle
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations
from umnist_core.server.assets import static_version

MOUNT = """async ([module, data]) => {
  const { mountFool } = await import(module);
  const place = document.createElement("div");
  document.getElementById("panel").prepend(place);
  Object.assign(window, { found: [], foolData: data });
  window.fool = mountFool(place, data, { onFound: (query) => window.found.push(query) });
}"""

PAIR = {
    **{"preset": "released", "canvas": "700", "factor": "1..5", "seed": "5", "index": "3"},
    **{"model": "additive-pyramid", "compare": "wipe", "pair": "1", "b.preset": "released"},
    **{"b.canvas": "700", "b.factor": "1..5", "b.noise_seed": "9"},
}


@contextmanager
def fool_page(
    browser: Browser, server: LookServer, size: tuple[int, int] = DESK, **context: Any
) -> Iterator[LookPage]:
    """Open a page with the search, which begins with scene 1 of 18, answered rightly."""
    viewport = {"width": size[0], "height": size[1]}
    with look_page(browser, server, look_data(server), viewport=viewport, **context) as look:
        data = {
            **{"bus": "look", "viewer": "fool-test", "checkpoint": FIRST, "device": "cpu"},
            **{"image": None, "sentence": None, "longestS": 60},
            "varies": [{"key": "noise_seed", "title": "Other noise"}],
        }
        module = f"/assets/{static_version()}/fool/fool.js"
        look.page.evaluate(MOUNT, [module, data])
        show_scenes(look, 1)
        yield look


def said(look: LookPage) -> Locator:
    """Return what came of the search."""
    return look.page.locator(".umnist-fool .said")


def begin(look: LookPage) -> None:
    """Press the button."""
    look.page.get_by_role("button", name="Fool it").click()


def test_flip_is_said_and_shown_and_is_a_link(browser: Browser, look_at: LookServer) -> None:
    """The page is given both images once, and the link opens them with the model."""
    look_at.models.noises = {"4": 13}
    with fool_page(browser, look_at) as look:
        begin(look)
        expect(said(look)).to_have_text("Flipped after 4 tries of other noise: 18 became 13.")
        expect(look.page.get_by_role("button", name="Cancel")).to_be_hidden()
        found = look.page.evaluate("window.found")
        assert len(found) == 1
        link = look.page.get_by_role("link", name="Both images").get_attribute("href") or ""
        query = {name: one[0] for name, one in parse_qs(urlsplit(link).query).items()}
        assert query == {**found[0], "model": FIRST}
        assert (query["index"], query["b.noise_seed"], query["pair"]) == ("1", "4", "1")
        show_scenes(look, 2)
        expect(said(look)).to_be_hidden()  # it was of another image
        expect(look.page.get_by_role("link", name="Both images")).to_be_hidden()


def test_search_is_cancelled_and_says_how_far_it_came(
    browser: Browser, look_at: LookServer
) -> None:
    """What runs on the server is stopped, and the focus goes back to the button."""
    look_at.models.held = {1}
    with fool_page(browser, look_at) as look:
        begin(look)
        wait_until(lambda: look_at.models.asked, "Nothing was asked.", look.page)
        expect(look.page.locator(".umnist-fool .state")).to_contain_text("Asking")
        look.page.get_by_role("button", name="Cancel").click()
        expect(said(look)).to_have_text("Stopped after 0 tries.")
        expect(look.page.get_by_role("button", name="Fool it")).to_be_focused()
        wait_until(lambda: look_at.models.cancelled, "It went on.", look.page)
        assert look.page.evaluate("window.found") == []


def test_search_by_keyboard_that_finds_nothing_or_fails(
    browser: Browser, look_at: LookServer
) -> None:
    """Enter begins it; none is said with how many, and a refusal is a sentence."""
    with fool_page(browser, look_at) as look:
        tries = look.page.get_by_label("Tries", exact=True)
        tries.focus()
        tries.select_option("12")
        look.page.keyboard.press("Tab")
        look.page.keyboard.press("Enter")
        expect(said(look)).to_have_text("None of 12 tries of other noise flipped it; it stayed 18.")
        look.page.evaluate("window.fool.update({ ...foolData, checkpoint: 'gone' })")
        begin(look)
        expect(said(look)).to_contain_text("Expected the name of a checkpoint")
        look.page.evaluate("window.fool.update({ ...foolData, sentence: 'No noise.' })")
        expect(said(look)).to_have_text("No noise.")
        expect(look.page.get_by_role("button", name="Fool it")).to_be_disabled()
        look.complaints.clear()  # the browser tells of the refusal, too


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_search_is_whole_on_a_phone_and_axe_has_nothing_against_it(
    browser: Browser, look_at: LookServer, scheme: Any
) -> None:
    """While it runs, and with what it found."""
    look_at.models.noises = {"0": 13}
    look_at.models.held = {1}
    with fool_page(browser, look_at, PHONE, color_scheme=scheme, has_touch=True) as look:
        begin(look)
        look.page.locator(".umnist-fool .meter").wait_for()
        check_nothing_is_cut_off(look.page, "searching")
        assert find_violations(look.page) == []
        look_at.models.held.clear()
        expect(said(look)).to_contain_text("Flipped")
        check_nothing_is_cut_off(look.page, "found")
        assert find_violations(look.page) == []
        look.complaints.clear()  # axe looks for imported style sheets beside the page


def test_answer_is_kept_as_files_and_as_text(browser: Browser, look_at: LookServer) -> None:
    """PNG, SVG and JSON are saved under their names; what is copied names the very image."""
    with look_page(browser, look_at, look_data(look_at)) as look:
        look.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        look.predict()
        keep = look.panel.get_by_role("group", name="Keep this answer")
        for name, starts in (("PNG", b"\x89PNG"), ("SVG", b"<?xml"), ("JSON", b"{")):
            with look.page.expect_download() as saved:
                keep.get_by_role("link", name=name, exact=True).click()
            assert saved.value.suggested_filename == f"prediction.{name.lower()}"
            assert Path(saved.value.path()).read_bytes().startswith(starts)
        for name, words in (("command", "umnist predict /"), ("Python", "FileImage('/")):
            button = keep.get_by_role("button", name=f"Copy as {name}")
            button.focus()
            look.page.keyboard.press("Enter")
            expect(keep.get_by_role("button", name="Copied")).to_be_visible()
            assert words in look.page.evaluate("navigator.clipboard.readText()")
            expect(button).to_be_visible()


def test_link_opens_both_images_with_the_model_running(page: Page, tmp_path: Path) -> None:
    """In a fresh profile: wiped, both answered; one image again, and the address says so."""
    page.set_default_timeout(PATIENCE_MS)
    with running_app(tmp_path) as app:
        page.goto(f"{app.address}/inference?{urlencode(PAIR)}")
        expect(page.locator(".umnist-watch .task .value")).to_have_count(2)
        expect(page.locator(".pane")).to_have_count(2)
        expect(page.get_by_role("slider", name="Divider between A and B")).to_be_visible()
        settle(page)
        assert "pair=1" in page.url
        page.get_by_role("tab", name="Image and noise").click()
        page.get_by_role("button", name="One", exact=True).click()
        expect(page.locator(".pane")).to_have_count(1)
        page.wait_for_function("!location.search.includes('pair')")
