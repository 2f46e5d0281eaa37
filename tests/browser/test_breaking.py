"""Breaking points: the image follows a drag, models stand in step, and the curve draws itself."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.breaking_page import (
    FIRST,
    SCENE,
    SECOND,
    BreakingPage,
    BreakingProcess,
    BreakingServer,
    breaking_data,
    breaking_page,
    breaking_server,
)
from tests.browser.conftest import PHONE, wait_until
from tests.browser.whole_page import check_nothing_is_cut_off, find_violations
from umnist_core.inference import pool

OpenBreaking = Callable[..., BreakingPage]


@pytest.fixture
def running_breakers() -> Iterator[BreakingServer]:
    """Serve the page with models that break as they are told, and that were asked nothing yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "ModelProcess", BreakingProcess)
        with breaking_server(pool.InferencePool()) as server:
            yield server


@pytest.fixture
def open_breaking(browser: Browser, running_breakers: BreakingServer) -> Iterator[OpenBreaking]:
    """Return a function that opens the page; ``more`` goes into the panel's data."""
    running_breakers.reset()
    with ExitStack() as pages:

        def open_page(context: dict[str, Any] | None = None, **more: Any) -> BreakingPage:
            data = breaking_data(**more)
            return pages.enter_context(
                breaking_page(browser, running_breakers, data, **(context or {}))
            )

        yield open_page
    running_breakers.reset()


def live_pairs(look: BreakingPage) -> str | None:
    """Return the pairs of the image that the viewer shows."""
    address = look.page.evaluate("channel.live?.panes[0].dzi ?? ''")
    found: list[str | None] = [*parse_qs(str(address)).get("shape_pairs", [None])]
    return found[0]


def test_image_and_models_follow_the_drag(open_breaking: OpenBreaking) -> None:
    """The viewer shows the value, each model is Right or Wrong of it; at the end the page knows."""
    look = open_breaking()
    expect(look.chip()).to_have_text("14Right")
    look.panel.get_by_role("combobox", name="Second model").select_option(SECOND)
    expect(look.chip(1)).to_have_text("14Right")
    look.drag(2, 5)
    assert live_pairs(look) == "5"
    expect(look.chip()).to_have_text("14Right")
    expect(look.chip(1)).to_have_text("11Wrong")
    expect(look.panel.locator(".unseen")).to_have_text(f"{FIRST}: 14, right. {SECOND}: 11, wrong.")
    wait_until(lambda: look.page.evaluate("scenes.length"), "The page was not told.", look.page)
    (scene,) = look.page.evaluate("scenes")
    assert scene.pop("told") == 1
    assert scene == SCENE.to_dict() | {"overrides": {**dict(SCENE.overrides), "shape_pairs": "5"}}
    # The noise lab's own sliders are followed, too.
    address = f"/tiles/scene.dzi?{'&'.join(f'{k}={v}' for k, v in SCENE.to_query().items())}"
    pane = {"key": "a", "title": "", "width": 600, "height": 600, "dzi": f"{address}&shape_pairs=9"}
    live = {"panes": [pane], "image": {"width": 600, "height": 600}, "compare": "side"}
    look.page.evaluate("(live) => channel.setLive(live)", live)
    expect(look.slider).to_have_value("9")
    expect(look.chip(1)).to_have_text("11Wrong")


def test_slider_is_for_keys_and_says_its_value(open_breaking: OpenBreaking) -> None:
    """An arrow is one pair; its value is told with the parameter's name."""
    look = open_breaking()
    look.slider.focus()
    for _ in range(3):
        look.page.keyboard.press("ArrowRight")
    assert live_pairs(look) == "3"
    expect(look.slider).to_have_attribute("aria-valuetext", "3")
    wait_until(lambda: look.page.evaluate("scenes.length"), "The page was not told.", look.page)
    assert look.page.evaluate("scenes.length") == 1  # once, after the keys


def test_answer_to_an_older_value_is_never_taken_for_the_newer(
    open_breaking: OpenBreaking,
) -> None:
    """Whatever comes when, the chip is dimmed until the answer is to what is shown."""
    look = open_breaking()
    look.refusals.append("409 (Conflict)")  # of the older turn
    expect(look.chip()).to_have_text("14Right")
    look.breakers.held |= {11, 15}
    late: list[Route] = []

    def hold(route: Route) -> None:
        if json.loads(route.request.post_data or "{}")["image"].count("shape_pairs=11"):
            late.append(route)
        else:
            route.continue_()

    look.page.route("**/inference/jobs", hold)
    look.drag(11)
    wait_until(lambda: late, "Nothing was asked.", look.page)
    look.page.wait_for_timeout(450)  # beyond what is given a moment to finish
    look.drag(15)
    expect(look.chip()).to_have_class(re.compile("stale"))
    look.breakers.held.clear()
    expect(look.chip()).to_have_text("13Wrong")
    late[0].continue_()  # now the older one comes, and would be 13 as well
    look.drag(2)
    expect(look.chip()).to_have_text("14Right")
    look.page.wait_for_timeout(300)
    expect(look.chip()).to_have_text("14Right")


