"""Explore in a real browser, on the real server, as a user sees it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Pixels, wait_until
from tests.datasets.meth.making import METH_HEADER, meth_cells, write_table
from tests.datasets.signs.making import line, sign, write_annotations
from tests.megapixel import megapixel_tasks
from tests.pyramid.making import FLOAT, RGB, write_oriented, write_pages, write_tiff
from umnist_core.datasets.megapixel_sparse import write_megapixel_split
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.geometry import Box
from umnist_core.rendering import render
from umnist_core.scenes import Digit, Scene, plan_scene

SEED, INDEX = 5, 9


@pytest.fixture(scope="module")
def glyphs() -> GlyphSet:
    """Return the digits that the app uses too."""
    return load_glyphs()


@pytest.fixture(scope="module")
def scene(glyphs: GlyphSet) -> Scene:
    """Return the scene of the sample that most tests open."""
    return plan_scene("released", SEED, "train", INDEX, glyphs=glyphs)


def open_explore(page: Page, app: str, /, **query: Any) -> None:
    """Open Explore and wait until the picture is there."""
    text = "&".join(f"{name}={value}" for name, value in query.items())
    page.goto(f"{app}/?{text}")
    page.wait_for_selector(".umnist-viewer.ready")


def readout(page: Page, name: str) -> str:
    """Return what the readout says of x, y, value or zoom."""
    return page.locator(f"[data-readout={name}]").inner_text().split("\n")[-1].strip()


def address(page: Page) -> str:
    """Return what stands in the address bar now (``page.url`` lags behind)."""
    return str(page.evaluate("location.href"))


def view_in(page: Page) -> tuple[float, float, float]:
    """Return the view in the address: centre x and y in image px, zoom."""
    found = re.search(r"view=([-\d.]+),([-\d.]+),([\d.]+)", address(page))
    assert found is not None, address(page)
    x, y, zoom = map(float, found.groups())
    return x, y, zoom


def screen_around(page: Page, digit: Digit, side_px: int, zoom: int) -> tuple[Pixels, Box]:
    """Return the screen over the middle of a digit, and the canvas box that it must show."""
    x, y, _ = view_in(page)
    pane = page.locator(".pane").first.bounding_box()
    assert pane is not None
    box = Box.from_size(
        digit.row + (digit.side_px - side_px) // 2,
        digit.col + (digit.side_px - side_px) // 2,
        side_px,
        side_px,
    )
    left = pane["x"] + pane["width"] / 2 + (box.col0 - x) * zoom
    top = pane["y"] + pane["height"] / 2 + (box.row0 - y) * zoom
    side = side_px * zoom
    png = page.screenshot(clip={"x": round(left), "y": round(top), "width": side, "height": side})
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8), box


@pytest.mark.parametrize("zoom", [1, 4])
def test_smallest_digit_is_shown_pixel_for_pixel(
    page: Page, app: str, glyphs: GlyphSet, scene: Scene, zoom: int
) -> None:
    """From the list to the smallest digit, and every pixel there is the scene's own."""
    digit = min(scene.digits, key=lambda digit: digit.side_px)
    open_explore(page, app, preset="released", seed=SEED, index=INDEX)
    page.get_by_text("Show the answer").click()
    page.get_by_role("button", name=re.compile(f"{digit.side_px} px")).first.click()
    centre = (digit.col + digit.side_px / 2, digit.row + digit.side_px / 2)
    wait_until(
        lambda: "view=" in address(page) and np.hypot(*np.subtract(view_in(page)[:2], centre)) < 2,
        "The viewer did not fly to the smallest digit.",
    )
    page.get_by_text("Show the answer").click()  # nothing may lie over the pixels
    page.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press(str(zoom))
    wait_until(lambda: view_in(page)[2] == zoom, f"The viewer did not reach {zoom}:1.")

    pane = page.locator(".pane").first.bounding_box()
    assert pane is not None
    page.mouse.move(pane["x"] + pane["width"] / 2 + 3 * zoom, pane["y"] + pane["height"] / 2 + zoom)
    wait_until(lambda: readout(page, "value").isdecimal(), "No value under the pointer.")
    row, col = int(readout(page, "y")), int(readout(page, "x"))
    under_pointer = render(scene, glyphs, level_box=Box(row, col, row + 1, col + 1))
    assert int(readout(page, "value")) == under_pointer[0, 0]
    assert abs(col - centre[0] - 3) <= 2
    assert abs(row - centre[1] - 1) <= 2

    def exact() -> bool:
        screen, box = screen_around(page, digit, min(digit.side_px, 160), zoom)
        expected = render(scene, glyphs, level_box=box)
        return np.array_equal(screen, np.kron(expected, np.ones((zoom, zoom), np.uint8)))

    wait_until(exact, f"The screen at {zoom}:1 is not the rendered window.")


