"""Questions, the gate, breaks, a consent that changes and leaving, as people meet them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from tests.browser.conftest import PHONE, wait_until
from tests.browser.label_page import TOUCH, Annotator, LabelLab, label_lab
from tests.labeling.making import new_key, post
from tests.labeling.test_asking import GATE, GIVEN, QUESTIONS
from umnist_core.labeling.asking import Asking

DEBRIEFING = "It was about checkerboards.\n\nThank you for looking so closely."

ASKING: dict[str, Any] = {
    "before": [
        {"title": "About you", "text": "This stays with your answers.", "questions": QUESTIONS},
    ],
    "after": [
        {
            "title": "Looking back",
            "questions": [{"name": "how", "kind": "text", "text": "How did you search?"}],
        }
    ],
    "gate": GATE,
    "break_every": 1,
    "break_seconds": 1,
    "debriefing": DEBRIEFING,
    "approval": "2026-17",
    "institution": "Lab of Examples",
    "responsible": "Ada Example",
    "require_digits": True,
    "require_confidence": True,
    "practise_asked": True,
}


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelLab]:
    """Serve one study that asks everything, for all tests here."""
    with label_lab(
        browser,
        tmp_path_factory.mktemp("asking"),
        pools=("unguided",),
        stimuli=2,
        images_per_annotator=2,
        labels_per_image=20,
        ask_digits=True,
        ask_confidence=True,
        asking=Asking.from_dict(ASKING),
    ) as made:
        yield made


def look(person: Annotator, name: str) -> None:
    """Let axe look at a screen, see that nothing is cut off, and keep a picture if asked to."""
    found = Axe().run(person.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == []
    width = "document.documentElement.scrollWidth - innerWidth"
    assert person.page.evaluate(width) <= 0
    if folder := os.environ.get("UMNIST_SHOTS"):
        person.page.screenshot(path=str(Path(folder) / f"{name}.png"))


def tab_to(person: Annotator, name: str) -> None:
    """Press Tab until what has the focus is called so."""
    called = """() => {
      const one = document.activeElement;
      const label = one?.labels?.[0]?.textContent ?? one?.textContent ?? "";
      return one?.getAttribute("aria-label") ?? label.trim();
    }"""
    for _ in range(80):
        if str(person.page.evaluate(called)).startswith(name):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"Nothing called {name} is reached by Tab.")


def press(person: Annotator, name: str, key: str = "Enter") -> None:
    """Reach something by Tab and press a key on it."""
    tab_to(person, name)
    person.page.keyboard.press(key)


def answer_fully(person: Annotator) -> None:
    """Enter a sum, digits and confidence by keys, and submit: each is asked for in turn."""
    person.wait_for_drawing()
    person.type("9")
    person.page.keyboard.press("Enter")
    assert "Enter the digits that you see first" in person.page.locator(".hint").inner_text()
    person.type("45")
    person.page.keyboard.press("Escape")
    person.page.keyboard.press("Enter")
    assert "how sure you are" in person.page.locator(".hint").inner_text()
    person.page.keyboard.press("ArrowRight")
    person.page.keyboard.press("Escape")
    person.page.keyboard.press("Enter")


def test_whole_way_by_keyboard_with_every_kind_of_question(lab: LabelLab) -> None:
    """Questions survive a reload and a lost reply; a gate, practice, breaks; all of it saved."""
    person = lab.person()
    person.page.goto(f"{lab.url}/join/{person.token}")
    press(person, "Take part")
    person.wait_for_screen("consent")
    assert "Ethics approval: 2026-17" in person.page.locator(".prose").inner_text()
    look(person, "consent-desk")
    press(person, "I agree")
    _answer_page(lab, person)
    person.wait_for_screen("instructions")
    press(person, "Go on to the questions")
    person.wait_for_screen("gate")
    look(person, "gate-desk")
    press(person, "the sum", "Space")
    press(person, "yes", "ArrowDown")
    press(person, "Check my answers")
    person.wait_for_screen("practice")
    answer_fully(person)
    press(person, "Next")
    person.wait_for_image(1)
    answer_fully(person)
    _take_break(person)
    person.wait_for_image(2)
    answer_fully(person)
    person.wait_for_screen("questions")
    person.page.get_by_role("heading", name="Looking back").wait_for()
    press(person, "Send and go on")
    person.wait_for_screen("done")
    assert "It was about checkerboards." in person.page.locator("main").inner_text()
    look(person, "done-desk")
    _check_store(lab)


def _answer_page(lab: LabelLab, person: Annotator) -> None:
    person.wait_for_screen("questions")
    look(person, "questions-desk")
    press(person, "Send and go on")
    person.page.locator(".faulty", has_text="This needs an answer.").wait_for()
    press(person, "left", "Space")
    press(person, "touch", "Space")
    tab_to(person, "How old")
    person.type("17")
    press(person, "1, not", "ArrowRight")
    tab_to(person, "Anything else")
    person.type("No")
    wait_until(lambda: _draft(person) == "No", "What was entered is not kept.")
    person.page.reload()
    person.wait_for_screen("questions")
    wait_until(lambda: person.page.locator("textarea").input_value() == "No", "The draft is lost.")
    press(person, "Send and go on")
    said = person.page.locator(".faulty .problem").inner_text()
    assert said == "This is a whole number from 18 to 99."
    person.page.keyboard.press("Control+a")
    person.type("41")
    lab.trouble.unheard.add("/questions")
    press(person, "Send and go on")
    person.page.locator(".actions .problem", has_text="The reply was lost.").wait_for()
    lab.trouble.unheard.clear()
    press(person, "Send and go on")


def _draft(person: Annotator) -> str:
    script = """async () => {
      const { openKeep } = await import(document.querySelector("script[src]").src
        .replace("main.js", "keep.js"));
      const kept = await (await openKeep()).all("drafts");
      return kept.find(({ answers }) => answers)?.answers.more ?? "";
    }"""
    return str(person.page.evaluate(script))


def _take_break(person: Annotator) -> None:
    person.wait_for_screen("break")
    said = person.page.locator("main").inner_text()
    assert "You have answered 1 of 2 images; all of it is saved." in said
    look(person, "break-desk")
    person.page.reload()
    person.wait_for_screen("break")
    person.button("Go on").wait_for()
    press(person, "Go on")


def _check_store(lab: LabelLab) -> None:
    events = lab.service.log.read(lab.study)
    pages = [one.payload for one in events if one.kind == "questions_answered"]
    answers = [one["answers"] for one in pages if one is not None]
    assert answers[0] == {
        **{"hand": "left", "tools": ["touch"], "age": 41, "tired": 2, "more": "No"},
    }
    assert answers[1] == {}
    given = [one.payload for one in events if one.kind == "answered"]
    first, second = (one for one in given if one is not None)
    assert (first["digits"], first["confidence"]) == ([4, 5], 25)
    spent_ms = second["response"]["response_ms"] + second["response"]["first_drawn_ms"]
    times = [one.time_utc for one in events if one.kind in ("answered", "rested")]
    assert len(times) == 3
    # The break's second and more lies between the answers, and in neither.
    assert spent_ms < 1e3 * _seconds_between(times[0], times[2]) - 900


def _seconds_between(first: str, last: str) -> float:
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


def come_by_service(lab: LabelLab, person: Annotator, *, images: int) -> str:
    """Bring somebody by the service to the break behind their first image, or to the end."""
    service, study = lab.service, lab.study
    annotator = service.join(person.token).annotator
    service.consent(study, annotator, new_key())
    service.answer_page(study, annotator, new_key(), "before-1", GIVEN)
    service.begin(study, annotator, new_key())
    service.try_gate(study, annotator, new_key(), ["the sum", "no"])
    image = service.state(study).practice[0].id
    service.practise(study, annotator, new_key(), image, 3, confidence=50, digits=[3])
    for number in range(images):
        if number > 0:
            wait_until(lambda: _has_rested(lab, annotator), "The break does not end.")
        trial = service.annotator_view(study, annotator).trial
        assert trial is not None
        service.answer(study, annotator, post(trial.key, confidence=50, digits=[9]))
    return annotator


def _has_rested(lab: LabelLab, annotator: str) -> bool:
    if lab.service.annotator_view(lab.study, annotator).asked.rest_left_s:
        return False
    lab.service.rest(lab.study, annotator, new_key())
    return True


def test_gate_on_a_phone_leads_back_and_then_out(lab: LabelLab) -> None:
    """What was wrong is named, and not what is right; after the last try it is over."""
    person = lab.person(**TOUCH, color_scheme="dark")
    person.open_link()
    person.press_button("I agree and take part")
    person.wait_for_screen("questions")
    look(person, "questions-phone")
    person.page.get_by_label("3", exact=True).check()
    person.press_button("Send and go on")
    for number in range(2):
        person.press_button("Go on to the questions")
        person.wait_for_screen("gate")
        look(person, f"gate-phone-{number}")
        person.page.get_by_label("the count").check()
        person.page.get_by_label("no", exact=True).check()
        person.press_button("Check my answers")
        if number == 0:
            person.wait_for_screen("instructions")
            said = person.page.locator("[role=alert]", has_text="once more").inner_text()
            assert "What is asked for?" in said
            assert "the sum" not in said
            look(person, "instructions-phone")
    person.wait_for_screen("done")
    said = person.page.locator("main").inner_text()
    assert "You cannot take part in this study" in said
    assert "checkerboards" not in said
    look(person, "screened-phone")


def test_whoever_has_finished_comes_back_and_has_all_deleted(lab: LabelLab) -> None:
    """By their own link, asked twice; the page says what was deleted, and the link is dead."""
    person = lab.person(size=PHONE)
    annotator = come_by_service(lab, person, images=2)
    lab.service.answer_page(lab.study, annotator, new_key(), "after-1", {"how": "SECRET"})
    person.open_link()
    person.wait_for_screen("done")
    look(person, "done-phone")
    person.press_button("Withdraw or delete my data")
    look(person, "withdraw-phone")
    person.press_button("Delete everything I gave")
    look(person, "delete-phone")
    person.press_button("Back")
    person.press_button("Delete everything I gave")
    erased = lab.service.state(lab.study).erased
    person.press_button("Delete for good")
    person.wait_for_screen("deleted")
    said = person.page.locator("main").inner_text()
    assert "2 answers to images" in said
    assert "2 pages of questions" in said
    assert "checkerboards" in said
    look(person, "deleted-phone")
    assert lab.service.state(lab.study).erased == erased + 1
    assert annotator not in lab.service.state(lab.study).annotators
    log = [one.payload for one in lab.service.log.read(lab.study)]
    assert "SECRET" not in str(log)
    person.page.goto(f"{lab.url}/join/{person.token}")
    person.press_button("Take part")
    person.page.locator("main", has_text="has been ended").wait_for()


def test_consent_that_changed_is_asked_before_the_next_image(lab: LabelLab) -> None:
    """Whoever declines it may stop; whoever agrees goes on, and the version is kept."""
    person = lab.person()
    annotator = come_by_service(lab, person, images=1)
    wait_until(lambda: _has_rested(lab, annotator), "The break does not end.")
    person.open_link()
    person.wait_for_image(2)
    lab.service.amend_consent(lab.study, {"retention": "five years"})
    person.page.reload()
    person.wait_for_screen("consent")
    assert "The consent has changed" in person.page.locator("main").inner_text()
    assert "five years" in person.page.locator(".prose").inner_text()
    look(person, "amended-desk")
    person.press_button("I do not agree")
    person.press_button("Go on")
    person.press_button("I agree and take part")
    person.wait_for_image(2)
    state = lab.service.state(lab.study)
    assert state.annotators[annotator].asked.consent_version == len(state.consents)


def test_break_on_a_phone_can_be_the_end(lab: LabelLab) -> None:
    """Stopping is offered there, with what was given kept."""
    person = lab.person(**TOUCH, color_scheme="dark")
    annotator = come_by_service(lab, person, images=1)
    person.open_link()
    person.wait_for_screen("break")
    look(person, "break-phone")
    person.press_button("Stop taking part")
    look(person, "stop-phone")
    person.press_button("Stop for good")
    person.wait_for_screen("done")
    assert lab.service.annotator_view(lab.study, annotator).outcome == "withdrawn"
