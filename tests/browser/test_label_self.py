"""A study of oneself in a real browser: two clicks, the sum after each answer, and the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.label_page import Annotator, LabelLab
from tests.browser.study_app import fits, running_app, settle
from tests.browser.whole_page import find_violations
from umnist_core.labeling.self_study import self_studies, self_values

OpenStudy = Callable[..., LabelLab]


def open_alone(open_study: OpenStudy, size: tuple[int, int], scheme: str) -> Annotator:
    """Open the first image of a study of oneself of two images, by its link alone."""
    values = {**self_values("unguided"), "trial_feedback": True, "labels_per_image": 1}
    lab = open_study(**{**values, "stimuli": 2, "images_per_annotator": 2})
    person = lab.person("unguided", size=size, color_scheme=scheme)
    person.page.goto(f"{lab.url}/join/{person.token}#go")
    person.wait_for_image(1)
    return person


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_each_answer_is_told_and_the_end_sums_up(
    open_study: OpenStudy, size: tuple[int, int], scheme: str
) -> None:
    """By the keyboard alone, over a reload after an answer, to the links out; axe is content."""
    person = open_alone(open_study, size, scheme)
    page = person.page
    assert "(self)" in page.locator(".study").inner_text()
    person.answer(27)
    feedback = page.get_by_role("region", name="Feedback")
    expect(feedback.get_by_role("heading")).to_have_text(re.compile("The sum is|Right"))
    expect(feedback.get_by_role("listitem").first).to_be_visible()
    assert page.locator(".work .form").is_hidden()
    assert fits_window(page)
    assert find_violations(page) == []
    page.reload()
    person.wait_for_image(2)
    assert person.lab.given() == [27], "A reload loses what was told, and no answer."
    assert feedback.is_hidden()
    person.answer(26)
    expect(feedback).to_be_visible()
    page.keyboard.press("Enter")
    person.wait_for_screen("done")
    expect(page.get_by_text(re.compile(r"of 2 sums right \(\d+ %\)"))).to_be_visible()
    assert page.get_by_text("completion code").count() == 0
    results = page.get_by_role("link", name="Look at the results")
    assert str(results.get_attribute("href")).endswith(f"/results?study={person.lab.study}")
    assert fits_window(page)
    assert find_violations(page) == []


def fits_window(page: Page) -> bool:
    """Return whether nothing goes beyond the sides of the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_stopping_early_sums_up_what_there_is(open_study: OpenStudy) -> None:
    """From the pause; a slow answer is told all the same, and nobody else is spoken of."""
    person = open_alone(open_study, DESK, "light")
    # Longer than others wait before they go on to the next image.
    person.lab.trouble.delays_s["/answers"] = 6
    person.answer(27)
    person.press_button("Next")
    person.wait_for_image(2)
    person.press_button("Pause")
    person.press_button("Stop taking part")
    assert "whoever invited you" not in person.page.locator("dialog").inner_text()
    person.press_button("Stop for good")
    person.wait_for_screen("done")
    expect(person.page.get_by_text("You ended before 1 image was answered.")).to_be_visible()


def test_two_clicks_lead_to_the_first_image(page: Page, tmp_path: Path) -> None:
    """On Label; the study is self wherever it stands, and its results are not hidden."""
    with running_app(tmp_path) as app:
        app.open(page, "label")
        page.get_by_role("button", name="Label 20 now").click()
        link = page.get_by_role("link", name="Open the first image")
        with page.context.expect_page() as opened:
            link.click()
        trial = opened.value
        trial.wait_for_selector("[data-drawn=true] .umnist-viewer.ready")
        assert trial.locator(".count").inner_text() == "1 of 20"
        trial.keyboard.press("9")
        trial.keyboard.press("Enter")
        trial.locator(".feedback h2").wait_for()
        (one,) = self_studies(app.service)
        assert (one.answered, one.pool, one.has_feedback) == (1, "unguided", True)
        app.open(page, "label")
        expect(page.get_by_role("link", name="Go on")).to_be_visible()
        assert find_violations(page) == []
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        settle(page)
        assert fits(page)
        app.open(page, "studies")
        expect(page.get_by_text("self", exact=True)).to_be_visible()
        app.open(page, "results", one.study)
        expect(page.get_by_text("self: a study of oneself, never pooled")).to_be_visible()
        expect(page.get_by_text("Show anyway")).to_have_count(0)
