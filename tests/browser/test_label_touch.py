"""A phone of 390 px: the whole way by finger in both pools, the pinch, and nothing covered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import CDPSession

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.label_page import ASK_ALL, POOLS, TOUCH, Annotator, LabelLab
from tests.labeling.making import SMALL

OpenStudy = Callable[..., LabelLab]

NEAR_PX = 2
"""How far the image may move below two fingers, CSS px; a view that comes to rest is moved by
less than a screen pixel, so that pixels are crisp."""

OVERLAP = """([one, other]) => {
  const [a, b] = [one, other].map((name) => document.querySelector(name).getBoundingClientRect());
  return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0;
}"""


@pytest.mark.parametrize("pool", POOLS)
def test_phone_with_touch_is_enough(open_study: OpenStudy, pool: str) -> None:
    """Everything can be reached with a finger, nothing goes by one tap, and the image has focus."""
    lab = open_study(overrides=SMALL, images_per_annotator=2, **ASK_ALL)
    person = lab.person(pool, **TOUCH)
    page = person.page
    page.goto(f"{lab.url}/join/{person.token}")
    for name in ("Take part", "I agree and take part", "Begin with practice"):
        person.button(name).tap()
    person.wait_for_drawing()
    person.button("9").tap()
    person.button("Submit").tap()
    person.button("Next").tap()
    for number in (1, 2):
        person.wait_for_image(number)
        assert has_focus(person)
        assert page.locator(".form").get_attribute("data-open") == "sum"
        person.button("27").tap()
        person.button("12").tap()
        assert lab.given() == [12] * (number - 1), "A tap chooses and does not submit."
        person.button("Digits seen").tap()
        for digit in "39":
            person.button(f"Add {digit}").tap()
        assert page.locator(".form .seen").inner_text() == "3, 9"
        person.button("How sure").tap()
        page.get_by_role("radio", name="75 %").tap(force=True)
        for name, close in (("Pause", "Go on"), ("Hints", "Close")):
            if (name, pool) == ("Hints", "unguided"):
                continue
            person.button(name).tap()
            person.button(close).tap()
            page.wait_for_selector("dialog", state="detached")
            assert has_focus(person)
        person.button("Submit").tap()
    person.wait_for_screen("done")
    assert lab.given() == [12, 12]
    assert {body["confidence"] for body in lab.trouble.answers()} == {75}
    assert {tuple(body["digits"]) for body in lab.trouble.answers()} == {(3, 9)}
    assert lab.trouble.answers()[0]["response"]["device"]["touch"] is True


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_buttons_cover_none_of_the_image(open_study: OpenStudy, size: tuple[int, int]) -> None:
    """Neither whole nor zoomed in; and the whole image fits into what is left."""
    lab = open_study(practice=0, overrides=SMALL)
    person = lab.person("guided", size=size)
    person.come_to_trials()
    assert not person.page.evaluate(OVERLAP, [".work .toolbar", ".work .pane"])
    box = person.page.locator(".work .pane").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= min(size[0], 600)


@pytest.mark.parametrize("steps", [1, 5])
def test_pinch_keeps_the_point_between_the_fingers(open_study: OpenStudy, steps: int) -> None:
    """To 2.5 times and back to 1.5, anywhere in the image, as the trace itself has it."""
    lab = open_study(practice=0)
    person = lab.person(**TOUCH)
    person.come_to_trials()
    touch = person.context.new_cdp_session(person.page)
    box = person.page.locator(".pane").bounding_box()
    assert box is not None
    for number, (right, down) in enumerate(((0.5, 0.5), (0.3, 0.3), (0.75, 0.65)), 1):
        person.wait_for_image(number)
        place = (box["x"] + right * box["width"], box["y"] + down * box["height"])
        for apart in (np.linspace(30, 75, steps + 1), np.linspace(75, 45, steps + 1)):
            pinch(touch, place, [float(px) for px in apart])
            person.page.wait_for_timeout(1000)
        person.answer(number)
        wait_until(
            lambda: len(lab.trouble.answers()) == number,  # noqa: B023 (it is waited for)
            "The answer was not sent.",
            person.page,
        )
        (part,) = lab.trouble.answers()[-1]["response"]["parts"]
        first, last = part["samples"][0], part["samples"][-1]
        highest = max(sample["zoom"] for sample in part["samples"])
        assert highest / first["zoom"] == pytest.approx(2.5, rel=0.01)
        assert last["zoom"] / first["zoom"] == pytest.approx(1.5, rel=0.01)
        at = (right * box["width"], down * box["height"])
        for now in (next(one for one in part["samples"] if one["zoom"] == highest), last):
            moved = np.subtract(point_below(now, at), point_below(first, at)) * now["zoom"]
            assert np.abs(moved).max() <= NEAR_PX, f"At {right}, {down} of the image: {moved} px."


def test_sheet_of_all_digits_opens_where_digits_are_digits(open_study: OpenStudy) -> None:
    """Black ground and white strokes, a column for each digit, and not a grey mean of both."""
    lab = open_study(practice=0, overrides=SMALL)
    person = lab.person("guided", **TOUCH)
    person.come_to_trials()
    person.button("Hints").tap()
    person.page.wait_for_selector("dialog .umnist-viewer.ready")
    pane = person.page.locator("dialog .pane")
    assert not person.page.evaluate(OVERLAP, ["dialog .toolbar", "dialog .pane"])

    def black() -> float:
        box = pane.bounding_box()
        assert box is not None
        clip = {"x": box["x"] + 40, "y": box["y"] + 40, "width": 200, "height": 60}
        png = person.page.screenshot(clip=clip)  # type: ignore[arg-type]
        grey = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        return float((grey < 20).mean())

    pane.scroll_into_view_if_needed()
    wait_until(lambda: black() > 0.5, "The sheet is grey.", person.page)


def pinch(touch: CDPSession, place: tuple[float, float], apart: Sequence[float]) -> None:
    """Put two fingers around a place and move them, one distance after the other, half px."""

    def send(kind: str, half: float | None) -> None:
        x, y = place
        sides = () if half is None else (-half, half)
        points = [{"x": x + side, "y": y, "id": one} for one, side in enumerate(sides)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", apart[0])
    for half in apart[1:]:
        send("touchMove", half)
    send("touchEnd", None)


def point_below(sample: dict[str, Any], at: tuple[float, float]) -> tuple[float, float]:
    """Return the point of the image at a point of the pane, by a sample of the trace."""
    return (
        sample["x"] + (at[0] - sample["w"] / 2) / sample["zoom"],
        sample["y"] + (at[1] - sample["h"] / 2) / sample["zoom"],
    )


def has_focus(person: Annotator) -> bool:
    """Return whether the focus is on the image."""
    focus = "document.activeElement.closest('.openseadragon-canvas') !== null"
    return bool(person.page.evaluate(focus))
