"""The answer in short stands at the viewer, whatever is open beside it; searches light up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import PHONE
from tests.browser.look_page import (
    FIRST,
    SECOND,
    WEIGHTS,
    LookPage,
    LookServer,
    answer,
    attention_map,
    look_data,
    look_page,
    outcome,
    show_scenes,
)

OpenLook = Callable[..., LookPage]
SEEN = [(0, 0, 200, 200), (200, 0, 200, 200), (40, 60, 20, 20)]


@pytest.fixture
def open_look(browser: Browser, look_at: LookServer) -> Iterator[OpenLook]:
    """Return a function that opens the page with a choice, in a context."""
    with ExitStack() as pages:

        def open_page(context: dict[str, Any] | None = None, **choice: Any) -> LookPage:
            data = look_data(look_at, **choice)
            return pages.enter_context(look_page(browser, look_at, data, **(context or {})))

        yield open_page


def bar(look: LookPage) -> Locator:
    """Return the bar at the viewer."""
    return look.page.locator(".umnist-viewer .umnist-answer")


def marks(look: LookPage) -> Locator:
    """Return the outlines of places that were looked at."""
    return look.page.locator("[data-look=seen]")


@pytest.mark.parametrize(
    "context", [{}, {"viewport": {"width": PHONE[0], "height": PHONE[1]}, "has_touch": True}]
)
def test_answer_and_verdict_are_in_sight_with_the_panel_out_of_it(
    open_look: OpenLook, context: dict[str, Any]
) -> None:
    """On a desk and on a phone, in the viewer's own frame."""
    look = open_look(context)
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), tasks=[answer(18, 21)])
    look.predict()
    look.page.evaluate("document.querySelector('.umnist-watch').style.display = 'none'")
    for words in ("18", "Wrong: the sum is 21"):
        expect(bar(look).get_by_text(words, exact=True)).to_be_visible()
        expect(bar(look).get_by_text(words, exact=True)).to_be_in_viewport(ratio=1)
    predict = bar(look).get_by_role("button", name="Predict")
    box = predict.bounding_box()
    assert box is not None
    assert not context or box["height"] >= 40, "A finger is wider."


def test_doubts_stand_before_the_number(open_look: OpenLook) -> None:
    """With the sentence that says why."""
    look = open_look()
    doubt = {"kind": "photograph", "sentence": "Expected black and white; found a photograph."}
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), doubts=[doubt])
    look.predict()
    words = bar(look).locator(".saying:visible .words > *")
    assert words.all_text_contents()[0] == "Doubtful"
    expect(words.first).to_have_attribute("title", doubt["sentence"])


def test_two_models_are_named(open_look: OpenLook) -> None:
    """Each with its own answer."""
    look = open_look(beside=SECOND)
    look.models.outcomes[SECOND] = outcome(attention_map(WEIGHTS), tasks=[answer(5, 18)])
    look.predict()
    said = bar(look).locator(".saying:visible .words")
    expect(said.nth(1)).to_contain_text(f"{SECOND}5Wrong: the sum is 18")
    expect(said.nth(0)).to_contain_text(FIRST)


def test_progress_and_cancel_are_at_the_viewer(open_look: OpenLook) -> None:
    """The bar says how far it is; after Cancel the old answer stays, and Predict has the focus."""
    look = open_look()
    look.predict()
    look.models.steps = 8
    look.models.held.add(5)
    show_scenes(look, 5)
    expect(bar(look).locator(".progress:visible .state")).to_have_text(re.compile("^Part 1 of 8"))
    cancel = bar(look).get_by_role("button", name="Cancel")
    cancel.focus()
    look.page.keyboard.press("Enter")
    expect(bar(look).locator(".progress:visible")).to_have_count(0)
    expect(bar(look).get_by_role("button", name="Predict")).to_be_focused()
    expect(bar(look).locator(".saying.stale:visible .value")).to_have_text("18")


def test_search_lights_up_while_it_runs_and_is_shown_again(open_look: OpenLook) -> None:
    """Places come as the server tells of them, and go with the answer; later one asks for them."""
    look = open_look()
    look.predict()
    look.models.seen.extend(SEEN)
    look.models.held.add(5)
    show_scenes(look, 5)
    expect(marks(look)).to_have_count(len(SEEN))
    look.models.held.clear()
    expect(marks(look)).to_have_count(0)
    again = bar(look).get_by_role("button", name="Watch it search")
    again.click()
    stop = bar(look).get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    expect(marks(look)).to_have_count(len(SEEN))
    stop.click()
    expect(marks(look)).to_have_count(0)
    expect(again).to_be_visible()


def test_who_wants_no_motion_sees_all_places_at_once(open_look: OpenLook) -> None:
    """Until it is stopped."""
    look = open_look({"reduced_motion": "reduce"})
    look.models.seen.extend(SEEN)
    look.predict()
    bar(look).get_by_role("button", name="Watch it search").click()
    expect(marks(look)).to_have_count(len(SEEN))
    look.page.wait_for_timeout(300)
    expect(marks(look)).to_have_count(len(SEEN))
    bar(look).get_by_role("button", name="Stop").click()
    expect(marks(look)).to_have_count(0)


def test_bar_moves_to_a_viewer_that_is_made_anew(open_look: OpenLook) -> None:
    """While there is none it stands in the panel."""
    look = open_look()
    look.predict()
    look.page.evaluate("viewer.destroy()")
    expect(look.panel.locator("> .umnist-answer .value")).to_have_text("18")
