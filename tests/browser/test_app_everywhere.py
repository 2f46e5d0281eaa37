"""Every screen of whoever runs a study, in every window, and all of it within reach of Tab."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE
from tests.browser.everywhere import check_everywhere, press
from tests.browser.study_app import StudyApp, settle
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
def again(lab: StudyApp, closed: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a closed replication that has some answers."""
    export = tmp_path_factory.mktemp("again") / "export.zip"
    export_study(lab.service, closed, export, with_images=True)
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
