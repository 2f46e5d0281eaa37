"""An annotator's way through a study, in both variants: by mouse, by keyboard, by touch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.label_page import ASK_ALL, POOLS, Annotator, LabelLab
from tests.browser.whole_page import find_violations
from tests.labeling.making import SMALL, write_sums

OpenStudy = Callable[..., LabelLab]

SMALLEST_TARGET_PX = 40


@pytest.mark.parametrize("pool", POOLS)
def test_annotator_goes_from_link_to_code_with_a_reload_in_every_state(
    open_study: OpenStudy, pool: str
) -> None:
    """A reload leads to where one was; every answer is kept once, and the code is shown."""
    lab = open_study()
    person = lab.person(pool)
    page = person.page
    page.goto(f"{lab.url}/join/{person.token}")
    page.reload()
    person.press_button("Take part")
    for screen, button in (
        ("consent", "I agree and take part"),
        ("instructions", "Begin with practice"),
    ):
        person.wait_for_screen(screen)
        page.reload()
        person.wait_for_screen(screen)
        assert page.locator(".sheet").count() == (screen == "instructions" and pool == "guided")
        person.press_button(button)
    person.wait_for_drawing()
    page.reload()
    person.wait_for_drawing()
    person.answer(9)
    page.locator(".feedback h2").wait_for()
    page.reload()
    for number in (1, 2, 3):
        person.wait_for_image(number)
        person.type(f"1{number}")
        page.reload()
        person.wait_for_image(number)
        assert person.chosen() == f"1{number}", "What was typed survives."
        page.keyboard.press("Enter")
    person.wait_for_screen("done")
    page.reload()
    person.wait_for_screen("done")
    code = page.locator(".code code").inner_text()
    assert len(code) == len("K7Q2-9FXM")
    assert lab.given() == [11, 12, 13]


def test_guided_instructions_tell_the_size_of_the_study_own_images(
    open_study: OpenStudy, tmp_path: Path
) -> None:
    """Of generated images and of a folder of the paper's size, before any is shown."""
    few = {"stimuli": 2, "images_per_annotator": 2, "practice": 0}
    folder = str(write_sums(tmp_path / "own", (4000, 4000), (4000, 4000)))
    for own, sentences, frame in (
        (
            {"overrides": SMALL},
            [
                "Each image has 3 to 5 digits.",
                "From 14 px to 112 px wide, in an image of 512 px. Drawn to scale:",
            ],
            "512 px",
        ),
        (
            {"overrides": {**SMALL, "digits": "4", "factor": "2"}},
            [
                "Each image has 4 digits.",
                "56 px wide, in an image of 512 px. Drawn to scale:",
            ],
            "512 px",
        ),
        (
            {"folder": folder, "overrides": {}},
            [
                "Each image has 3 to 5 digits.",
                "From 14 px to 2,128 px wide, in an image of 4,000 px. Drawn to scale:",
            ],
            "4,000 px",
        ),
    ):
        person = open_study(**few, **own).person("guided")
        person.open_link()
        person.press_button("I agree and take part")
        person.wait_for_screen("instructions")
        assert person.page.locator(".facts p").all_inner_texts() == sentences
        assert person.page.locator(".sizes text").all_text_contents()[-1] == frame


def test_guided_instructions_claim_nothing_of_a_folder_of_other_images(
    open_study: OpenStudy, tmp_path: Path
) -> None:
    """Some digits are shown, and not said to be those used, nor how many nor how large."""
    folder = str(write_sums(tmp_path / "own", (5000, 400), (300, 900)))
    own = {"stimuli": 2, "images_per_annotator": 2, "practice": 0, "overrides": {}}
    person = open_study(**own, folder=folder).person("guided")
    person.open_link()
    person.press_button("I agree and take part")
    person.wait_for_screen("instructions")
    assert person.page.locator(".facts").inner_text() == ""
    assert person.page.locator(".sheet-stage").is_visible()
    assert "All digits that are used" not in person.page.locator(".sheet").inner_text()
    assert "may be others" in person.page.locator(".sheet").inner_text()
    person.press_button("Begin")
    person.wait_for_image(1)


