"""Changes of image: no flash, the newest wins, a failure says so, nothing is left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    PHONE,
    SIDE_PX,
    OpenViewer,
    Pixels,
    ViewerPage,
    pane_data,
    viewer_data,
    wait_until,
)

SURROUND = 143
"""Grey around the image in the light theme; no test image has it."""

WATCH = """
() => {
  window.seen = new Set();
  const watch = () => {
    for (const canvas of document.querySelectorAll(".image canvas")) {
      const context = canvas.getContext("2d");
      const [x, y] = [canvas.width >> 1, canvas.height >> 1];
      const [value, , , alpha] = context.getImageData(x, y, 1, 1).data;
      window.seen.add(alpha === 255 ? value : -1);
    }
    window.watching = requestAnimationFrame(watch);
  };
  watch();
}
"""


def show(viewer: ViewerPage, *panes: dict[str, Any], **more: Any) -> None:
    """Give the viewer new data."""
    viewer.page.evaluate("(data) => viewer.update(data)", viewer_data(*panes, **more))


def middle(viewer: ViewerPage, index: int = 0) -> int:
    """Return the value in the middle of a pane."""
    shot = viewer.shot(index)
    return int(shot[shot.shape[0] // 2, shot.shape[1] // 2])


def test_viewer_changes_image_without_a_flash(open_viewer: OpenViewer, noise: Pixels) -> None:
    """In every frame the middle has the old image's value or the new one's, never a blur."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")), query={"view": "2000,2000,1"})
    wait_until(lambda: middle(viewer) == 40, "The first image is not on screen.")
    viewer.server.delays_s["/dzi/noise_files/12"] = 0.4
    viewer.page.evaluate(WATCH)
    show(viewer, pane_data("noise"))
    wait_until(lambda: viewer.shot().std() > 70, "The second image is not on screen.")
    assert set(viewer.page.evaluate("[...seen]")) == {40, int(noise[2000, 2000])}


def test_viewer_keeps_its_view_when_the_image_changes(open_viewer: OpenViewer) -> None:
    """Another image of the same size is shown where the last one was."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")), query={"view": "1000,1500,2"})
    viewer.wait_for_view(zoom=2)
    before = viewer.view()
    show(viewer, pane_data("grey-200"))
    wait_until(lambda: middle(viewer) == 200, "The second image is not on screen.")
    assert viewer.view() == before


def test_another_subject_is_shown_whole_and_the_same_one_where_it_was(
    open_viewer: OpenViewer,
) -> None:
    """The next scene is seen whole; the same one under other noise from as near as before."""
    viewer = open_viewer(
        viewer_data(pane_data("grey-40"), subject="a"), query={"view": "1000,1000,4"}
    )
    viewer.wait_for_view(zoom=4)
    show(viewer, pane_data("grey-120"), subject="a")
    wait_until(lambda: middle(viewer) == 120, "The other noise is not on screen.")
    assert viewer.view()["zoom"] == pytest.approx(4)
    assert "view=1000,1000,4" in viewer.address
    show(viewer, pane_data("noise"), subject="b")
    whole = min(viewer.box()["width"], viewer.box()["height"]) / SIDE_PX
    wait_until(lambda: viewer.view()["zoom"] < whole, "The other scene is not shown whole.")
    wait_until(lambda: "view=" not in viewer.address, "The address still holds a view of it.")


def test_viewer_goes_where_new_data_say_once(open_viewer: OpenViewer) -> None:
    """A view in the data is gone to when it changes, and not again with every update."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    view = {"x": 1000, "y": 1500, "zoom": 2}
    show(viewer, pane_data("grey-40"), view=view)
    viewer.wait_for_view(zoom=2, near=(1000, 1500))
    viewer.press("4")
    viewer.wait_for_view(zoom=4)
    show(viewer, pane_data("grey-200"), view=view)
    wait_until(lambda: middle(viewer) == 200, "The second image is not on screen.")
    assert viewer.view()["zoom"] == pytest.approx(4)


def test_viewer_shows_the_whole_of_an_image_of_another_size(open_viewer: OpenViewer) -> None:
    """An image of another size is a new beginning: all of it is in view."""
    viewer = open_viewer(viewer_data(pane_data("noise")), query={"view": "1000,1500,2"})
    viewer.wait_for_view(zoom=2)
    show(viewer, pane_data("model-256", 256), image={"width": 256, "height": 256})
    viewer.wait_for_view(near=(128, 128))
    box = viewer.box()
    assert 256 * viewer.view()["zoom"] == pytest.approx(box["height"] - 20, abs=1)


