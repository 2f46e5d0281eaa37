"""One's own images on Explore: their truth, their layers, and what can be done with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect

from tests.browser.conftest import PHONE, wait_until
from tests.browser.test_explore import address, open_explore, values_at, view_in
from tests.datasets.making import small_recipe
from umnist_core.datasets import open_dataset
from umnist_core.datasets.write import write_dataset

COLOURS = np.random.default_rng(5).integers(0, 256, (600, 800, 3), np.uint8)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that `umnist generate` wrote."""
    folder = tmp_path_factory.mktemp("sets") / "mine"
    write_dataset(small_recipe(4, image="png"), folder)
    return folder


def open_folder(page: Page, app: str, folder: Path, /, **query: Any) -> None:
    """Open a folder on Explore."""
    open_explore(page, app, source="folder", folder=folder, **query)


def titles(page: Page) -> list[str]:
    """Return what stands over the panes."""
    return page.locator(".pane .title").all_inner_texts()


def test_generated_folder_shows_all_that_is_known(page: Page, app: str, written: Path) -> None:
    """Digits with boxes, list and fly-to; its scene's layers and what models see, in step."""
    open_folder(page, app, written, beside="noise_free", third="model-256", show="answer")
    data = open_dataset(written)
    scene = data.truth(data.ids[0])
    assert scene is not None
    expect(page.get_by_text("has the pixels of its scene")).to_be_visible()
    assert titles(page) == [data.ids[0], "Noise-free", "As a model sees it, 256 px"]
    for pane in page.locator(".pane").all():
        expect(pane.locator("[data-digit]")).to_have_count(len(scene.digits))
    digit = min(scene.digits, key=lambda one: one.side_px)
    page.get_by_role("button", name=f"Go to digit {digit.label}, {digit.side_px} px").first.click()
    wait_until(lambda: "view=" in address(page), "The viewer did not fly to the digit.")
    page.keyboard.press("n")
    expect(page.locator(".pane .title").first).to_have_text(data.ids[1])


def test_folder_with_other_pixels_says_so(
    page: Page, app: str, written: Path, tmp_path: Path
) -> None:
    """Its layers are not offered, and what its table says is still shown."""
    folder = tmp_path / "edited"
    write_dataset(small_recipe(1, image="png"), folder)
    (path,) = (folder / "train").iterdir()
    Image.fromarray(255 - np.asarray(Image.open(path).convert("L"))).save(path)
    open_folder(page, app, folder, beside="noise_free")
    expect(page.get_by_text("the file has other pixels than the scene")).to_be_visible()
    assert page.locator(".pane").count() == 1
    expect(page.get_by_text("Show the answer")).to_be_visible()


def test_any_file_stands_beside_what_a_model_sees(page: Page, app: str, tmp_path: Path) -> None:
    """Two panes in step, the second grey and of the model's size."""
    Image.fromarray(COLOURS).save(tmp_path / "photo.png")
    open_explore(page, app, source="file", path=tmp_path / "photo.png", beside="model-256")
    assert titles(page) == ["photo.png", "As a model sees it, 256 px"]
    wait_until(lambda: len([v for v in values_at(page) if v.isdecimal()]) >= 5, "No values.")
    expect(page.get_by_text("layers of its scene")).to_have_count(0)


def drop(page: Page, *paths: Path) -> None:
    """Drop files on the picture, as the system's own file manager does."""
    box = page.locator(".umnist-viewer").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


def test_file_and_folder_are_dropped_on_the_picture(
    page: Page, app: str, written: Path, tmp_path: Path
) -> None:
    """A file opens alone, a folder as a data set with its truth; a refusal keeps the picture."""
    Image.fromarray(COLOURS).save(tmp_path / "photo.png")
    open_explore(page, app, canvas="600", factor="1..4")
    drop(page, tmp_path / "photo.png")
    expect(page.get_by_text("photo.png: 800 x 600 px.")).to_be_visible()
    expect(page.get_by_text("A copy of what was dropped")).to_be_visible()
    (tmp_path / "text.pdf").write_text("hello")
    drop(page, tmp_path / "text.pdf")
    said = page.get_by_role("alert").filter(has_text="found text.pdf; drop images.")
    expect(said).to_be_visible()
    (tmp_path / "broken.png").write_text("hello")
    drop(page, tmp_path / "broken.png")
    expect(page.get_by_role("alert").filter(has_text="found something else")).to_be_visible()
    expect(page.get_by_text("photo.png: 800 x 600 px.")).to_be_visible()
    drop(page, written)
    data = open_dataset(written)
    expect(page.get_by_text("has the pixels of its scene")).to_be_visible()
    expect(page.get_by_role("option", name=data.ids[3])).to_be_visible()
    drop(page, *sorted((written / "train").iterdir())[:2])
    expect(page.locator(".umnist-strip .item")).to_have_count(2)