def test_curve_draws_itself_and_its_points_tell(open_breaking: OpenBreaking) -> None:
    """Both models' shares with intervals at every value; the name of the axis; what is hovered."""
    look = open_breaking()
    look.panel.get_by_role("combobox", name="Second model").select_option(SECOND)
    look.measure("0, 5, 12, 20")
    expect(look.panel.get_by_role("button", name="Draw the curve")).to_be_visible()
    expect(look.panel.locator(".point")).to_have_count(8)
    expect(look.point("12")).to_have_attribute(
        "aria-label", f"Pairs 12, {FIRST}: 60 % right (23 to 88), 3 of 5"
    )
    expect(look.point("5", SECOND)).to_have_attribute(
        "aria-label", f"Pairs 5, {SECOND}: 60 % right (23 to 88), 3 of 5"
    )
    look.point("20", SECOND).hover(force=True)
    told = f"Pairs 20, {SECOND}: 0 % right (0 to 43), 0 of 5"
    expect(look.panel.locator(".told")).to_have_text(told)
    expect(look.panel.locator(".plot")).to_contain_text("Shapes: pairs")
    expect(look.panel.locator(".scenes")).to_contain_text(
        "Scenes: released with canvas 600, factor 1..6; seed 5, test, indices 0 to 4; the same "
        "digits at every value."
    )
    # Every value was asked for once before any was again, and the ends first.
    asked = [pairs for name, pairs, _ in look.breakers.asked if name == FIRST]
    assert asked[-20:-12] == [0, 20, 5, 12, 0, 20, 5, 12]
    # The slider stands over the value that it is at.
    look.drag(20)
    box, point = look.slider.bounding_box(), look.point("20").locator(".mark").bounding_box()
    assert box is not None
    assert point is not None
    assert abs(box["x"] + box["width"] - 8 - point["x"] - point["width"] / 2) < 8


def test_point_lists_its_misses_and_each_opens_its_image(open_breaking: OpenBreaking) -> None:
    """By click or by keys; a link is an address, and a plain click needs no reload."""
    look = open_breaking()
    look.measure("0, 12")
    expect(look.point("12")).to_have_attribute("aria-label", re.compile("3 of 5"))
    look.point("0").focus()
    look.page.keyboard.press("ArrowRight")
    expect(look.point("12")).to_be_focused()
    look.page.keyboard.press("Enter")
    links = look.panel.locator(".missed a")
    expect(links).to_have_text(["Index 1: said 10, it is 14", "Index 3: said 10, it is 14"])
    query = parse_qs(str(links.nth(1).get_attribute("href")).lstrip("?"))
    wanted = {"index": ["3"], "split": ["test"], "seed": ["5"], "shape_pairs": ["12"]}
    assert wanted.items() <= query.items()
    assert query["model"] == [FIRST]
    links.nth(1).click()
    wait_until(lambda: look.page.evaluate("scenes.length"), "The page was not told.", look.page)
    scene = look.page.evaluate("scenes.at(-1)")
    assert (scene["index"], scene["split"], scene["overrides"]["shape_pairs"]) == (3, "test", "12")
    look.point("0").click(force=True)
    expect(look.panel.locator(".missed")).to_have_text(f"Pairs 0: {FIRST} has missed none")


def test_cancelled_curve_stays_and_goes_on(open_breaking: OpenBreaking) -> None:
    """Cancel stops it on the server, what there is stays, and asking again asks for the rest."""
    look = open_breaking()
    expect(look.chip()).to_have_text("14Right")
    look.breakers.asked.clear()
    look.breakers.held.add(20)
    button = look.panel.get_by_role("button", name="Draw the curve")
    button.focus()
    look.measure("0, 20")
    expect(look.panel.locator(".progress")).to_contain_text("1 of 10 answers")
    cancel = look.panel.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    look.page.keyboard.press("Enter")
    expect(look.panel.locator(".progress")).to_contain_text("1 of 10 answers; cancelled")
    expect(button).to_be_focused()
    wait_until(lambda: look.breakers.cancelled, "The model was not told.", look.page)
    expect(look.panel.locator(".point")).to_have_count(1)
    look.breakers.held.clear()
    look.page.keyboard.press("Enter")
    expect(look.point("20")).to_have_attribute("aria-label", re.compile("0 of 5"))
    expect(button).to_be_visible()
    assert look.breakers.asked.count((FIRST, 0, 0)) == 1


def test_late_word_of_an_older_curve_is_dropped(open_breaking: OpenBreaking) -> None:
    """A curve that was begun anew is the only one that is drawn."""
    look = open_breaking()
    late: list[Route] = []
    look.breakers.held |= {7}
    look.measure("0, 7")
    expect(look.point("0")).to_be_visible()
    is_late = True

    def hold(route: Route) -> None:
        if is_late and route.request.method == "GET":
            late.append(route)
        else:
            route.continue_()

    look.page.route("**/inference/breaking/*", hold)
    look.page.wait_for_timeout(300)
    look.breakers.held.clear()  # it is done, and the page is not told
    wait_until(lambda: late, "Nothing was asked.", look.page)
    look.panel.get_by_role("button", name="Cancel").click()
    is_late = False
    look.measure("0, 3")
    expect(look.point("3")).to_be_visible()
    for route in late:
        route.continue_()
    look.page.wait_for_timeout(500)
    expect(look.panel.locator(".point")).to_have_count(2)
    expect(look.point("7")).to_have_count(0)


