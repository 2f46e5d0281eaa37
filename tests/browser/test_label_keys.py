"""Every key of a trial, pressed at every moment: nothing is lost, added or sent unmeant."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Response

from tests.browser.conftest import wait_until
from tests.browser.label_page import ASK_ALL, TOUCH, Annotator, LabelLab
from tests.labeling.making import SMALL

OpenStudy = Callable[..., LabelLab]

KEYS = ("ArrowRight", "p", "h", "?", "Escape", "0", "5", "Backspace", "c", "d", "Enter")

DIALOGS = {"p": "Paused", "h": "Hints", "?": "Keys"}

SEEN = """() => {
  const { activeElement: focus } = document;
  const text = (selector) => document.querySelector(selector)?.innerText ?? "";
  const within = (selector) => focus?.closest(selector) !== null;
  return {
    sum: text(".chosen"),
    digits: document.querySelector(".seen")?.textContent ?? "",
    sure: document.querySelector(".options input:checked")?.value ?? null,
    dialog: text("dialog[open] h2"),
    number: text(".count"),
    focus: within("dialog") ? "dialog"
      : within(".openseadragon-canvas") ? "image"
      : within(".digits") ? "digits"
      : within(".confidence") ? "confidence" : String(focus?.outerHTML).slice(0, 80),
  };
}"""

LATE_DRAFTS = """
const { get } = IDBObjectStore.prototype;
IDBObjectStore.prototype.get = function (id) {
  const asked = get.call(this, id);
  return {
    get result() { return asked.result; },
    set onsuccess(read) { window.readDraft = read; },
    set onerror(_) {},
  };
};
"""
"""Lets a page read a draft when ``readDraft()`` is called, and not before."""

NONE = "\N{EN DASH}"
NO_DIGITS = "None entered"


@dataclass(frozen=True)
class Entered:
    """What is entered, and where the focus is, as `SEEN` says it."""

    sum: str = NONE
    digits: str = NO_DIGITS
    sure: str | None = None
    focus: str = "image"


MOMENTS: dict[str, tuple[tuple[str, ...], Entered]] = {
    "nothing entered": ((), Entered()),
    "a figure typed": (("1",), Entered("1")),
    "in the digits, none typed": (("1", "d"), Entered("1", focus="digits")),
    "digits typed": (("1", "d", "3", "4"), Entered("1", "3, 4", focus="digits")),
    "digits typed and no sum": (("d", "3", "4"), Entered(NONE, "3, 4", focus="digits")),
    "a digit taken back": (("1", "d", "3", "4", "Backspace"), Entered("1", "3", focus="digits")),
    "back from the digits": (("1", "d", "3", "Escape"), Entered("1", "3")),
    "confidence reached": (("1", "c"), Entered("1", focus="confidence")),
    "confidence set": (("1", "c", "ArrowRight"), Entered("1", sure="25", focus="confidence")),
    "a figure after confidence": (("c", "ArrowRight", "1"), Entered("1", sure="25")),
    "after a pause by key": (("1", "p", "Enter"), Entered("1")),
    "after a pause by button": (("1", "[Pause]", "Enter"), Entered("1")),
    "after a pause reached by Tab": (("1", "Tab to Pause", "Enter", "Enter"), Entered("1")),
    "after the keys": (("1", "[Keys]", "Escape"), Entered("1")),
    "after a pause in the digits": (("1", "d", "3", "p", "Escape"), Entered("1", "3")),
    "a digit by button": (("1", "[Add 3]"), Entered("1", "3")),
    "a digit by button and a figure": (("[Add 3]", "1"), Entered("1", "3")),
    "a figure with the focus on a number": (("Tab to 5", "1"), Entered("1")),
    "a figure with the focus on a tool": (("Tab to Pause", "1"), Entered("1")),
    "a digit with the focus on another": (
        ("1", "Tab to Add 3", "4"),
        Entered("1", "4", focus="digits"),
    ),
}
"""Keys and [buttons] that lead there from a new image, and what is entered then."""


def after(before: Entered, key: str) -> Entered | None:
    """Return what one more key makes of it; None for an answer that is sent."""
    if before.focus == "digits" and key in ("0", "5", "Backspace"):
        digits = [] if before.digits == NO_DIGITS else before.digits.split(", ")
        digits = digits[:-1] if key == "Backspace" else [*digits, key]
        return replace(before, digits=", ".join(digits) or NO_DIGITS)
    if key == "Enter" and before.sum != NONE:
        return None
    if key == "ArrowRight" and before.focus == "confidence":
        steps = [None, "25", "50", "75", "100"]  # the first has the focus already
        return replace(before, sure=steps[steps.index(before.sure) + 1])
    changes = {
        **{figure: {"sum": before.sum.replace(NONE, "") + figure} for figure in "05"},
        "Backspace": {"sum": NONE, "focus": before.focus},
        "c": {"focus": "confidence"},
        "d": {"focus": "digits"},
        "Enter": {},
        "Escape": {},
    }
    return replace(before, **{"focus": "image", **changes[key]}) if key in changes else before


def seen(person: Annotator) -> dict[str, Any]:
    """Return what is entered, shown and focused."""
    return dict(person.page.evaluate(SEEN))


def expect_seen(person: Annotator, entered: Entered, told: str, dialog: str = "") -> None:
    """Wait until exactly this is entered, and the focus is where it belongs."""
    wanted = {**vars(entered), "dialog": dialog}
    if dialog:
        wanted["focus"] = "dialog"

    def there() -> bool:
        now = seen(person)
        return all(now[name] == value for name, value in wanted.items())

    try:
        wait_until(there, f"{told}: expected {wanted}", person.page)
    except AssertionError as error:
        raise AssertionError(f"{error}; found {seen(person)}.") from None


def press(person: Annotator, *steps: str) -> None:
    """Press keys one after another, click or tap a [button], or go to one by Tab."""
    for is_typed, some in itertools.groupby(steps, lambda step: len(step) == 1):
        if is_typed:  # in one call, which is much faster and the same to the page
            person.page.keyboard.type("".join(some))
            continue
        for step in some:
            if step.startswith("["):
                point_at(person, step.strip("[]"))
            elif step.startswith("Tab to "):
                show_group(person, step.removeprefix("Tab to "))
                person.button(step.removeprefix("Tab to ")).focus()
            else:
                person.page.keyboard.press(step)


def point_at(person: Annotator, name: str) -> None:
    """Click a button, or tap it where there is touch."""
    show_group(person, name)
    has_touch = person.page.evaluate("navigator.maxTouchPoints > 0")
    (person.button(name).tap if has_touch else person.button(name).click)()


def show_group(person: Annotator, name: str) -> None:
    """Open the group that a button is in, of which a phone shows one at a time."""
    if name.startswith("Add ") and not person.button(name).is_visible():
        point_at(person, "Digits seen")


def reach(person: Annotator, moment: str) -> Entered:
    """Lead a person from whatever is entered to a moment; confidence stays if it is set."""
    now = seen(person)
    steps, entered = MOMENTS[moment]
    if now["sure"] is not None:  # it cannot be taken back, so the next keys find it set
        steps = tuple(step for step in steps if step != "ArrowRight")
        entered = replace(entered, sure=now["sure"])
    if all(now[name] == value for name, value in vars(entered).items()):
        return entered
    if now["digits"] != NO_DIGITS:
        press(person, "d", *["Backspace"] * len(now["digits"].split(",")))
    if now["focus"] != "image" or now["digits"] != NO_DIGITS:
        press(person, "Escape")
    if now["sum"] != NONE:
        press(person, "Backspace")
    press(person, *steps)
    expect_seen(person, entered, f"{moment!r} after {steps}")
    return entered


@pytest.mark.parametrize(
    ("pool", "device"),
    [("unguided", {}), ("guided", {}), ("guided", TOUCH)],
    ids=["unguided", "guided", "phone"],
)
def test_every_key_does_what_it_says_at_every_moment(
    open_study: OpenStudy, pool: str, device: dict[str, Any]
) -> None:
    """Figures are entered once, Enter submits, dialogs change nothing and give the focus back."""
    many = len(MOMENTS) + 1
    sizes = {"stimuli": many, "images_per_annotator": many, "overrides": SMALL}
    lab = open_study(practice=0, **sizes, **{**ASK_ALL, "allow_change": False})
    person = lab.person(pool, **device)
    person.come_to_trials()
    number = 1
    sent: list[Entered] = []
    for moment, (steps, _) in MOMENTS.items():
        if device and "[Keys]" in steps:  # a phone has no such button
            continue
        for key in KEYS:
            before = reach(person, moment)
            told = f"{key} at {moment!r}"
            person.page.keyboard.press(key)
            if key in DIALOGS and (key != "h" or pool == "guided"):
                check_dialog(person, before, DIALOGS[key], told)
            elif (entered := after(before, key)) is None:
                sent.append(before)
                number += 1
                person.wait_for_image(number)
                expect_seen(person, Entered(), f"The next image after {told}")
            else:
                expect_seen(person, entered, told)
            assert len(lab.trouble.answers()) == len(sent), told
    assert lab.given() == [int(one.sum) for one in sent]
    for body, one in zip(lab.trouble.answers(), sent, strict=True):
        digits = None if one.digits == NO_DIGITS else [int(d) for d in one.digits.split(", ")]
        assert (body["digits"], body["confidence"]) == (digits, one.sure and int(one.sure))


def check_dialog(person: Annotator, before: Entered, name: str, told: str) -> None:
    """Press keys that mean something elsewhere; then close it, with the focus on the image."""
    press(person, "5", "c", "d", "p", "?", "Backspace", "ArrowRight")
    expect_seen(person, before, f"Keys in {name}", name)
    person.page.keyboard.press("Escape" if name == "Hints" else "Enter")
    expect_seen(person, replace(before, focus="image"), f"After {told} and closing")


def test_keys_while_an_answer_is_saved_change_nothing(open_study: OpenStudy) -> None:
    """Neither the answer that is under way nor the next, and nothing else is sent."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person()
    person.come_to_trials()
    lab.trouble.delays_s["/answers"] = 5
    press(person, "1", "d", "3", "c", "ArrowRight", "Enter")
    press(person, "5", "ArrowRight", "c", "d", "0", "Backspace", "Enter", "?", "Escape")
    person.wait_for_image(2)
    expect_seen(person, Entered(), "The next image")
    (body,) = lab.trouble.answers()
    assert (body["answer"], body["digits"], body["confidence"]) == (1, [3], 25)


