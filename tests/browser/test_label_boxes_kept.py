"""Boxes stay as they were drawn: over reloads, tabs, lost networks, practice and changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.box_page import box_lab, come, drag, hint, labels, rows, sent, wait_for_labels
from tests.browser.conftest import wait_until
from tests.browser.label_page import Annotator, LabelLab
from umnist_core.labeling.export import read_tables

ENDS = (("y", "height"), ("x", "width"))


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelLab]:
    """Serve one study that asks for boxes, for all tests here."""
    with box_lab(browser, tmp_path_factory.mktemp("boxes")) as made:
        yield made


@pytest.fixture
def person(lab: LabelLab) -> Annotator:
    """Return somebody at a desk before the first image."""
    return come(lab)


def draw_two(person: Annotator) -> None:
    """Draw a 6 and a box without its digit."""
    drag(person, (0.4, 0.4), (0.5, 0.5))
    person.type("6")
    drag(person, (0.55, 0.4), (0.6, 0.5))


def test_boxes_survive_a_reload_and_open_again_for_a_change(person: Annotator) -> None:
    """Also one without its digit; an answer that is changed begins with its boxes."""
    draw_two(person)
    told = rows(person)
    person.page.reload()
    person.wait_for_image(1)
    wait_for_labels(person, "6?")
    assert rows(person) == told
    person.button("Submit").click(force=True)  # which leads to the box that lacks its digit
    assert "which digit is in each box" in hint(person)
    person.type("1")
    person.press_button("Submit")
    first = sent(person)
    person.wait_for_image(2)
    assert labels(person) == ""
    person.page.get_by_role("button", name=re.compile("^Change")).click()
    wait_for_labels(person, "61")
    person.page.keyboard.press("n")
    person.type("9")
    person.press_button("Submit")
    assert sent(person, 2) == [{**first[0], "label": 9}, first[1]]


def test_another_tab_goes_on_with_the_boxes(person: Annotator) -> None:
    """It shows what was drawn in the first one, once it takes over."""
    draw_two(person)
    told = rows(person)
    person.page.reload()  # by which the draft is kept
    wait_for_labels(person, "6?")
    second = Annotator(person.lab, person.token, person.context)
    second.page.goto(f"{person.lab.url}/label/{person.lab.study}")
    second.press_button("Go on here")
    second.wait_for_image(1)
    wait_for_labels(second, "6?")
    assert rows(second) == told


def test_boxes_given_without_a_network_arrive_in_the_tables(person: Annotator) -> None:
    """The answer waits in the browser; what then is logged and exported is what was drawn."""
    lab = person.lab
    draw_two(person)
    person.type("3")
    person.context.set_offline(True)
    person.wait_for_notice("No connection.")
    person.press_button("Submit")
    person.wait_for_notice("1 answer not sent yet.")
    person.context.set_offline(False)
    person.wait_until_sent()
    boxes = sent(person)
    assert [one["label"] for one in boxes] == [6, 3]
    state = lab.service.state(lab.study)
    assignment = state.assignments[lab.trouble.answers()[0]["assignment"]]
    assert [dict(one) for one in assignment.given[0].boxes or ()] == boxes
    table = read_tables(lab.service.log, lab.study)["boxes"]
    mine = table[table["annotator"] == assignment.annotator]
    assert mine[["box_label", "row0", "col0", "row1", "col1"]].to_numpy().tolist() == [
        [one["label"], one["y"], one["x"], *(round(one[a] + one[b], 1) for a, b in ENDS)]
        for one in boxes
    ]


def test_practice_with_boxes_goes_on_with_them_when_tried_again(lab: LabelLab) -> None:
    """A wrong answer is told so; *Try again* shows the boxes that were drawn."""
    person = lab.person("guided")
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button(re.compile("^Begin"))
    person.wait_for_drawing()
    for figure in "9999":  # 36 is more than any sum here
        person.page.keyboard.press("i")
        person.type(figure)
    person.press_button("Submit")
    person.press_button("Try again")
    assert labels(person) == "9999"
    assert hint(person) == ""
    wait_until(lambda: person.chosen() == "36", "The sum is not there.", person.page)