def test_curve_is_kept_as_files_and_as_text(open_breaking: OpenBreaking, tmp_path: Path) -> None:
    """SVG, PNG, CSV and JSON of the same figures; the command and the program that make them."""
    look = open_breaking()
    look.measure("0, 12")
    expect(look.point("12")).to_have_attribute("aria-label", re.compile("3 of 5"))
    kept: dict[str, bytes] = {}
    for kind in ("SVG", "PNG", "CSV", "JSON"):
        with look.page.expect_download() as download:
            look.panel.get_by_role("button", name=kind, exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name == f"curve-shape_pairs.{kind.lower()}"
        kept[kind] = path.read_bytes()
    assert b"Right, %" in kept["SVG"]
    assert FIRST.encode() in kept["SVG"]
    assert b"var(" not in kept["SVG"]
    assert kept["PNG"].startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO(kept["CSV"].decode())))
    assert [(row["value"], row["right"], row["images"]) for row in rows] == [
        ("0", "5", "5"),
        ("12", "3", "5"),
    ]
    told = json.loads(kept["JSON"])
    assert len(told["answers"]) == 10
    look.page.evaluate(
        "navigator.clipboard.writeText = async (text) => void (window.copied = text)"
    )
    look.panel.get_by_role("button", name="Copy as command").click()
    look.page.wait_for_function("window.copied")
    assert look.page.evaluate("window.copied") == told["command"]
    assert "--parameter shape_pairs --values 0,12 --count 5" in told["command"]
    look.panel.get_by_role("button", name="Copy as Python").click()
    look.page.wait_for_function("window.copied.includes('BreakingPoint')")


def test_what_cannot_be_measured_is_said(open_breaking: OpenBreaking) -> None:
    """The server's own sentence; and what has no noise to change has nothing to drag."""
    look = open_breaking()
    look.refusals.append("422")
    look.measure("0, 99")
    expect(look.panel.get_by_role("alert")).to_contain_text("from 0 to 50")
    expect(look.panel.get_by_role("button", name="Draw the curve")).to_be_visible()
    look.page.evaluate(
        "breaking.update({ ...breakingData, scene: null, sentence: 'Choose another image.' })"
    )
    expect(look.panel.locator(".sentence")).to_have_text("Choose another image.")
    expect(look.slider).to_be_hidden()


def test_people_stand_beside_the_models_of_a_study_s_image(open_breaking: OpenBreaking) -> None:
    """Dimmed at another value, of which nobody was asked; and there is a way back."""
    look = open_breaking(people={"right": 7, "answers": 9}, isFrozen=True)
    people = look.panel.locator(".people .chip")
    expect(people).to_have_text("7 of 9 right")
    expect(people).not_to_have_class(re.compile("stale"))
    look.drag(6)
    expect(people).to_have_class(re.compile("stale"))
    look.panel.get_by_role("button", name="The study's image").click()
    expect(people).not_to_have_class(re.compile("stale"))
    assert look.page.evaluate("channel.live") is None
    look.page.wait_for_timeout(350)
    assert look.page.evaluate("scenes") == []  # a study's image is not changed


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_panel_fits_a_phone_and_pleases_axe(open_breaking: OpenBreaking, scheme: str) -> None:
    """Nothing is cut off, with the curve and its misses there; fingers have their room."""
    context = {
        "viewport": {"width": PHONE[0], "height": PHONE[1]},
        "color_scheme": scheme,
        "has_touch": True,
    }
    look = open_breaking(context, isDark=scheme == "dark")
    look.refusals.append("/hall/controls.css")  # axe looks for it beside the page
    look.measure("0, 6, 12, 20")
    look.point("12").focus()
    look.page.keyboard.press("Enter")
    expect(look.panel.locator(".missed a").first).to_be_visible()
    check_nothing_is_cut_off(look.page, f"phone, {scheme}")
    assert find_violations(look.page) == []


def test_narrow_and_wide_panels_have_plots_that_fit(open_breaking: OpenBreaking) -> None:
    """The curve is as wide as the panel, whatever that comes to be."""
    look = open_breaking()
    look.measure("0, 12")
    expect(look.point("12")).to_be_visible()
    for width in (1400, 933):
        look.page.set_viewport_size({"width": width, "height": 768})
        wait_until(
            lambda: look.page.evaluate(
                """() => {
                  const [panel, plot] = [".umnist-breaking", ".plot svg"].map((one) =>
                    document.querySelector(one).getBoundingClientRect());
                  return Math.abs(panel.width - plot.width) < 6;
                }"""
            ),
            "The plot does not have the panel's width.",
            look.page,
        )
