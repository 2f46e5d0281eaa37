"""Warnings before an answer, why it is wrong with a flight to each digit, readable attention."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE, wait_until
from tests.browser.look_page import (
    BOXES,
    FIRST,
    WEIGHTS,
    LookPage,
    LookServer,
    answer,
    attention_map,
    look_data,
    look_page,
    outcome,
    value,
)
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations
from umnist_core.pyramid import encode_png

OpenPage = Callable[..., LookPage]

DOUBTS = [
    {
        "kind": "canvas",
        "sentence": "Expected 4000 x 4000 px; found 3100 x 2300 px.",
        "measured": "Sides are compared.",
    },
    {
        "kind": "colour",
        "sentence": "Expected black and white alone; found <b>colours</b>.",
        "measured": "Nine windows are read.",
    },
]

LOOKED = {
    "mass": 0.049,
    "chance": 0.004,
    "perfect": 0.31,
    "boxes": {"mass": 0.098, "chance": 0.008, "perfect": 0.92},
    "pointing": True,
    "effective_places": 3.94,
}


def _picture(side: int) -> str:
    pixels = (np.indices((side, side)).sum(axis=0) % 2 * 255).astype(np.uint8)
    return f"data:image/png;base64,{base64.b64encode(encode_png(pixels)).decode()}"


def _digit(place: int, **more: Any) -> dict[str, Any]:
    """Return what is said of the digit in one of `BOXES`."""
    box = list(BOXES[place].xywh)
    how = {"input_px": 1.8, "words": "reduced to 512 px", "seen": _picture(8)}
    return {"box": box, "how": {**how, "real": _picture(64)}, **more}


def _why() -> dict[str, Any]:
    missed = {"kind": "unseen", "label": 3, "read": None, "words": "missed"}
    misread = {"kind": "misread", "label": 7, "read": 1, "words": "read as a 1"}
    noise = {"kind": "noise", "label": None, "read": 4, "words": "taken for a 4"}
    return {
        "task": "sum",
        "reason": "not_looked_at",
        "title": "Unseen",
        "sentence": "It missed the 3 of 24 px, read the 7 of 256 px as a 1 and took noise for a 4.",
        "digits": [_digit(2, **missed), _digit(0, **misread), _digit(4, **noise)],
    }


@pytest.fixture
def open_page(browser: Browser, look_at: LookServer) -> Iterator[OpenPage]:
    """Return a function that opens the page, where the model answers as told."""
    with ExitStack() as pages:

        def open_it(context: dict[str, Any] | None = None, **told: Any) -> LookPage:
            data = look_data(look_at)
            look = pages.enter_context(look_page(browser, look_at, data, **(context or {})))
            look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), **told)
            look.predict()
            return look

        yield open_it


def test_warnings_stand_before_the_answer_and_are_read_aloud_before_it(
    open_page: OpenPage,
) -> None:
    """Each sentence, in the warning colour, above the number; gone with the next answer."""
    look = open_page(doubts=DOUBTS)
    warnings = look.panel.get_by_role("list", name="Warnings").get_by_role("listitem")
    assert warnings.all_text_contents() == [one["sentence"] for one in DOUBTS]
    colours = warnings.first.evaluate(
        """(item) => [getComputedStyle(item).borderLeftColor,
                      getComputedStyle(item, "::before").color,
                      getComputedStyle(item).color]"""
    )
    assert colours[0] == colours[1] != colours[2]
    tops = [
        (look.panel.locator(one).first.bounding_box() or {"y": 0})["y"]
        for one in (".warnings", ".outcome .value", ".outcome .bars")
    ]
    assert tops == sorted(tops)
    said = look.panel.locator("> [role=status]").inner_text()
    assert said.startswith("Warning: Expected 4000 x 4000 px; found 3100 x 2300 px. Warning:")
    assert said.endswith(f"{FIRST}: 18, right.")
    measured = look.panel.locator(".warned details")
    expect(measured.get_by_text("Nine windows are read.")).to_be_hidden()
    measured.get_by_text("How this is measured").click()
    expect(measured.get_by_text("Nine windows are read.")).to_be_visible()
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS[::-1]), doubts=[])
    look.predict()
    expect(look.panel.locator(".warned")).to_have_count(0)


def test_wrong_answer_says_why_and_flies_to_each_digit(open_page: OpenPage) -> None:
    """The sentence under the verdict; each digit beside its pictures, and a button goes there."""
    look = open_page(tasks=[answer(18, 21)], why=_why())
    why = look.panel.get_by_role("region", name="Why it is wrong")
    expect(why.locator(".said")).to_have_text(f"Unseen: {_why()['sentence']}")
    buttons = why.get_by_role("button")
    names = [text.split("\n")[0] for text in buttons.all_inner_texts()]
    assert names == [
        "3 of 24 px, missed",
        "7 of 256 px, read as a 1",
        "Noise of 256 px, taken for a 4",
    ]
    expect(buttons.first).to_contain_text("1.8 px at its input: reduced to 512 px")
    crisp, plain = buttons.first.locator("img").all()
    assert crisp.evaluate("(image) => [image.naturalWidth, image.width > 60]") == [8, True]
    rendering = "(image) => getComputedStyle(image).imageRendering"
    assert (crisp.evaluate(rendering), plain.evaluate(rendering)) == ("pixelated", "auto")
    (mark,) = look.page.locator("[data-look=missed]").all()
    expect(mark.locator("text")).to_have_text("3 missed")
    box = BOXES[2]
    buttons.first.focus()
    look.page.keyboard.press("Enter")
    middle = (box.col0 + box.col1) / 2, (box.row0 + box.row1) / 2

    def is_there() -> bool:
        view = look.view()
        return abs(view["x"] - middle[0]) < 2 and abs(view["y"] - middle[1]) < 2

    wait_until(is_there, f"It did not fly to {middle}: {look.view()}")
    assert look.view()["zoom"] > 1
    said = look.panel.locator("> [role=status]").inner_text()
    assert said.endswith(f"wrong: the sum is 21. {_why()['sentence']}")


def test_nothing_is_said_of_digits_where_the_answer_is_right(open_page: OpenPage) -> None:
    """Nor where nobody knows why."""
    look = open_page(tasks=[answer(18, 18)])
    expect(value(look)).to_have_text("18")
    expect(look.panel.locator(".why")).to_have_count(0)


def test_attention_says_how_many_times_chance_it_is(open_page: OpenPage) -> None:
    """Mass in boxes and on ink, chance, what a perfect model has, and what was chosen."""
    chosen = {"places": 24, "on_digit": 10, "on_noise": 1, "on_nothing": 13}
    look = open_page(looked={"sum": LOOKED}, chosen=chosen)
    looked = look.panel.locator(".looked")
    expect(looked.locator(".said")).to_have_text(
        "9.8 % of its attention lies in the digits' boxes, 12 times chance; "
        "a perfect model has 92 %."
    )
    rows = [row.locator("th, td").all_inner_texts() for row in looked.locator("tbody tr").all()]
    assert rows == [
        ["in digits' boxes", "9.8 %", "0.8 %", "12", "92 %"],
        ["on their ink", "4.9 %", "0.4 %", "12", "31 %"],
    ]
    expect(looked).to_contain_text("The strongest place is on or beside a digit.")
    expect(looked).to_contain_text("It is as spread as over 3.9 of 5 places.")
    expect(looked).to_contain_text(
        "Of the 24 places that it chose 10 are on digits, 1 on noise and 13 on nothing."
    )
    widths = [part.bounding_box() for part in looked.locator(".chosen-bar span").all()]
    shares = [(one or {"width": 0})["width"] for one in widths]
    assert shares[0] / shares[2] == pytest.approx(10 / 13, abs=0.02)
    bar = look.page.locator(".heat-bar")
    expect(bar).to_contain_text("no weight")
    expect(bar).to_contain_text("strongest, 0.4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_it_fits_a_phone_and_pleases_axe(open_page: OpenPage, scheme: str) -> None:
    """Nothing is wider than the screen, and what can be pressed is large enough for a finger."""
    viewport = {"width": PHONE[0], "height": PHONE[1]}
    context = {"viewport": viewport, "has_touch": True, "color_scheme": scheme}
    look = open_page(
        context,
        tasks=[answer(18, 21)],
        why=_why(),
        doubts=DOUBTS,
        looked={"sum": LOOKED},
        chosen={"places": 24, "on_digit": 10, "on_noise": 1, "on_nothing": 13},
    )
    check_nothing_is_cut_off(look.page, f"phone, {scheme}")
    for button in look.panel.locator(".wrong-digit").all():
        assert (button.bounding_box() or {"height": 0})["height"] >= 40
    if shots := os.environ.get("WHY_SHOTS"):
        look.page.screenshot(path=f"{shots}/phone-{scheme}.png", full_page=True)
    assert find_violations(look.page) == []
    look.complaints.clear()  # axe asks for what style sheets import, beside the page