def test_keys_while_an_image_loads_enter_and_send_nothing_unseen(open_study: OpenStudy) -> None:
    """What is typed is there, and Enter says that the image is still loading."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person()
    person.open_link()
    person.press_button("I agree and take part")
    lab.trouble.delays_s[".png"] = 6
    person.press_button("Begin")
    person.wait_for_screen("trial")
    press(person, "c", "ArrowRight", "d", "3", "Enter", "7", "Enter")
    assert person.page.locator(".hint").inner_text() == "The image is still loading."
    assert person.page.locator("[data-drawn=true]").count() == 0
    lab.trouble.delays_s.clear()
    person.wait_for_drawing()
    expect_seen(person, Entered("7", "3", "25"), "The image that was loaded")
    press(person, "Enter")
    person.wait_for_image(2)
    assert lab.given() == [7]


def test_keys_before_the_first_draft_is_read_are_of_the_first_image(open_study: OpenStudy) -> None:
    """The form is there before it is known whether something was entered earlier."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person(before=LATE_DRAFTS)
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin")
    person.wait_for_screen("trial")
    person.page.wait_for_function("() => window.readDraft")
    press(person, "7", "c", "ArrowRight", "d", "3")
    person.page.evaluate("readDraft()")
    person.wait_for_drawing()
    expect_seen(person, Entered("7", "3", "25", focus="digits"), "The draft that was read late")