def test_open_link_asks_first_and_gives_a_link_of_ones_own(open_study: OpenStudy) -> None:
    """Opening it changes nothing; the own link goes on where one was, by itself."""
    lab = open_study(practice=0)
    token = lab.service.open_link(lab.study).token
    assert token is not None
    person = lab.person()
    person.token = token
    person.page.goto(f"{lab.url}/join/{token}")
    person.button("Take part").wait_for()
    assert lab.service.state(lab.study).annotators == {}
    person.come_to_trials()
    person.page.keyboard.press("p")
    own = person.page.locator(".own-link code").inner_text()
    person.press_button("Go on")
    person.answer(5)
    person.wait_for_image(2)
    elsewhere = lab.person()
    elsewhere.page.goto(own)
    elsewhere.wait_for_image(2)
    assert len(lab.service.state(lab.study).annotators) == 1


def test_who_does_not_agree_takes_no_part(open_study: OpenStudy) -> None:
    """Nothing is recorded, and one may change one's mind."""
    lab = open_study()
    person = lab.person()
    person.open_link()
    person.press_button("I do not agree")
    person.page.get_by_text("Nothing is recorded").wait_for()
    assert [path for path, _ in lab.trouble.posts if "/api/" in path] == []
    person.press_button("Back")
    person.press_button("I agree and take part")
    person.wait_for_screen("instructions")


@pytest.mark.parametrize("path", ["/join/not-a-link", "/label/nothing"])
def test_link_that_leads_nowhere_is_told_of(open_study: OpenStudy, path: str) -> None:
    """A sentence of the server's, and no blank page."""
    lab = open_study()
    person = lab.person()
    person.page.goto(f"{lab.url}{path}")
    if path.startswith("/join"):
        person.press_button("Take part")
        person.page.get_by_role("alert").filter(has_text="open it again").wait_for()
    else:
        person.page.get_by_text("open the link that you were given").wait_for()


@pytest.mark.parametrize("pool", POOLS)
def test_keyboard_alone_is_enough(open_study: OpenStudy, pool: str) -> None:
    """From the link to the code with no pointer: sum, digits seen, how sure, hints, pause."""
    lab = open_study(**ASK_ALL)
    person = lab.person(pool)
    page = person.page
    page.goto(f"{lab.url}/join/{person.token}")
    for name in ("Take part", "I agree and take part", "Begin with practice"):
        person.button(name).wait_for()
        tab_to(page, name)
        page.keyboard.press("Enter")
    person.wait_for_drawing()
    person.answer(9)
    page.locator(".feedback h2").wait_for()
    tab_to(page, "Next")
    page.keyboard.press("Enter")
    for number in (1, 2, 3):
        person.wait_for_image(number)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("+")
        person.type("d334")
        person.type("c")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("p")
        page.keyboard.press("Enter")
        page.locator("dialog").wait_for(state="detached")
        tab_to(page, str(9 + number))
        page.keyboard.press("Enter")
        assert person.chosen() == str(9 + number)
        page.keyboard.press("Enter")
    person.wait_for_screen("done")
    assert lab.given() == [10, 11, 12]
    assert {tuple(body["digits"]) for body in lab.trouble.answers()} == {(3, 3, 4)}
    assert {body["confidence"] for body in lab.trouble.answers()} == {25}


@pytest.mark.parametrize("pool", POOLS)
def test_image_is_the_page(open_study: OpenStudy, pool: str) -> None:
    """Two thirds of a desk's width and all the height below the header; half of a phone."""
    lab = open_study(**ASK_ALL)
    for size in (DESK, PHONE):
        person = lab.person(pool, size=size)
        person.come_to_trials()
        box = person.page.locator(".umnist-viewer").bounding_box()
        header = person.page.locator("header").bounding_box()
        assert box is not None
        assert header is not None
        if size == DESK:
            assert box["width"] >= size[0] * 2 / 3
            assert box["height"] >= size[1] - header["height"] - 1
        else:
            assert box["width"] == size[0]
            assert box["height"] >= size[1] / 2
        assert not scrolls(person.page), f"Nothing scrolls at {size}."
        assert smallest_target(person.page) >= SMALLEST_TARGET_PX