def test_viewer_shows_the_newest_image(open_viewer: OpenViewer) -> None:
    """A slow image that is no longer wanted never appears, and holds nothing up."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    wait_until(lambda: middle(viewer) == 40, "The first image is not on screen.")
    viewer.server.delays_s["/dzi/grey-200"] = 3
    viewer.page.evaluate(WATCH)
    show(viewer, pane_data("grey-200"))
    show(viewer, pane_data("grey-120"))
    wait_until(lambda: middle(viewer) == 120, "The newest image is not on screen.")
    viewer.page.wait_for_timeout(3500)
    assert set(viewer.page.evaluate("[...seen]")) == {40, 120}


def test_viewer_shows_images_while_they_change_quickly(open_viewer: OpenViewer) -> None:
    """Images asked for faster than they load do appear, and the last one stays."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    wait_until(lambda: middle(viewer) == 40, "The first image is not on screen.")
    viewer.server.delays_s["/dzi/grey"] = 0.05
    viewer.page.evaluate(WATCH)
    viewer.page.evaluate(
        """async (choices) => {
             for (let turn = 0; turn < 60; turn += 1) {
               viewer.update({ ...data, panes: [choices[turn % 2]] });
               await new Promise((resolve) => setTimeout(resolve, 25));
             }
             viewer.update({ ...data, panes: [choices[2]] });
           }""",
        [{**pane_data("grey-120")}, {**pane_data("grey-200")}, {**pane_data("grey-40")}],
    )
    wait_until(lambda: middle(viewer) == 40, "The last image is not on screen.")
    viewer.page.wait_for_timeout(800)
    assert middle(viewer) == 40
    assert {120, 200} & set(viewer.page.evaluate("[...seen]"))


def test_viewer_says_what_failed_and_tries_again(open_viewer: OpenViewer) -> None:
    """An image that cannot be opened leaves the old one, a sentence and a way to go on."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    wait_until(lambda: middle(viewer) == 40, "The first image is not on screen.")
    viewer.server.broken.add("/dzi/grey-200.dzi")
    show(viewer, pane_data("grey-200"))
    failure = viewer.page.get_by_role("alert")
    failure.wait_for()
    assert "The disk with this image is gone." in failure.inner_text()
    viewer.server.broken.clear()
    viewer.page.get_by_role("button", name="Retry").click()
    wait_until(lambda: middle(viewer) == 200, "The image is not on screen after Retry.")
    assert not failure.is_visible()
    assert len(viewer.complaints) == 1
    assert "500" in viewer.complaints.pop()


def test_viewer_says_that_tiles_are_missing(open_viewer: OpenViewer) -> None:
    """Tiles that fail while one looks around are told of, with the reason, and come with Retry."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    wait_until(lambda: middle(viewer) == 40, "The image is not on screen.")
    viewer.server.broken.add("/dzi/grey-40_files/12")
    viewer.press("1")
    failure = viewer.page.get_by_role("alert")
    failure.wait_for()
    why = "Part of the image did not load. The disk with this image is gone."
    expect(failure).to_contain_text(why)
    viewer.server.broken.clear()
    viewer.page.get_by_role("button", name="Retry").click()
    failure.wait_for(state="hidden")
    wait_until(lambda: set(np.unique(viewer.shot())) == {40}, "The image is not whole.")
    viewer.complaints.clear()


def test_viewer_goes_from_one_pane_to_two_and_back(open_viewer: OpenViewer) -> None:
    """A second pane comes and goes without a change of the view."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")), query={"view": "1000,1500,2"})
    viewer.wait_for_view(zoom=2)
    show(viewer, pane_data("grey-40"), pane_data("grey-200"))
    wait_until(lambda: viewer.page.locator(".pane").count() == 2, "There is no second pane.")
    wait_until(lambda: middle(viewer, 1) == 200, "The second image is not on screen.")
    show(viewer, pane_data("grey-40"))
    wait_until(lambda: viewer.page.locator(".pane").count() == 1, "The second pane stays.")
    wait_until(lambda: middle(viewer) == 40, "The first image is not on screen.")
    viewer.wait_for_view(zoom=2, near=(1000, 1500))


RECORD = """
() => {
  const boxes = [...document.querySelectorAll("[data-digit='0'] .box.line")];
  window.frames_seen = [];
  const record = () => {
    window.frames_seen.push(boxes.map((box) => Number(box.getAttribute("x"))));
    window.recording = requestAnimationFrame(record);
  };
  cancelAnimationFrame(window.recording);
  record();
}
"""


@pytest.mark.parametrize("index", [0, 1])
def test_panes_move_in_step(open_viewer: OpenViewer, index: int) -> None:
    """Whichever pane is moved, both go to the same place without swinging, and stay equal."""
    digit = {"id": 0, "label": 7, "box": [1500, 1500, 900, 900], "ink": [0, 0, 9, 9], "side": 900}
    viewer = open_viewer(
        viewer_data(pane_data("noise"), pane_data("model-256", 256), digits=[digit], label=7),
        query={"view": "2000,2000,0.5", "show": "answer"},
    )
    viewer.wait_for_view(zoom=0.5)
    distance = 0.6 * viewer.box()["width"]
    viewer.page.locator(".openseadragon-canvas").nth(index).focus()
    viewer.page.evaluate(RECORD)
    viewer.page.keyboard.press("Shift+ArrowRight")
    viewer.wait_for_view(zoom=0.5, near=(2000 + distance / 0.5, 2000))
    frames = np.array(viewer.page.evaluate("frames_seen"))
    assert (np.diff(frames, axis=0) <= 1e-6).all(), "A pane moved backwards."
    assert np.abs(frames[0] - frames[-1] - distance).max() < 1
    assert abs(frames[-1, 0] - frames[-1, 1]) < 1e-3


def test_pointer_is_shown_in_the_other_pane(open_viewer: OpenViewer) -> None:
    """The pointer's place is marked in the pane where the pointer is not, and read in both."""
    viewer = open_viewer(
        viewer_data(pane_data("grey-40"), pane_data("grey-200")), query={"view": "2000,2000,1"}
    )
    viewer.wait_for_view(zoom=1)
    box, other = viewer.box(0), viewer.box(1)
    viewer.page.mouse.move(box["x"] + 200, box["y"] + 150)
    mark = viewer.pane(1).locator(".cursor.line").bounding_box()
    assert mark is not None
    assert abs(mark["x"] + mark["width"] / 2 - other["x"] - 200) <= 1
    assert abs(mark["y"] + mark["height"] / 2 - other["y"] - 150) <= 1
    assert not viewer.pane(0).locator(".cursor.line").is_visible()
    values = viewer.page.locator("[data-readout=value]")
    wait_until(
        lambda: values.inner_text().split() == ["Grey", "40", "40", "Grey", "200", "200"],
        f"Expected both panes' values, found {values.inner_text()!r}.",
    )


