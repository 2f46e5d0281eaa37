"""What is planned, in a real browser: by the keyboard, on a phone, light and dark, with axe."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE
from tests.browser.study_app import PATIENCE_MS, StudyApp, fits, open_window, settle
from tests.browser.whole_page import find_violations
from tests.labeling.test_preregistration import promise
from tests.pages.driving import make_study

expect.set_options(timeout=PATIENCE_MS)

CROSSED: dict[str, Any] = {
    "factors": {"shape_pairs": ["0", "5"], "checkerboard": ["0", "8"]},
    "overrides": {"canvas": "512"},
    "stimuli": 8,
    "images_per_annotator": 4,
    "practice": 0,
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_promise_and_factors_are_made_and_read_on_a_phone(
    browser: Browser, lab: StudyApp, theme: str
) -> None:
    """From the form's draft to what was done, without a mouse in the form."""
    page = open_window(browser, PHONE, theme)
    lab.open(page, "studies")
    page.get_by_role("button", name="New study").press("Enter")
    page.locator("summary", has_text="Factors: levels").press("Enter")
    factors = page.get_by_role("textbox", name="Factors")
    factors.fill("shape_pairs=0,5,20")
    factors.press("Enter")
    expect(page.get_by_text("so images, and images a person, are a multiple of 3")).to_be_visible()
    images = page.get_by_role("spinbutton", name="Images", exact=True)
    images.fill("990")
    images.press("Enter")
    expect(page.get_by_text("3 cells: 330 images of each, 10 of each")).to_be_visible()
    page.locator("summary", has_text="Preregistration").press("Enter")
    page.get_by_role("button", name="Write a draft").press("Enter")
    expect(page.get_by_role("textbox", name="Text (Markdown)")).to_have_value(
        # The draft knows the cells of the form.
        re.compile("3 cells, shape_pairs at 0, 5, 20, crossed")
    )
    settle(page)
    assert fits(page)
    assert find_violations(page) == []
    study = make_study(lab.service, 4, preregistration=promise(), **CROSSED)
    lab.service.close(study)
    lab.open(page, "results", study)
    page.get_by_role("radio", name="Plan", exact=True).click()
    page.mouse.move(0, 0)
    expect(page.get_by_text("Sealed at")).to_be_visible()
    settle(page)
    assert fits(page)
    assert find_violations(page) == []
    page.close()
