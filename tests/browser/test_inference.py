"""The Inference page in a real browser: the app, its inference process and shipped models."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import cv2
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.study_app import PATIENCE_MS, StudyApp, fits, settle
from tests.pages.driving import make_study
from umnist_core.digits import load_glyphs
from umnist_core.rendering import render
from umnist_core.scenes import plan_scene

expect.set_options(timeout=PATIENCE_MS)

SMALL = {"preset": "released", "canvas": "1000", "factor": "2..8", "index": "3", "seed": "5"}
"""An image on which a model is done at once."""


def open_inference(page: Page, lab: StudyApp, **query: str) -> None:
    """Open the page at an image and wait until it can be used."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{lab.address}/inference?{urlencode(query or SMALL)}")
    page.wait_for_selector(".umnist-viewer.ready")
    page.get_by_role("button", name="Predict").wait_for()
    settle(page)


def predict(page: Page) -> None:
    """Press the button and wait for the heat."""
    page.get_by_role("button", name="Predict", exact=True).click()
    page.locator("canvas.heat:not([hidden])").first.wait_for(state="attached")
    expect(page.locator(".umnist-watch .cost").first).to_be_visible()


def answers(page: Page) -> Locator:
    """Return the answers of the models, the first model's first."""
    return page.locator(".umnist-watch .task .value")


def test_click_shows_the_answer_beside_the_truth_and_where_the_model_looked(
    page: Page, lab: StudyApp
) -> None:
    """From a click to the sum, a verdict, time and memory, and heat over the image."""
    open_inference(page, lab)
    predict(page)
    scene = plan_scene(
        "released",
        5,
        "train",
        3,
        glyphs=load_glyphs(),
        overrides={"canvas": "1000", "factor": "2..8"},
    )
    verdict = page.locator(".umnist-watch .verdict").first.inner_text()
    is_right = answers(page).first.inner_text() == str(scene.label)
    assert ("Right" in verdict) == is_right
    assert "of memory" in page.locator(".umnist-watch .cost").first.inner_text()
    assert "model=digit-finder" in page.url


def test_image_has_the_page_on_a_desk_and_half_of_a_phone(browser: Browser, lab: StudyApp) -> None:
    """The viewer has the room that the image is due, and nothing is wider than the window."""
    for size, width_share, height_share in ((DESK, 2 / 3, 0.8), (PHONE, 0.93, 0.5)):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        page = context.new_page()
        open_inference(page, lab)
        predict(page)
        box = page.locator(".umnist-viewer").bounding_box()
        assert box is not None
        assert box["width"] >= width_share * size[0]
        assert box["height"] >= height_share * size[1]
        assert fits(page)
        context.close()


def test_prediction_follows_the_noise_without_a_reload(page: Page, lab: StudyApp) -> None:
    """A slider of the noise lab changes image, answer and attention; the last change wins."""
    open_inference(page, lab)
    predict(page)
    page.wait_for_load_state("networkidle")  # the first map is there, and nothing is on its way
    page.evaluate("window.sameDocument = true")
    page.get_by_role("tab", name="Image and noise").click()
    slider = page.locator("[data-name=rotation] input[type=range]:visible").last
    slider.focus()
    with page.expect_request(lambda request: "/heat/" in request.url):
        for _ in range(5):
            slider.press("ArrowRight")
    page.get_by_role("tab", name="Model").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.locator(".umnist-watch .outcome").first).not_to_contain_class("stale")
    assert page.evaluate("window.sameDocument") is True


def test_noise_lab_compares_again_after_a_change_of_the_noise_here(
    page: Page, lab: StudyApp
) -> None:
    """One setting is shown here; the other one and the choice to compare are kept."""
    open_inference(page, lab, **SMALL, compare="side")
    expect(page.locator(".pane")).to_have_count(1)
    page.get_by_role("tab", name="Image and noise").click()
    slider = page.locator("[data-name=rotation] input[type=range]:visible").last
    slider.focus()
    address = page.evaluate("location.href")
    slider.press("ArrowRight")
    page.wait_for_function("(before) => location.href !== before", arg=address)
    settle(page)
    page.get_by_role("link", name="Noise lab").click()
    page.wait_for_url("**/noise_lab**")
    expect(page.locator(".pane")).to_have_count(2)


