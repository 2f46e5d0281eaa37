"""The widgets in a real JupyterLab, at the root of its host and below a hub's path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import product

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Pixels, wait_until
from umnist_core.bench.notebook_lab import OpenNotebook, open_notebook, running_lab
from umnist_core.digits import load_glyphs
from umnist_core.rendering import render
from umnist_core.scenes import SceneRef

SIDE_PX = 1500
REF = SceneRef.of("released", {"canvas": str(SIDE_PX)}, seed=7, index=3)
MARGIN_PX = 150
"""What a shot leaves out at each side: the scale and the small map stand there."""

SHOW, AGAIN, SAY, LOOK, PICK, BUSY, LAB, SETTING, MOVE, CLOSE, AFTER = range(11)
CELLS = {
    SHOW: f"""
import numpy as np
from umnist_core.attention import AttentionMap
from umnist_core.notebook import DeepZoom, NoiseLab
from umnist_core.scenes import SceneRef
ref = {REF!r}
boxes = np.float32([[0, 0, 300, 300], [700, 700, 1000, 900]])
where = AttentionMap(np.float32([[[0.7, 0.3]]]), boxes, {SIDE_PX}, {SIDE_PX}, ("sum",), "test")
viewer = DeepZoom(ref, attention=where, height=600)
viewer""",
    AGAIN: "viewer",
    SAY: "import json; print(json.dumps([viewer.viewport, viewer.selection, viewer.overlays]))",
    LOOK: "viewer.viewport = {'x': 640, 'y': 800, 'zoom': 4}",
    PICK: "viewer.selection = [300, 400, 20, 20]",
    BUSY: "import ctypes; ctypes.PyDLL(None).sleep(5)  # and nothing else of the kernel runs",
    LAB: "lab = NoiseLab(ref, height=420); lab",
    SETTING: "print(lab.setting.overrides)",
    MOVE: "lab.setting = SceneRef.of('released', {'canvas': '1200', 'shape_pairs': '2'}, seed=4)",
    CLOSE: "viewer.close(); lab.close()",
    AFTER: "print(len([one for one in __import__('threading').enumerate() if one.daemon]) < 40)",
}


@pytest.fixture(scope="module", params=["/", "/user/x/"])
def notebook(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenNotebook]:
    """Return an open notebook whose first cells have run."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [CELLS[place].strip() for place in range(len(CELLS))]
    with (
        running_lab(folder, request.param) as lab,
        open_notebook(browser, lab, cells, reduced_motion="reduce") as opened,
    ):
        for place in (SHOW, AGAIN):
            opened.run(place)
        yield opened
        assert opened.complaints == []
        assert opened.strangers == []


def _view(notebook: OpenNotebook, place: int) -> Locator:
    return notebook.cells.nth(place).locator(".umnist-notebook")


def _said(notebook: OpenNotebook, place: int = SAY) -> list[object]:
    notebook.cells.nth(place).locator(".jp-InputArea .cm-content").click()
    notebook.run(place)
    found: list[object] = json.loads(notebook.output(place))
    return found


def _shot(notebook: OpenNotebook, place: int) -> tuple[Pixels, tuple[float, float]]:
    """Return the middle of a view's picture, and where its corner is from the picture's middle."""
    image = _view(notebook, place).locator(".pane .image")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box is not None
    clip = {
        "x": box["x"] + MARGIN_PX,
        "y": box["y"] + MARGIN_PX,
        "width": box["width"] - 2 * MARGIN_PX,
        "height": box["height"] - 2 * MARGIN_PX,
    }
    png = notebook.page.screenshot(clip=clip)  # type: ignore[arg-type]
    rgb = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    return np.asarray(rgb, np.uint8), (MARGIN_PX - box["width"] / 2, MARGIN_PX - box["height"] / 2)


def _shows(
    notebook: OpenNotebook, place: int, image: Pixels, view: tuple[float, float, int]
) -> bool:
    """Return whether each image pixel is ``zoom`` by ``zoom`` screen pixels of its value.

    Which whole screen pixel they begin on, within one, follows from the size of the pane.
    """
    x, y, zoom = view
    shot, (left, top) = _shot(notebook, place)
    row, col = round(y * zoom + top), round(x * zoom + left)

    def window(down: int, right: int) -> Pixels:
        rows = (row + down + np.arange(shot.shape[0])) // zoom
        cols = (col + right + np.arange(shot.shape[1])) // zoom
        return image[np.ix_(rows, cols)][:, :, None]

    return any((shot == window(*move)).all() for move in product((0, -1, 1), repeat=2))