def test_keys_before_the_viewer_is_there_keep_what_they_reached(open_study: OpenStudy) -> None:
    """What draws images comes late, and takes the focus from nobody who has it by then."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person()
    person.open_link()
    person.press_button("I agree and take part")
    lab.trouble.delays_s["openseadragon.min.js"] = 3
    person.press_button("Begin")
    person.wait_for_screen("trial")
    person.page.locator(".umnist-viewer").wait_for(state="attached")
    press(person, "c")
    person.wait_for_drawing()
    press(person, "ArrowRight", "7")
    expect_seen(person, Entered("7", sure="25"), "The viewer that came late")


def test_focus_is_on_the_image_after_answers_and_in_practice(open_study: OpenStudy) -> None:
    """By mouse and by keyboard; Enter goes on from what is told, and once only."""
    lab = open_study(practice=2, overrides=SMALL, allow_change=True)
    person = lab.person("guided")
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin with practice")
    for number in (1, 2):
        person.page.locator(".count", has_text=f"Practice {number} of 2").wait_for()
        person.wait_for_drawing()
        wait_until(lambda: seen(person)["focus"] == "image", "Practice begins elsewhere.")
        person.answer(3)
        person.page.locator(".feedback h2").wait_for()
        assert seen(person)["focus"] == "image"
        person.page.keyboard.press("h")
        person.page.keyboard.press("Escape")
        person.page.keyboard.press("Enter")
    person.wait_for_image(1)
    person.button("4").click()
    person.press_button("Submit")
    person.wait_for_image(2)
    assert seen(person)["focus"] == "image"
    person.press_button("Change my last answer")
    person.wait_for_image(1)
    assert seen(person)["focus"] == "image"
    person.button("Leave my answer as it was").focus()
    person.page.keyboard.press("Enter")
    person.wait_for_image(2)
    assert seen(person)["focus"] == "image"


@pytest.mark.parametrize(
    ("pool", "most", "said"),
    [
        ("guided", 5, "An image has at most 5 digits; Undo takes the last one back."),
        ("unguided", 27, "No more than 27 digits can be entered."),
    ],
)
def test_digits_stop_and_are_never_added_up(
    open_study: OpenStudy, pool: str, most: int, said: str
) -> None:
    """At the study's most for those who are told it; no sum, nor whether it fits, is shown."""
    lab = open_study(practice=0, overrides=SMALL, **ASK_ALL)
    person = lab.person(pool)
    person.come_to_trials()
    page = person.page
    person.type("12d" + "3" * most)
    digits = ", ".join("3" * most)
    expect_seen(person, Entered("12", digits, focus="digits"), "As many as there can be")
    assert page.locator(".hint").inner_text() == ""
    page.keyboard.press("4")
    person.press_button("Add 5")
    expect_seen(person, Entered("12", digits, focus="digits"), "One more")
    assert page.locator(".hint").inner_text() == said
    shown = page.locator(".form .digits").inner_text()
    assert "=" not in shown
    assert str(3 * most) not in shown
    assert "sum" not in shown.lower()
    page.keyboard.press("Enter")
    person.wait_for_image(2)
    assert lab.trouble.answers()[0]["digits"] == [3] * most


def test_unguided_practice_page_teaches_nothing(open_study: OpenStudy) -> None:
    """Right or not yet: no sum, no digit, no outline, no size, in page and replies alike."""
    lab = open_study(overrides=SMALL)
    truth = lab.service.state(lab.study).practice[0]
    person = lab.person("unguided")
    replies: list[Any] = []

    def keep(response: Response) -> None:
        if response.url.endswith("/api/practice"):
            replies.append(response.json()["feedback"])

    person.page.on("response", keep)
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin with practice")
    feedback = person.page.locator(".feedback")
    for answer, said in (
        ((truth.label + 1) % 28, ["Not yet.", "Try again", "Next"]),
        (truth.label, ["Right.", "Next"]),
    ):
        person.wait_for_drawing()
        person.answer(answer)
        feedback.locator("h2").wait_for()
        assert [line for line in feedback.inner_text().split("\n") if line] == said
        assert person.page.locator("[data-digit], .found").count() == 0
        if "Try again" in said:
            person.press_button("Try again")
            feedback.wait_for(state="hidden")
            assert seen(person)["focus"] == "image"
            assert person.chosen() == NONE
    assert replies == [{"correct": False}, {"correct": True}]
    person.page.keyboard.press("Enter")
    person.wait_for_image(1)