def test_uploaded_image_is_predicted_and_nothing_is_claimed_of_it(
    page: Page, lab: StudyApp, tmp_path: Path
) -> None:
    """A file from elsewhere: an answer, and no verdict."""
    scene = plan_scene("released", 5, "train", 4, glyphs=load_glyphs(), overrides={"canvas": "900"})
    file = tmp_path / "mine.png"
    cv2.imwrite(str(file), render(scene, load_glyphs()))
    open_inference(page, lab)
    page.get_by_role("tab", name="Image and noise").click()
    page.get_by_role("radio", name="File", exact=True).click()
    page.locator("input[type=file]:not([webkitdirectory])").set_input_files(str(file))
    page.wait_for_selector(".umnist-viewer.ready")
    settle(page)
    page.get_by_role("tab", name="Model").click()
    predict(page)
    expect(page.get_by_text("The right answer is not known for this image.")).to_be_visible()


def test_two_models_look_at_one_image_in_step(page: Page, lab: StudyApp) -> None:
    """Both answer, each over a picture of its own, and the choice is in the address."""
    open_inference(page, lab, **SMALL, beside="additive-pyramid")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator(".umnist-viewer .pane")).to_have_count(2)
    expect(page.locator(".umnist-watch .outcome:visible .cost")).to_have_count(2)
    assert "beside=additive-pyramid" in page.url


def test_study_shows_where_people_looked_beside_the_model(page: Page, lab: StudyApp) -> None:
    """Of a closed study's image there is what people looked at, and how far both agree."""
    study = make_study(lab.service, 6, name="Done", labels_per_image=4)
    lab.service.close(study)
    open_inference(page, lab, source="study", study=study, beside="people")
    predict(page)
    expect(page.locator(".umnist-viewer .pane")).to_have_count(2)
    expect(page.locator(".umnist-watch .agreement")).to_contain_text("similarity")
    expect(page.locator(".umnist-watch .verdict").first).to_have_text(re.compile("Right|Wrong"))
    page.get_by_role("tab", name="Answer").click()
    expect(page.get_by_text("Show the answer")).to_be_visible()


def test_rounds_tasks_and_heads_of_ips_can_be_stepped_through(page: Page, lab: StudyApp) -> None:
    """The shipped IPS shows its memory round by round, and each head of each of its tasks."""
    open_inference(page, lab, model="ips-megapixel", preset="megapixel", canvas="700", index="2")
    predict(page)
    expect(answers(page)).to_have_count(4)
    panel = page.locator(".umnist-watch .attention")
    expect(panel.locator(".round output")).to_have_text("The end")
    with page.expect_request(lambda request: "/heat/" in request.url and "round=0" in request.url):
        panel.get_by_label("Round", exact=True).press("Home")
    expect(panel.locator(".round output")).to_have_text(re.compile(r"Round 1 of \d+"))
    with page.expect_request(
        lambda request: all(
            part in request.url for part in ("/heat/", "round=0", "task=max", "head=2")
        )
    ):
        panel.get_by_label("Task").select_option("max")
        panel.get_by_label("Head").select_option(label="3")


def test_link_runs_and_restores_what_was_looked_at(
    browser: Browser, page: Page, lab: StudyApp
) -> None:
    """Nobody presses Predict; task, head, round and opacity are there again for somebody else."""
    open_inference(page, lab, model="ips-megapixel", preset="megapixel", canvas="700", index="2")
    expect(answers(page)).to_have_count(4)
    panel = page.locator(".umnist-watch .attention")
    panel.get_by_label("Task").select_option("max")
    panel.get_by_label("Head").select_option(label="3")
    panel.get_by_label("Round", exact=True).press("Home")
    page.get_by_label("Opacity of the heat").fill("35")
    wait_until(lambda: "heat=35" in address(page), "The opacity did not reach the address.")
    assert "look=max,2,0" in address(page)
    other = browser.new_page(viewport={"width": DESK[0], "height": DESK[1]})
    other.set_default_timeout(PATIENCE_MS)
    other.goto(address(page))
    panel = other.locator(".umnist-watch .attention")
    expect(panel.get_by_label("Task")).to_have_value("max")
    expect(panel.locator(".round output")).to_have_text(re.compile(r"Round 1 of \d+"))
    expect(panel.get_by_label("Head").locator("option:checked")).to_have_text("3")
    expect(other.get_by_label("Opacity of the heat")).to_have_value("35")
    other.close()


def address(page: Page) -> str:
    """Return what stands in the address bar now."""
    return str(page.evaluate("location.href"))
