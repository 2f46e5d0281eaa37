"""Breaking points on the Inference page of the real app, with a shipped model."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.study_app import PATIENCE_MS, StudyApp, settle
from tests.pages.driving import make_study

REPORT_AFTER_MS = 250
"""As in ``breaking.js``."""

SMALL = {"preset": "released", "canvas": "300", "factor": "1..2", "index": "3", "seed": "5"}


def open_breaking(page: Page, lab: StudyApp, **query: str) -> None:
    """Open the page at an image, and on it what breaks models."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{lab.address}/inference?{urlencode({'model': 'additive-pyramid', **query})}")
    page.wait_for_selector(".umnist-viewer.ready")
    settle(page)
    page.get_by_role("tab", name="Break it").click()


def asked(page: Page, name: str) -> list[str]:
    """Return a parameter of the address bar."""
    return parse_qs(urlsplit(str(page.evaluate("location.href"))).query).get(name, [])


def test_drag_goes_into_the_address_and_a_miss_opens_its_image(page: Page, lab: StudyApp) -> None:
    """The page follows without a reload, its own sliders too, and the curve stays where it is."""
    open_breaking(page, lab, **SMALL)
    panel = page.locator(".umnist-breaking")
    expect(panel.locator(".chip").first).to_have_text(re.compile(r"^\d+(Right|Wrong)$"))
    page.evaluate("window.sameDocument = true")
    slider = panel.get_by_role("slider", name="Shapes: pairs")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    page.wait_for_function("location.href.includes('shape_pairs=4')")
    settle(page)
    expect(slider).to_have_value("4")
    expect(page.locator("[data-name=shape_pairs] input[type=number]").last).to_have_value("4")
    values = panel.get_by_role("textbox", name="Values")
    values.fill("0, 20")
    values.press("Tab")
    panel.get_by_role("combobox", name="Scenes each").select_option("5")
    panel.get_by_role("button", name="Draw the curve").click()
    expect(panel.locator(".point")).to_have_count(2)
    expect(panel.get_by_role("button", name="Draw the curve")).to_be_visible()
    panel.locator(".point").last.click(force=True)
    link = panel.locator(".missed a").first
    expect(link).to_be_visible()
    index = re.findall(r"\d+", link.inner_text())[0]
    link.click()
    page.wait_for_function("location.href.includes('shape_pairs=20')")
    settle(page)
    assert (asked(page, "split"), asked(page, "index")) == (["test"], [index])
    expect(panel.locator(".point")).to_have_count(2)
    assert page.evaluate("window.sameDocument") is True


def test_an_answer_that_comes_late_takes_no_value_back(page: Page, lab: StudyApp) -> None:
    """The page answers the first value while the slider is already further on."""
    open_breaking(page, lab, **SMALL)
    slider = page.locator(".umnist-breaking").get_by_role("slider", name="Shapes: pairs")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_timeout(2 * REPORT_AFTER_MS)
    said, after = "shape_pairs=1", 0
    while after < 10:  # so often, once the page has answered
        for key, value in (("ArrowRight", "2"), ("ArrowLeft", "1")):
            slider.press(key)
            assert slider.input_value() == value
            page.wait_for_timeout(REPORT_AFTER_MS // 4)
        after += bool(after) or said in page.url
    slider.press("End")
    page.wait_for_function("location.href.includes('shape_pairs=20')")
    settle(page)
    expect(slider).to_have_value("20")
    expect(page.locator("[data-name=shape_pairs] input[type=number]").last).to_have_value("20")


def test_what_was_chosen_is_in_the_link(page: Page, lab: StudyApp) -> None:
    """Opened anew, the panel is there with parameter, values, scenes and second model."""
    open_breaking(page, lab, **SMALL)
    panel = page.locator(".umnist-breaking")
    panel.get_by_role("combobox", name="Parameter").select_option("checkerboard")
    values = panel.get_by_role("textbox", name="Values")
    values.fill("0, 8")
    values.press("Tab")
    panel.get_by_role("combobox", name="Scenes each").select_option("10")
    panel.get_by_role("combobox", name="Second model").select_option("plain-cnn")
    page.wait_for_function("location.href.includes('plain-cnn')")
    address = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(".umnist-viewer.ready")
    settle(page)
    expect(panel.get_by_role("combobox", name="Parameter")).to_have_value("checkerboard")
    expect(values).to_have_value("0, 8")
    expect(panel.get_by_role("combobox", name="Scenes each")).to_have_value("10")
    expect(panel.get_by_role("combobox", name="Second model")).to_have_value("plain-cnn")
    expect(panel).to_be_visible()


def test_image_of_a_closed_study_breaks_beside_its_people(page: Page, lab: StudyApp) -> None:
    """Models are asked for its scene and its people stand with them; of an open one nothing is."""
    study = make_study(lab.service, 4, name="Done", labels_per_image=4)
    lab.service.close(study)
    open_breaking(page, lab, source="study", study=study)
    panel = page.locator(".umnist-breaking")
    expect(panel.locator(".people .chip")).to_have_text(re.compile(r"^\d of \d right$"))
    expect(panel.locator(".chip").first).to_have_text(re.compile(r"^\d+(Right|Wrong)$"))
    panel.get_by_role("slider", name="Shapes: pairs").press("ArrowRight")
    expect(panel.locator(".people .chip")).to_have_class(re.compile("stale"))
    expect(panel.get_by_role("button", name="The study's image")).to_be_visible()
