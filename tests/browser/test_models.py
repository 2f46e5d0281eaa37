"""Models in a real browser: a table that sorts, cards that lead to the model at work."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESK, PHONE, wait_until
from umnist_core.models.card_answers import find_answers
from umnist_core.models.cards import find_shipped_checkpoints, load_card

PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

VERDICT = re.compile("Right|Wrong")
QUICK = "ips-megapixel"
"""Answers in the least time."""

WIDER = """() => {
  // The table is in a root of its own, which querySelectorAll does not enter.
  const within = (root) => [...root.querySelectorAll("*")].flatMap((one) =>
    [one, ...(one.shadowRoot ? within(one.shadowRoot) : [])]);
  return within(document.querySelector(".st-key-models"))
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length;
}"""
"""How many elements of the page end beyond the window."""


def open_models(page: Page, app: str) -> Locator:
    """Open the page, wait until its last card has been drawn, and return the table."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{app}/models")
    page.get_by_role("heading", name="fov-max").wait_for()
    table = page.get_by_role("table", name="Models", exact=True)
    table.wait_for()
    return table


def names(table: Locator) -> list[str]:
    """Return the first column from above."""
    return table.locator("td.name").locator("a, button").all_inner_texts()


def shares(table: Locator) -> list[float]:
    """Return the figures from above, those that there are."""
    texts = table.locator("td.accuracy strong").all_inner_texts()
    return [float(text.removesuffix(" %")) for text in texts]


def test_table_sorts_by_its_heads_with_the_keyboard_alone(page: Page, app: str) -> None:
    """A head says how it sorts; the same key again turns the order about; none is last."""
    table = open_models(page, app)
    head = table.get_by_role("columnheader", name="Accuracy")
    expect(head).to_have_attribute("aria-sort", "none")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert shares(table) == sorted(shares(table), reverse=True)
    assert table.locator("tbody tr").last.locator("td.accuracy .none").count() == 1
    page.keyboard.press("Space")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert shares(table) == sorted(shares(table))
    assert table.locator("tbody tr").last.locator("td.accuracy .none").count() == 1
    size = table.get_by_role("columnheader", name="Size")
    size.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "none")
    expect(size).to_have_attribute("aria-sort", "ascending")


def test_published_method_shows_its_source_and_the_command_that_trains_it(
    page: Page, app: str
) -> None:
    """Behind its name; a data system leaves its own rows and its own chart."""
    table = open_models(page, app)
    page.get_by_role("button", name="Needle MNIST").or_(
        page.get_by_role("radio", name="Needle MNIST")
    ).first.click()
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(page.locator("[class*='st-key-chart_']")).to_have_count(1)
    more = table.get_by_role("button", name="CNN of Needle MNIST")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(more).to_be_focused()
    details = table.locator("tr.details")
    expect(details).to_contain_text("curves alone")
    expect(details.locator("code")).to_have_text("umnist train needle-cnn-64")


def test_row_leads_to_its_card(page: Page, app: str) -> None:
    """The card comes into sight, and has the focus."""
    table = open_models(page, app)
    table.get_by_role("link", name="ips-needle").click()
    card = page.locator(".st-key-card_ips-needle")
    expect(card).to_be_focused()
    expect(card.get_by_role("heading", name="ips-needle")).to_be_in_viewport()


def test_nothing_is_wider_than_the_screen(page: Page, app: str) -> None:
    """Neither table, bars nor commands have to be scrolled sideways; a phone sorts by a list."""
    table = open_models(page, app)
    by = page.get_by_label("Sort by")
    for width, height in (DESK, (933, 600), PHONE):
        page.set_viewport_size({"width": width, "height": height})
        expect(by).to_be_visible(visible=width < 700)
        wait_until(lambda: page.evaluate(WIDER) == 0, f"Something is wider than {width} px.")
    by.select_option("Accuracy")
    assert shares(table) == sorted(shares(table), reverse=True)


def test_card_leads_to_its_model_at_work_on_a_fitting_image(page: Page, app: str) -> None:
    """On an image of the kind that it learned from, also when another was looked at before."""
    for name, preset in ((QUICK, "megapixel"), ("fov-max", "large-scale")):
        if name == QUICK:
            open_models(page, app)
        else:
            page.get_by_role("link", name="Models", exact=True).click()
        card = page.locator(f".st-key-card_{name}")
        card.get_by_role("link", name="Watch it look").click()
        page.wait_for_url(f"**/inference?*model={name}*")
        assert parse_qs(urlsplit(page.url).query)["preset"] == [preset]
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value(name)
        expect(page.locator(".umnist-watch .verdict").first).to_have_text(VERDICT)


def test_miss_is_one_click_away_with_its_model_looking(page: Page, app: str) -> None:
    """The very scene that the card names as missed, and an answer without another click."""
    answers = find_answers(load_card(find_shipped_checkpoints()[QUICK]))
    assert answers is not None
    first = answers.missed[0]
    open_models(page, app)
    misses = page.get_by_role("navigation", name=f"Misses of {QUICK}")
    assert misses.get_by_role("link").count() == answers.wrong
    misses.get_by_role("link").first.click()
    page.wait_for_url("**/inference?*")
    query = {name: value[0] for name, value in parse_qs(urlsplit(page.url).query).items()}
    assert query["index"] == str(first.index)
    assert query["model"] == QUICK
    expect(page.locator(".umnist-watch .verdict").first).to_have_text(VERDICT)


def test_weights_and_card_are_saved_as_they_lie_on_the_disk(
    page: Page, app: str, tmp_path: Path
) -> None:
    """Byte for byte, under the name of the checkpoint."""
    open_models(page, app)
    path = find_shipped_checkpoints()["fov-max"]
    take = page.locator(".st-key-card_fov-max .umnist-take")
    for title, kept in (("Weights", path), ("Card", path.with_suffix(".json"))):
        with page.expect_download() as coming:
            take.get_by_role("link", name=title).click()
        saved = tmp_path / kept.name
        coming.value.save_as(saved)
        assert coming.value.suggested_filename == kept.name
        assert saved.read_bytes() == kept.read_bytes()
    assert json.loads((tmp_path / "fov-max.json").read_text())["model"] == "fov-max"
