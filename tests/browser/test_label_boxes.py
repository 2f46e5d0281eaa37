"""Boxes around digits, drawn by mouse, by finger and by keyboard alone, as people do it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser

from tests.browser.box_page import (
    box_lab,
    come,
    drag,
    drag_finger,
    fingers_of,
    hint,
    labels,
    rows,
    sent,
    shown,
    stage,
    wait_for_rest,
)
from tests.browser.conftest import DESK, PHONE, wait_until
from tests.browser.label_page import SIDE_PX, TOUCH, Annotator, LabelLab

NEAR_PX = 1.1
"""How far an edge may be from where the pointer was, screen px: a pointer stands on whole ones."""

FRAMES = """async (count) => {
  const image = document.querySelector(".pane .image");
  const { left, top, width, height } = image.getBoundingClientRect();
  const canvas = image.querySelector(".openseadragon-canvas");
  const send = (type, x) => canvas.dispatchEvent(new PointerEvent(type, { bubbles: true,
    pointerId: 1, pointerType: "mouse", isPrimary: true, button: type === "pointermove" ? -1 : 0,
    buttons: 1, clientX: left + x, clientY: top + height / 2 }));
  const layer = document.querySelector("g.boxes");
  let moved = 0;
  const seen = new MutationObserver(() => { moved += 1; });
  seen.observe(layer, { subtree: true, attributes: true });
  send("pointerdown", width / 2);
  for (let frame = 0; frame < count; frame += 1) {
    await new Promise(requestAnimationFrame);
    send("pointermove", width / 2 + frame);
  }
  send("pointerup", width / 2 + count);
  return moved;
}"""


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelLab]:
    """Serve one study that asks for boxes, for all tests here."""
    with box_lab(browser, tmp_path_factory.mktemp("boxes")) as made:
        yield made


@pytest.fixture
def person(lab: LabelLab) -> Annotator:
    """Return somebody at a desk before the first image."""
    return come(lab)


def test_mouse_draws_names_moves_and_pulls_boxes(person: Annotator) -> None:
    """What is sent is where the pointer was; a drag moves the image once that is chosen."""
    pane, page = stage(person), person.page
    zoom = min(pane["width"], pane["height"]) - 20  # the whole image is shown, with its margin
    scale = SIDE_PX / zoom
    drag(person, (0.4, 0.4), (0.5, 0.55))
    person.type("7")
    drag(person, (0.6, 0.3), (0.65, 0.35))
    person.press_button("The digit is 2")
    assert person.chosen() == "9"
    drag(person, (0.65, 0.35), (0.7, 0.4))  # its lower right corner
    page.keyboard.press("b")
    drag(person, (0.65, 0.35), (0.62, 0.45))  # its inside
    page.keyboard.press("Escape")
    before = shown(person)
    drag(person, (0.3, 0.7), (0.35, 0.75))  # the image
    wait_until(lambda: shown(person) != before, "The image did not move.", page)
    assert labels(person) == "72"
    person.press_button("Submit")
    first, second = sent(person)
    assert first["width"] == pytest.approx(0.1 * pane["width"] * scale, abs=NEAR_PX * scale)
    assert first["height"] == pytest.approx(0.15 * pane["height"] * scale, abs=NEAR_PX * scale)
    for one, wide, high in ((second, 0.1, 0.1),):
        assert one["width"] == pytest.approx(wide * pane["width"] * scale, abs=2 * NEAR_PX * scale)
        assert one["height"] == pytest.approx(
            high * pane["height"] * scale, abs=2 * NEAR_PX * scale
        )
    across = (0.57 - 0.4) * pane["width"] * scale
    assert second["x"] - first["x"] == pytest.approx(across, abs=2 * NEAR_PX * scale)


def test_keyboard_alone_is_enough(person: Annotator) -> None:
    """Add, name, move, pull, go through, delete, undo, redo, confirm, submit; each is said."""
    keys, page = person.page.keyboard, person.page
    said = page.locator(".boxes-live")
    keys.press("i")
    person.type("3")
    wait_until(lambda: "Box 1 of 1: 3," in said.inner_text(), "Nothing was said.", page)
    placed = shown(person)[0]
    keys.press("ArrowRight")
    keys.press("ArrowUp")
    keys.press("Shift+ArrowRight")
    moved = shown(person)[0]
    changes = {name: moved[name] - placed[name] for name in moved}
    assert changes == pytest.approx({"x": 1, "y": -1, "width": 1, "height": 0}, abs=0.06)
    keys.press("i")
    keys.press("Enter")  # it has no digit yet
    assert "Which digit" in hint(person)
    person.type("8")
    keys.press("Delete")
    assert labels(person) == "3"
    keys.press("Control+z")
    assert labels(person) == "38"
    keys.press("Control+z")
    assert labels(person) == "3?"
    keys.press("Control+Shift+z")
    assert labels(person) == "38"
    keys.press("n")
    person.type("5")
    assert labels(person) == "58"
    page.locator(".boxes-digits button").last.focus()
    keys.press("Tab")  # to the list: the row that has the focus is chosen
    assert page.locator(".boxes-row").first.get_attribute("aria-current") == "true"
    keys.press("Enter")
    assert page.locator("[aria-current=true]").count() == 0
    assert not person.lab.trouble.answers()
    keys.press("Enter")
    assert [one["label"] for one in sent(person)] == [5, 8]


def test_that_no_digit_is_to_be_seen_is_said_by_a_button(person: Annotator) -> None:
    """Submit alone does not say it, nor is a box without its digit taken."""
    page = person.page
    page.keyboard.press("Enter")
    assert "None to be seen" in hint(person)
    page.keyboard.press("i")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    assert "which digit is in each box" in hint(person)
    assert not person.lab.trouble.answers()
    page.keyboard.press("Delete")
    person.button("None to be seen").focus()
    page.keyboard.press("Enter")
    assert person.chosen() == "0"
    person.press_button("Submit")
    assert sent(person) == []


def test_box_ends_where_the_image_does(person: Annotator) -> None:
    """A drag may end beside the image; the box is sent within it, and is moved within it."""
    drag(person, (0.5, 0.5), (0.999, 0.999))
    person.type("4")
    person.press_button("Submit")
    (box,) = sent(person)
    assert (box["x"] + box["width"], box["y"] + box["height"]) == (SIDE_PX, SIDE_PX)


def test_list_flies_to_each_box_deletes_it_and_buttons_bring_it_back(person: Annotator) -> None:
    """A row shows its box large; what was done is said."""
    page = person.page
    said = page.locator(".boxes-live")
    drag(person, (0.4, 0.4), (0.42, 0.43))
    person.type("1")
    drag(person, (0.6, 0.6), (0.62, 0.63))
    person.type("2")
    small = shown(person)[0]["width"]
    assert "Box 1: 1," in rows(person)[0]
    page.locator(".boxes-row").first.click()

    def is_large_and_in_view() -> bool:
        one, pane = shown(person)[0], stage(person)
        ends = (one["x"] + one["width"], one["y"] + one["height"])
        inside = min(one["x"], one["y"]) >= 0 and ends <= (pane["width"], pane["height"])
        return one["width"] > 2 * small and inside

    wait_until(is_large_and_in_view, "The image did not fly to the box.", page)
    person.press_button("Delete box 1")
    assert (labels(person), said.inner_text()) == ("2", "The box is deleted; 1 is left.")
    assert person.chosen() == "2"
    person.press_button("Undo")
    assert (labels(person), said.inner_text()) == ("12", "Undone; there are 2 boxes.")
    person.press_button("Redo")
    assert (labels(person), said.inner_text()) == ("2", "Done again; there is 1 box.")


def test_finger_draws_and_two_fingers_zoom(lab: LabelLab) -> None:
    """A second finger ends what the first began, and no box comes of it."""
    person = come(lab, **TOUCH)
    pane = stage(person)
    fingers = fingers_of(person)
    drag_finger(fingers, (0.4, 0.4), (0.45, 0.45), (0.55, 0.6))

    def is_tapped() -> bool:
        person.button("The digit is 4").tap()  # on a busy machine it may be long, and no click
        return labels(person) == "4"

    wait_until(is_tapped, "The box was not labelled by a tap.", person.page)
    (before,) = shown(person)
    fingers("touchStart", (0.7, 0.5))
    fingers("touchMove", (0.75, 0.55))
    fingers("touchStart", (0.75, 0.55), (0.25, 0.45))
    for step in range(1, 6):
        fingers("touchMove", (0.75 + step / 40, 0.55), (0.25 - step / 40, 0.45))
    fingers("touchEnd")
    wait_until(
        lambda: [one for one in shown(person) if one["width"] > 1.3 * before["width"]],
        "Two fingers did not zoom.",
        person.page,
    )
    assert labels(person) == "4"
    person.button("Submit").click()
    (box,) = sent(person)
    scale = SIDE_PX / (min(pane["width"], pane["height"]) - 20)
    assert box["width"] == pytest.approx(0.15 * pane["width"] * scale, abs=2 * NEAR_PX * scale)


def test_finger_has_room_at_handles_and_moves_the_image_while_nothing_is_drawn(
    lab: LabelLab,
) -> None:
    """A handle is 44 px wide to a finger; with *Draw boxes* off, one finger moves the image."""
    person = come(lab, **TOUCH)
    pane, fingers = stage(person), fingers_of(person)
    drag_finger(fingers, (0.3, 0.3), (0.4, 0.4), (0.6, 0.6))
    (before,) = shown(person)
    beside = (0.6 + 20 / pane["width"], 0.6 - 20 / pane["height"])
    drag_finger(fingers, beside, (0.7, 0.65), (0.8, 0.7))
    (pulled,) = shown(person)
    assert (pulled["x"], pulled["y"]) == pytest.approx((before["x"], before["y"]), abs=0.2)
    assert pulled["width"] > 1.4 * before["width"]
    button = person.button("Draw boxes")
    button.click()
    person.page.wait_for_selector(".boxes-draw[aria-pressed=false]")
    fingers("touchStart", (0.9, 0.1))
    fingers("touchEnd")  # beside the box: none is chosen
    person.page.wait_for_selector(".boxes-row[aria-current=false]")
    person.button("Zoom in").click()
    person.button("Zoom in").click()
    # Until it rests, too: a tap and a drag soon after are the gesture of one finger that zooms.
    zoomed = wait_for_rest(person)
    assert zoomed["width"] > 1.5 * pulled["width"]
    drag_finger(fingers, (0.6, 0.8), (0.4, 0.7), (0.2, 0.6))

    def is_moved() -> bool:
        seen = shown(person)
        return not seen or seen[0]["x"] < zoomed["x"] - 50

    wait_until(is_moved, "The image did not move.", person.page)
    assert labels(person) == "?"


def test_hundred_boxes_follow_a_movement(person: Annotator) -> None:
    """And no more than a hundred are taken, which is said."""
    page = person.page
    for _ in range(100):
        page.keyboard.press("i")
    page.keyboard.press("i")
    assert "100 boxes" in hint(person)
    assert len(rows(person)) == 100
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    assert page.evaluate(FRAMES, 30) > 0
    assert len(rows(person)) == 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE])
def test_axe_finds_nothing_and_the_image_keeps_its_room(
    lab: LabelLab, size: tuple[int, int], scheme: str
) -> None:
    """With boxes, one of them chosen and without its digit."""
    person = come(lab, size=size, color_scheme=scheme)
    empty = stage(person)
    drag(person, (0.4, 0.4), (0.5, 0.5))
    person.page.keyboard.press("Enter")
    assert hint(person) != ""
    assert stage(person) == empty, "The image keeps its place whatever is drawn and said."
    person.type("6")
    drag(person, (0.55, 0.4), (0.6, 0.5))
    found = Axe().run(person.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == []
    width = "document.documentElement.scrollWidth - innerWidth"
    assert person.page.evaluate(width) <= 0
    room = person.page.locator(".stage-area").bounding_box()
    assert room is not None
    assert room["height"] >= 0.5 * size[1]
