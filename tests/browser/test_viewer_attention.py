"""Attention over the image: on the pixel at every zoom, its values, marks and two in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect

from tests.browser.conftest import wait_until
from tests.browser.look_page import (
    BOXES,
    FIRST,
    SECOND,
    WEIGHTS,
    LookPage,
    LookServer,
    attention_map,
    look_data,
    look_page,
    outcome,
)
from tests.repeated import repeated

HALF_PX = 0.5
"""How far an edge of the overlay may be from its pixel, screen px."""

ROUNDING_PX = 0.02
"""What 8 bits of a screenshot leave of an edge's place unknown."""

REACH_PX = 6
"""Screen px on each side of an edge that are measured."""

INSIDE_PX = 16
"""How far inside a box its sides are measured, screen px."""

ZOOMS = (0.317, 0.5, 1.0, 2.6, 8.0)
"""CSS px per image px: reduced unevenly and evenly, as it is, enlarged unevenly and evenly."""

GREY_AT_MOST = 20
"""What the chips over the picture have of colour; heat has more."""

OpenLook = Callable[..., LookPage]


@pytest.fixture
def open_look(browser: Browser, look_at: LookServer) -> Iterator[OpenLook]:
    """Return a function that opens the page."""
    with ExitStack() as pages:
        yield lambda context=None, **choice: pages.enter_context(
            look_page(browser, look_at, look_data(look_at, **choice), **(context or {}))
        )


def set_opacity(look: LookPage, percent: int) -> None:
    """Take the slider somewhere."""
    slider = look.page.get_by_role("slider", name="Opacity of the heat")
    slider.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }",
        percent,
    )


def colourfulness(look: LookPage, index: int = 0) -> NDArray[np.float64]:
    """Return how far from grey each screen pixel of a pane is, (rows, columns)."""
    png = look.page.screenshot(clip=look.box(index), scale="device")
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    channels = image.astype(np.float64)
    spread: NDArray[np.float64] = channels.max(axis=2) - channels.min(axis=2)
    return spread


def settled(look: LookPage) -> NDArray[np.float64]:
    """Return the colourfulness of the pane once nothing of it changes any more."""
    shots = [colourfulness(look)]

    def is_still() -> bool:
        look.page.wait_for_timeout(120)
        shots.append(colourfulness(look))
        return shots[-1].max() > 100 and np.array_equal(shots[-1], shots[-2])

    wait_until(is_still, "The overlay does not come to rest.")
    return shots[-1]


def offsets(look: LookPage, corner: tuple[int, int], way: int) -> list[float]:
    """Return how far the two sides that meet in a corner are from it, screen px.

    ``corner`` is x and y in image px; the box lies right of and below it where ``way`` is 1,
    and left of and above it where it is -1.
    """
    lines, pane = settled(look), look.box()
    x, y = look.screen(*corner)
    column, row = (x - pane["x"]) * look.density, (y - pane["y"]) * look.density
    found = []
    for across, along, image in ((row, column, lines), (column, row, lines.T)):
        start = round(along) - REACH_PX
        profile = image[round(across) + way * INSIDE_PX, start : start + 2 * REACH_PX]
        share = profile / profile.max()
        seen = start + float((1 - share).sum() if way == 1 else share.sum())
        found.append(seen - along)
    return found


@pytest.mark.parametrize("density", repeated([1.25, 2, 1, 1.5], 2))
def test_overlay_lies_on_its_pixels_at_every_zoom(open_look: OpenLook, density: float) -> None:
    """Every side of a box is within half a screen pixel of where the picture's pixel is."""
    look = open_look({"device_scale_factor": density})
    look.predict()
    look.panel.get_by_label("Outline").select_option("none")
    set_opacity(look, 100)
    for zoom in ZOOMS:
        for box in (BOXES[0], BOXES[3]):
            for corner, way in (((box.col0, box.row0), 1), ((box.col1, box.row1), -1)):
                look.go(*corner, zoom)
                off = offsets(look, corner, way)
                assert np.abs(off).max() <= HALF_PX + ROUNDING_PX, (zoom, box, way, off)


def test_value_under_the_pointer_is_the_weight(open_look: OpenLook) -> None:
    """The bar says the weight of the place under the pointer, and 0 beside all places."""
    look = open_look()
    look.predict()
    for box, weight in zip(BOXES, WEIGHTS, strict=True):
        x, y = box.col0 + box.width / 2, box.row0 + box.height / 2
        look.show_value_at(x, y, f"{weight:g}")
    look.show_value_at(1000, 1000, "0")
    # Half an image pixel on either side of an edge, where pixels are large.
    box = BOXES[0]
    look.go(box.col0, box.row0 + 100, 16)
    look.show_value_at(box.col0 - 0.5, box.row0 + 100, "0")
    look.show_value_at(box.col0 + 0.5, box.row0 + 100, "0.4")


