"""Every screen of an annotator, in every window, on a way that is gone by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import box_page
from tests.browser.everywhere import check_everywhere, check_focus, press
from tests.browser.label_page import Annotator, LabelLab, label_lab
from tests.browser.test_label_asking import ASKING
from tests.browser.test_label_recruiting import come
from umnist_core.labeling.asking import Asking
from umnist_core.labeling.recruiting import Recruiting

RECRUITING: dict[str, Any] = {
    "site": "prolific",
    "redirects": {"complete": "https://app.prolific.com/submissions/complete?cc={code}"},
    "codes": {"complete": "C1DONE", "screened_out": "S0RRY"},
    "smallest_side_px": 390,
}


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelLab]:
    """Serve one study that recruits and asks everything, for all tests here."""
    with label_lab(
        browser,
        tmp_path_factory.mktemp("everywhere"),
        pools=("guided",),
        stimuli=2,
        images_per_annotator=2,
        labels_per_image=5,
        asking=Asking.from_dict(
            {**ASKING, "break_seconds": 0, "require_digits": False, "require_confidence": False}
        ),
        ask_digits=True,
        ask_confidence=True,
        recruiting=Recruiting.from_dict(RECRUITING),
    ) as made:
        yield made


def reach(person: Annotator, screen: str) -> None:
    """Wait for a screen, which takes the focus, and look at it in every window."""
    person.wait_for_screen(screen)
    check_focus(person.page, screen)
    check_everywhere(person.page, f"label-{screen}")


def answer(person: Annotator, number: int) -> None:
    """Type an answer."""
    person.wait_for_image(number)
    person.answer(9)


def answer_page(person: Annotator) -> None:
    """Answer each kind of question by its own keys."""
    page = person.page
    press(page, "left", "Space")
    press(page, "touch", "Space")
    press(page, "How old", "4")
    page.keyboard.press("1")
    press(page, "1, not", "ArrowRight")
    press(page, "Send and go on")


def come_to_practice(person: Annotator) -> None:
    """Agree, answer the questions, fail at the gate once and pass it."""
    page = person.page
    press(page, "Take part")
    reach(person, "consent")
    press(page, "I agree")
    reach(person, "questions")
    press(page, "Send and go on")
    page.locator(".faulty").first.wait_for()
    check_everywhere(page, "label-questions-missing")
    answer_page(person)
    reach(person, "instructions")
    press(page, "Go on to the questions")
    reach(person, "gate")
    press(page, "the sum", "ArrowDown")
    press(page, "yes", "ArrowDown")
    press(page, "Check my answers")
    person.wait_for_screen("instructions")
    check_everywhere(page, "label-instructions-again")
    press(page, "Go on to the questions")
    person.wait_for_screen("gate")
    press(page, "the sum", "Space")
    press(page, "yes", "ArrowDown")
    press(page, "Check my answers")


def practise_and_pause(person: Annotator) -> None:
    """See practice, what it tells, a trial and the pause."""
    page = person.page
    person.wait_for_drawing()
    check_everywhere(page, "label-practice")
    person.answer(9)
    page.locator(".feedback h2").wait_for()
    check_everywhere(page, "label-feedback")
    press(page, "Next")
    person.wait_for_image(1)
    check_everywhere(page, "label-trial")
    page.keyboard.press("p")
    page.locator("dialog[open]").wait_for()
    check_everywhere(page, "label-pause")
    press(page, "Go on")


def leave(person: Annotator) -> None:
    """Have everything deleted, after the end."""
    page = person.page
    press(page, "Withdraw or delete")
    page.locator("dialog[open]").wait_for()
    check_everywhere(page, "label-withdraw")
    press(page, "Delete everything I gave")
    page.get_by_role("button", name="Delete for good").wait_for()
    check_everywhere(page, "label-delete")
    press(page, "Delete for good")
    reach(person, "deleted")


def test_way_by_keyboard_alone_with_every_screen_in_every_window(lab: LabelLab) -> None:
    """From the link to what was deleted: each screen pleases axe, and each step is a key."""
    person = lab.person("guided")
    page = person.page
    come(person, "pid-everywhere")
    check_everywhere(page, "label-join")
    come_to_practice(person)
    practise_and_pause(person)
    answer(person, 1)
    reach(person, "break")
    lab.service.amend_consent(lab.study, {"retention": "five years"})
    page.reload()
    person.wait_for_screen("consent")
    check_everywhere(page, "label-consent-amended")
    press(page, "I agree")
    person.wait_for_screen("break")
    press(page, "Go on")
    answer(person, 2)
    person.wait_for_screen("questions")
    press(page, "Send and go on")
    reach(person, "done")
    leave(person)
    assert lab.service.state(lab.study).erased == 1


def test_device_that_does_not_fit_and_link_without_id_in_every_window(lab: LabelLab) -> None:
    """Both are told kindly, and the keyboard leads on."""
    person = lab.person("guided", size=(360, 640))
    page = person.page
    come(person, "pid-small")
    press(page, "Take part")
    reach(person, "device")
    press(page, "Look again", "Space")
    person.wait_for_screen("device")
    press(page, "I have no such device")
    person.wait_for_screen("done")
    assert "S0RRY" in page.inner_text("main")
    check_everywhere(page, "label-screened-out")
    other = lab.person("guided")
    come(other, "{{%PROLIFIC_PID%}}")
    press(other.page, "Take part")
    other.wait_for_screen("no-id")
    check_everywhere(other.page, "label-no-id")


def test_waiting_pausing_and_other_ends_in_every_window(
    open_study: Callable[..., LabelLab],
) -> None:
    """An image that others have, a study that rests, another tab, no image left, an early end."""
    little = {"stimuli": 2, "images_per_annotator": 2, "labels_per_image": 1, "practice": 0}
    lab = open_study(**little, pools=("unguided",))
    first, second = lab.person(), lab.person()
    for person, screen in ((first, "trial"), (second, "held")):
        person.page.goto(f"{lab.url}/join/{person.token}")
        press(person.page, "Take part")
        person.wait_for_screen("consent")
        press(person.page, "I agree")
        person.wait_for_screen("instructions")
        press(person.page, "Begin")
        person.wait_for_screen(screen)
    reach(second, "held")
    first.wait_for_image(1)
    lab.service.pause(lab.study)
    answer(first, 1)
    reach(first, "paused")
    lab.service.resume(lab.study)
    first.wait_for_image(2)
    tab = first.new_tab()
    tab.goto(first.page.url)
    tab.get_by_text("open in another tab").wait_for()
    check_everywhere(tab, "label-other-tab")
    tab.close()
    answer(first, 2)
    first.wait_for_screen("done")
    reach(second, "done")
    assert "No image is left for you" in second.page.inner_text("main")


def test_study_that_closes_ends_a_way_early_in_every_window(
    open_study: Callable[..., LabelLab],
) -> None:
    """Who is at an image is told at its answer."""
    lab = open_study(practice=0)
    person = lab.person()
    person.come_to_trials()
    answer(person, 1)
    person.wait_for_image(2)
    lab.service.close(lab.study)
    person.page.reload()
    reach(person, "done")
    assert "Your part has ended" in person.page.inner_text("main")


def test_boxes_in_every_window(browser: Browser, tmp_path: Path) -> None:
    """Practice without a digit, and an image with a box that has no label yet, by keys."""
    with box_page.box_lab(browser, tmp_path) as lab:
        person = lab.person("guided")
        person.open_link()
        person.press_button("I agree and take part")
        person.press_button(re.compile("^Begin"))
        person.wait_for_drawing()
        check_everywhere(person.page, "label-boxes-practice")
        person.press_button("None to be seen")
        person.press_button("Submit")
        person.press_button("Next")
        person.wait_for_image(1)
        person.page.keyboard.press("i")
        assert len(box_page.rows(person)) == 1
        check_everywhere(person.page, "label-boxes")
