"""Studies in a real browser: made, filled, watched, closed."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PHONE, wait_until
from tests.browser.study_app import PATIENCE_MS, StudyApp, fits, open_expander, open_window, settle
from tests.browser.whole_page import find_violations
from tests.labeling.making import TOLD
from tests.pages.driving import drive, make_study
from umnist_core.labeling.telling import CONTACT_FIELDS

expect.set_options(timeout=PATIENCE_MS)


def make_in_browser(page: Page, lab: StudyApp, name: str, images: int) -> None:
    """Fill in the form and send it off."""
    lab.open(page, "studies")
    page.get_by_role("button", name="New study").click()
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("textbox", name="Change the preset").fill("canvas=512 factor=0.5..4")
    page.get_by_role("spinbutton", name="Images", exact=True).fill(str(images))
    page.get_by_role("spinbutton", name="Images a person").fill("3")
    page.get_by_role("spinbutton", name="Practice images").fill("0")
    page.get_by_text("Texts that people read").click()
    for field, shown in CONTACT_FIELDS.items():  # strangers come by an open link
        page.get_by_role("textbox", name=shown).fill(TOLD[field])
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Make the study").click()


def test_study_is_made_in_the_form_and_filled_while_the_page_watches(
    page: Page, lab: StudyApp
) -> None:
    """From the first click to the last label, without a reload of the page that watches."""
    make_in_browser(page, lab, "A first study", 6)
    page.get_by_role("button", name="A first study").click()
    expect(page.get_by_role("progressbar", name="Labels of the guided pool")).to_have_attribute(
        "aria-valuenow", "0"
    )
    study = next(
        one
        for one in lab.service.studies()
        if lab.service.overview(one).spec.name == "A first study"
    )
    assert lab.service.overview(study).spec.stimuli == 6
    drive(lab.service, study, 4, np.random.default_rng(2))
    for pool in lab.service.overview(study).pools:
        assert pool.labels == 6
        expect(
            page.get_by_role("progressbar", name=f"Labels of the {pool.pool} pool")
        ).to_have_attribute("aria-valuenow", "6")
    expect(page.get_by_text("4 people ·")).to_be_visible()


def test_making_can_be_cancelled(page: Page, lab: StudyApp) -> None:
    """A study that is cancelled while its images are frozen is never there."""
    before = lab.service.studies()
    make_in_browser(page, lab, "Never there", 3000)
    expect(page.get_by_text("Freezing the images of “Never there”")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Never there")).to_have_count(0)
    assert lab.service.studies() == before


def test_links_are_absolute_as_the_browser_reaches_the_app(
    page: Page, lab: StudyApp, tmp_path: Path
) -> None:
    """They begin with the address bar's own origin, work, and are the same in the CSV file."""
    study = make_study(lab.service, name="Links")
    here = StudyApp(lab.address.replace("127.0.0.1", "localhost"), lab.service)
    here.open(page, "studies", study)
    page.get_by_role("spinbutton", name="Links").fill("3")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Make links").click()
    expect(page.get_by_text("New links")).to_be_visible()
    rows = lab.service.invites(study)
    expected = [f"{here.address}/join/{row.token}" for row in rows]
    shown = page.locator("[data-testid=stCode]").last.locator("code").inner_text().split()
    assert shown == expected
    assert httpx.get(shown[0], timeout=60).status_code == 200
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "links.csv")
    lines = (tmp_path / "links.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == expected


def test_qr_code_of_a_link_is_on_the_page(page: Page, lab: StudyApp) -> None:
    """What is seen of it is read as the link's address."""
    study = make_study(lab.service, name="With a code")
    token = lab.service.open_link(study).token
    lab.open(page, "studies", study)
    open_expander(page, "Names and cards")
    shot = page.get_by_role("img", name="The QR code of Open to all").screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("L"))
    read = [code.text for code in zxingcpp.read_barcodes(pixels)]
    assert read == [f"{lab.address}/join/{token}"]