def test_link_holds_the_view_and_brings_it_back(open_viewer: OpenViewer) -> None:
    """The address has the view, the overlays and the page's own parameters; a reload restores."""
    data = viewer_data(pane_data("noise"), link={"seed": "7", "old": None}, label=3)
    viewer = open_viewer(data, query={"old": "1", "other": "kept"})
    viewer.press("4", "o")
    viewer.wait_for_view(zoom=4)
    viewer.press("ArrowRight")
    wait_until(lambda: "view=" in viewer.address, "The view is not in the address.")
    viewer.page.wait_for_timeout(900)
    view, url = viewer.view(), viewer.address
    assert "other=kept&seed=7" in url
    assert "show=answer" in url
    assert "old=" not in url
    viewer.page.reload()
    viewer.wait_for_view(zoom=4, near=(view["x"], view["y"]))
    assert viewer.address == url
    assert viewer.page.get_by_role("switch", name="Show the answer").is_checked()
    viewer.press("0")
    wait_until(lambda: "view=" not in viewer.address, "The whole image needs no view.")


def test_viewer_without_link_leaves_the_address_alone(open_viewer: OpenViewer) -> None:
    """Where no link is wanted, the address is neither read nor written."""
    viewer = open_viewer(
        viewer_data(pane_data("noise"), link=None), query={"view": "9,9,9", "show": "answer"}
    )
    url = viewer.address
    assert viewer.view()["x"] == SIDE_PX / 2
    viewer.press("1")
    viewer.wait_for_view(zoom=1)
    assert viewer.address == url


def test_whole_image_stays_whole_when_the_window_changes(open_viewer: OpenViewer) -> None:
    """Turning a phone or resizing a window fits the image again."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    before = viewer.view()["zoom"]
    viewer.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    wait_until(lambda: viewer.view()["zoom"] != before, "The zoom did not follow the window.")
    box = viewer.box()
    assert SIDE_PX * viewer.view()["zoom"] <= min(box["width"], box["height"])


def test_flight_ends_where_it_was_going_when_the_pane_changes(open_viewer: OpenViewer) -> None:
    """Another size on the way, as when a second pane joins, takes nobody back."""
    viewer = open_viewer(viewer_data(pane_data("noise")))
    wide = viewer.box()["width"]
    viewer.page.evaluate(
        """(data) => {
          viewer.update(data);
          const stage = document.getElementById("stage");
          stage.style.width = `${stage.clientWidth - 200}px`;
        }""",
        viewer_data(pane_data("noise"), view={"x": 630, "y": 430, "zoom": 1}),
    )
    viewer.wait_for_view(zoom=1, near=(630, 430))
    assert viewer.box()["width"] == wide - 200


def test_destroy_leaves_nothing(open_viewer: OpenViewer) -> None:
    """After destroy there is no element, no channel, no key and no frame of the viewer."""
    viewer = open_viewer(viewer_data(pane_data("noise"), pane_data("grey-40"), label=3))
    page = viewer.page
    page.evaluate("() => { viewer.destroy(); answers.destroy(); }")
    assert page.locator("#stage > *, #answers > *, canvas").count() == 0
    assert page.evaluate("openChannels()") == []
    page.keyboard.press("n")
    page.keyboard.press("o")
    url = viewer.address
    page.wait_for_timeout(300)
    assert page.evaluate("[asked, shown]") == [[], []]
    assert viewer.address == url


def test_destroy_while_loading_leaves_nothing(open_viewer: OpenViewer) -> None:
    """A viewer that goes before its image comes is gone all the same."""
    viewer = open_viewer(viewer_data(pane_data("grey-40")))
    viewer.server.delays_s["/dzi/grey-200"] = 0.5
    show(viewer, pane_data("grey-200"))
    viewer.page.evaluate("viewer.destroy()")
    viewer.page.wait_for_timeout(900)
    assert viewer.page.locator("#stage > *").count() == 0