def test_opacity_takes_the_heat_off_the_picture(open_look: OpenLook) -> None:
    """At 0 the picture is as it was; at 100 nothing of it shows through a strong place."""
    look = open_look()
    look.predict()
    look.panel.get_by_label("Outline").select_option("none")
    wait_until(lambda: colourfulness(look).max() > 50, "The overlay is not on screen.")
    set_opacity(look, 0)
    wait_until(lambda: colourfulness(look).max() < GREY_AT_MOST, "The heat is still there.")
    set_opacity(look, 100)
    wait_until(lambda: colourfulness(look).max() > 200, "The heat is not opaque.")


def test_spotlight_leaves_what_was_looked_at_and_veils_the_rest(open_look: OpenLook) -> None:
    """As a grey veil the heat has no colour: the heaviest place is as it was, others darker."""
    look = open_look()
    look.predict()
    look.panel.get_by_label("Outline").select_option("none")
    look.page.get_by_label("Heat as").select_option("spotlight")
    set_opacity(look, 100)
    wait_until(lambda: colourfulness(look).max() < GREY_AT_MOST, "The veil has a colour.")

    def grey_at(x: float, y: float) -> int:
        left, top = look.screen(x, y)
        png = look.page.screenshot(clip={"x": left, "y": top, "width": 1, "height": 1})
        pixel = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert pixel is not None
        return int(pixel[0, 0])

    strongest, weak = BOXES[0], BOXES[3]
    assert grey_at(strongest.col0 + 128, strongest.row0 + 128) == 255
    assert 140 < grey_at(weak.col0 + 500, weak.row0 + 250) < 170
    assert 120 < grey_at(1000, 1000) < 136


def test_heads_and_tasks_are_chosen_and_averaged(open_look: OpenLook) -> None:
    """The value of a place follows the choice of task and head; at first it is their mean."""
    weights = np.zeros((2, 3, len(BOXES)), np.float32)
    weights[:, :, 0] = 0.5
    weights[:, :, 1] = 0.5
    weights[1, 2] = (0.9, 0.1, 0, 0, 0)
    tasks = ("majority", "max")
    look = open_look()
    look.models.outcomes[FIRST] = outcome(attention_map(weights, tasks=tasks))
    look.predict()
    x, y = BOXES[1].col0 + 50, BOXES[1].row0 + 50
    mean = float(weights[:, :, 1].mean())
    look.show_value_at(x, y, f"{mean:.2g}")
    look.panel.get_by_label("Task").select_option("max")
    look.show_value_at(x, y, f"{float(weights[1, :, 1].mean()):.2g}")
    look.panel.get_by_label("Head").select_option(label="3")
    look.show_value_at(x, y, "0.1")
    expect(look.page.locator(".heat-title")).to_have_text("Attention: max")


def test_rounds_are_stepped_through(open_look: OpenLook) -> None:
    """The slider shows the map of each round, and the last one again at its end; Play goes on."""
    rounds = [attention_map(np.roll(WEIGHTS, shift)) for shift in (1, 2, 3)]
    look = open_look({"reduced_motion": "no-preference"})
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), rounds=rounds)
    look.predict()
    slider = look.panel.get_by_role("slider", name="Round")
    expect(slider).to_have_attribute("aria-valuetext", "The end")
    slider.focus()
    x, y = BOXES[0].col0 + 50, BOXES[0].row0 + 50
    for text, weight in (
        ("Round 3 of 3", WEIGHTS[2]),
        ("Round 2 of 3", WEIGHTS[3]),
        ("Round 1 of 3", WEIGHTS[4]),
    ):
        look.page.keyboard.press("ArrowLeft")
        expect(slider).to_have_attribute("aria-valuetext", text)
        look.show_value_at(x, y, f"{weight:g}")
    look.panel.get_by_role("button", name="Play").click()
    expect(slider).to_have_attribute("aria-valuetext", "Round 3 of 3")
    expect(slider).to_have_attribute("aria-valuetext", "The end")
    expect(look.panel.get_by_role("button", name="Play")).to_be_visible()
    look.show_value_at(x, y, "0.4")


def test_play_goes_one_round_a_press_where_motion_is_reduced(open_look: OpenLook) -> None:
    """Nothing moves by itself."""
    rounds = [attention_map(np.roll(WEIGHTS, shift)) for shift in (1, 2, 3)]
    look = open_look({"reduced_motion": "reduce"})
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), rounds=rounds)
    look.predict()
    slider = look.panel.get_by_role("slider", name="Round")
    look.panel.get_by_role("button", name="Play").click()
    expect(slider).to_have_attribute("aria-valuetext", "Round 1 of 3")
    look.page.wait_for_timeout(1500)
    expect(slider).to_have_attribute("aria-valuetext", "Round 1 of 3")
    look.panel.get_by_role("button", name="Play").click()
    expect(slider).to_have_attribute("aria-valuetext", "Round 2 of 3")


