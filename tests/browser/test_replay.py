"""Replays in a real browser: marks at the moments of a trace that is known, keyboard, link."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, wait_until
from tests.browser.study_app import PATIENCE_MS, StudyApp, fits, open_window, settle
from tests.browser.whole_page import find_violations
from tests.labeling.making import come_in, new_key, small_spec
from umnist_core.labeling import AnswerPost, StudyService
from umnist_core.labeling.freeze import create_study

expect.set_options(timeout=PATIENCE_MS)

FAR = {"x": 256.0, "y": 256.0, "zoom": 0.02, "w": 10.0, "h": 10.0, "visible": True}
"""The whole image, in which no digit is legible."""

FIRST_S, SECOND_S, END_S = 3, 6, 9


@dataclass(frozen=True)
class Known:
    """A closed study with one wrong answer whose trace is known, and a right one."""

    study: str
    wrong: str
    digits: list[dict[str, Any]]


def _close(digit: dict[str, Any]) -> dict[str, Any]:
    side = digit["side_px"]
    middle = {"x": digit["col"] + side / 2, "y": digit["row"] + side / 2}
    return {**middle, "zoom": 24 / side, "w": 25.0, "h": 25.0, "visible": True}


def _answer(service: StudyService, study: str) -> Known:
    """Answer one image wrong: its first digit misread, its last one read, the others skipped.

    Of equal digits nobody would know which was misread, so the image has none.
    """
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    for _ in range(20):
        me = come_in(service, study, "guided")
        trial = service.annotator_view(study, me).trial
        assert trial is not None
        stimulus = service.state(study).assignments[trial.key].stimulus
        digits = truth[stimulus]["digits"]
        if len({one["label"] for one in digits}) == len(digits):
            break
    else:
        raise AssertionError("No image has digits that differ.")
    views = [(0, FAR), (3, _close(digits[0])), (4, FAR), (6, _close(digits[-1])), (7, FAR)]
    part = {"samples": [{"t": 1000 * t, **view} for t, view in views], "end_ms": 1000 * END_S}
    response = {"response_ms": 9000, "active_ms": 9000, "idle_ms": 0, "hidden_ms": 0}
    named = [one["label"] for one in digits[1:]]
    wrong = (truth[stimulus]["label"] + 1) % 28
    body = {
        "key": new_key(),
        "assignment": trial.key,
        "answer": wrong,
        "digits": named,
        "response": {**response, "first_drawn_ms": 0, "device": {}, "parts": [part]},
    }
    service.answer(study, me, AnswerPost.from_dict(body))
    return Known(study, trial.key, digits)


@pytest.fixture(scope="module")
def known(lab: StudyApp) -> Known:
    """Return the study."""
    drawn = {"canvas": "512", "digits": "3..4", "factor": "1..1"}
    spec = small_spec(name="Replayed", practice=0, ask_digits=True, stimuli=20, overrides=drawn)
    found = _answer(lab.service, create_study(lab.service, spec, jobs=1))
    lab.service.close(found.study)
    return found


def open_replay(page: Page, lab: StudyApp, known: Known, more: str = "") -> None:
    """Open the link of the replay, and wait for its bar."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{lab.address}/results?study={known.study}&replay={known.wrong}{more}")
    page.wait_for_selector(".umnist-replay-bar .marks .mark")
    page.wait_for_selector(".umnist-viewer.ready")
    settle(page)


def clock(page: Page) -> str:
    """Return the moment that the bar shows."""
    return page.locator(".umnist-replay-bar .clock").inner_text().partition(" ")[0]


def marks(page: Page) -> list[str]:
    """Return what the marks over the image say of each digit, in their order."""
    found: list[str] = page.eval_on_selector_all(
        ".replay-mark", "all => all.map(one => one.getAttribute('class').split(' ')[1])"
    )
    return found