def test_strip_finds_and_opens_images(page: Page, app: str, written: Path) -> None:
    """By a click, with keys, and by a part of a name; the one that is open is marked."""
    data = open_dataset(written)
    open_folder(page, app, written)
    strip = page.locator(".umnist-strip")
    expect(strip.locator("img")).to_have_count(len(data.ids))
    assert strip.locator("img").first.evaluate("image => image.decode().then(() => 1)") == 1
    title = page.get_by_text(" x 512 px.")

    def opened(number: int) -> None:
        expect(title).to_contain_text(f"{data.ids[number]}: 512")
        chosen = strip.locator("[aria-selected=true]")
        expect(chosen).to_have_attribute("aria-label", data.ids[number])

    opened(0)
    strip.get_by_role("option", name=data.ids[2]).click()
    opened(2)
    strip.get_by_role("listbox").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    opened(3)
    strip.get_by_role("searchbox").fill(data.ids[1][2:8].upper())
    expect(strip.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    opened(1)


def test_recent_places_are_opened_again_and_forgotten(
    page: Page, app: str, written: Path, tmp_path: Path
) -> None:
    """Kept by the browser, the latest first, until they are cleared."""
    Image.fromarray(COLOURS).save(tmp_path / "photo.png")
    open_explore(page, app, source="file", path=tmp_path / "photo.png")
    open_folder(page, app, written)
    page.get_by_text("Recent places").click()
    places = page.locator(".umnist-own li button")
    expect(places).to_have_text([f"Folder{written}", f"File{tmp_path / 'photo.png'}"])
    places.last.click()
    expect(page.get_by_text("photo.png: 800 x 600 px.")).to_be_visible()
    wait_until(lambda: "path=" in address(page), "The link does not name the file.")
    page.get_by_role("button", name="Clear this list").click()
    page.reload()
    page.wait_for_selector(".umnist-viewer.ready")
    expect(page.get_by_text("Recent places")).to_have_count(1)
    expect(page.get_by_text("Recent places")).to_be_visible()
    expect(places).to_have_text([f"File{tmp_path / 'photo.png'}"])


def middle_grey(page: Page) -> int:
    """Return the screen's own grey in the middle of the picture."""
    box = page.locator(".pane").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return int(png_of(page, {"x": x, "y": y, "width": 1, "height": 1})[0, 0].max())


def test_window_and_channel_draw_the_files_own_values(page: Page, app: str, tmp_path: Path) -> None:
    """Sliders, auto and full; in the link; the readout keeps what the file stores."""
    deep = np.full((60, 80), 21_000, np.uint16)
    deep[:, :20], deep[:, 60:] = 20_000, 22_000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    open_explore(page, app, source="file", path=tmp_path / "deep.png")
    wait_until(lambda: middle_grey(page) == 21_000 >> 8, "The upper 8 bits are not shown.")
    page.get_by_text("Window and channels").click()
    page.get_by_role("button", name="Full", exact=True).click()
    wait_until(lambda: middle_grey(page) == 128, "The full range is not shown.")
    page.get_by_label("White, value").fill("21000")
    page.keyboard.press("Tab")
    wait_until(lambda: middle_grey(page) == 255, "The window is not shown.")
    wait_until(lambda: values_at(page) == ["value", "21000", "16", "bit"], "Not its own value.")
    assert "window=20000,21000" in address(page)
    page.reload()
    wait_until(lambda: middle_grey(page) == 255, "The link does not keep the window.")
    page.get_by_role("button", name="As files are shown").click()
    wait_until(lambda: middle_grey(page) == 21_000 >> 8, "The rule of all files is not back.")
    assert "window=" not in address(page)
    Image.fromarray(np.full((60, 80, 3), (12, 200, 7), np.uint8)).save(tmp_path / "colour.png")
    open_explore(page, app, source="file", path=tmp_path / "colour.png", channel="G")
    wait_until(lambda: middle_grey(page) == 200, "The channel is not shown.")
    colour = ["R", "12", "G", "200", "B", "7", "8", "bit"]
    wait_until(lambda: values_at(page) == colour, "Not all channels.")


def png_of(page: Page, box: FloatRect) -> np.ndarray:
    """Return the screen over a box."""
    png = page.screenshot(clip=box)
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def saved(page: Page, kind: str, folder: Path) -> Path:
    """Save what is seen from the toolbar, and return the file."""
    page.get_by_role("button", name="Save what is seen").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"As {kind}").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_measuring_by_pointer_and_by_keyboard(page: Page, app: str, tmp_path: Path) -> None:
    """In image px, over the image, in words that can be copied; Escape ends it."""
    Image.fromarray(COLOURS).save(tmp_path / "photo.png")
    open_explore(page, app, source="file", path=tmp_path / "photo.png", view="400,300,2")
    canvas = page.locator(".openseadragon-canvas")
    canvas.focus()
    page.keyboard.press("m")
    box = page.locator(".pane").bounding_box()  # lower by the line of what is measured
    assert box is not None
    page.wait_for_timeout(300)  # the picture has found its place in what is left
    view = view_in(page)
    assert view == pytest.approx((400, 300, 2), abs=1)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(middle[0] + 0.5, middle[1] + 0.5)
    page.mouse.down()
    page.mouse.move(middle[0] + 60.5, middle[1] + 80.5)
    page.mouse.up()
    words = page.locator(".measure .figure")
    expect(words).to_have_text(re.compile(r"^\d+, \d+ to \d+, \d+: 50 px \(30 across, 40 down\)$"))
    x, y = map(int, words.inner_text().split(" to ")[0].split(", "))
    assert (x, y) == pytest.approx((400, 300), abs=1)
    expect(page.locator(".layer .digit-text")).to_have_text("50 px")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == words.inner_text()
    assert view_in(page) == view, "The picture was moved while it was measured."
    canvas.focus()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    wait_until(lambda: view_in(page) != view, "An arrow key does not move.")
    page.keyboard.press("Enter")
    expect(words).to_have_text(re.compile(r"^x (399|400), y (299|300), \d{2,3} . 1 px$"))
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    expect(page.locator(".layer .digit-text")).to_have_count(0)