def test_trial_shows_the_image_and_nothing_over_it(open_study: OpenStudy) -> None:
    """No values, no scale, no outlines, and no key that turns, mirrors or reveals."""
    lab = open_study(practice=0)
    person = lab.person()
    person.come_to_trials()
    page = person.page
    for part in (".readout", ".scale", "[data-digit]", ".shapes .line", ".umnist-answers"):
        assert page.locator(part).count() == 0, part
    page.keyboard.press("w")  # from now on the focus is to be seen
    before = page.locator(".pane").screenshot()
    for key in "rfjkosx1404":
        page.keyboard.press(key)
        page.keyboard.press("Backspace")
    page.wait_for_timeout(700)
    assert page.locator(".pane").screenshot() == before


def test_figures_are_the_answer_and_other_keys_move(open_study: OpenStudy) -> None:
    """2 then 7 is 27; what is no sum is refused and said; W shows the whole image again."""
    lab = open_study(practice=0)
    person = lab.person()
    person.come_to_trials()
    page = person.page
    hint = page.locator(".hint")
    for keys, chosen, says in (
        (["2"], "2", ""),
        (["7"], "27", ""),
        (["5"], "27", "27 is entered; Backspace clears it."),
        (["Backspace"], "\N{EN DASH}", ""),
        (["Enter"], "\N{EN DASH}", "Choose a number from 0 to 27 first."),
        (["3"], "3", ""),
        (["1"], "3", "31 is above 27; Backspace clears."),
        (["Delete", "0", "4"], "4", ""),
    ):
        for key in keys:
            page.keyboard.press(key)
        assert (person.chosen(), hint.inner_text()) == (chosen, says)
    page.keyboard.press("+")
    page.keyboard.press("+")
    wait_until(lambda: not whole(page), "It did not zoom.")
    page.keyboard.press("w")
    wait_until(lambda: whole(page), "It does not show the whole image.")
    page.keyboard.press("?")
    assert "Whole image" in page.get_by_role("dialog", name="Keys").inner_text()


def test_digits_that_do_not_add_up_pass_without_a_word(open_study: OpenStudy) -> None:
    """They are shown as they were entered; whether they fit the sum is for the person to see."""
    lab = open_study(practice=0, **ASK_ALL)
    person = lab.person()
    person.come_to_trials()
    person.type("12")
    for digit in "337":
        person.press_button(f"Add {digit}")
    assert person.page.locator(".digits .line").inner_text() == "3, 3, 7"
    assert person.page.locator(".hint").inner_text() == ""
    person.page.keyboard.press("Enter")
    person.wait_for_image(2)
    assert lab.trouble.answers()[0]["digits"] == [3, 3, 7]


def test_guided_practice_tells_what_is_right_and_where(open_study: OpenStudy) -> None:
    """The sum, and each digit, which one can fly to."""
    lab = open_study()
    truth = lab.service.state(lab.study).practice[0]
    person = lab.person("guided")
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin with practice")
    person.wait_for_drawing()
    person.answer((truth.label + 1) % 28)
    heading = person.page.locator(".feedback h2")
    heading.wait_for()
    assert f"The sum is {truth.label}" in heading.inner_text()
    found = person.page.locator(".found")
    assert found.count() == len(truth.digits) == person.page.locator("[data-digit]").count()
    smallest = min(range(len(truth.digits)), key=lambda one: truth.digits[one]["side_px"])
    found.nth(smallest).click()
    wait_until(lambda: not whole(person.page), "It did not fly.")
    person.press_button("Next")
    person.wait_for_image(1)
    assert person.page.locator("[data-digit]").count() == 0


def test_pause_hides_the_image_and_keeps_what_was_entered(open_study: OpenStudy) -> None:
    """Nothing of the image is to be seen until one goes on."""
    lab = open_study(practice=0)
    person = lab.person()
    person.come_to_trials()
    person.type("14")
    person.press_button("Pause")
    dialog = person.page.get_by_role("dialog", name="Paused")
    box = dialog.bounding_box()
    assert box == {"x": 0, "y": 0, "width": DESK[0], "height": DESK[1]}
    person.press_button("Go on")
    assert person.chosen() == "14"


