"""Every key between trials: after practice, at a change, asked whether to stop, and waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.browser.conftest import wait_until
from tests.browser.label_page import ASK_ALL, POOLS, Annotator, LabelLab
from tests.browser.test_label_keys import (
    DIALOGS,
    KEYS,
    NONE,
    Entered,
    after,
    check_dialog,
    expect_seen,
    press,
    seen,
)
from tests.labeling.making import SMALL

OpenStudy = Callable[..., LabelLab]

STOP = "Stop taking part"


def posted(lab: LabelLab, name: str = "") -> list[str]:
    """Return where something was posted to, but for the news that a page is open."""
    return [path for path, _ in lab.trouble.posts if path.endswith(name) and "alive" not in path]


def expect_focus(person: Annotator, wanted: str, told: str) -> None:
    """Wait until no dialog is open and the focus is there, as `SEEN` says it."""

    def there() -> bool:
        now = seen(person)
        return now["dialog"] == "" and str(now["focus"]).startswith(wanted)

    wait_until(there, f"{told}: the focus is not on {wanted}: {seen(person)}", person.page)


@pytest.mark.parametrize("pool", POOLS)
def test_every_key_after_practice_enters_and_sends_nothing(
    open_study: OpenStudy, pool: str
) -> None:
    """On the image and on a button alike; Enter alone goes on, and once."""
    lab = open_study(practice=3, overrides=SMALL, **ASK_ALL)
    person = lab.person(pool)
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin with practice")
    button = person.page.locator(".feedback button").first
    for number, focus in enumerate(("image", "<button", "image"), 1):
        answer_wrong(person, number)
        before = (person.page.locator(".feedback").inner_text(), posted(lab))
        for key in KEYS[:-1]:
            if focus != "image":
                button.focus()
            person.page.keyboard.press(key)
            told = f"{key} at feedback on {focus}"
            is_dialog = key == "?" or (key == "h" and pool == "guided")
            if is_dialog:
                wait_until(lambda: seen(person)["dialog"] != "", f"{told}: no dialog", person.page)
                press(person, "5", "c", "d", "p", "Backspace", "ArrowRight", "Escape")
            expect_focus(person, "image" if is_dialog else focus, told)
            assert (person.page.locator(".feedback").inner_text(), posted(lab)) == before, told
        if focus != "image":
            press_feedback_button(person, number)
        press(person, "Enter", "Enter")
    person.wait_for_image(1)
    expect_seen(person, Entered(), "The first image after practice")
    assert lab.trouble.answers() == []
    assert len(posted(lab, "/practice")) == (4 if pool == "unguided" else 3)


def answer_wrong(person: Annotator, number: int) -> None:
    """Answer a practice image, and wait for what is told."""
    person.page.locator(".count", has_text=f"Practice {number} of 3").wait_for()
    person.wait_for_drawing()
    assert seen(person)["sum"] == NONE
    label = person.lab.service.state(person.lab.study).practice[number - 1].label
    person.answer((label + 1) % 28)
    person.page.locator(".feedback h2").wait_for()


def press_feedback_button(person: Annotator, number: int) -> None:
    """Press "Try again" or a digit by Enter, which is no Enter that goes on."""
    person.page.locator(".feedback button").first.focus()
    person.page.keyboard.press("Enter")
    if person.button("Submit").is_visible():
        expect_focus(person, "image", "Try again")
        answer_wrong(person, number)
    else:
        expect_focus(person, "<button", "A digit that was told")
        person.page.locator(".umnist-viewer .openseadragon-canvas").focus()


def test_every_key_at_a_change_is_of_that_answer_alone(open_study: OpenStudy) -> None:
    """What is left as it was is what was sent, and the image in between keeps what it had."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person("guided")
    person.come_to_trials()
    press(person, "1", "d", "3", "c", "ArrowRight", "Enter")
    person.wait_for_image(2)
    press(person, "7", "d", "4", "Escape")
    sent, begun = Entered("1", "3", "25"), Entered("7", "4")
    expect_seen(person, begun, "The second image")
    for key in KEYS:
        person.press_button("Change my last answer")
        person.wait_for_image(1)
        told = f"{key} at a change"
        expect_seen(person, sent, f"Before {told}")
        person.page.keyboard.press(key)
        if key in DIALOGS:
            check_dialog(person, sent, DIALOGS[key], told)
        elif key != "Enter":
            changed = replace(sent, sum=key) if key in "05" else after(sent, key)
            assert changed is not None
            expect_seen(person, changed, told)
        if key != "Enter":
            assert len(lab.trouble.answers()) == 1, told
            person.press_button("Leave my answer as it was")
        person.wait_for_image(2)
        expect_seen(person, begun, f"The image in between after {told}")
    press(person, "Enter")
    person.wait_for_image(3)
    said = [(one["answer"], one["digits"], one["confidence"]) for one in lab.trouble.answers()]
    assert said == [(1, [3], 25), (1, [3], 25), (7, [4], None)]


def test_every_key_at_the_question_whether_to_stop_stops_nothing(open_study: OpenStudy) -> None:
    """Enter and Escape go on; the image is hidden as long as it is asked."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person()
    person.come_to_trials()
    press(person, "1", "d", "3", "Escape")
    entered = Entered("1", "3")
    before = posted(lab)
    for key in KEYS:
        told = f"{key} at the question"
        press(person, "p", f"[{STOP}]")
        expect_seen(person, entered, f"Before {told}", f"{STOP}?")
        assert person.page.locator(".stage-area.paused").count() == 1
        person.page.keyboard.press(key)
        if key not in ("Enter", "Escape"):
            expect_seen(person, entered, told, f"{STOP}?")
            person.page.keyboard.press("Enter")
        expect_seen(person, entered, f"After {told}")
        wait_until(
            lambda: person.page.locator(".stage-area.paused").count() == 0, told, person.page
        )
    assert posted(lab) == before


def test_every_key_on_the_page_that_waits_sends_nothing(open_study: OpenStudy) -> None:
    """But Enter on a button; and once an image is free it has the focus, and nothing entered."""
    few = {"stimuli": 2, "images_per_annotator": 2, "labels_per_image": 1, "pools": ("unguided",)}
    lab = open_study(practice=0, overrides=SMALL, **few, **ASK_ALL)
    first, person = lab.person(), lab.person()
    first.come_to_trials()
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin")
    person.wait_for_screen("held")
    before = posted(lab)
    for name, focus in ((None, "<h1"), ("Look now", "<button"), (STOP, "<button")):
        for key in KEYS:
            if name is not None:
                person.button(name).focus()
            person.page.keyboard.press(key)
            told = f"{key} on {name or 'the page'}"
            if (key, name) == ("Enter", STOP):
                wait_until(lambda: seen(person)["dialog"] == f"{STOP}?", told, person.page)
                press(person, *(one for one in KEYS if one not in ("Escape", "Enter")), "Enter")
            expect_focus(person, focus, told)
    assert person.screen == "held"
    assert posted(lab) == before
    person.page.keyboard.press("Enter")
    press(first, "p", f"[{STOP}]", "[Stop for good]")
    first.wait_for_screen("done")
    person.page.evaluate("dispatchEvent(new Event('online'))")  # it looks again at once
    person.wait_for_image(1)
    expect_seen(person, Entered(), "The image that became free")
    person.answer(5)
    person.wait_for_image(2)
    assert lab.given() == [5]
