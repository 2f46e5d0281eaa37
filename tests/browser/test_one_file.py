"""The page in one file, opened from the disk with the network off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import MARGIN, PATIENCE_S, PHONE, Pixels, wait_until
from umnist_core.digits import load_glyphs
from umnist_core.inference.prediction import Prediction
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.process import Outcome
from umnist_core.inference.requests import ImageRef, PredictRequest, SceneImage
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef
from umnist_core.server.one_page import PageRun, make_page, page_image

SIDE_PX = 600
FINDER = "digit-finder"
IPS = "ips-megapixel"


def _scene(preset: str, **overrides: str) -> SceneImage:
    changes = {"canvas": str(SIDE_PX), **overrides}
    return SceneImage(SceneRef.of(preset, changes, seed=7, split="train", index=3))


def _predict(predictor: Predictor, image: ImageRef, checkpoint: str) -> tuple[Prediction, PageRun]:
    found = predictor.predict(PredictRequest(checkpoint, "auto", image))
    return found, PageRun(checkpoint, Outcome(found.to_dict(), found.attention, found.rounds))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """Run models on this machine's processor."""
    return Predictor("cpu")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page without a network, which complains of nothing."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
    context.set_default_timeout(1000 * PATIENCE_S)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("requestfailed", lambda request: complaints.append(request.url))
    yield opened
    context.close()
    assert complaints == []


def _open(page: Page, folder: Path, data: bytes) -> None:
    (folder / "figure.html").write_bytes(data)
    page.goto((folder / "figure.html").as_uri())
    expect(page.locator(".umnist-viewer.ready")).to_be_visible()


def _shot(page: Page) -> Pixels:
    """Return the middle of the picture, uint8 (rows, cols, 3)."""
    box = page.locator(".pane .image").first.bounding_box()
    assert box is not None
    png = page.screenshot(
        clip={
            "x": box["x"] + MARGIN[0],
            "y": box["y"] + MARGIN[1],
            "width": box["width"] - 2 * MARGIN[0],
            "height": box["height"] - 2 * MARGIN[1],
        }
    )
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _window(image: np.ndarray[Any, Any], shape: tuple[int, ...], scale: int) -> Pixels:
    """Return what the middle of a pane shows of an image, enlarged."""
    rows, cols = ((SIDE_PX * scale - side) // 2 + np.arange(side) for side in shape[:2])
    return np.asarray(image[np.ix_(rows // scale, cols // scale)])


def _zoom_in(page: Page) -> None:
    """Show the middle at 4:1."""
    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("4")
    expect(page.locator("[data-readout=zoom]")).to_have_text("4:1")


def test_pixels_and_truth_are_in_the_file(page: Page, tmp_path: Path) -> None:
    """Each pixel is the scene's; the answer is not in the document before it is asked for."""
    image = _scene("released", factor="1..4")
    glyphs = load_glyphs()
    scene = image.ref.plan(glyphs)
    _open(page, tmp_path, make_page([page_image(image)], title='a<!--<script></script><b>&"'))
    assert page.title() == 'a<!--<script></script><b>&"'
    assert page.locator("h1").inner_text() == 'a<!--<script></script><b>&"'
    _zoom_in(page)
    pixels = render(scene, glyphs)

    def shows() -> bool:
        shot = _shot(page)
        return np.array_equal(shot[..., 0], _window(pixels, shot.shape, 4))

    wait_until(shows, "The picture is not the scene.", page)
    digits = page.locator(".umnist-answers .digits li")
    assert digits.count() == 0
    page.get_by_role("switch", name="Show the answer").click()
    expect(digits).to_have_count(len(scene.digits))
    expect(page.locator(".umnist-answers .total")).to_have_text(str(scene.label))


def test_attention_lies_on_the_pixels_that_were_looked_at(
    page: Page, predictor: Predictor, tmp_path: Path
) -> None:
    """Within half a px of the image: what has no weight is as it was, what has is coloured."""
    image = _scene("released", factor="1..4")
    prediction, run = _predict(predictor, image, FINDER)
    found = prediction.attention
    assert found is not None
    weights = found.place_weights(None, None)
    looked = np.zeros((SIDE_PX, SIDE_PX), bool)
    boxes = np.round(found.boxes).astype(int)
    for (row0, col0, row1, col1), weight in zip(boxes, weights, strict=True):
        looked[row0:row1, col0:col1] |= weight > 0
    _open(page, tmp_path, make_page([page_image(image, [run])]))
    _zoom_in(page)
    page.evaluate("document.querySelectorAll('svg.layer').forEach((one) => one.remove())")
    opacity = page.get_by_label("Opacity")
    opacity.fill("0")
    pixels = render(image.ref.plan(load_glyphs()), load_glyphs())

    def is_bare() -> bool:
        shot = _shot(page)
        return np.array_equal(shot[..., 0], _window(pixels, shot.shape, 4))

    wait_until(is_bare, "Something is left over the picture without opacity.", page)
    bare = _shot(page)
    opacity.fill(opacity.get_attribute("max") or "1")
    half = np.ones((5, 5), np.uint8)  # of a px of the image, at 4:1

    def fits() -> bool:
        changed = (_shot(page) != bare).any(axis=2)
        outer = cv2.dilate(_window(looked, bare.shape, 4).astype(np.uint8), half) > 0
        inner = cv2.erode(_window(looked, bare.shape, 4).astype(np.uint8), half) > 0
        # The least weights are as good as clear.
        return bool(changed[inner].mean() > 0.9 and not changed[~outer].any())

    wait_until(fits, "Attention does not lie where the model looked.", page)


def test_every_round_and_task_can_be_seen(page: Page, predictor: Predictor, tmp_path: Path) -> None:
    """The slider goes through the rounds of the selection and ends with the model's last map."""
    image = _scene("megapixel", digits="3")
    found, run = _predict(predictor, image, IPS)
    _open(page, tmp_path, make_page([page_image(image, [run])]))
    slider = page.get_by_label("Round")
    rounds = len(found.rounds)
    assert rounds > 1
    assert slider.get_attribute("max") == str(rounds)
    expect(page.locator(".round-text")).to_have_text("At the end")
    tasks = page.get_by_label("Attention to").locator("option")
    assert tasks.all_inner_texts() == ["All tasks", *(task.name for task in found.tasks)]
    for number in range(rounds):
        slider.fill(str(number))
        expect(page.locator(".round-text")).to_have_text(f"Round {number + 1} of {rounds}")
        first = page.locator(".places button").first
        heaviest = found.rounds[number].place_weights(None, None).max()
        expect(first).to_contain_text(f"{heaviest:.2g}"[:4])
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".round-text")).to_have_text("At the end")


def test_two_models_stand_beside_each_other_and_a_phone_shows_all(
    browser: Browser, predictor: Predictor, tmp_path: Path
) -> None:
    """Nothing lies outside a phone's screen."""
    images = [_scene("megapixel", digits="3"), _scene("released", factor="1..4")]
    shown = [
        page_image(one, [_predict(predictor, one, name)[1] for name in (IPS, FINDER)])
        for one in images
    ]
    data = make_page(shown)
    (tmp_path / "figure.html").write_bytes(data)
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, offline=True, color_scheme="dark"
    )
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    page.goto((tmp_path / "figure.html").as_uri())
    page.get_by_label("Beside it").select_option(FINDER)
    expect(page.locator(".pane")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.get_by_label("Which image").select_option(shown[1].title)
    second = page.locator(".outcome").nth(1)
    expect(second.locator("h3")).to_have_text(FINDER)
    expect(second.locator("[data-task=sum] .value")).not_to_be_empty()
    context.close()