def test_the_traits_make_the_round_trip_and_two_views_agree(notebook: OpenNotebook) -> None:
    """What Python sets is on both screens, pixel for pixel; what a hand moves, Python has."""
    image = render(REF.plan(load_glyphs()), load_glyphs())
    _view(notebook, SHOW).get_by_label("Attention", exact=True).uncheck()
    expect(_view(notebook, AGAIN).get_by_label("Attention", exact=True)).not_to_be_checked()
    notebook.run(LOOK)
    for place in (SHOW, AGAIN):
        wait_until(
            partial(_shows, notebook, place, image, (640, 800, 4)),
            f"View {place} does not show the window that was rendered.",
            notebook.page,
        )
    _view(notebook, AGAIN).locator(".openseadragon-canvas").focus()
    notebook.page.keyboard.press("Shift+ArrowRight")
    expect(_view(notebook, AGAIN).locator("[data-readout=x]")).not_to_contain_text("640")
    text = _view(notebook, AGAIN).locator("[data-readout=x]").inner_text()
    expect(_view(notebook, SHOW).locator("[data-readout=x]")).to_have_text(text)
    viewport, _, overlays = _said(notebook)
    assert isinstance(viewport, dict)
    assert viewport["zoom"] == 4
    assert viewport["x"] > 700
    assert overlays == {"answer": False, "shapes": False, "attention": False}


def test_a_digit_is_flown_to_and_is_the_selection(notebook: OpenNotebook) -> None:
    """A click in the list of digits moves the view there, and Python knows which."""
    view = _view(notebook, SHOW)
    view.get_by_role("switch", name="Show the answer").click()
    digit = REF.plan(load_glyphs()).digits[1]
    view.locator("button[data-digit='1']").click()
    centre = digit.col + digit.side_px / 2
    wait_until(
        lambda: abs(float(view.locator("[data-readout=x]").inner_text().split()[-1]) - centre) <= 1,
        "The view is not at the digit.",
        notebook.page,
    )
    viewport, selection, overlays = _said(notebook)
    assert selection == 1
    assert isinstance(viewport, dict)
    assert abs(viewport["x"] - centre) < 1
    assert overlays == {"answer": True, "shapes": False, "attention": False}
    notebook.run(PICK)
    expect(view.locator("[data-readout=x]")).to_contain_text("310")
    view.get_by_role("switch", name="Show the answer").click()


def test_attention_is_over_the_image_where_it_is_wanted(notebook: OpenNotebook) -> None:
    """With it the picture has colours, in each view; without it has none."""
    view = _view(notebook, SHOW)
    view.locator(".openseadragon-canvas").focus()
    notebook.page.keyboard.press("0")

    def is_coloured() -> bool:
        shot, _ = _shot(notebook, SHOW)
        return bool((shot.max(axis=2).astype(int) - shot.min(axis=2) > 40).any())

    view.get_by_label("Attention", exact=True).check()
    wait_until(is_coloured, "No attention lies over the image.", notebook.page)
    view.get_by_label("Attention", exact=True).uncheck()
    wait_until(lambda: not is_coloured(), "Attention is still over the image.", notebook.page)


def test_a_busy_kernel_is_announced_and_forgotten(notebook: OpenNotebook) -> None:
    """Whoever asks for tiles while a cell runs reads why there are none, until they come."""
    view = _view(notebook, SHOW)
    notice = view.locator(".kernel")
    expect(notice).to_be_hidden()
    notebook.run(BUSY, is_waited_for=False)
    view.locator(".openseadragon-canvas").focus()
    for key in ("4", "Shift+ArrowLeft", "Shift+ArrowUp"):
        notebook.page.keyboard.press(key)
    expect(notice).to_contain_text("The kernel is busy")
    notebook.wait_for(BUSY)
    expect(notice).to_be_hidden()


def test_sliders_move_the_picture_and_the_setting(notebook: OpenNotebook) -> None:
    """The picture follows while a slider is moved; let go of, it is Python's; and back."""
    notebook.run(LAB)
    lab = _view(notebook, LAB)
    drawn = "window.drawn = 0; document.addEventListener('umnist-drawn', () => (window.drawn += 1))"
    notebook.page.evaluate(f"() => {{ {drawn} }}")
    number = lab.locator("[data-name=checkerboard] input[type=range]").last
    number.focus()
    notebook.page.keyboard.press("ArrowLeft")
    wait_until(
        lambda: notebook.page.evaluate("window.drawn"), "No picture followed.", notebook.page
    )
    notebook.page.wait_for_timeout(600)
    notebook.run(SETTING)
    assert "checkerboard" in notebook.output(SETTING)
    notebook.run(MOVE)
    expect(lab.get_by_label("Seed", exact=True)).to_have_value("4")


def test_a_closed_widget_says_so(notebook: OpenNotebook) -> None:
    """A view whose widget is gone says what to do, or goes with it; nothing is left running."""
    notebook.run(CLOSE)
    notebook.run(AFTER)
    assert notebook.output(AFTER) == "True"