def test_view_and_overlays_come_back_with_the_link(page: Page, app: str) -> None:
    """What the address says is what another browser sees."""
    link = {"seed": SEED, "index": INDEX, "view": "1234.5,2345.5,2", "show": "answer,shapes"}
    open_explore(page, app, **link, beside="model-256", shape_pairs="3")
    wait_until(lambda: readout(page, "zoom") == "2:1", "The zoom of the link was not restored.")
    assert page.locator(".pane").count() == 2
    first = view_in(page)  # aligned to whole screen pixels: less than one away
    assert first == pytest.approx((1234.5, 2345.5, 2), abs=0.5)
    for part in ("seed=5", "index=9", "show=answer,shapes", "beside=model-256", "shape_pairs=3"):
        assert part in address(page)
    page.reload()
    page.wait_for_selector(".umnist-viewer.ready")
    wait_until(lambda: readout(page, "zoom") == "2:1", "A reload lost the view.")
    assert view_in(page) == first


def test_answer_is_hidden_until_it_is_asked_for(page: Page, app: str, scene: Scene) -> None:
    """Neither the sum nor a digit's size stands anywhere before."""
    open_explore(page, app, seed=SEED, index=INDEX)
    sizes = [f"{digit.side_px} px" for digit in scene.digits]
    assert not any(page.get_by_text(size).first.is_visible() for size in sizes)
    page.get_by_text("Show the answer").click()
    for size in sizes:
        expect(page.get_by_text(size).first).to_be_visible()
    expect(page.locator(".umnist-answers .total")).to_have_text(str(scene.label))


def test_keys_step_through_samples_and_the_link_follows(page: Page, app: str) -> None:
    """n, p and x: next, previous and random; buttons do the same."""
    open_explore(page, app, seed=SEED, index=INDEX)
    page.keyboard.press("n")
    wait_until(lambda: f"index={INDEX + 1}" in address(page), "n did not go to the next sample.")
    expect(page.get_by_role("spinbutton", name="Index", exact=True)).to_have_value(str(INDEX + 1))
    page.keyboard.press("p")
    wait_until(lambda: f"index={INDEX}&" in f"{address(page)}&", "p did not go back.")
    page.get_by_role("button", name=re.compile("[Rr]andom")).click()
    wait_until(lambda: f"index={INDEX}&" not in f"{address(page)}&", "No random sample came.")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"shape_pairs": "99"}, "shape_pairs is a whole number from 0 to 50"),
        ({"source": "file", "path": "/nowhere.png"}, "/nowhere.png"),
        ({"source": "folder", "folder": "/nowhere"}, "no folder /nowhere"),
        ({"preset": "relaesed"}, "preset is one of released"),
        ({"seed": "-1"}, "seed is a whole number"),
        ({"factor": "75", "scale_distribution": "fixed", "digits": "5"}, "found no place"),
    ],
)
def test_wrong_link_is_answered_with_one_sentence(
    page: Page, app: str, query: dict[str, str], said: str
) -> None:
    """No traceback and no empty page."""
    page.goto(f"{app}/?" + "&".join(f"{name}={value}" for name, value in query.items()))
    expect(page.get_by_text(said)).to_be_visible(timeout=60_000)
    assert page.get_by_text("Traceback").count() == 0


