"""The Noise lab in a real browser: the picture follows, and two settings are compared."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import wait_until
from tests.browser.lab_page import (
    INDEX,
    ONE_TO_ONE,
    SEED,
    SHOT_PX,
    STILL,
    asked,
    dragging,
    drawn,
    open_lab,
    setting_of,
    shows,
    slider,
    value_of,
    view_of,
    wait_for_picture,
    wait_for_rest,
)
from umnist_core.digits import GlyphSet, load_glyphs


@pytest.fixture(scope="module")
def glyphs() -> GlyphSet:
    """Return the digits that the app uses too."""
    return load_glyphs()


def test_picture_follows_the_slider_before_it_is_let_go_of(
    page: Page, app: str, glyphs: GlyphSet
) -> None:
    """While the handle is held, the pixels on screen are those of the value that it shows."""
    open_lab(page, app, view=ONE_TO_ONE, **STILL)
    before = drawn(setting_of(**STILL), glyphs)
    wait_for_picture(page, before)
    wait_for_rest(page)
    link = page.evaluate("location.href")
    with dragging(page, "rotation", 10, 20, 31):
        rotation = value_of(page, "rotation")
        assert rotation != STILL["rotation"]
        expected = drawn(setting_of(**{**STILL, "rotation": rotation}), glyphs)
        assert not np.array_equal(expected, before)
        wait_until(lambda: shows(page, expected), "The picture did not follow the slider.")
        page.wait_for_timeout(500)
        assert page.evaluate("location.href") == link, "The page learned of it too early."
    wait_until(lambda: asked(page, "rotation") == rotation, "The link did not follow.")
    assert str(asked(page, "view")).startswith("2000,2000")
    assert shows(page, expected)
    # Both sides now mean the same picture, so what is known of it may be shown on it.
    page.keyboard.press("o")
    expect(page.locator(".umnist-viewer [data-digit]")).to_have_count(
        len(setting_of(**STILL).plan(glyphs).digits), timeout=30_000
    )


def test_newest_value_wins_over_a_late_answer(page: Page, app: str, glyphs: GlyphSet) -> None:
    """A picture that comes late is given up for a newer one, and never shown after it."""
    open_lab(page, app, view=ONE_TO_ONE, **STILL)
    wait_for_picture(page, drawn(setting_of(**STILL), glyphs))
    held: list[Route] = []
    given_up: list[str] = []
    page.on("requestfailed", lambda request: given_up.append(request.url))

    def hold(route: Route) -> None:
        held.append(route)

    page.route(lambda url: "rotation=1&" in url, hold)
    page.get_by_role("slider", name="Rotation", exact=True).focus()
    with page.expect_request(lambda request: "rotation=1&" in request.url):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    newest = drawn(setting_of(**{**STILL, "rotation": "2"}), glyphs)
    wait_for_picture(page, newest)
    wait_until(  # the question lets events in
        lambda: page.evaluate("true") and any("rotation=1&" in url for url in given_up),
        "The late picture is still waited for.",
    )
    for route in held:
        route.continue_()
    page.wait_for_timeout(700)
    assert shows(page, newest), "A late picture came back."


def test_reload_restores_both_settings(page: Page, app: str, glyphs: GlyphSet) -> None:
    """Everything that is chosen stands in the link: two settings, the view, what is changed."""
    open_lab(page, app, view=ONE_TO_ONE, **STILL)
    page.get_by_role("button", name="Side by side").click()
    page.get_by_role("button", name="B", exact=True).click()
    page.get_by_label("Preset").select_option("shape-pairs-2")
    wait_until(lambda: asked(page, "b.shape_pairs") == "2", "The link does not tell of B.")
    page.reload()
    page.wait_for_selector(".umnist-lab")
    expect(page.get_by_label("Preset")).to_have_value("shape-pairs-2")
    expect(page.get_by_role("button", name="B", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    b = setting_of(shape_pairs="2", checkerboard="4")
    for pane, setting in enumerate((setting_of(**STILL), b)):
        expected = drawn(setting, glyphs)
        wait_for_picture(page, expected, pane=pane)


def test_two_settings_move_in_step(page: Page, app: str, glyphs: GlyphSet) -> None:
    """Both panes show the same place of the same digits, each with its own noise."""
    open_lab(page, app, view="1500,1500,1", compare="side", **STILL)
    assert page.locator(".pane").count() == 2
    page.locator(".openseadragon-canvas").nth(1).focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: view_of(page)[0] > 1550, "The pane in focus did not move.")
    settings = (setting_of(**STILL), setting_of(checkerboard="0", shape_pairs="0"))
    for pane, setting in enumerate(settings):
        expected = drawn(setting, glyphs, centre=view_of(page))
        wait_for_picture(page, expected, pane=pane)


def test_settings_change_places_and_are_copied(page: Page, app: str) -> None:
    """Swap exchanges A and B; copying makes B what A is; B is changed without A."""
    open_lab(page, app, compare="side", shape_pairs="3")
    page.get_by_role("button", name="Swap").click()
    wait_until(lambda: asked(page, "b.shape_pairs") == "3", "B is not what A was.")
    assert (asked(page, "shape_pairs"), asked(page, "checkerboard")) == ("0", "0")
    page.get_by_role("button", name="Copy A to B").click()
    wait_until(lambda: asked(page, "b.shape_pairs") == "0", "B is not what A is.")
    page.get_by_role("button", name="B", exact=True).click()
    page.get_by_label("Preset").select_option("paper")
    wait_until(lambda: asked(page, "b.preset") == "paper", "B did not change.")
    assert asked(page, "preset") == "released"


def test_wipe_shows_one_setting_on_each_side(page: Page, app: str, glyphs: GlyphSet) -> None:
    """Left of the divider is A and right of it B, at the same place; keys and mouse move it."""
    open_lab(page, app, view=ONE_TO_ONE, compare="wipe", **STILL)
    left, right = setting_of(**STILL), setting_of(checkerboard="0", shape_pairs="0")
    off = SHOT_PX // 2 + 60
    for pane, place, setting in ((0, -off, left), (1, off, right)):
        expected = drawn(setting, glyphs, right_px=place)
        wait_for_picture(page, expected, pane=pane, right_px=place)
    divider = page.get_by_role("slider", name="Divider between A and B")
    divider.focus()
    page.keyboard.press("End")
    expect(divider).to_have_attribute("aria-valuenow", "100")
    assert shows(page, drawn(left, glyphs, right_px=off), right_px=off)
    page.keyboard.press("Home")
    expect(divider).to_have_attribute("aria-valuenow", "0")
    assert shows(page, drawn(right, glyphs, right_px=-off), right_px=-off)
    box, stage = divider.bounding_box(), page.locator(".stage").bounding_box()
    assert box is not None
    assert stage is not None
    page.mouse.move(box["x"] + 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(stage["x"] + 0.3 * stage["width"], box["y"] + 40)
    page.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "30")
    assert str(asked(page, "view")).startswith("2000,2000"), "Moving the divider moved the picture."


def test_new_noise_keeps_the_digits_and_the_reverse(page: Page, app: str) -> None:
    """The truth that the page knows has the same digits, or the same ground, as before."""
    open_lab(page, app)

    def truth() -> dict[str, Any]:
        names = ("preset", "seed", "split", "index", "noise_seed")
        known = {name: value for name in names if (value := asked(page, name)) is not None}
        found: dict[str, Any] = httpx.get(
            f"{app}/tiles/scene.json", params=known, timeout=60
        ).json()
        return found

    first = truth()
    page.get_by_role("button", name="New digits, same noise").click()
    wait_until(lambda: asked(page, "seed") != str(SEED), "The digits have the same seed.")
    second = truth()
    assert second["digits"] != first["digits"]
    assert second["checkerboard"] == first["checkerboard"]
    noise_seed = asked(page, "noise_seed")
    page.get_by_role("button", name="New noise, same digits").click()
    wait_until(lambda: asked(page, "noise_seed") != noise_seed, "The noise has the same seed.")
    third = truth()
    assert third["digits"] == second["digits"]
    assert third["checkerboard"] != second["checkerboard"]


def test_keys_move_a_handle_and_the_picture(page: Page, app: str, glyphs: GlyphSet) -> None:
    """An arrow key moves the handle in focus by one place; the page learns of the last alone."""
    open_lab(page, app, view=ONE_TO_ONE, **STILL)
    handle = page.get_by_role("slider", name="Cells", exact=True)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expected = drawn(setting_of(**{**STILL, "checkerboard": "52"}), glyphs)
    wait_until(lambda: shows(page, expected), "The picture did not follow the keys.")
    wait_until(lambda: asked(page, "checkerboard") == "52", "The link did not follow the keys.")
    assert str(asked(page, "view")).startswith("2000,2000"), "The keys moved the picture."


def test_range_has_two_handles_that_push_each_other(page: Page, app: str) -> None:
    """Each end has a handle and a number of its own; the low end takes the high one along."""
    open_lab(page, app)
    low, high = (page.get_by_role("slider", name=f"Rotation, {end}") for end in ("from", "to"))
    expect(low).to_have_attribute("aria-valuetext", "-45 °")
    expect(high).to_have_attribute("aria-valuetext", "45 °")
    number = page.get_by_role("spinbutton", name="Rotation, from, as a number")
    number.fill("60")
    number.press("Enter")
    expect(high).to_have_attribute("aria-valuetext", "60 °")
    wait_until(lambda: asked(page, "rotation") == "60", "The link has another range.")


def test_value_that_is_not_allowed_is_refused_with_the_range(page: Page, app: str) -> None:
    """The field says what it takes and what it found; the setting stays until one is allowed."""
    open_lab(page, app, **STILL)
    number = page.get_by_role("spinbutton", name="Rotation, as a number")
    number.fill("999")
    number.press("Enter")
    refusal = page.locator("[data-name=rotation]").get_by_role("alert")
    expect(refusal).to_have_text("Rotation is a number from -180 to 180. 999 was not taken.")
    expect(number).to_have_attribute("aria-invalid", "true")
    page.wait_for_timeout(500)
    assert asked(page, "rotation") == "0", "A value that is not allowed was taken over."
    number.fill("30")
    number.press("Enter")
    expect(refusal).to_be_hidden()
    expect(number).not_to_have_attribute("aria-invalid", "true")
    wait_until(lambda: asked(page, "rotation") == "30", "An allowed value was not taken over.")
    index = page.get_by_role("spinbutton", name="Index")
    index.fill("-4")
    index.press("Enter")
    expect(page.get_by_text("Index is a whole number from 0 to 9007199254740991.")).to_be_visible()
    assert asked(page, "index") == str(INDEX)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"thickness": "1.9"}, "Cut to 1, drawn 1.1 px wide"),
        ({"thickness": "0.5"}, "Raised to 1, drawn 1.1 px wide"),
        ({"thickness": "4"}, "Drawn 4.5 px wide"),
        ({"thickness": "4", "noise_size": "56"}, "Drawn 9 px wide"),
        (
            {"thickness": "2.5", "thickness_mode": "continuous"},
            "Drawn 3.8 px wide, with grey rims",
        ),
    ],
)
def test_width_of_strokes_is_told_as_it_is_drawn(
    page: Page, app: str, values: dict[str, str], said: str
) -> None:
    """The width in the image, which is neither the thickness nor always follows from it."""
    open_lab(page, app, preset="megapixel-bezier", **values)
    expect(slider(page, "thickness").locator(".note")).to_have_text(said)


def test_control_points_belong_to_curves(page: Page, app: str) -> None:
    """A control without meaning for the strokes in use is not shown."""
    open_lab(page, app, preset="megapixel")
    points = page.get_by_label("Control points")
    expect(points).to_be_hidden()
    page.get_by_label("Strokes are").select_option("bezier")
    expect(points).to_be_visible()


def test_image_of_another_size_is_told_to_be_scaled(page: Page, app: str) -> None:
    """Two canvases are shown equally large, so the smaller one says so."""
    open_lab(page, app, compare="side", **{"b.preset": "megapixel"})
    expect(page.locator(".pane .title")).to_have_text(
        ["A · UltraMNIST, as released", "B · scaled from 1500 px · Megapixel MNIST, lines"]
    )
