"""The Noise lab in a real browser: figures, samples, files, links, phones."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, PROJECT, wait_until
from tests.browser.lab_page import (
    INDEX,
    SEED,
    STILL,
    asked,
    open_lab,
    setting_of,
    slider,
)
from umnist_core.experiments import NAMED_SETTINGS, setting_from_yaml, setting_to_yaml


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
    expect(page.get_by_text("Reference: UltraMNIST, as released.")).to_be_visible()

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


@pytest.mark.parametrize(
    ("digit_size", "ticks"),
    [("28", ["0", "20", "40"]), ("200", ["50", "100", "200"])],
)
def test_axis_of_digit_size_writes_its_ticks_in_full(
    page: Page, app: str, digit_size: str, ticks: list[str]
) -> None:
    """One size has an axis around it; two sizes of a decade, more ticks than powers of ten."""
    open_lab(page, app, preset="o2i-28", digit_size=digit_size)
    sizes = page.locator(".js-plotly-plot").first
    expect(sizes).to_contain_text("Side of a digit", timeout=60_000)
    wait_until(
        lambda: sizes.locator(".xtick").all_text_contents() == ticks,
        f"Expected the ticks {ticks}, found {sizes.locator('.xtick').all_text_contents()}.",
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


def test_contact_sheet_says_where_there_is_no_image(page: Page, app: str) -> None:
    """A setting whose digits find no place has cards without a broken picture."""
    open_lab(page, app, factor="75", scale_distribution="fixed", digits="5")
    card = page.locator(".umnist-sheet button").first
    card.scroll_into_view_if_needed(timeout=60_000)
    expect(card.get_by_text("No image")).to_be_visible(timeout=60_000)
    expect(card.locator("img")).to_be_hidden()


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
    assert out.read_bytes() == httpx.get(f"{app}/tiles/scene.png", params=query, timeout=60).content


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


def test_noise_lab_works_at_390_px(browser: Browser, app: str) -> None:
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
