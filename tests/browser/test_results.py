"""Results in a real browser: the image with everybody's gaze, and charts that lead to images."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.study_app import PATIENCE_MS, StudyApp, settle
from tests.pages.driving import make_study

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def study(lab: StudyApp) -> str:
    """Return a closed study of eight people."""
    study = make_study(lab.service, 8, name="Done", labels_per_image=4, ask_confidence=True)
    lab.service.close(study)
    return study


def open_results(page: Page, lab: StudyApp, study: str) -> None:
    """Open the results of a closed study and wait for the picture."""
    lab.open(page, "results", study)
    page.wait_for_selector(".umnist-viewer.ready")
    page.locator("canvas.heat:not([hidden])").wait_for(state="attached")
    settle(page)


def chosen_image(page: Page) -> str:
    """Return what the list of images says of the chosen one."""
    return page.get_by_role("combobox", name="Image, hardest first").input_value()


def section(page: Page, name: str) -> None:
    """Choose a section of figures."""
    page.get_by_role("radio", name=name, exact=True).click()
    settle(page)


def tiles_shown(page: Page) -> set[str]:
    """Return the images of which tiles were fetched."""
    names = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    return {name.split("/tiles/file/")[1][:16] for name in names if "/tiles/file/" in name}


def test_image_takes_two_thirds_of_a_desk_and_half_of_a_phone(
    browser: Browser, lab: StudyApp, study: str
) -> None:
    """The viewer has the room that the image is due, in both."""
    for size, width_share, height_share in ((DESK, 2 / 3, 0.8), (PHONE, 0.93, 0.5)):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        page = context.new_page()
        open_results(page, lab, study)
        box = page.locator(".umnist-viewer").bounding_box()
        assert box is not None
        assert box["width"] >= width_share * size[0]
        assert box["height"] >= height_share * size[1]
        assert box["y"] < 60
        context.close()


def test_open_study_shows_neither_figures_nor_images_until_asked(page: Page, lab: StudyApp) -> None:
    """Before the switch is set nothing on the page tells of right and wrong."""
    open_study = make_study(lab.service, 3, name="Still open")
    lab.open(page, "results", open_study)
    expect(page.get_by_text("optional stopping")).to_be_visible()
    assert page.locator(".umnist-viewer").count() == 0
    assert "%" not in page.locator("[data-testid=stMain]").inner_text()
    page.get_by_text("Show anyway").click()
    page.wait_for_selector(".umnist-viewer.ready")
    expect(page.get_by_text("still open; say so")).to_be_visible()


def test_gaze_lies_over_the_image_and_can_be_taken_off(
    page: Page, lab: StudyApp, study: str
) -> None:
    """The bar says whose time it is; for nobody's there is neither bar nor colour."""
    open_results(page, lab, study)
    bar = page.locator(".heat-bar")
    expect(bar).to_contain_text("mean of 4 answers")
    page.get_by_role("radio", name="Guided", exact=True).click()
    expect(bar).to_contain_text("mean of 2 answers")
    page.get_by_role("radio", name="Nobody", exact=True).click()
    expect(bar).to_be_hidden()


def test_answer_is_boxed_on_the_image_and_listed(page: Page, lab: StudyApp, study: str) -> None:
    """The digits' boxes and their list are those of the image's truth."""
    open_results(page, lab, study)
    section(page, "This image")
    page.get_by_role("switch", name="Show the answer").click()
    buttons = page.get_by_role("button", name="Go to digit")
    expect(page.locator(".layer [data-digit]")).to_have_count(buttons.count())
    said = page.locator(".umnist-answers .total").inner_text()
    assert f"sum {said}" in chosen_image(page)
    expect(page.get_by_text("How each digit was looked at")).to_be_visible()


def test_keys_step_through_the_images_from_hard_to_easy(
    page: Page, lab: StudyApp, study: str
) -> None:
    """N shows the next image and its tiles, P goes back."""
    open_results(page, lab, study)
    first, tiles = chosen_image(page), tiles_shown(page)
    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("n")
    wait_until(lambda: chosen_image(page) != first, "The list did not follow the key.")
    wait_until(lambda: tiles_shown(page) > tiles, "The picture did not follow the key.")
    page.keyboard.press("p")
    wait_until(lambda: chosen_image(page) == first, "P does not lead back.")


def test_dot_of_a_chart_opens_its_image(page: Page, lab: StudyApp, study: str) -> None:
    """A click on the last dot shows another image than the hardest."""
    open_results(page, lab, study)
    section(page, "By image")
    chart = page.locator(".st-key-results_chart_each_image")
    chart.locator(".point").last.wait_for(state="attached")
    first = chosen_image(page)
    dots = chart.locator(".point")
    for place in range(dots.count()):
        box = dots.nth(place).bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(1500)
        if chosen_image(page) != first:
            return
    raise AssertionError("No dot has opened another image.")


@pytest.mark.parametrize("name", ["Accuracy", "Why wrong", "By image", "People", "Power"])
def test_every_section_is_drawn_without_a_complaint(
    page: Page, lab: StudyApp, study: str, name: str
) -> None:
    """Charts appear, nothing is cut off, and neither page nor browser complains."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_results(page, lab, study)
    section(page, name)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
    settle(page)
    assert page.locator("[data-testid=stException]").count() == 0
    charts = page.locator(".js-plotly-plot")
    right = "(all) => all.map((one) => one.getBoundingClientRect().right)"
    # At once, since a chart may be drawn anew between two questions.
    assert max(charts.evaluate_all(right)) <= DESK[0]
    assert complaints == []
