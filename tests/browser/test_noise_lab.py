"""The Noise lab in a real browser, on the real server, as a user sees it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import PHONE, PROJECT, Pixels, wait_until
from umnist_core.digits import GlyphSet, load_glyphs
from umnist_core.experiments import (
    NAMED_SETTINGS,
    NoiseSetting,
    setting_from_yaml,
    setting_to_yaml,
)
from umnist_core.geometry import Box
from umnist_core.rendering import render

SEED, INDEX = 5, 9
SHOT_PX = 300
"""Side of the part of a pane that is compared, around its middle."""

SLACK_PX = 2
"""A view is moved by less than a pixel, and so is its middle in a pane of odd size."""

ONE_TO_ONE = "2000,2000,1"
STILL = {"rotation": "0", "shear": "0", "zoom": "1", "checkerboard": "12"}
"""Settings of one value each, so that every slider has one handle."""


@pytest.fixture(scope="module")
def glyphs() -> GlyphSet:
    """Return the digits that the app uses too."""
    return load_glyphs()


def open_lab(page: Page, app: str, **query: Any) -> None:
    """Open the Noise lab and wait until the first picture and the controls are there."""
    page.goto(f"{app}/noise_lab?{urlencode({'seed': SEED, 'index': INDEX, **query}, safe=',')}")
    page.wait_for_selector(".umnist-viewer.ready")
    page.wait_for_selector(".umnist-lab")


def asked(page: Page, name: str) -> str | None:
    """Return a parameter of the address bar (``page.url`` lags behind)."""
    values = parse_qs(urlsplit(str(page.evaluate("location.href"))).query).get(name)
    return None if values is None else values[0]


def view_of(page: Page) -> tuple[float, float]:
    """Return the x and y of the view in the address."""
    x, y, _ = (float(part) for part in str(asked(page, "view")).split(","))
    return x, y


def shot(page: Page, pane: int = 0, *, right_px: int = 0) -> Pixels:
    """Return what is on screen around the middle of a pane, or ``right_px`` beside it."""
    box = page.locator(".pane").nth(pane).locator(".image").bounding_box()
    assert box is not None
    clip = {
        "x": box["x"] + box["width"] / 2 - SHOT_PX / 2 + right_px,
        "y": box["y"] + box["height"] / 2 - SHOT_PX / 2,
        "width": SHOT_PX,
        "height": SHOT_PX,
    }
    png = page.screenshot(clip=clip)  # type: ignore[arg-type]
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


def drawn(
    setting: NoiseSetting,
    glyphs: GlyphSet,
    *,
    right_px: int = 0,
    centre: tuple[float, float] = (2000, 2000),
) -> Pixels:
    """Return the same part of a setting's image at 1:1, `SLACK_PX` wider on each side.

    ``centre`` is the x and y that the view is on.
    """
    side = SHOT_PX + 2 * SLACK_PX
    left, top = (round(place) - side // 2 for place in centre)
    box = Box.from_size(top, left + right_px, side, side)
    return render(setting.plan(glyphs), glyphs, level_box=box)


def shows(page: Page, image: Pixels, pane: int = 0, *, right_px: int = 0) -> bool:
    """Return whether a pane shows an image, which may begin `SLACK_PX` earlier or later."""
    screen = shot(page, pane, right_px=right_px)
    shifts = range(2 * SLACK_PX + 1)
    starts = [(row, col) for row in shifts for col in shifts]
    return any(
        np.array_equal(screen, image[row : row + SHOT_PX, col : col + SHOT_PX])
        for row, col in starts
    )


def wait_for_picture(page: Page, image: Pixels, *, pane: int = 0, right_px: int = 0) -> None:
    """Wait until a pane shows an image."""
    wait_until(
        lambda: shows(page, image, pane, right_px=right_px),
        f"Pane {pane} does not show what it should.",
    )


def setting_of(**overrides: str) -> NoiseSetting:
    """Return the sample that most tests open, with some parameters changed."""
    return NoiseSetting.of("released", overrides, seed=SEED, index=INDEX)


def slider(page: Page, name: str) -> Locator:
    """Return the control of one parameter."""
    return page.locator(f"[data-name={name}]")


def value_of(page: Page, name: str) -> str:
    """Return the number that a control of one handle shows."""
    return slider(page, name).locator("input[type=number]:visible").last.input_value()


@contextmanager
def dragging(page: Page, name: str, *steps_px: float) -> Iterator[None]:
    """Take the handle of a slider, move it by some px one after another, and hold it."""
    handle = slider(page, name).locator("input[type=range]:visible").last
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    thumb_px = float(
        handle.evaluate("(i) => getComputedStyle(i).getPropertyValue('--thumb').replace('px','')")
    )
    share = int(handle.input_value()) / int(handle.get_attribute("max") or 1)
    x = box["x"] + thumb_px / 2 + share * (box["width"] - thumb_px)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in steps_px:
        page.mouse.move(x + step, y)
    yield
    page.mouse.up()


def test_picture_follows_the_slider_before_it_is_let_go_of(
    page: Page, app: str, glyphs: GlyphSet
) -> None:
    """While the handle is held, the pixels on screen are those of the value that it shows."""
    open_lab(page, app, view=ONE_TO_ONE, **STILL)
    wait_until(lambda: shows(page, drawn(setting_of(**STILL), glyphs)), "No picture at first.")
    link = page.evaluate("location.href")
    with dragging(page, "rotation", 10, 20, 31):
        rotation = value_of(page, "rotation")
        assert rotation != STILL["rotation"]
        expected = drawn(setting_of(**{**STILL, "rotation": rotation}), glyphs)
        wait_until(lambda: shows(page, expected), "The picture did not follow the slider.")
        page.wait_for_timeout(500)
        assert page.evaluate("location.href") == link, "The page learned of it too early."
    wait_until(lambda: asked(page, "rotation") == rotation, "The link did not follow.")
    assert str(asked(page, "view")).startswith("2000,2000")
    assert shows(page, expected)


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
    page.get_by_label("Preset").select_option("study-2-4")
    wait_until(lambda: asked(page, "b.shape_pairs") == "2", "The link does not tell of B.")
    page.reload()
    page.wait_for_selector(".umnist-lab")
    expect(page.get_by_label("Preset")).to_have_value("study-2-4")
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
        found: dict[str, Any] = httpx.get(f"{app}/tiles/scene.json", params=known).json()
        return found

    first = truth()
    page.get_by_role("button", name="New noise, same digits").click()
    wait_until(lambda: asked(page, "noise_seed") is not None, "The noise has no seed of its own.")
    second = truth()
    assert second["digits"] == first["digits"]
    assert second["checkerboard"] != first["checkerboard"]
    page.get_by_role("button", name="New digits, same noise").click()
    wait_until(lambda: asked(page, "seed") != str(SEED), "The digits have the same seed.")
    third = truth()
    assert third["digits"] != second["digits"]
    assert third["checkerboard"] == second["checkerboard"]


def test_keys_move_a_handle_and_the_picture(page: Page, app: str, glyphs: GlyphSet) -> None:
    """An arrow key moves the handle in focus by one place; the page learns of the last alone."""
    open_lab(page, app, view=ONE_TO_ONE, **STILL)
    handle = page.get_by_role("slider", name="Cells", exact=True)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expected = drawn(setting_of(**{**STILL, "checkerboard": "14"}), glyphs)
    wait_until(lambda: shows(page, expected), "The picture did not follow the keys.")
    wait_until(lambda: asked(page, "checkerboard") == "14", "The link did not follow the keys.")
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
    number.fill("999")
    number.press("Enter")
    page.wait_for_timeout(500)
    assert asked(page, "rotation") == "60", "A value that is not allowed was taken over."


def test_every_named_setting_can_be_chosen(page: Page, app: str) -> None:
    """The list has all presets, noise-free and the noise study; one brings its own controls."""
    open_lab(page, app)
    titles = page.get_by_label("Preset").locator("option").all_inner_texts()
    assert titles == [one.title for one in NAMED_SETTINGS.values()]
    page.get_by_label("Preset").select_option("megapixel-bezier")
    expect(page.get_by_role("slider", name="Thickness", exact=True)).to_be_visible()
    expect(page.get_by_role("slider", name="Cells")).to_have_count(0)
    expect(page.get_by_text("Digits of 28 px, 0.035 % of the image")).to_be_visible()
    wait_until(lambda: asked(page, "preset") == "megapixel-bezier", "The link did not follow.")
    expect(page.locator("[data-readout=x]")).to_have_text("750")


def test_figures_follow_and_name_their_reference(page: Page, app: str) -> None:
    """Six charts, each with the setting and its reference, drawn anew after a change."""
    open_lab(page, app)
    charts = page.locator(".js-plotly-plot")
    expect(charts).to_have_count(6, timeout=60_000)
    edges = charts.nth(3)
    expect(edges).to_contain_text("Edges met on 1000 px of a line")

    def medians() -> list[str]:
        # The reference stands below the setting, and SVG text has no inner text.
        ticks = edges.locator(".ytick").all_text_contents()
        return [re.sub(r"^(Setting|Reference)", "", tick) for tick in ticks]

    reference, setting = medians()
    assert reference == setting, "A preset is its own reference."
    slider(page, "checkerboard").get_by_role("spinbutton").last.fill("60")
    page.keyboard.press("Enter")
    wait_until(lambda: asked(page, "checkerboard") == "12..60", "The link did not follow.")
    wait_until(
        lambda: medians()[0] == reference and medians()[1] != setting,
        "The setting's figures did not change beside those of its reference.",
    )


def test_dot_of_a_chart_opens_its_sample(page: Page, app: str) -> None:
    """The hover names the sample behind a dot, and a click goes there."""
    open_lab(page, app)
    ink = page.locator(".js-plotly-plot").nth(2)
    expect(ink).to_contain_text("Ink of all digits", timeout=60_000)
    ink.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    dot = ink.locator(".points path").last.bounding_box()
    assert dot is not None
    page.mouse.move(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    told = ink.locator(".hoverlayer").get_by_text(re.compile("index"))
    expect(told).to_be_visible()
    index = re.findall(r"index (\d+)", told.text_content() or "")[0]
    page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    wait_until(lambda: asked(page, "index") == index, "The sample behind the dot did not open.")


def test_contact_sheet_opens_its_samples(page: Page, app: str) -> None:
    """Twelve samples of the setting, the current one marked; a click opens another."""
    open_lab(page, app, shape_pairs="3")
    cards = page.locator(".umnist-sheet button")
    expect(cards).to_have_count(12, timeout=60_000)
    sources = [card.get_attribute("src") or "" for card in cards.locator("img").all()]
    assert all("shape_pairs=3" in source for source in sources)
    assert len({parse_qs(urlsplit(source).query)["index"][0] for source in sources}) == 12
    expect(page.locator(".umnist-sheet [aria-current=true]")).to_have_attribute(
        "aria-label", f"Open index {INDEX}"
    )
    page.get_by_role("button", name="Open index 3", exact=True).click()
    wait_until(lambda: asked(page, "index") == "3", "The sample did not open.")
    expect(page.get_by_role("spinbutton", name="Index")).to_have_value("3")


def keep(page: Page) -> None:
    """Open what saves, loads and copies."""
    page.get_by_text("Save, load, copy").click()
    expect(page.get_by_role("button", name="Save as YAML")).to_be_visible()


def test_setting_is_saved_and_loaded(page: Page, app: str, tmp_path: Path) -> None:
    """What is downloaded is the setting, and brings it back when it is uploaded."""
    open_lab(page, app, shape_pairs="3", rotation="-10..10")
    keep(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as YAML").click()
    path = tmp_path / "setting.yaml"
    download.value.save_as(path)
    setting = setting_of(shape_pairs="3", rotation="-10..10")
    assert setting_from_yaml(path.read_bytes()) == setting
    open_lab(page, app, preset="paper", seed=1)
    keep(page)
    page.locator("input[type=file]").set_input_files(path)
    wait_until(lambda: asked(page, "shape_pairs") == "3", "The setting was not loaded.")
    assert [asked(page, name) for name in ("preset", "rotation", "seed", "index")] == [
        *("released", "-10..10"),
        *(str(SEED), str(INDEX)),
    ]
    expect(page.get_by_role("spinbutton", name="Seed", exact=True)).to_have_value(str(SEED))
    # The file is still in the uploader, and does not undo what is changed afterwards.
    slider(page, "shape_pairs").get_by_role("spinbutton").fill("5")
    page.keyboard.press("Enter")
    wait_until(lambda: asked(page, "shape_pairs") == "5", "The file undid a change.")


def test_file_that_is_no_setting_is_told_in_one_sentence(
    page: Page, app: str, tmp_path: Path
) -> None:
    """The setting stays, and there is no traceback."""
    path = tmp_path / "broken.yaml"
    path.write_text(setting_to_yaml(setting_of()) + "colour: red\n")
    open_lab(page, app, shape_pairs="3")
    keep(page)
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("found 'colour'; remove it.")).to_be_visible()
    assert asked(page, "shape_pairs") == "3"
    assert page.get_by_text("Traceback").count() == 0


def test_copied_command_writes_the_bytes_of_the_download(
    page: Page, app: str, tmp_path: Path
) -> None:
    """The command line on the page, run as it stands, makes the file that the server sends."""
    open_lab(page, app, shape_pairs="3", noise_seed="8")
    keep(page)
    text = page.locator("[data-testid=stCode] code").first.inner_text()
    command = next(line for line in text.splitlines() if line.startswith("umnist render "))
    _, *arguments = shlex.split(command)
    out = tmp_path / arguments[-1]
    subprocess.run(
        [sys.executable, "-m", "umnist_core.cli", *arguments[:-1], str(out)],
        cwd=PROJECT,
        check=True,
    )
    query = {"seed": str(SEED), "index": str(INDEX), "shape_pairs": "3", "noise_seed": "8"}
    assert out.read_bytes() == httpx.get(f"{app}/tiles/scene.png", params=query).content


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"shape_pairs": "99"}, "shape_pairs is a whole number from 0 to 50"),
        ({"preset": "relaesed"}, "preset is one of"),
        ({"seed": "-1"}, "seed is a whole number"),
        ({"factor": "75", "scale_distribution": "fixed", "digits": "5"}, "found no place"),
    ],
)
def test_wrong_link_is_answered_with_one_sentence(
    page: Page, app: str, query: dict[str, str], said: str
) -> None:
    """No traceback and no empty page."""
    open_lab(page, app, **query)
    expect(page.get_by_text(re.compile(said)).first).to_be_visible(timeout=60_000)
    assert page.get_by_text("Traceback").count() == 0


def test_noise_lab_works_at_390_px(browser: Browser, app: str, glyphs: GlyphSet) -> None:
    """The picture has the width and half the height, and stays while a slider is moved."""
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_lab(page, app, **STILL)
    page.wait_for_selector(".umnist-lab .track")
    handle = page.get_by_role("slider", name="Rotation", exact=True)
    handle.evaluate("(handle) => handle.scrollIntoView({ block: 'nearest' })")
    viewer, track = page.locator(".umnist-viewer").bounding_box(), handle.bounding_box()
    assert viewer is not None
    assert track is not None
    assert viewer["width"] >= 0.95 * PHONE[0]
    assert viewer["height"] >= 0.5 * PHONE[1]
    assert viewer["y"] >= 0, "The picture was scrolled away."
    assert track["y"] >= viewer["y"] + viewer["height"], "The slider is under the picture."
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.touchscreen.tap(track["x"] + 0.8 * track["width"], track["y"] + track["height"] / 2)
    wait_until(lambda: asked(page, "rotation") not in (None, "0"), "A tap moved no handle.")
    for button in page.locator(".umnist-lab button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 36, button.inner_text()
    context.close()