def test_hints_open_over_the_image_for_the_guided_alone(open_study: OpenStudy) -> None:
    """Sizes, counts and the sheet of all digits; H does nothing for the others."""
    lab = open_study(practice=0)
    guided, unguided = lab.person("guided"), lab.person("unguided")
    for person in (guided, unguided):
        person.come_to_trials()
        person.page.keyboard.press("h")
    text = guided.page.get_by_role("dialog", name="Hints").inner_text()
    assert "3 to 5 digits" in text
    assert "From 14 px to 448 px wide, in an image of 2,048 px" in text
    guided.page.wait_for_selector("dialog .umnist-viewer.ready")
    assert unguided.page.get_by_role("dialog").count() == 0
    assert unguided.button("Hints").count() == 0


def test_last_answer_can_be_changed_where_the_study_allows_it(open_study: OpenStudy) -> None:
    """It shows the image again with what was given; both are kept, and the trial goes on."""
    lab = open_study(practice=0, allow_change=True)
    person = lab.person()
    person.come_to_trials()
    person.answer(4)
    person.wait_for_image(2)
    person.type("8")
    person.press_button("Change my last answer")
    person.wait_for_image(1)
    assert person.chosen() == "4"
    person.page.keyboard.press("Backspace")
    person.answer(5)
    person.wait_for_image(2)
    assert person.chosen() == "8", "What was entered meanwhile is there again."
    assert lab.given() == [4, 5]
    first, second = lab.trouble.answers()
    assert (first["assignment"], first["key"]) != (second["assignment"], second["key"])
    assert first["assignment"] == second["assignment"]
    assert second["response"]["edits"] == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_axe_finds_no_serious_violation(
    open_study: OpenStudy, theme: str, size: tuple[int, int]
) -> None:
    """In every state, of the richest study."""
    lab = open_study(images_per_annotator=2, **ASK_ALL)
    person = lab.person("guided", size=size, color_scheme=theme)
    page = person.page
    page.goto(f"{lab.url}/join/{person.token}")
    check_axe(person, "Take part")
    check_axe(person, "I agree and take part")
    check_axe(person, "Begin with practice")
    person.wait_for_drawing()
    check_axe(person, None)
    person.answer(9)
    check_axe(person, "Next")
    person.wait_for_image(1)
    person.type("12")
    check_axe(person, None)
    for key in "?hp":
        page.keyboard.press(key)
        page.wait_for_selector("dialog")
        check_axe(person, None)
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
    lab.trouble.refused["/answers"] = (422, {"error": "It is not an answer.", "code": "odd"})
    page.keyboard.press("Enter")
    person.wait_for_notice("It is not an answer.")
    check_axe(person, None)
    lab.trouble.refused.clear()
    person.press_button("Send again")
    person.wait_for_image(2)
    person.answer(3)
    person.wait_for_screen("done")
    check_axe(person, None)


def check_axe(person: Annotator, button: str | None) -> None:
    """Let axe look at the page; then press a button, if one is named."""
    if button:
        person.button(button).wait_for()
    assert find_violations(person.page) == [], f"On {person.screen}."
    if button:
        person.press_button(button)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the button of a name has the focus."""
    name_of = "(element) => element.getAttribute('aria-label') ?? element.innerText"
    focused = f"({name_of})(document.activeElement)"
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == name:
            return
    raise AssertionError(f"Tab never comes to {name}.")


def scrolls(page: Page) -> bool:
    """Return whether the page, or the answer, is longer than its place."""
    longer = "[document.documentElement, document.querySelector('.panel')]"
    return bool(page.evaluate(f"{longer}.some((e) => e.scrollHeight > e.clientHeight)"))


def smallest_target(page: Page) -> float:
    """Return the smaller side of the smallest button that is shown, CSS px."""
    buttons = "[...document.querySelectorAll('button, .options span')]"
    boxes = f"{buttons}.map((one) => one.getClientRects()[0]).filter(Boolean)"
    sides = f"{boxes}.map(({{ width, height }}) => Math.min(width, height))"
    return float(page.evaluate(f"Math.min(...{sides})"))


def whole(page: Page) -> bool:
    """Return whether the whole image is in view, by its minimap, which is needless then."""
    return page.locator(".minimap.needless").count() == 1