def test_closing_asks_first_and_then_shows_the_seal(page: Page, lab: StudyApp) -> None:
    """Keep it open closes nothing; afterwards nobody can be invited, and the hash is shown."""
    study = make_study(lab.service, 2, name="To be closed")
    lab.open(page, "studies", study)
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Keep it open").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert lab.service.overview(study).status == "open"
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Close it for good").click()
    expect(page.get_by_text("Sealed.")).to_be_visible()
    one = lab.service.overview(study)
    assert one.status == "closed"
    expect(page.get_by_text(one.head_hash)).to_be_visible()
    expect(page.get_by_role("button", name="Make links")).to_have_count(0)


def open_list(box: Locator, option: Locator) -> None:
    """Open a list, again if the page was drawn anew meanwhile and closed it."""

    def is_open() -> bool:
        if not option.is_visible():
            box.click()
        return option.is_visible()

    wait_until(is_open, "The list did not open.")


def test_erasing_asks_first_and_takes_everything(page: Page, lab: StudyApp) -> None:
    """The person is gone from the list, and the log still verifies."""
    study = make_study(lab.service, 2, name="With somebody to erase")
    person = lab.service.annotators(study)[0].annotator
    lab.open(page, "studies", study)
    page.get_by_role("tab", name="People").click()
    open_expander(page, "Erase a person")
    open_list(page.get_by_role("combobox", name="Person"), page.get_by_role("option", name=person))
    page.get_by_role("option", name=person).click()
    settle(page)
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("1 person erased")).to_be_visible()
    assert person not in [row.annotator for row in lab.service.annotators(study)]
    page.get_by_role("tab", name="Check and keep").click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("All is as it was logged")).to_be_visible()


def test_status_that_another_window_changes_is_followed(page: Page, lab: StudyApp) -> None:
    """A study that is closed elsewhere shows its seal here without a click."""
    study = make_study(lab.service, name="Closed elsewhere")
    lab.open(page, "studies", study)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    lab.service.close(study)
    expect(page.get_by_text("Sealed.")).to_be_visible()


def test_study_leads_to_its_results_and_label_to_its_annotators(page: Page, lab: StudyApp) -> None:
    """Results opens on the study one comes from; Take part opens the annotator's page."""
    study = make_study(lab.service, 1, name="Leads on")
    token = next(row.token for row in lab.service.invites(study) if row.is_open)
    lab.open(page, "studies", study)
    page.locator("[data-testid=stMain]").get_by_role("link", name="Results").click()
    expect(page.get_by_text("Show anyway")).to_be_visible()
    assert f"study={study}" in page.url
    expect(page.get_by_role("combobox", name="Study")).to_have_value("Leads on")
    lab.open(page, "label")
    link = page.locator(f"a[href='/join/{token}']")
    expect(link).to_have_text("Take part")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_study_pages_fit_a_phone(browser: Browser, lab: StudyApp, scheme: str) -> None:
    """At 390 px nothing goes beyond the window, on any page and in any tab."""
    study = make_study(lab.service, 1, name="A study with quite a long name, for narrow windows")
    page = open_window(browser, PHONE, scheme)
    for name in ("studies", "label", "results"):
        lab.open(page, name)
        assert fits(page), name
    lab.open(page, "studies", study)
    for tab in ("Invite", "Watch", "People", "Settings", "Check and keep"):
        page.get_by_role("tab", name=tab).click()
        wait_until(lambda: fits(page), f"{tab} is too wide.")
    lab.open(page, "studies")
    page.get_by_role("button", name="New study").click()
    expect(page.get_by_role("button", name="Make the study")).to_be_visible()
    assert fits(page)
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_plan_beside_the_form_fits_a_phone_and_pleases_axe(
    browser: Browser, lab: StudyApp, theme: str
) -> None:
    """Opened by the keyboard, simulated, with its curve and its table."""
    page = open_window(browser, PHONE, theme)
    lab.open(page, "studies")
    page.get_by_role("button", name="New study").click()
    page.locator("summary", has_text="Plan: people, hours, cost and power").focus()
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="Images", exact=True).fill("300")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Simulate 1,000 studies").click()
    expect(page.locator(".st-key-new_plan_chart").get_by_text("1,000 simulated")).to_be_visible()
    settle(page)
    assert fits(page)
    assert find_violations(page) == []
    page.close()
