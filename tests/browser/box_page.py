"""How tests draw boxes around digits: by mouse, by finger and by keys, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect

from tests.browser.conftest import wait_until
from tests.browser.label_page import Annotator, LabelLab, label_lab

Place = tuple[float, float]
"""A point of the pane, as shares of its width and height."""


@contextmanager
def box_lab(browser: Browser, folder: Path, **changes: Any) -> Iterator[LabelLab]:
    """Yield a label server with one study that asks for boxes."""
    few: dict[str, Any] = {"pools": ("guided",), "stimuli": 2, "images_per_annotator": 2}
    asked = {"ask_boxes": True, "ask_confidence": True, "allow_change": True}
    told = {"practice_feedback": {"guided": "correctness"}}
    with label_lab(browser, folder, labels_per_image=40, **few, **asked, **told, **changes) as made:
        yield made


def come(lab: LabelLab, **context: Any) -> Annotator:
    """Join, agree, say of the practice image that it has no digit, and come to the first image."""
    lab.trouble.posts.clear()
    person = lab.person("guided", **context)
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button(re.compile("^Begin"))
    person.wait_for_drawing()
    person.press_button("None to be seen")
    person.press_button("Submit")
    person.press_button("Next")
    person.wait_for_image(1)
    return person


def stage(person: Annotator) -> FloatRect:
    """Return where the pane is on the page."""
    box = person.page.locator(".work .pane .image").bounding_box()
    assert box is not None
    return box


def drag(person: Annotator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag the mouse between two points of the pane, which are shares of it."""
    pane, mouse = stage(person), person.page.mouse
    (x0, y0), (x1, y1) = (
        (pane["x"] + x * pane["width"], pane["y"] + y * pane["height"]) for x, y in (start, end)
    )
    mouse.move(x0, y0)
    mouse.down()
    mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
    mouse.move(x1, y1)
    mouse.up()


def rows(person: Annotator) -> list[str]:
    """Return what the list says of each box."""
    found = person.page.locator(".boxes-row").all()
    return [str(one.get_attribute("aria-label")) for one in found]


def labels(person: Annotator) -> str:
    """Return the labels of all boxes in order."""
    return "".join(person.page.locator(".boxes-row strong").all_inner_texts())


def wait_for_labels(person: Annotator, wanted: str) -> None:
    """Wait until the boxes have these labels."""
    wait_until(lambda: labels(person) == wanted, f"Not {wanted}: {labels(person)}", person.page)


def sent(person: Annotator, number: int = 1) -> list[dict[str, Any]]:
    """Return the boxes of an answer that was posted, once there are so many."""
    answers = person.lab.trouble.answers
    wait_until(lambda: len(answers()) >= number, "The answer was not sent.", person.page)
    body = answers()[number - 1]
    assert body["answer"] == sum(one["label"] for one in body["boxes"])
    return list(body["boxes"])


def shown(person: Annotator) -> list[dict[str, float]]:
    """Return the outlines on screen, CSS px in the pane."""
    script = """(lines) => lines.filter((one) => one.checkVisibility()).map((one) =>
      Object.fromEntries(
      ["x", "y", "width", "height"].map((name) => [name, Number(one.getAttribute(name))])))"""
    found = person.page.locator("g.own .drawn .box.line").evaluate_all(script)
    return list(found)


def wait_for_rest(person: Annotator) -> dict[str, float]:
    """Wait until the one box on screen has stood still for half a second, and return it."""
    seen = [shown(person)]

    def rests() -> bool:
        person.page.wait_for_timeout(100)
        seen.append(shown(person))
        return len(seen) > 5 and all(one == seen[-1] for one in seen[-5:])

    wait_until(rests, "The image does not come to rest.", person.page)
    return seen[-1][0]


def hint(person: Annotator) -> str:
    """Return what is said beside the answer."""
    return person.page.locator(".hint").inner_text()


def fingers_of(person: Annotator) -> Callable[..., None]:
    """Return what puts fingers on the pane: kind of event, then a place for each finger."""
    pane = stage(person)
    touch = person.context.new_cdp_session(person.page)

    def fingers(kind: str, *places: Place) -> None:
        points = [
            {"x": pane["x"] + x * pane["width"], "y": pane["y"] + y * pane["height"], "id": number}
            for number, (x, y) in enumerate(places)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return fingers


def drag_finger(fingers: Callable[..., None], *way: Place) -> None:
    """Draw one finger over the pane, from place to place."""
    fingers("touchStart", way[0])
    for place in way[1:]:
        fingers("touchMove", place)
    fingers("touchEnd")
