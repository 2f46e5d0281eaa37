"""Every screen of whoever runs a study, in every window, and all of it within reach of Tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.everywhere import check_everywhere, check_stops, press
from tests.browser.study_app import StudyApp, settle
from tests.browser.whole_page import find_violations
from tests.labeling.test_preregistration import promise
from tests.pages.driving import drive, make_study
from tests.pages.test_adaptive import SMALL
from umnist_core.labeling.export import export_study
from umnist_core.labeling.recruiting import Recruiting
from umnist_core.labeling.replicate import replicate_study

RECRUITING: dict[str, Any] = {
    "site": "prolific",
    "codes": {"complete": "C1DONE", "screened_out": "S0RRY"},
    "currency": "GBP",
    "pay": {"complete": 6},
    "bonus_rule": "each_right",
    "bonus": 0.1,
    "require_id": False,
}


@pytest.fixture(scope="module")
def study(lab: StudyApp) -> str:
    """Return an open study that recruits, with people in it."""
    recruiting = Recruiting.from_dict(RECRUITING)
    settings = {"stimuli": 6, "images_per_annotator": 3, "labels_per_image": 4}
    return make_study(lab.service, 3, name="Everywhere", recruiting=recruiting, **settings)


@pytest.fixture(scope="module")
def closed(lab: StudyApp) -> str:
    """Return a closed study whose people did as was promised."""
    study = make_study(lab.service, 4, preregistration=promise(), stimuli=6, labels_per_image=2)
    lab.service.close(study)
    return study


@pytest.fixture(scope="module")
def adaptive(lab: StudyApp) -> str:
    """Return a closed study whose sizes followed from answers."""
    study = make_study(lab.service, 4, name="Thresholds", **SMALL)
    lab.service.close(study)
    return study


@pytest.fixture(scope="module")
def export(lab: StudyApp, closed: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zip of the closed study, with its images."""
    path = tmp_path_factory.mktemp("again") / "export.zip"
    export_study(lab.service, closed, path, with_images=True)
    return path


@pytest.fixture(scope="module")
def again(lab: StudyApp, export: Path) -> str:
    """Return a closed replication that has some answers."""
    study = replicate_study(lab.service, export, jobs=1).study
    drive(lab.service, study, 2, np.random.default_rng(5))
    lab.service.close(study)
    return study


def look(page: Page, name: str, *sizes: tuple[int, int]) -> None:
    """Look at the page in every window; Tab goes around at a desk, and at sizes that are named."""
    page.mouse.move(0, 0)
    settle(page)
    check_everywhere(page, f"app-{name}", lambda: settle(page), walked=(DESK, *sizes))


def unfold(page: Page) -> None:
    """Open all that is folded, by its key."""
    folded = page.locator("[data-testid=stMain] details:not([open]) > summary:visible")
    while folded.count() > 0:
        folded.first.press("Enter")
        settle(page)


def test_label_and_list_of_studies(page: Page, lab: StudyApp, study: str) -> None:
    """Where people sit down, and where studies are found."""
    for name in ("label", "studies"):
        lab.open(page, name)
        look(page, name, PHONE)


@pytest.mark.parametrize("source", ["Generated", "Of a folder, without sums"])
def test_form_of_a_new_study(page: Page, lab: StudyApp, source: str) -> None:
    """With all that is folded in it open."""
    lab.open(page, "studies")
    press(page, "New study")
    page.get_by_role("button", name="Make the study").wait_for()
    page.get_by_role("radio", name=source, exact=True).press("Space")
    settle(page)
    unfold(page)
    look(page, f"form-{'data' if 'folder' in source else 'generated'}")


@pytest.mark.parametrize("tab", ["Invite", "Watch", "People", "Settings", "Check and keep"])
def test_tab_of_a_study(page: Page, lab: StudyApp, study: str, tab: str) -> None:
    """Each of them, with all that is folded in it open."""
    lab.open(page, "studies", study)
    page.get_by_role("tab", name=tab).press("Enter")
    settle(page)
    unfold(page)
    look(page, f"study-{tab.partition(' ')[0]}")


