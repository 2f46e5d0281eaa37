"""Every screen of an annotator, in every window, on a way that is gone by the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

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