def test_image_file_and_kaggle_folder_open(page: Page, app: str, tmp_path: Path) -> None:
    """A path on this machine, and a folder with train.csv whose sum is the answer."""
    image = np.zeros((300, 500), np.uint8)
    image[100:200, 200:300] = 255
    (tmp_path / "train").mkdir()
    for name in ("b", "a"):
        cv2.imwrite(str(tmp_path / "train" / f"{name}.png"), image)
    (tmp_path / "train.csv").write_text("id,digit_sum\na,3\nb,26\n")
    open_explore(page, app, source="file", path=tmp_path / "train" / "a.png", view="250,150,1")
    wait_until(lambda: "255" in values_at(page), "The file's pixels are not shown.")
    open_explore(page, app, source="folder", folder=tmp_path, image=1)
    page.get_by_text("Show the answer").click()
    expect(page.get_by_text("26", exact=True).first).to_be_visible()


def test_megapixel_folder_in_the_original_layout_opens(
    page: Page, app: str, glyphs: GlyphSet, tmp_path: Path
) -> None:
    """train.npy and parameters.json: the pixels, and the four labels as the answer."""
    scene = plan_scene("megapixel", 1, index=2, glyphs=glyphs)
    image = render(scene, glyphs)
    write_megapixel_split(tmp_path, "train", [(image, megapixel_tasks(scene))], {"n_train": 1})
    digit = scene.digits[0]
    row, col = (int(place[0]) for place in np.nonzero(image[digit.ink_box.slices] == 255))
    x, y = digit.ink_box.col0 + col + 0.5, digit.ink_box.row0 + row + 0.5
    open_explore(page, app, source="folder", folder=tmp_path, image=0, view=f"{x},{y},8")
    wait_until(lambda: "255" in values_at(page), "The stored pixels are not shown.")
    page.get_by_text("Show the answer").click()
    expect(page.get_by_text(f"largest {megapixel_tasks(scene).max}")).to_be_visible()


def test_signs_are_outlined_with_their_names(page: Page, app: str, tmp_path: Path) -> None:
    """Once the answer is asked for, each with how well it is seen; the class is by the filter."""
    lines = [line("a.png", sign("50_SIGN"), sign("STOP", "SIDE_ROAD", (340, 330, 310, 300)))]
    write_annotations(tmp_path / "annotations.txt", lines)
    cv2.imwrite(str(tmp_path / "a.png"), np.full((960, 1280, 3), 90, np.uint8))
    open_explore(page, app, source="folder", system="signs", folder=tmp_path)
    expect(page.get_by_text("Show the answer")).to_be_visible()
    expect(page.locator(".digit-text")).to_have_count(0)
    page.get_by_text("Show the answer").click()
    expect(page.locator(".digit-text")).to_have_text(
        ["50_SIGN · visible, 39 px", "STOP · side road, 30 px"]
    )
    expect(page.locator(".umnist-answers .total")).to_have_text("50_SIGN")


def test_low_resolution_is_in_step_with_the_px_that_it_was_made_of(
    page: Page, app: str, tmp_path: Path
) -> None:
    """Of 79 px a sixteenth is 4 px that cover 64, not all: the third begins at 32."""
    stripes = np.repeat(np.arange(0, 250, 50, dtype=np.uint8), 16)[:79]
    image = np.broadcast_to(stripes[None, :, None], (48, 79, 3))
    (tmp_path / "data").mkdir()
    cv2.imwrite(str(tmp_path / "data" / "a.png"), image)
    cells = meth_cells([("a.png", "", "train", (79, 48))])
    write_table(tmp_path / "MetH-SR.csv", METH_HEADER, cells)
    open_explore(page, app, source="folder", folder=tmp_path, low=16, view="34,20,16")
    expect(page.locator(".pane .title")).to_have_text(["a", "Reduced x16, made here"])

    def shown() -> bool:
        values = [int(one) for one in values_at(page) if one.isdecimal() and one != "8"]
        return len(values) == 6 and values[:3] == [100] * 3 and min(values[3:]) > 80

    wait_until(shown, f"Expected some 100 in both panes, found {values_at(page)}.")