def test_moments_are_those_of_the_trace(page: Page, lab: StudyApp, known: Known) -> None:
    """Each digit becomes legible when it was; at the end it is misread, read or skipped."""
    open_replay(page, lab, known)
    others = len(known.digits) - 2
    listed = page.locator(".umnist-replay .moments button")
    expect(listed).to_have_count(len(known.digits) + 1)
    texts = listed.all_inner_texts()
    assert re.search(rf"0:03\.0 .*Digit {known.digits[0]['label']}.*misread", texts[0], re.DOTALL)
    assert "0:06.0" in texts[1]
    assert sum("never legible" in text and "0:09.0" in text for text in texts) == others
    assert "the sum is" in texts[-1]
    assert clock(page) == "0:00.0"  # nothing plays by itself
    assert set(marks(page)) == {"waiting"}
    slider = page.get_by_role("slider", name="Moment of the replay")
    slider.fill("2900")
    assert set(marks(page)) == {"waiting"}
    slider.fill("3000")
    assert marks(page) == ["seen", *["waiting"] * (others + 1)]
    slider.fill("9000")
    assert marks(page) == ["misread", *["skipped"] * others, "seen"]


def test_frame_lies_where_the_view_was(page: Page, lab: StudyApp, known: Known) -> None:
    """At the moment of the close look, the frame is around the digit that it was at."""
    open_replay(page, lab, known)
    page.get_by_role("slider", name="Moment of the replay").fill("3500")
    frame = page.locator(".replay-frame.line").bounding_box()
    ring = page.locator(".replay-mark .replay-ring.line").first.bounding_box()
    assert frame is not None
    assert ring is not None
    for side, size in (("x", "width"), ("y", "height")):
        middles = [box[side] + box[size] / 2 for box in (frame, ring)]  # type: ignore[literal-required]
        assert middles[0] == pytest.approx(middles[1], abs=2.5)
    assert page.locator(".replay-close").get_attribute("d")


def test_keyboard_alone_plays_steps_and_scrubs(page: Page, lab: StudyApp, known: Known) -> None:
    """Space plays and pauses at the slider, arrows move it, buttons go from moment to moment."""
    open_replay(page, lab, known)
    following = page.get_by_role("button", name="Next moment")
    following.focus()
    page.keyboard.press("Enter")
    assert clock(page) == "0:03.0"
    page.keyboard.press("Enter")
    assert clock(page) == "0:06.0"
    page.get_by_role("button", name="Previous moment").focus()
    page.keyboard.press("Space")
    assert clock(page) == "0:03.0"
    page.get_by_role("slider", name="Moment of the replay").focus()
    page.keyboard.press("ArrowRight")
    assert clock(page) == "0:03.1"
    page.keyboard.press("Space")
    wait_until(lambda: clock(page) > "0:03.1", "It does not play.")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    before = clock(page)
    page.wait_for_timeout(400)
    assert clock(page) == before


def test_row_opens_the_replay_and_the_link_names_the_moment(
    page: Page, lab: StudyApp, known: Known
) -> None:
    """One click in the table; the address then leads somebody else to the same moment."""
    lab.open(page, "results", known.study)
    page.get_by_role("radio", name="Replay", exact=True).click()
    page.locator(f".umnist-replay [data-answer='{known.wrong}']").click()
    page.wait_for_selector(".umnist-replay-bar .marks .mark")
    page.get_by_role("button", name="Next moment").click()
    wait_until(lambda: "at=3.0" in page.url, "The address does not name the moment.", page)
    assert f"replay={known.wrong}" in page.url
    other = page.context.new_page()
    other.set_default_timeout(PATIENCE_MS)
    other.goto(page.url)
    other.wait_for_selector(".umnist-replay-bar .marks .mark")
    wait_until(lambda: clock(other) == "0:03.0", "The link leads to another moment.")
    other.get_by_role("radio", name="Accuracy", exact=True).click()
    expect(other.locator(".umnist-replay-bar")).to_have_count(0)
    expect(other.locator(".replay-mark")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_replay_fits_a_phone_and_can_be_used_by_all(
    browser: Browser, lab: StudyApp, known: Known, theme: str
) -> None:
    """At 390 x 844 nothing is cut off, the image keeps its half, and axe finds nothing."""
    page = open_window(browser, PHONE, theme)
    open_replay(page, lab, known, "&at=3.5")
    assert fits(page)
    bar = page.locator(".umnist-replay-bar").bounding_box()
    assert bar is not None
    assert bar["width"] <= PHONE[0]
    assert find_violations(page) == []
    page.close()


def test_wrong_link_is_said(page: Page, lab: StudyApp, known: Known) -> None:
    """An answer that is not there gets a sentence, and the page is as it is without."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{lab.address}/results?study={known.study}&replay=nothing")
    expect(page.get_by_text("There is no answer 'nothing'")).to_be_visible()
