"""What is recorded with an answer: its clocks, the trace, and where it was given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, wait_until
from tests.browser.label_page import SIDE_PX, Annotator, LabelLab

OpenStudy = Callable[..., LabelLab]


def test_record_of_an_answer_says_what_was_done(open_study: OpenStudy) -> None:
    """Whole view first, then what was zoomed to; a part for each load; the pause hidden."""
    lab = open_study(practice=0)
    person = lab.person(color_scheme="dark")
    person.come_to_trials()
    page = person.page
    page.keyboard.press("+")
    page.keyboard.press("+")
    wait_for_rest(page)
    page.keyboard.press("p")
    page.wait_for_timeout(1500)
    page.keyboard.press("Enter")
    page.locator("dialog").wait_for(state="detached")
    person.type("14")
    page.reload()
    person.wait_for_image(1)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    person.wait_for_image(2)
    (body,) = lab.trouble.answers()
    record = body["response"]
    first, second = record["parts"]
    pane = page.locator(".umnist-viewer .pane").bounding_box()
    assert pane is not None
    whole = first["samples"][0]
    assert (whole["t"], whole["x"], whole["y"]) == (0, SIDE_PX / 2, SIDE_PX / 2)
    assert (whole["w"], whole["h"]) == (pane["width"], pane["height"])
    assert whole["zoom"] * SIDE_PX == pytest.approx(pane["height"] - 20, abs=0.5)
    zoomed = next(one for one in reversed(first["samples"]) if one["visible"])
    assert zoomed["zoom"] == 1
    hidden = next(one for one in first["samples"] if not one["visible"])
    again = next(one for one in first["samples"] if one["visible"] and one["t"] > hidden["t"])
    assert again["t"] - hidden["t"] >= 1500, "The pause."
    assert record["hidden_ms"] >= 1500
    parts_ms = record["active_ms"] + record["idle_ms"] + record["hidden_ms"]
    assert record["response_ms"] == pytest.approx(parts_ms, abs=0.2)
    assert record["response_ms"] == pytest.approx(first["end_ms"] + second["end_ms"], abs=1)
    assert second["end_ms"] >= 300
    assert record["first_drawn_ms"] > 0
    assert record["queued_ms"] == 0
    device = {"window": list(DESK), "theme": "dark", "touch": False, "drawer": "canvas"}
    assert record["device"].items() >= device.items()


def test_hidden_tab_is_counted_as_hidden(open_study: OpenStudy) -> None:
    """The browser's own word for it, by a page that says so."""
    hide = (
        "let hidden = false;"
        "Object.defineProperty(document, 'visibilityState',"
        " { get: () => hidden ? 'hidden' : 'visible' });"
        "window.hide = (value) => { hidden = value;"
        " document.dispatchEvent(new Event('visibilitychange')); };"
    )
    lab = open_study(practice=0)
    person = lab.person(before=hide)
    person.come_to_trials()
    person.page.evaluate("hide(true)")
    person.page.wait_for_timeout(1200)
    person.page.evaluate("hide(false)")
    person.answer(7)
    person.wait_for_image(2)
    record = lab.trouble.answers()[0]["response"]
    assert 1200 <= record["hidden_ms"] < record["response_ms"]
    shown = [sample["visible"] for sample in record["parts"][0]["samples"]]
    assert shown == [True, False, True]


def test_clock_starts_when_the_image_is_drawn_and_not_before(open_study: OpenStudy) -> None:
    """The time that slow tiles take is in `first_drawn_ms` and not in `response_ms`."""
    lab = open_study(practice=0)
    lab.trouble.delays_s[".png"] = 0.8
    person = lab.person()
    person.open_link()
    person.press_button("I agree and take part")
    person.press_button("Begin")
    person.page.locator(".pad").wait_for()
    person.answer(7)
    person.page.locator(".hint", has_text="The image is still loading.").wait_for()
    person.wait_for_image(1)
    lab.trouble.delays_s.clear()
    person.page.keyboard.press("Enter")
    person.wait_for_image(2)
    record = lab.trouble.answers()[0]["response"]
    assert record["first_drawn_ms"] >= 800
    assert record["parts"][0]["samples"][0]["t"] == 0


def test_next_image_is_fetched_while_the_present_one_is_worked_on(open_study: OpenStudy) -> None:
    """All that its first view needs, so that it is there at once when its turn comes."""
    lab = open_study(practice=0)
    person = lab.person()
    person.come_to_trials()
    page = person.page
    # The first view of 2,048 px in some 850 is drawn from the level of 1,024.
    wait_until(lambda: coarse(person) == {1: 4, 2: 4}, f"Found {coarse(person)}.")
    person.answer(7)
    person.wait_for_image(2)
    sources = "performance.getEntriesByType('resource').filter((e) => e.name.includes('/10/'))"
    again = page.evaluate(f"{sources}.slice(8).map((e) => e.transferSize)")
    assert set(again[:4]) <= {0}, "It comes from the browser's cache."


def coarse(person: Annotator) -> dict[int, int]:
    """Return how many tiles of level 10 were fetched of the first image, the second ..."""
    names = person.page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    images: dict[str, set[str]] = {}
    for name in names:
        if "/10/" in name:
            images.setdefault(name.split("_files")[0], set()).add(name)
    return {number: len(tiles) for number, tiles in enumerate(images.values(), 1)}


def wait_for_rest(page: Page) -> None:
    """Wait until a movement of the image has ended."""
    page.wait_for_timeout(900)
