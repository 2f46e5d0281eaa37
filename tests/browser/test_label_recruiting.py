"""Recruiting in a real browser: ids of a link, devices that do not fit, the way back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.browser.conftest import DESK, PHONE
from tests.browser.label_page import TOUCH, Annotator, LabelLab
from tests.browser.test_label_way import check_axe
from umnist_core.labeling.recruiting import Recruiting

OpenStudy = Callable[..., LabelLab]

BACK = "https://app.prolific.com/submissions/complete"
PROLIFIC = Recruiting.from_dict(
    {
        "site": "prolific",
        "redirects": {"complete": f"{BACK}?cc={{code}}"},
        "codes": {"complete": "C1DONE", "screened_out": "S0RRY"},
        "countdown_s": 60,
        "smallest_side_px": 600,
    }
)
LITTLE = {
    "stimuli": 4,
    "images_per_annotator": 2,
    "pools": ("unguided",),
    "practice": 0,
    "recruiting": PROLIFIC,
}


def come(person: Annotator, pid: str) -> None:
    """Open the study's open link as Prolific gives it, with an id."""
    lab = person.lab
    shared = next((row for row in lab.service.invites(lab.study) if row.is_open), None)
    token = (shared or lab.service.open_link(lab.study)).token
    ids = {"PROLIFIC_PID": pid, "STUDY_ID": "st1", "SESSION_ID": "se1", "other": "thing"}
    person.page.goto(f"{lab.url}/join/{token}?{urlencode(ids)}")
    person.button("Take part").wait_for()
    assert person.page.url == f"{lab.url}/join/{token}", "No id stays in the address."


def test_id_is_a_person_in_any_browser_and_is_sent_back_to_where_it_came_from(
    open_study: OpenStudy,
) -> None:
    """Joined, reloaded, gone on with in another browser; told the code; sent on, or not."""
    lab = open_study(**LITTLE)
    first, second = lab.person(), lab.person(color_scheme="dark")
    come(first, "pid00001")
    first.page.reload()
    first.press_button("Take part")
    first.press_button("I agree and take part")
    first.press_button("Begin")
    first.wait_for_image(1)
    assert "pid00001" not in first.page.url
    first.answer(3)
    first.wait_for_image(2)
    come(second, "pid00001")
    second.press_button("Take part")
    second.wait_for_image(2)
    second.answer(4)
    second.wait_for_screen("done")
    check_axe(second, None)
    said = second.page.locator("main").inner_text()
    assert "C1DONE" in said
    assert "You are taken to Prolific in" in said
    second.press_button("Stay here")
    second.page.get_by_role("timer").wait_for(state="hidden")
    second.page.reload()
    second.button("Back to Prolific").wait_for()
    assert second.page.get_by_role("timer").count() == 0, "Nobody is sent away twice."
    assert len(lab.service.annotators(lab.study)) == 1
    assert dict(lab.service.ids(lab.study, lab.service.annotators(lab.study)[0].annotator)) == {
        **{"PROLIFIC_PID": "pid00001", "STUDY_ID": "st1", "SESSION_ID": "se1"}
    }
    first.page.clock.install()
    first.page.route(f"{BACK}**", lambda route: route.fulfill(body="Thank you", status=200))
    first.page.reload()
    first.wait_for_screen("done")
    first.page.get_by_role("timer").wait_for()
    first.page.clock.run_for(61_000)
    first.page.wait_for_url(f"{BACK}?cc=C1DONE")
    first.requests.remove(f"{BACK}?cc=C1DONE")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_phone_is_told_to_change_and_ends_only_by_choice(open_study: OpenStudy, theme: str) -> None:
    """Turned, it is told the same; on a desk the same id takes part; who ended does not."""
    lab = open_study(**LITTLE)
    phone = lab.person(**{**TOUCH, "color_scheme": theme})
    come(phone, "pid00002")
    phone.press_button("Take part")
    phone.wait_for_screen("device")
    assert "its shorter side has 390 px, and 600 are needed" in phone.page.inner_text("main")
    check_axe(phone, None)
    phone.page.set_viewport_size({"width": PHONE[1], "height": PHONE[0]})
    phone.press_button("Look again")
    phone.wait_for_screen("device")
    assert [row.outcome for row in lab.service.annotators(lab.study)] == [None]
    desk = lab.person(size=DESK)
    come(desk, "pid00002")
    desk.press_button("Take part")
    desk.wait_for_screen("consent")
    come(phone, "pid00003")
    phone.press_button("Take part")
    phone.press_button("I have no such device: end here")
    phone.wait_for_screen("done")
    assert "S0RRY" in phone.page.inner_text("main")
    come(desk, "pid00003")
    desk.press_button("Take part")
    desk.wait_for_screen("done")
    outcomes = [row.outcome for row in lab.service.annotators(lab.study)]
    assert outcomes == [None, "screened_out"]


def test_link_whose_placeholder_was_not_filled_says_so(open_study: OpenStudy) -> None:
    """In a sentence, and nobody has joined; the keyboard alone will do."""
    lab = open_study(**LITTLE)
    person = lab.person()
    come(person, "{{%PROLIFIC_PID%}}")
    person.page.keyboard.press("Tab")
    person.page.keyboard.press("Enter")
    person.wait_for_screen("no-id")
    said = person.page.inner_text("main")
    assert "its PROLIFIC_PID is a placeholder that was not filled in" in said
    check_axe(person, None)
    assert lab.service.annotators(lab.study) == []
