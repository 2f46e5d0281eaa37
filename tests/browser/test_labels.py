"""Labels of images without truth, settled in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.study_app import PATIENCE_MS, StudyApp, fits, open_window, settle
from tests.browser.whole_page import find_violations
from tests.labeling.data_studies import DRAWN, SUMS, data_spec, photographs, say
from umnist_core.labeling.freeze import create_study

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of images."""
    return photographs(tmp_path_factory.mktemp("images") / "photographs")


@pytest.fixture(scope="module")
def drawn(lab: StudyApp, folder: Path) -> str:
    """Return a study in which three people drew boxes."""
    study = create_study(lab.service, data_spec(folder, name="Drawn", ask_boxes=True), jobs=1)
    say(lab.service, study, DRAWN)
    return study


@pytest.fixture(scope="module")
def sums(lab: StudyApp, folder: Path) -> str:
    """Return a study in which three people gave sums."""
    study = create_study(lab.service, data_spec(folder, name="Sums"), jobs=1)
    say(lab.service, study, SUMS)
    return study


def open_labels(page: Page, lab: StudyApp, study: str) -> None:
    """Open the labels of a study and wait for the picture."""
    lab.open(page, "results", study)
    page.wait_for_selector(".umnist-viewer.ready")
    settle(page)


def test_each_person_has_a_dash_and_letter_of_their_own(
    page: Page, lab: StudyApp, drawn: str
) -> None:
    """The most disputed image comes first, with the boxes of those who drew some."""
    open_labels(page, lab, drawn)
    marks = page.locator(".umnist-viewer g.by")
    expect(marks).to_have_count(2)
    dashes = marks.evaluate_all(
        "all => all.map(g => getComputedStyle(g.querySelector('.line')).strokeDasharray)"
    )
    assert len(set(dashes)) == 2
    expect(page.get_by_text("3 of 4 images settled")).to_be_visible()
    assert "%" not in page.locator(".st-key-results_panel").inner_text()


def test_decision_is_made_and_undone_by_the_keyboard_alone(
    page: Page, lab: StudyApp, drawn: str
) -> None:
    """What somebody said is taken, and taken back."""
    open_labels(page, lab, drawn)
    page.get_by_role("button", name="Take A's").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("4 of 4 images settled")).to_be_visible()
    (ruling,) = lab.service.state(drawn).rulings.values()
    assert ruling.stimulus in lab.service.state(drawn).stimuli
    assert len(ruling.took) == 1
    page.get_by_role("button", name="Undo the last decision").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 of 4 images settled")).to_be_visible()
    assert not lab.service.state(drawn).rulings


def test_another_sum_is_given(page: Page, lab: StudyApp, sums: str) -> None:
    """Nobody's answer is right: a sum is typed, and the label is that."""
    open_labels(page, lab, sums)
    page.locator("label", has_text="Decide otherwise").click()
    page.get_by_role("spinbutton", name="Sum").fill("12")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Settle with this sum").click()
    expect(page.get_by_text("4 of 4 images settled")).to_be_visible()
    (ruling,) = lab.service.state(sums).rulings.values()
    assert (ruling.answer, list(ruling.took)) == (12, [])


def test_images_are_listed_by_what_became_of_their_labels(
    page: Page, lab: StudyApp, drawn: str
) -> None:
    """Of those that people agree on the label's own boxes are shown on demand."""
    open_labels(page, lab, drawn)
    listed = page.get_by_role("combobox", name="Image, most disputed first")
    expect(page.get_by_role("radio", name="To settle 1")).to_be_visible()
    page.get_by_role("radio", name="Agreed 3").click()
    settle(page)
    expect(listed).not_to_have_value(re.compile("open"))
    marks = page.locator(".umnist-viewer g[data-digit]")
    expect(marks).to_have_count(3)
    page.get_by_role("radio", name="The label's").click()
    expect(marks).to_have_count(1)


def test_agreement_and_data_set_are_beside_it(page: Page, lab: StudyApp, drawn: str) -> None:
    """Alpha, and a zip with the labels."""
    open_labels(page, lab, drawn)
    page.get_by_role("radio", name="Agreement").click()
    expect(page.get_by_text("Krippendorff's alpha, nominal")).to_be_visible()
    expect(page.get_by_text("People disagree a good deal")).to_be_visible()
    page.get_by_role("radio", name="Data set").click()
    page.get_by_role("button", name="Prepare the data set").click()
    expect(page.get_by_role("link", name="Save 3 images")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_axe_finds_nothing_and_all_fits(
    browser: Browser, lab: StudyApp, drawn: str, size: tuple[int, int], theme: str
) -> None:
    """At a desk and on a phone, light and dark."""
    page = open_window(browser, size, theme)
    open_labels(page, lab, drawn)
    assert fits(page)
    assert find_violations(page) == []
    page.close()