def test_question_before_closing(page: Page, lab: StudyApp, study: str) -> None:
    """What has the focus is in it, Tab stays in it, and Escape leaves all as it was."""
    lab.open(page, "studies", study)
    button = page.get_by_role("button", name="Close", exact=True)
    look_at_dialog(page, "close", button, "Keep it open", "Close it for good")
    assert lab.service.overview(study).status == "open"


def test_question_before_erasing(page: Page, lab: StudyApp, study: str) -> None:
    """By keys alone, from the list of people to Escape."""
    person = lab.service.annotators(study)[0].annotator
    lab.open(page, "studies", study)
    page.get_by_role("tab", name="People").press("Enter")
    settle(page)
    unfold(page)
    page.get_by_role("combobox", name="Person").press_sequentially(person)
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Erase", exact=True)
    look_at_dialog(page, "erase", button, "Erase for good", "Keep")
    assert person in [one.annotator for one in lab.service.annotators(study)]


def test_question_before_replicating(page: Page, lab: StudyApp, export: Path) -> None:
    """From the path of an export."""
    lab.open(page, "studies")
    unfold(page)
    page.get_by_role("textbox", name="or its path").fill(str(export))
    page.keyboard.press("Enter")
    before = len(lab.service.studies())
    button = page.get_by_role("button", name="Make a replication of it")
    look_at_dialog(page, "replicate", button, "Name", "Make the study")
    assert len(lab.service.studies()) == before


def test_what_cannot_be_read_in_a_dialog_is_found(page: Page, lab: StudyApp, study: str) -> None:
    """For axe all was hidden there, and so nothing wrong."""
    lab.open(page, "studies", study)
    page.get_by_role("button", name="Close", exact=True).press("Enter")
    text = page.get_by_role("dialog").get_by_text("cannot be opened again")
    text.wait_for()
    assert find_violations(page) == []
    text.evaluate(
        "one => { one.style.color = 'color-mix(in srgb, currentColor 30%, transparent)'; }"
    )
    assert [rule for rule, _ in find_violations(page)] == ["color-contrast"]


def look_at_dialog(page: Page, name: str, button: Locator, *reached: str) -> None:
    """Look at what a button opens, in every window, and leave it by Escape."""
    dialog = page.get_by_role("dialog")

    def leave() -> None:
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        settle(page)

    def open_anew() -> None:
        """Open it in the colours of now: it keeps those in which it was opened."""
        if dialog.is_visible():
            leave()
        expect(button).to_be_enabled()
        button.press("Enter")
        dialog.wait_for()
        settle(page)

    page.mouse.move(0, 0)
    open_anew()
    check_everywhere(page, f"app-dialog-{name}", open_anew)
    open_anew()
    names = check_stops(page, name)
    assert set(reached) <= set(names), names
    leave()


SECTIONS = ("Accuracy", "Plan", "Exclusions", "Replay", "Search")


@pytest.mark.parametrize("section", SECTIONS)
def test_section_of_results(page: Page, lab: StudyApp, closed: str, section: str) -> None:
    """Each of them beside the image."""
    show_section(page, lab, closed, section)


def show_section(page: Page, lab: StudyApp, study: str, section: str) -> None:
    """Open a section of a study's results and look at it."""
    lab.open(page, "results", study)
    page.wait_for_selector(".umnist-viewer.ready")
    page.get_by_role("radio", name=section, exact=True).press("Space")
    settle(page)
    unfold(page)
    look(page, f"results-{section}")


def test_thresholds_in_results(page: Page, lab: StudyApp, adaptive: str) -> None:
    """They are what an adaptive study begins with."""
    show_section(page, lab, adaptive, "Thresholds")


def test_replication_in_results(page: Page, lab: StudyApp, again: str) -> None:
    """How its figures stand to the original's."""
    show_section(page, lab, again, "Replication")