def test_strongest_places_are_outlined_listed_and_flown_to(open_look: OpenLook) -> None:
    """Each place has an outline with its weight; Enter on its entry shows it."""
    look = open_look()
    look.predict()
    marks = look.page.locator("[data-look=patch]")
    expect(marks).to_have_count(len(BOXES))
    shown = {text for text in marks.locator("text").all_text_contents() if text}
    assert shown == {f"{weight:g}" for weight in WEIGHTS}
    entries = look.panel.locator(".places button")
    expect(entries).to_have_count(len(BOXES))
    strengths = [float(entry.locator(".weight").inner_text()) for entry in entries.all()]
    assert strengths == sorted(WEIGHTS, reverse=True)
    box = BOXES[2]
    entries.nth(2).focus()
    look.page.keyboard.press("Enter")
    wait_until(
        lambda: (
            abs(look.view()["x"] - box.col0 - 12) < 1 and abs(look.view()["y"] - box.row0 - 12) < 1
        ),
        f"Expected a view of {box}, found {look.view()}.",
    )
    assert 100 < box.width * look.view()["zoom"] < look.box()["height"]
    look.panel.get_by_label("Outline").select_option("none")
    expect(marks).to_have_count(0)


def test_found_digits_are_outlined_and_flown_to(open_look: OpenLook) -> None:
    """A model that finds digits has them outlined with label and score, and as buttons."""
    found: list[dict[str, Any]] = [
        {"label": 3, "score": 0.998, "box": [503, 301, 256, 256]},
        {"label": 5, "score": 0.61, "box": [611, 1207, 24, 24]},
    ]
    look = open_look()
    look.models.outcomes[FIRST] = outcome(attention_map(WEIGHTS), found=found)
    look.predict()
    marks = look.page.locator("[data-look=found]")
    expect(marks).to_have_count(2)
    assert set(marks.locator("text").all_text_contents()) == {"3", "5 · 61 %"}
    look.panel.get_by_role("button", name="Go to a found 5").click()
    wait_until(
        lambda: abs(look.view()["x"] - 623) < 1 and abs(look.view()["y"] - 1219) < 1,
        "The viewer did not go to the digit.",
    )


def test_two_models_look_at_one_picture_in_step(open_look: OpenLook) -> None:
    """Each pane has its own heat and values, both show the same place, and one bar serves both."""
    look = open_look(beside=SECOND)
    look.models.outcomes[SECOND] = outcome(attention_map(WEIGHTS[::-1]))
    look.predict()
    titles = look.page.locator(".pane .title")
    expect(titles).to_have_text([f"{FIRST}: 18", f"{SECOND}: 18"])
    expect(look.page.locator(".heat-bar")).to_have_count(1)
    look.go(630, 430, 1)
    for index in (0, 1):
        wait_until(
            lambda: colourfulness(look, index).max() > 50,  # noqa: B023 (called at once)
            "The overlay is not on screen.",
        )
    for index, said in ((0, "0.4"), (1, "0.05"), (0, "0.4")):
        look.show_value_at(631, 430, said, index)
    look.page.locator(".openseadragon-canvas").nth(1).focus()
    look.page.keyboard.press("ArrowRight")
    wait_until(lambda: look.view()["x"] > 650, "The pane in focus did not move.")
    for index, said in ((0, "0.4"), (1, "0.05")):
        look.show_value_at(700, 430, said, index)
    look.panel.get_by_label("Beside it").select_option("")
    expect(look.page.locator(".pane")).to_have_count(1)


def test_tiles_are_fetched_for_the_view_alone(open_look: OpenLook) -> None:
    """Close up, few tiles of the finest level are asked for, and no finer than a screen pixel."""
    look = open_look({"reduced_motion": "reduce"})  # on the way there others are in view
    asked: list[str] = []
    look.page.on("request", lambda request: asked.append(request.url))
    look.predict()
    expect(look.page.locator("canvas.heat")).to_be_visible()
    levels = {url.split("/heat/")[1].split("/")[0] for url in asked if "/heat/" in url}
    # At 0.3 screen px a pixel, two pixels are less than one of the screen's and four are more;
    # the other level is the finest that is one tile.
    assert levels == {"9", "11"}
    asked.clear()
    look.go(631, 430, 4)
    look.show_value_at(631, 430, "0.4")
    finest = [url for url in asked if "/heat/12/" in url]
    assert 1 <= len(finest) <= 4, finest
