"""What a person reads while they wait and when their part is over; stopping by oneself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import DESK, PHONE
from tests.browser.label_page import Annotator, LabelLab
from tests.repeated import repeated
from umnist_core.labeling.people import CHANGES_MAX

OpenStudy = Callable[..., LabelLab]

LITTLE = {
    "stimuli": 2,
    "images_per_annotator": 2,
    "labels_per_image": 1,
    "pools": ("unguided",),
    "practice": 0,
}


def text(person: Annotator) -> str:
    """Return what is written on the screen."""
    return person.page.locator("main").inner_text()


@pytest.mark.parametrize(("size", "theme"), repeated([(PHONE, "light"), (DESK, "dark")], 1))
def test_page_that_waits_says_for_what_and_looks_again_by_itself(
    open_study: OpenStudy, size: tuple[int, int], theme: str
) -> None:
    """Two images, both with somebody else; nothing is said to be saved, and no code is given."""
    lab = open_study(**LITTLE)
    first, third = lab.person(), lab.person(size=size, color_scheme=theme)
    first.come_to_trials()
    third.open_link()
    third.press_button("I agree and take part")
    third.press_button("Begin")
    third.wait_for_screen("held")
    said = text(third)
    assert "2 answers missing, 2 with people looking at it now" in said
    assert "You have not answered an image yet." in said
    assert "saved" not in said
    first.answer(3)
    first.wait_for_image(2)
    third.page.locator("main", has_text="1 answer missing").wait_for()
    first.answer(4)
    first.wait_for_screen("done")
    assert "You have answered every image." in text(first)
    assert "2 answers of yours are saved." in text(first)
    third.wait_for_screen("done")
    said = text(third)
    assert "Every image has all the answers that it needs, or one of yours." in said
    assert "You answered no image, so there is no completion code." in said
    assert third.page.locator(".code").count() == 0


def test_stopping_is_asked_about_and_for_good(open_study: OpenStudy) -> None:
    """From the pause, by keyboard; what was given stays, with its code."""
    lab = open_study(practice=0)
    person = lab.person(size=PHONE)
    person.come_to_trials()
    person.answer(3)
    person.wait_for_image(2)
    person.type("p")
    person.press_button("Stop taking part")
    person.press_button("Go on")
    person.wait_for_image(2)
    person.type("p")
    person.press_button("Stop taking part")
    person.press_button("Stop for good")
    person.wait_for_screen("done")
    said = text(person)
    assert "You have stopped taking part" in said
    assert "1 answer of yours is saved." in said
    assert "You can have what you gave deleted" in said
    row = lab.service.annotators(lab.study)[0]
    assert row.outcome == "withdrawn"
    assert person.page.locator(".code code").inner_text() == row.code


def test_last_change_is_said_before_and_then_the_answer_stays(open_study: OpenStudy) -> None:
    """The button says that it is the last time, and is gone after it."""
    lab = open_study(practice=0, allow_change=True)
    person = lab.person()
    person.come_to_trials()
    person.answer(1)
    person.wait_for_image(2)
    for number in range(CHANGES_MAX):
        is_last = number == CHANGES_MAX - 1
        once_more = " (one last time)" if is_last else ""
        person.press_button(f"Change my last answer{once_more}")
        person.wait_for_image(1)
        person.page.keyboard.press("Backspace")
        person.answer(2 + number)
        person.wait_for_image(2)
    assert person.page.get_by_role("button", name="Change my last answer").count() == 0
    assert lab.given() == [1, *range(2, 2 + CHANGES_MAX)]
