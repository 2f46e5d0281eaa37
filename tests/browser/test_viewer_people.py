"""The viewer in people's hands: keys, touch, small screens, stillness, screen readers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    PHONE,
    SIDE_PX,
    OpenViewer,
    ViewerPage,
    pane_data,
    viewer_data,
    wait_until,
)

DIGITS: list[dict[str, Any]] = [
    {"id": 0, "label": 7, "box": [300, 500, 2072, 2072], "ink": [500, 700, 1500, 1700]},
    {"id": 1, "label": 4, "box": [2800, 900, 84, 84], "ink": [2812, 915, 60, 58]},
    {"id": 2, "label": 3, "box": [3300, 3300, 14, 14], "ink": [3302, 3302, 10, 10]},
]
for digit in DIGITS:
    digit["side"] = digit["box"][2]

SHAPES = [
    {"kind": "circle", "x": 1000, "y": 3000, "r": 700},
    {"kind": "triangle", "points": [[2500, 200], [3800, 500], [2900, 1800]]},
]


def sample(**more: Any) -> dict[str, Any]:
    """Return the data of a sample whose answer is known."""
    return viewer_data(pane_data("noise"), digits=DIGITS, shapes=SHAPES, label=14, **more)


def focused(viewer: ViewerPage) -> str:
    """Return the class of what has the focus."""
    return str(viewer.page.evaluate("document.activeElement.className"))


@pytest.mark.parametrize("key", ["r", "R", "j", "k"])
def test_keys_never_turn_or_mirror_the_picture(open_viewer: OpenViewer, key: str) -> None:
    """Keys that turn or change the picture in OpenSeadragon do nothing; a turned 6 is a 9."""
    viewer = open_viewer(viewer_data(pane_data("noise")), query={"view": "2000,2000,1"})
    viewer.wait_for_view(zoom=1)
    wait_until(lambda: viewer.shot().std() > 70, "The image is not on screen.")
    before = viewer.shot()
    viewer.press(key)
    viewer.page.wait_for_timeout(800)
    assert np.array_equal(viewer.shot(), before)


def test_f_is_full_screen_and_does_not_mirror(open_viewer: OpenViewer) -> None:
    """F fills the screen and, pressed again, gives the same picture back."""
    viewer = open_viewer(viewer_data(pane_data("noise")), query={"view": "2000,2000,1"})
    viewer.wait_for_view(zoom=1)
    wait_until(lambda: viewer.shot().std() > 70, "The image is not on screen.")
    before = viewer.shot()
    viewer.press("f")
    wait_until(
        lambda: viewer.page.evaluate("document.fullscreenElement !== null"), "It is not full."
    )
    viewer.press("f")
    wait_until(
        lambda: viewer.page.evaluate("document.fullscreenElement === null"), "It is still full."
    )

    def is_back() -> bool:
        try:
            return np.array_equal(viewer.shot(), before)
        except AssertionError:  # the browser's own note on full screen is still fading
            return False

    wait_until(is_back, "The picture has changed.")


def test_keys_move_and_zoom(open_viewer: OpenViewer) -> None:
    """Arrows and WASD move, with Shift further; plus and minus climb powers of two."""
    viewer = open_viewer(viewer_data(pane_data("noise")), query={"view": "2000,2000,1"})
    viewer.wait_for_view(zoom=1)
    width, height = viewer.box()["width"], viewer.box()["height"]
    x, y = viewer.view()["x"], viewer.view()["y"]
    moves = [
        ("ArrowRight", (width / 8, 0)),
        ("a", (-width / 8, 0)),
        ("ArrowDown", (0, height / 8)),
        ("w", (0, -height / 8)),
        ("Shift+ArrowRight", (0.6 * width, 0)),
        ("Shift+A", (-0.6 * width, 0)),
    ]
    for key, (right, down) in moves:
        x, y = x + right, y + down
        viewer.press(key)
        viewer.wait_for_view(near=(x, y), zoom=1)
    for key, zoom in (("+", 2), ("+", 4), ("-", 2), ("-", 1), ("-", 0.5)):
        viewer.press(key)
        viewer.wait_for_view(zoom=zoom)


def test_keyboard_alone_finds_every_digit(open_viewer: OpenViewer) -> None:
    """Tab and Enter reveal the answer and fly to each digit; the flight is said aloud."""
    viewer = open_viewer(sample())
    page = viewer.page
    page.get_by_role("switch", name="Show the answer").focus()
    page.keyboard.press("Space")
    for _ in ("Outline the shapes", "Smallest first"):
        page.keyboard.press("Tab")
    for digit in DIGITS:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        x, y, width, height = digit["box"]
        viewer.wait_for_view(near=(x + width / 2, y + height / 2))
        zoom = viewer.view()["zoom"]
        assert 40 < width * zoom < viewer.box()["height"], "The digit is not well in view."
        said = f"Digit {digit['label']}, {digit['side']:,} px"
        page.get_by_role("status").get_by_text(said, exact=True).wait_for(state="attached")


def test_answer_is_hidden_until_it_is_asked_for(open_viewer: OpenViewer) -> None:
    """Neither sum nor digits nor boxes are in the page before; afterwards all are."""
    viewer = open_viewer(sample())
    page = viewer.page
    assert page.locator("[data-digit]").count() == 0
    assert "14" not in str(page.locator("#answers").text_content())
    page.get_by_role("switch", name="Show the answer").click()
    assert page.locator(".layer [data-digit]").count() == len(DIGITS)
    answers = page.locator("#answers").inner_text().split()
    assert {"14", "7", "4", "3", "2072", "84"} <= set(answers)
    page.get_by_role("switch", name="Outline the shapes").click()
    assert page.locator(".shapes .line").count() == len(SHAPES)
    assert page.evaluate("shown.at(-1)") == {"answer": True, "shapes": True}


def test_image_without_an_answer_says_so(open_viewer: OpenViewer) -> None:
    """Where nobody knows the sum there is no switch to reveal it."""
    viewer = open_viewer(viewer_data(pane_data("noise")))
    assert viewer.page.locator("#answers").inner_text() == "No answer is known for this image."


def test_sample_keys_work_anywhere_but_in_text(open_viewer: OpenViewer) -> None:
    """N, P, X and O act while nothing has the focus, and never while someone types."""
    viewer = open_viewer(sample())
    for key in ("n", "p", "x", "o"):
        viewer.page.keyboard.press(key)
    assert viewer.page.evaluate("asked") == ["next", "previous", "random"]
    assert viewer.page.evaluate("shown") == [{"answer": True, "shapes": False}]
    viewer.page.get_by_label("Elsewhere").fill("")
    viewer.page.keyboard.type("nopx1")
    assert viewer.page.evaluate("[asked.length, shown.length]") == [3, 1]
    assert viewer.page.get_by_label("Elsewhere").input_value() == "nopx1"
    for name in ("Next sample", "Previous sample", "Random sample"):
        viewer.page.get_by_role("button", name=name).click()
    assert viewer.page.evaluate("asked.slice(3)") == ["next", "previous", "random"]


def test_help_opens_by_key_and_gives_the_focus_back(open_viewer: OpenViewer) -> None:
    """The list of keys is a dialog that Escape closes; the focus returns to the picture."""
    viewer = open_viewer(sample())
    viewer.press("?")
    dialog = viewer.page.get_by_role("dialog", name="Keys")
    dialog.wait_for()
    before = viewer.view()
    viewer.page.keyboard.press("1")
    viewer.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert focused(viewer) == "openseadragon-canvas"
    viewer.page.wait_for_timeout(500)
    assert viewer.view() == before


def test_every_button_has_a_name_and_shows_its_focus(open_viewer: OpenViewer) -> None:
    """Tab reaches each button of the toolbar; each has a name and a ring around it."""
    viewer = open_viewer(sample())
    buttons = viewer.page.locator(".toolbar button:visible")
    names = []
    for index in range(buttons.count()):
        viewer.page.keyboard.press("Tab")
        assert buttons.nth(index).evaluate("(button) => button === document.activeElement")
        assert buttons.nth(index).evaluate("(b) => getComputedStyle(b).outlineStyle") == "solid"
        names.append(buttons.nth(index).get_attribute("aria-label"))
    assert names == [
        *["Previous sample", "Random sample", "Next sample", "Zoom out", "Zoom in"],
        *["Whole image", "One to one", "Measure", "Save what is seen"],
        *["Copy link", "Full screen", "Keys"],
    ]
    viewer.page.keyboard.press("Tab")
    assert focused(viewer) == "openseadragon-canvas"
    assert viewer.canvas.evaluate("(c) => getComputedStyle(c).outlineStyle") == "solid"


def test_link_of_the_view_is_copied_and_said(open_viewer: OpenViewer) -> None:
    """What is in the clipboard is the address, with the view in it."""
    viewer = open_viewer(sample(), permissions=["clipboard-read", "clipboard-write"])
    viewer.press("4")
    viewer.wait_for_view(zoom=4)
    wait_until(lambda: "view=" in viewer.address, "The address does not hold the view.")
    viewer.page.get_by_role("button", name="Copy link").click()
    expect(viewer.page.get_by_role("button", name="Copied")).to_be_visible()
    assert viewer.page.evaluate("navigator.clipboard.readText()") == viewer.address
    expect(viewer.page.get_by_role("button", name="Copy link")).to_be_visible()
    bare = open_viewer(sample() | {"link": None})
    assert bare.page.get_by_role("button", name="Copy link").count() == 0


@pytest.mark.parametrize("panes", [1, 2])
def test_phone_has_room_and_targets(open_viewer: OpenViewer, panes: int) -> None:
    """At 390 px nothing is cut off, fingers hit every button, the viewer has half the height."""
    shown = [pane_data("noise"), pane_data("model-256", 256)][:panes]
    viewer = open_viewer(
        viewer_data(*shown, digits=DIGITS, shapes=SHAPES, label=14),
        size=PHONE,
        query={"show": "answer"},
        has_touch=True,
        is_mobile=True,
    )
    page = viewer.page
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    root = viewer.root.bounding_box()
    assert root is not None
    assert root["height"] >= 0.55 * PHONE[1]
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40, button.get_attribute("aria-label")
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= root["x"] + root["width"]
    font_px = page.locator(".digit-text").first.evaluate("(t) => getComputedStyle(t).fontSize")
    assert float(font_px.removesuffix("px")) >= 12


def test_labels_of_small_digits_keep_apart(open_viewer: OpenViewer) -> None:
    """A 14-px digit in the whole image has a ring, and no label covers another."""
    close = [
        {"id": i, "label": i, "box": [1000 + 40 * i, 1000, 14, 14], "ink": [0, 0, 1, 1], "side": 14}
        for i in range(5)
    ]
    viewer = open_viewer(
        viewer_data(pane_data("noise"), digits=close, label=10),
        size=PHONE,
        query={"show": "answer"},
    )
    rings = viewer.page.locator(".ring.line:visible")
    assert rings.count() == len(close)
    plates = [plate.bounding_box() for plate in viewer.page.locator(".plate").all()]
    for index, one in enumerate(plates):
        for other in plates[index + 1 :]:
            assert one is not None
            assert other is not None
            apart = (
                one["x"] + one["width"] <= other["x"] + 2
                or other["x"] + other["width"] <= one["x"] + 2
                or one["y"] + one["height"] <= other["y"] + 2
                or other["y"] + other["height"] <= one["y"] + 2
            )
            assert apart, "Two labels cover each other."


def test_touch_reads_the_tapped_pixel(open_viewer: OpenViewer, noise: Any) -> None:
    """A tap reads the pixel under it; before, the readout tells of the middle."""
    viewer = open_viewer(
        viewer_data(pane_data("noise")), size=PHONE, has_touch=True, is_mobile=True
    )
    assert (viewer.readout("x"), viewer.readout("y")) == (str(SIDE_PX // 2), str(SIDE_PX // 2))
    box, view = viewer.box(), viewer.view()
    viewer.page.touchscreen.tap(box["x"] + box["width"] / 2 + 51, box["y"] + box["height"] / 2 - 33)
    x, y = int(view["x"] + 51 / view["zoom"]), int(view["y"] - 33 / view["zoom"])
    viewer.wait_for_readout(str(x), str(y), str(noise[y, x]))


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_reduced_motion_goes_there_at_once(open_viewer: OpenViewer, motion: str) -> None:
    """With reduced motion a zoom is one step; without, it is many."""
    viewer = open_viewer(viewer_data(pane_data("noise")), reduced_motion=motion)
    viewer.page.evaluate(
        """() => {
             window.zooms = new Set();
             const zoom = document.querySelector("[data-readout=zoom]");
             new MutationObserver(() => zooms.add(zoom.textContent))
               .observe(zoom, { childList: true, characterData: true, subtree: true });
           }"""
    )
    viewer.press("4")
    viewer.wait_for_view(zoom=4)
    steps = viewer.page.evaluate("[...zooms]")
    assert steps[-1] == "4:1"
    assert (len(steps) == 1) == (motion == "reduce")


def test_wheel_and_double_click_zoom_where_they_are(open_viewer: OpenViewer) -> None:
    """The point under the pointer stays under it."""
    viewer = open_viewer(viewer_data(pane_data("noise")), query={"view": "2000,2000,1"})
    viewer.wait_for_view(zoom=1)
    box = viewer.box()
    viewer.page.mouse.move(box["x"] + 200, box["y"] + 150)
    before = (viewer.readout("x"), viewer.readout("y"))
    viewer.page.mouse.wheel(0, -300)
    wait_until(lambda: viewer.view()["zoom"] > 1.01, "The wheel did not zoom.")
    after = (int(viewer.readout("x")), int(viewer.readout("y")))
    assert np.abs(np.subtract(after, [int(figure) for figure in before])).max() <= 1