def test_what_is_seen_is_saved(page: Page, app: str, written: Path, tmp_path: Path) -> None:
    """PNG has the screen's own pixels, SVG the same with outlines, names and scale as vectors."""
    open_folder(page, app, written, show="answer")
    expect(page.locator(".layer [data-digit]").first).to_be_attached()
    page.wait_for_timeout(500)
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    path = saved(page, "PNG", tmp_path)
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    page.mouse.move(0, 0)
    screen = png_of(page, stage)
    assert image is not None
    assert image.shape == screen.shape
    differs = (np.abs(image.astype(int) - screen).max(2) > 40).mean()
    assert differs < 0.02, "More than the map, the plates and their words differ."
    middle = np.s_[200:-200, 300:400]
    assert (np.abs(image[middle].astype(int) - screen[middle]).max(2) > 8).mean() < 0.02
    text = saved(page, "SVG", tmp_path).read_text()
    data = open_dataset(written)
    scene = data.truth(data.ids[0])
    assert scene is not None
    page.goto(f"file://{tmp_path / path.stem}.svg")
    names = page.locator("svg text").all_text_contents()
    for digit in scene.digits:
        assert f"{digit.label} · {digit.side_px} px" in names
    assert any(re.fullmatch(r"\d+ px", name) for name in names), "There is no scale bar."
    assert text.count("<image") == 1
    assert 'href="data:image/png;base64,' in text
    drawn = png_of(page, {**stage, "x": 0, "y": 0})
    assert (np.abs(drawn.astype(int) - image).max(2) > 60).mean() < 0.02


def test_three_views_in_step_at_390_px(browser: Browser, app: str, written: Path) -> None:
    """They stack, none is cut off, and one moves the others."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_folder(page, app, written, beside="noise_free", third="model-256")
    boxes = [pane.bounding_box() for pane in page.locator(".pane").all()]
    assert len(boxes) == 3
    for box in boxes:
        assert box is not None
        assert box["height"] > 100
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    toolbar = page.locator(".toolbar button:visible").all()
    for button in toolbar:
        box = button.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PHONE[0], button.inner_text()
    context.close()


def test_files_are_dropped_on_inference_too(
    page: Page, app: str, written: Path, tmp_path: Path
) -> None:
    """Whichever tab is open; what is refused is said over the picture."""
    page.goto(f"{app}/inference?canvas=600&factor=1..4")
    page.wait_for_selector(".umnist-viewer.ready")
    (tmp_path / "text.pdf").write_text("hello")
    drop(page, tmp_path / "text.pdf")
    expect(page.get_by_role("alert").filter(has_text="found text.pdf")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    drop(page, written)
    data = open_dataset(written)
    page.get_by_role("tab", name="Answer").click()
    scene = data.truth(data.ids[0])
    assert scene is not None
    page.get_by_text("Show the answer").click()
    expect(page.locator(".pane [data-digit]")).to_have_count(len(scene.digits))
