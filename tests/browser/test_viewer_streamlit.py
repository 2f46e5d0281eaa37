"""The viewer in Streamlit: new data never mount it anew, and the address outlives a reload."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESK, PATIENCE_S, wait_until
from umnist_core.bench.ports import free_port

ROOT = Path(__file__).resolve().parents[2]

PAGE = """
import streamlit as st
from pages._ui.shared.viewer import show_answers, show_viewer

asked = st.query_params.get("image", "40")
st.session_state.setdefault("image", asked)
st.session_state["runs"] = st.session_state.get("runs", 0) + 1


def step(where):
    st.session_state["image"] = {"next": "200", "previous": "40", "random": "120"}[where]


image = st.session_state["image"]
shown = st.checkbox("Shown", True)
if shown:
    digit = dict(id=0, label=3, box=(3300, 3300, 14, 14), ink=(3302, 3302, 10, 10), side=14)
    data = dict(
        bus="page",
        panes=[dict(key="a", title="A", dzi=f"/dzi/grey-{image}.dzi", width=4000, height=4000)],
        image=dict(width=4000, height=4000),
        digits=[digit],
        shapes=[],
        label=3,
        link={"image": image},
        navigate=True,
        height=500,
    )
    events = show_viewer(data, key="viewer", on_navigate=step)
    show_answers(data, key="answers")
    st.text(f"asked {events.navigate} runs {st.session_state['runs']} image {image}")
"""

APP = """
import streamlit as st
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from umnist_core.server.assets import STATIC_DIR, static_version

app = st.App(
    {page!r},
    routes=[
        Mount(f"/assets/{{static_version()}}", StaticFiles(directory=STATIC_DIR)),
        Mount("/dzi", StaticFiles(directory={images!r})),
    ],
)
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Iterator[str]:
    """Run a Streamlit app with nothing but a viewer, its answers and a switch."""
    folder = tmp_path_factory.mktemp("app")
    page, app = folder / "page.py", folder / "app.py"
    page.write_text(PAGE, encoding="utf-8")
    app.write_text(APP.format(page=str(page), images=str(images)), encoding="utf-8")
    port = free_port()
    options = {
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    command += [f"--{name}={value}" for name, value in options.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(url), f"Streamlit did not start; see {folder / 'log'}.")
        yield url
        process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return an empty page of a desk's size."""
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
    context.set_default_timeout(1000 * PATIENCE_S)
    yield context.new_page()
    context.close()


def query(page: Page) -> str:
    """Return what stands in the address after the question mark."""
    return str(page.evaluate("location.search"))


def test_streamlit_keeps_the_viewer_and_its_view(address: str, page: Page) -> None:
    """Going from sample to sample keeps the element and the view; moving reruns nothing."""
    page.goto(f"{address}/?image=40&view=2000,1000,2")
    page.locator(".umnist-viewer.ready").wait_for()
    page.get_by_text("runs 1").wait_for()
    viewer = page.locator(".umnist-viewer").element_handle()
    page.locator(".openseadragon-canvas").focus()
    page.keyboard.press("4")
    wait_until(lambda: "view=2000,1000,4" in query(page), "The view is not in the address.")
    page.keyboard.press("n")
    page.get_by_text("asked next runs 2 image 200").wait_for()
    page.keyboard.press("n")
    page.get_by_text("asked next runs 3 image 200").wait_for()
    page.get_by_role("button", name="Random sample").click()
    page.get_by_text("asked random runs 4 image 120").wait_for()
    assert viewer is not None
    assert viewer.evaluate("(element) => element.isConnected")
    wait_until(
        lambda: query(page) == "?image=120&view=2000,1000,4", "The address is not the view's."
    )


def test_streamlit_reload_restores_the_link(address: str, page: Page) -> None:
    """A reload, which is a new session, shows the same sample, view and answer."""
    page.goto(address)
    page.locator(".umnist-viewer.ready").wait_for()
    page.get_by_role("button", name="Next sample").click()
    page.get_by_text("image 200").wait_for()
    page.get_by_role("switch", name="Show the answer").click()
    page.get_by_role("button", name="Go to digit 3, 14 px").click()
    wait_until(lambda: "view=3307,3307,8" in query(page), "The flight is not in the address.")
    before = query(page)
    page.reload()
    page.get_by_text("asked None runs 1 image 200").wait_for()
    page.get_by_role("switch", name="Show the answer", checked=True).wait_for()
    page.locator("[data-readout=zoom]").get_by_text("8:1").wait_for()
    assert query(page) == before


def test_streamlit_removal_destroys_the_viewer(address: str, page: Page) -> None:
    """A viewer that the page no longer shows leaves no element and no key behind."""
    page.goto(address)
    page.locator(".umnist-viewer.ready").wait_for()
    page.get_by_text("Shown").click()
    page.locator(".umnist-viewer").wait_for(state="detached")
    before = query(page)
    page.keyboard.press("o")
    page.wait_for_timeout(300)
    assert query(page) == before
    page.get_by_text("Shown").click()
    page.locator(".umnist-viewer.ready").wait_for()
