"""Watching a study in a real browser: live, by keyboard, on phones, and nothing of the truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.study_app import PATIENCE_MS, StudyApp, fits, open_window, settle
from tests.browser.whole_page import find_violations
from tests.labeling.making import come_in, new_key
from tests.pages.driving import drive, make_study
from umnist_core.labeling import AnswerPost
from umnist_core.labeling.exclusions import ExclusionRules

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def study(lab: StudyApp) -> str:
    """Return an open study in which two people worked as they should, and one did not."""
    settings = {"stimuli": 20, "images_per_annotator": 6, "labels_per_image": 4}
    rules = ExclusionRules(too_fast_s=1.5)
    study = make_study(lab.service, 2, name="Watched", exclusions=rules, **settings)
    answer_at_once(lab, study, come_in(lab.service, study))
    return study


def answer_at_once(lab: StudyApp, study: str, me: str) -> None:
    """Answer 9 to every image within a second, on a phone."""
    sample = {"t": 0, "x": 256, "y": 256, "zoom": 1.2, "w": 390, "h": 560, "visible": True}
    response = {
        "response_ms": 900,
        "parts": [{"samples": [sample], "end_ms": 900}],
        "device": {"screen": [390, 844], "dpr": 3, "touch": True},
    }
    while (trial := lab.service.annotator_view(study, me).trial) is not None:
        body = {"key": new_key(), "assignment": trial.key, "answer": 9, "response": response}
        lab.service.answer(study, me, AnswerPost.from_dict(body))


def open_watch(page: Page, lab: StudyApp, study: str) -> Locator:
    """Open the tab, and return its rows."""
    lab.open(page, "studies", study)
    page.get_by_role("tab", name="Watch").click()
    rows = page.locator(".umnist-people tbody tr[data-key]:not(.details)")
    rows.first.wait_for()
    return rows


def test_who_needs_a_look_stands_first_and_opens_by_keyboard(
    page: Page, lab: StudyApp, study: str
) -> None:
    """With the rules that catch them; Enter shows their images, and again hides them."""
    first = open_watch(page, lab, study).first
    expect(first).to_contain_text("Too fast 0.9")
    expect(first).to_contain_text("Same answer 1")
    expect(first).to_contain_text("390 \N{MULTIPLICATION SIGN} 844 px, 3 \N{MULTIPLICATION SIGN}")
    button = first.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".umnist-people .images tbody tr")).to_have_count(6)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".umnist-people .images")).to_have_count(0)


def test_news_come_by_themselves_and_move_nothing_else(
    page: Page, lab: StudyApp, study: str
) -> None:
    """A person who joins and answers appears; the rows of the others are the same elements."""
    rows = open_watch(page, lab, study)
    before = rows.count()
    rows.evaluate_all("(all) => all.forEach((row) => { row.mine = true; })")
    drive(lab.service, study, 1, np.random.default_rng(8))
    expect(rows).to_have_count(before + 1)
    kept = rows.evaluate_all("(all) => all.filter((row) => row.mine).length")
    assert kept == before


def test_watching_shows_nothing_of_right_and_wrong(page: Page, lab: StudyApp, study: str) -> None:
    """Neither an accuracy nor a sum of an image; a person's own answers are all there is."""
    rows = open_watch(page, lab, study)
    rows.first.get_by_role("button").click()
    expect(page.locator(".umnist-people .images tbody tr")).to_have_count(6)
    said = page.locator(".umnist-people").inner_text().lower()
    for word in ("correct", "accuracy", "truth"):
        assert word not in said
    answers = page.locator(".umnist-people .images tbody td:last-child").all_inner_texts()
    assert answers == ["9"] * 6
    truths = {json.loads(text)["label"] for text in lab.service.log.read_truth(study).values()}
    assert truths != {9}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_watching_fits_and_pleases_axe(
    browser: Browser, lab: StudyApp, study: str, theme: str, size: tuple[int, int]
) -> None:
    """At a desk and on a phone, in both themes, with a person open."""
    page = open_window(browser, size, theme)
    rows = open_watch(page, lab, study)
    rows.first.get_by_role("button").click()
    expect(page.locator(".umnist-people .images tbody tr")).to_have_count(6)
    settle(page)
    assert fits(page)
    # What is drawn anew every five seconds is grey for a moment.
    wait_until(lambda: find_violations(page) == [], "axe finds something.")
    page.close()
