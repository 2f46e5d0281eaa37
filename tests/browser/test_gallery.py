"""The gallery and the sheet by sum in a real browser, beside a viewer, with models as told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE, wait_until
from tests.browser.look_page import (
    FIRST,
    LookPage,
    LookServer,
    look_data,
    look_page,
    scene_address,
)
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations
from umnist_core.server.assets import static_version

MOUNT = """async ([version, sums, gallery]) => {
  const { mountSums } = await import(`/assets/${version}/gallery/sums.js`);
  const { mountGallery } = await import(`/assets/${version}/gallery/gallery.js`);
  const [first, second] = [document.createElement("div"), document.createElement("div")];
  document.getElementById("panel").prepend(first, second);
  mountSums(first, sums);
  mountGallery(second, gallery);
}"""

TILE = scene_address(1, canvas=480, factor=2).replace(".dzi?", "_files/8/0_0.png?")


@contextmanager
def gallery_page(browser: Browser, server: LookServer, **context: Any) -> Iterator[LookPage]:
    """Open a page with both, at small images like scene 1."""
    with look_page(browser, server, look_data(server), **context) as look:
        image = {"dzi": scene_address(1, canvas=480, factor=2)}
        sums = {"bus": "look", "viewer": "sums", "checkpoint": FIRST, "device": "cpu"}
        one = {"model": FIRST, "verdict": "Wrong", "kind": "wrong", "text": "It says 4 for 5."}
        gallery = {
            "examples": [{**one, "url": TILE, "query": "preset=released&seed=1&model=m"}],
            "note": "",
            "misses": {FIRST: 12},
        }
        told = [static_version(), {**sums, "image": image, "sentence": None}, gallery]
        look.page.evaluate(MOUNT, told)
        yield look


def test_sheet_by_sum_is_asked_for_cancelled_and_made(
    browser: Browser, look_at: LookServer
) -> None:
    """Cancelling says how far it came; a whole one is a file with every answer."""
    look_at.models.held = set(range(100))
    with gallery_page(browser, look_at) as look:
        region = look.page.get_by_role("region", name="An image of each sum")
        begin = region.get_by_role("button", name="Ask for each sum")
        begin.click()
        wait_until(lambda: look_at.models.asked, "Nothing was asked.", look.page)
        region.get_by_role("button", name="Cancel").click()
        expect(region.get_by_role("status")).to_have_text("Stopped after 0 images.")
        expect(begin).to_be_focused()
        wait_until(lambda: look_at.models.cancelled, "It went on.", look.page)
        look_at.models.held.clear()
        look.page.keyboard.press("Enter")
        link = region.get_by_role("link", name="PNG")
        expect(link).to_be_visible()
        href = link.get_attribute("href") or ""
        assert href.count("18") >= 28  # the told models say 18 to all
        with look.page.expect_download() as saved:
            link.click()
        assert saved.value.suggested_filename == "sums.png"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_gallery_is_whole_on_a_phone_and_its_cards_are_links(
    browser: Browser, look_at: LookServer, scheme: Any
) -> None:
    """A card says what happens, leads to the image with the model, and misses are files."""
    size = {"width": PHONE[0], "height": PHONE[1]}
    with gallery_page(browser, look_at, viewport=size, color_scheme=scheme, has_touch=True) as look:
        card = look.page.get_by_role("link", name="Wrong It says 4 for 5.")
        assert card.get_attribute("href") == "?preset=released&seed=1&model=m"
        misses = look.page.get_by_text("12 misses on one sheet").get_by_role("link", name="PNG")
        assert "misses.png?model=digit-finder" in (misses.get_attribute("href") or "")
        wait_until(
            lambda: look.page.evaluate(
                "document.querySelector('.umnist-gallery img').naturalWidth"
            ),
            "The picture did not come.",
            look.page,
        )
        check_nothing_is_cut_off(look.page, "gallery")
        assert find_violations(look.page) == []
        look.complaints.clear()  # axe looks for imported style sheets beside the page
