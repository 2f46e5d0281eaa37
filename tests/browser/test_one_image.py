"""One current image: it goes along from page to page, into the address and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import wait_until
from tests.browser.study_app import settle


def address(page: Page) -> str:
    """Return path and query of the address bar, with an end to each parameter."""
    return str(page.evaluate("location.pathname + location.search")) + "&"


def wait_for_address(page: Page, path: str, *parts: str) -> None:
    """Wait until the address is of a page and has some parameters."""

    def is_there() -> bool:
        now = address(page)
        return now.split("?")[0] == path and all(f"{part}&" in now for part in parts)

    try:
        wait_until(is_there, "It never became that.")
    except AssertionError as error:
        raise AssertionError(f"{address(page)}, not {path} with {parts}.") from error


def open_at(page: Page, app: str, path: str) -> None:
    """Open a page with a viewer, at a link."""
    page.goto(f"{app}{path}")
    page.wait_for_selector(".umnist-viewer.ready")
    settle(page)


def go_in_history(page: Page, step: int) -> None:
    """Press Back or Forward, and look at what comes, as people do.

    Streamlit itself forgets what is ahead when it is pressed three times in half a second.
    """
    page.evaluate(f"history.go({step})")
    page.wait_for_timeout(1000)
    settle(page)
    page.wait_for_selector(".umnist-viewer.ready")


def go(page: Page, name: str) -> None:
    """Go to another page by the navigation."""
    page.get_by_role("link", name=name, exact=True).click()
    page.wait_for_selector(".umnist-viewer.ready")


def test_image_and_view_go_along_and_history_walks_them(page: Page, app: str) -> None:
    """Next, zoom, answer, three pages; then Back through all of it, Forward, and a reload."""
    open_at(page, app, "/?seed=3&index=7")
    page.get_by_role("button", name="Next sample").click()
    wait_for_address(page, "/", "index=8")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("switch", name="Show the answer").click()
    wait_for_address(page, "/", "index=8", "show=answer")
    wait_until(lambda: ",0.5&" in address(page), "The view did not reach the address.")
    for name, path in (("Noise lab", "/noise_lab"), ("Inference", "/inference")):
        go(page, name)
        wait_for_address(page, path, "seed=3", "index=8", "show=answer")
        wait_until(lambda: ",0.5&" in address(page), "The view was lost on the next page.")
    go_in_history(page, -1)
    wait_for_address(page, "/noise_lab", "seed=3", "index=8", "show=answer")
    go_in_history(page, -1)
    wait_for_address(page, "/", "index=8", "show=answer")
    wait_until(lambda: ",0.5&" in address(page), "The view was not there again.")
    go_in_history(page, -1)
    wait_for_address(page, "/", "index=7")
    expect(page.get_by_role("spinbutton", name="Index", exact=True)).to_have_value("7")
    assert "view=" not in address(page)
    go_in_history(page, 1)
    wait_for_address(page, "/", "index=8")
    wait_until(lambda: ",0.5&" in address(page), "Forward did not lead to the view.")
    expect(page.get_by_role("spinbutton", name="Index", exact=True)).to_have_value("8")
    page.reload()
    page.wait_for_selector(".umnist-viewer.ready")
    wait_for_address(page, "/", "seed=3", "index=8")
    wait_until(lambda: ",0.5&" in address(page), "A reload lost the view.")


def test_changed_noise_goes_along(page: Page, app: str) -> None:
    """Explore's sliders are the Noise lab's, and what they are set to is there again."""
    open_at(page, app, "/?seed=3&index=7")
    page.get_by_text("Change the preset").click()
    field = page.get_by_role("spinbutton", name="Cells, to, as a number")
    field.fill("16")
    field.press("Enter")
    wait_until(lambda: "checkerboard=12..16" in address(page), "The slider did not reach the link.")
    kept = "checkerboard=12..16"
    go(page, "Noise lab")
    wait_for_address(page, "/noise_lab", kept, "index=7")
    page.get_by_role("button", name="Undo").wait_for()
    go(page, "Explore")
    wait_for_address(page, "/", kept, "index=7")


def test_last_setting_is_undone_and_done_again(page: Page, app: str) -> None:
    """By button and by key."""
    open_at(page, app, "/noise_lab?shape_pairs=3")
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    page.get_by_label("Preset").select_option("noise-free")
    wait_until(lambda: "shape_pairs=3&" not in address(page), "The preset did not change.")
    undo.click()
    wait_for_address(page, "/noise_lab", "shape_pairs=3")
    expect(undo).to_be_disabled()
    redo.click()
    wait_until(lambda: "shape_pairs=3&" not in address(page), "Redo did nothing.")
    page.get_by_label("Preset").press("Control+z")
    wait_for_address(page, "/noise_lab", "shape_pairs=3")


def test_ranges_say_what_this_image_drew(page: Page, app: str) -> None:
    """Until they are moved; one value says nothing."""
    open_at(page, app, "/noise_lab?seed=3&checkerboard=12..23&shape_pairs=4")
    cells = page.get_by_role("group", name="Cells")
    expect(cells.get_by_text("This image: ")).to_be_visible()
    drawn = int(cells.get_by_text("This image: ").inner_text().split()[-1])
    assert 12 <= drawn <= 23
    assert page.get_by_role("group", name="Pairs").get_by_text("This image").count() == 0


def test_each_pane_has_its_own_digits(page: Page, app: str) -> None:
    """Small digits and large ones, side by side: the boxes of one are not drawn over the other."""
    open_at(page, app, "/noise_lab?preset=o2i-112&b.preset=o2i-28&compare=side&show=answer")
    panes = page.locator(".pane")
    expect(panes).to_have_count(2)
    for place, side in ((0, "112 px"), (1, "28 px")):
        marks = panes.nth(place).locator("g.digits text")
        expect(marks.filter(has_text=side)).to_have_count(5)


def test_file_goes_along(page: Page, app: str, tmp_path: Path) -> None:
    """A file by its path is there on Inference, and back."""
    Image.new("L", (640, 480), 128).save(tmp_path / "grey.png")
    open_at(page, app, f"/?source=file&path={tmp_path / 'grey.png'}")
    expect(page.get_by_text("grey.png: 640 x 480 px.")).to_be_visible()
    go(page, "Inference")
    wait_for_address(page, "/inference", "source=file")
    page.get_by_role("tab", name="Image and noise").click()
    expect(page.get_by_text("grey.png: 640 x 480 px.")).to_be_visible()
    go(page, "Explore")
    wait_for_address(page, "/", "source=file")
    expect(page.get_by_text("grey.png: 640 x 480 px.")).to_be_visible()


@pytest.mark.parametrize("path", ["/nowhere/at/all.png"])
def test_error_keeps_the_image_and_stands_over_it(page: Page, app: str, path: str) -> None:
    """What was there stays, with the sentence where the eye is; nothing chosen is no error."""
    open_at(page, app, "/?seed=3&index=7")
    page.get_by_text("File", exact=True).click()
    settle(page)
    assert page.get_by_role("alert").filter(has_text="Expected").count() == 0
    expect(page.locator(".umnist-viewer.ready .pane")).to_have_count(1)
    field = page.get_by_label("Path on this machine")
    field.fill(path)
    field.press("Enter")
    expect(page.locator(".umnist-viewer .notice")).to_contain_text("all.png")
    expect(page.locator(".umnist-viewer .pane")).to_have_count(1)