def test_explore_works_at_390_px(browser: Browser, app: str) -> None:
    """The picture has the whole width and half the height, and nothing sticks out."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_explore(page, app, seed=SEED, index=INDEX)
    viewer = page.locator(".umnist-viewer").bounding_box()
    assert viewer is not None
    assert viewer["width"] >= 0.95 * PHONE[0]
    assert viewer["height"] >= 0.5 * PHONE[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.get_by_text("Show the answer").tap()
    expect(page.get_by_text("px", exact=False).first).to_be_visible()
    context.close()


def shows_values(page: Page, said: str) -> bool:
    """Return whether the readout says this of the pixel."""
    return values_at(page) == said.split()


def values_at(page: Page) -> list[str]:
    """Return what the readout says of the pixel: names, figures and depth."""
    return page.locator("[data-readout=value]").inner_text().split()


def test_values_under_the_pointer_are_the_files_own(page: Page, app: str, tmp_path: Path) -> None:
    """16 bits whole, colours by channel, floats, what lies under transparency: with the depth."""
    deep = np.full((60, 80), 21769, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    colour = np.full((60, 80, 3), (12, 200, 7), np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    Image.new("RGBA", (80, 60), (1, 2, 3, 0)).save(tmp_path / "clear.png")
    write_tiff(tmp_path / "float.tif", np.full((60, 80), 0.1, np.float32), kind=FLOAT)
    expected = {
        "deep.png": "value 21769 16 bit",
        "colour.png": "R 12 G 200 B 7 8 bit",
        "clear.png": "R 1 G 2 B 3 A 0 8 bit",
        "float.tif": "value 0.1 32 bit float",
    }
    for name, said in expected.items():
        open_explore(page, app, source="file", path=tmp_path / name)
        wait_until(partial(shows_values, page, said), f"{name} is not shown as {said!r}.")


def test_page_is_said_and_chosen_and_in_the_link(page: Page, app: str, tmp_path: Path) -> None:
    """From the address and with the widget; a page that is not there is answered in a sentence."""
    pages = [np.full((60, 80), grey, np.uint8) for grey in (10, 20, 30)]
    path = write_pages(tmp_path / "stack.tif", pages)
    open_explore(page, app, source="file", path=path, page=2)
    expect(page.get_by_text("Page 2 is shown, number 2 of 3.")).to_be_visible()
    wait_until(lambda: "20" in values_at(page), "The second page is not shown.")
    assert "page=2" in address(page)
    page.get_by_label("Page, one of 3").click()
    page.get_by_role("option", name="3").click()
    expect(page.get_by_text("Page 3 is shown, number 3 of 3.")).to_be_visible()
    wait_until(lambda: "30" in values_at(page), "The third page is not shown.")
    wait_until(lambda: "page=3" in address(page), "The link does not name the page.")
    page.goto(f"{app}/?source=file&path={path}&page=9")
    expect(page.get_by_text("page should be one of 1, 2, 3")).to_be_visible(timeout=60_000)


def test_what_was_chosen_of_a_file_is_said_where_it_opens(
    page: Page, app: str, tmp_path: Path
) -> None:
    """Turning and ground; the frame of the readout is that of the picture on the screen."""
    stored = np.zeros((60, 80), np.uint8)
    stored[:, 70:] = 255  # a quarter clockwise, so at the bottom
    write_oriented(tmp_path / "photo.png", stored, 6)
    open_explore(page, app, source="file", path=tmp_path / "photo.png", view="30,75,4")
    expect(page.get_by_text("photo.png: 60 x 80 px.")).to_be_visible()
    expect(page.get_by_text("Shown turned a quarter clockwise")).to_be_visible()
    wait_until(lambda: "255" in values_at(page), "The white end is not where it is shown.")
    Image.new("LA", (80, 60), (0, 0)).save(tmp_path / "clear.png")
    open_explore(page, app, source="file", path=tmp_path / "clear.png")
    expect(page.get_by_text("Transparent parts are drawn on white.")).to_be_visible()


def test_values_of_many_channels_fit_390_px(browser: Browser, app: str, tmp_path: Path) -> None:
    """Nothing sticks out of the page or is cut off, and the zoom stays in sight."""
    deep = np.full((60, 80, 4), 65535, np.uint16)
    write_tiff(tmp_path / "deep.tif", deep, RGB, extra=2)
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_explore(page, app, source="file", path=tmp_path / "deep.tif")
    wait_until(lambda: "65535" in values_at(page), "No value is shown.")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    box = page.locator("[data-readout=zoom]").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= PHONE[0]
    last = page.locator("[data-readout=value] .depth").bounding_box()
    edge = page.locator(".readout").bounding_box()
    assert last is not None
    assert edge is not None
    assert last["x"] + last["width"] <= edge["x"] + edge["width"], "A value is cut off."
    context.close()
