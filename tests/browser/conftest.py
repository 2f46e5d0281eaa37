"""A real Chromium, and a small server with the viewer's files and images made for the tests."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import cv2
import httpx
import numpy as np
import numpy.typing as npt
import pytest
import pyvips
import uvicorn
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    FloatRect,
    Locator,
    Page,
    expect,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from umnist_core.bench.ports import free_port
from umnist_core.server.assets import STATIC_DIR, static_version

if TYPE_CHECKING:
    from tests.browser.label_page import LabelLab
    from tests.browser.look_page import LookServer
    from tests.browser.study_app import StudyApp

PROJECT = Path(__file__).parents[2]

Pixels = npt.NDArray[np.uint8]

SIDE_PX = 4000
"""Side of every image here, as UltraMNIST's."""

SQUARE = (1201, 1703, 56, 56)
"""The one white thing in the image ``square``: x, y, width, height."""

PATIENCE_S = 120
"""How long anything may take on a busy machine before a test gives up on it."""

expect.set_options(timeout=1000 * PATIENCE_S)

NOTHING = "\N{EN DASH}"
"""What the readout shows where there is nothing to read."""

MARGIN = (150, 60)
"""What a shot of a pane leaves out at each side, columns and rows, CSS px."""

DESK = (1400, 900)
PHONE = (390, 844)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Viewer</title>
<style>
  :root {{ color-scheme: light dark; background: light-dark(#fff, #14161a); }}
  body {{ margin: 0; padding: 12px; display: grid; grid-template-columns: 1fr 280px; gap: 12px; }}
  #stage {{ min-width: 0; }}
  @media (max-width: 700px) {{ body {{ display: block; }} }}
</style>
<div id="stage"></div>
<div><div id="answers"></div><input aria-label="Elsewhere"></div>
<script type="module">
  import {{ mountAnswers, mountViewer }} from "/assets/{version}/{viewer}";
  import {{ openChannels }} from "/assets/{version}/{bus}";
  const data = {data};
  Object.assign(window, {{ data, openChannels, views: [], asked: [], shown: [] }});
  window.viewer = mountViewer(document.getElementById("stage"), data, {{
    onView: (view) => window.views.push(view),
    onNavigate: (where) => window.asked.push(where),
    onOverlays: (overlays) => window.shown.push(overlays),
  }});
  window.answers = mountAnswers(document.getElementById("answers"), data);
</script>
"""


@dataclass
class TestServer:
    """The address of the server, and what it is told to do badly."""

    __test__ = False

    origin: str
    data: dict[str, Any] = field(default_factory=dict)
    delays_s: dict[str, float] = field(default_factory=dict)
    """Seconds by which paths that begin so are late."""
    broken: set[str] = field(default_factory=set)
    """Paths that begin so are answered with 500."""
    is_one_module: bool = False
    """Whether the viewer is the one file that the build makes."""


class Faults:
    """An ASGI application that delays or refuses what the test asks it to."""

    def __init__(self, app: ASGIApp, state: TestServer) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, badly where that is wanted."""
        path = scope.get("path", "")
        for prefix, delay_s in tuple(self.state.delays_s.items()):
            if path.startswith(prefix):
                await asyncio.sleep(delay_s)
        if any(path.startswith(prefix) for prefix in tuple(self.state.broken)):
            refusal = PlainTextResponse("The disk with this image is gone.", 500)
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def noise() -> Pixels:
    """Return 4000 x 4000 independent values of 0 to 255, the hardest picture to draw exactly."""
    rng = np.random.default_rng(20)
    return rng.integers(0, 256, (SIDE_PX, SIDE_PX), dtype=np.uint8)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, noise: Pixels) -> Path:
    """Return a folder of Deep Zoom images, one folder and description for each."""
    folder = tmp_path_factory.mktemp("dzi")
    square = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    x, y, width, height = SQUARE
    square[y : y + height, x : x + width] = 255
    model_view = cv2.resize(noise, (256, 256), interpolation=cv2.INTER_AREA)
    arrays = {"noise": noise, "square": square, "model-256": np.asarray(model_view, np.uint8)}
    arrays |= {f"grey-{value}": np.full_like(noise, value) for value in (40, 120, 200)}
    for name, array in arrays.items():
        pyvips.Image.new_from_array(array).dzsave(
            str(folder / name), suffix=".png[compression=1]", tile_size=512, overlap=1
        )
    return folder


@pytest.fixture(scope="session")
def running_server(images: Path) -> Iterator[TestServer]:
    """Serve the page, the viewer's files and the images on loopback."""
    port = free_port()
    state = TestServer(origin=f"http://127.0.0.1:{port}")
    version = static_version()

    def page(_request: Request) -> HTMLResponse:
        one = "vendor/viewer.one.js" if state.is_one_module else ""
        modules = {"viewer": one or "viewer/viewer.js", "bus": one or "hall/bus.js"}
        return HTMLResponse(PAGE.format(version=version, data=json.dumps(state.data), **modules))

    app = Starlette(
        routes=[
            Route("/", page),
            Mount(f"/assets/{version}", StaticFiles(directory=STATIC_DIR)),
            Mount("/dzi", StaticFiles(directory=images)),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(Faults(app, state), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "The test server did not start.")
    yield state
    server.should_exit = True
    thread.join()


@pytest.fixture
def server(running_server: TestServer) -> TestServer:
    """Return the server, with nothing broken or late."""
    running_server.delays_s.clear()
    running_server.broken.clear()
    running_server.is_one_module = False
    return running_server


@pytest.fixture(scope="session")
def app() -> Iterator[str]:
    """Run the app as users do, ``umnist app``, and return its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "umnist_core.cli", "app", "--port", str(port)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        assert process.poll() is None, "The app ended by itself."
        try:
            return httpx.get(f"{address}/health", timeout=60).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(is_up, "The app did not start.")
    yield address
    process.terminate()
    process.wait()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page on a desk's screen."""
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
    context.set_default_timeout(1000 * PATIENCE_S)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudyApp]:
    """Run the app on a folder of its own."""
    from tests.browser.study_app import running_app

    with running_app(tmp_path_factory.mktemp("lab")) as app:
        yield app


@pytest.fixture
def open_study(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., LabelLab]]:
    """Return a function that makes a study and serves it to annotators."""
    from tests.browser.label_page import label_lab

    with ExitStack() as labs:
        yield lambda **changes: labs.enter_context(label_lab(browser, tmp_path, **changes))


@pytest.fixture(scope="module")  # not longer: tests of other files need real models
def running_looks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LookServer]:
    """Serve a page that watches models which do as tests tell them."""
    from tests.browser.look_page import ToldProcess, look_server
    from umnist_core.inference import pool

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "ModelProcess", ToldProcess)
        folder = tmp_path_factory.mktemp("look")
        with look_server(folder, pool.InferencePool()) as server:
            yield server


@pytest.fixture
def look_at(running_looks: LookServer) -> LookServer:
    """Return that server, with models that look at its boxes."""
    running_looks.reset()
    return running_looks


def wait_until(condition: Callable[[], object], failure: str, page: Page | None = None) -> None:
    """Wait for a condition, or fail with the sentence; events of the page come in meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, failure
        if page is None:
            time.sleep(0.05)
        else:  # a sleep would keep its events out
            page.wait_for_timeout(50)


def pane_data(name: str, side_px: int = SIDE_PX) -> dict[str, Any]:
    """Return one pane of the viewer's data."""
    title = name.replace("-", " ").capitalize()
    return {
        "key": name,
        "title": title,
        "dzi": f"/dzi/{name}.dzi",
        "width": side_px,
        "height": side_px,
    }


def viewer_data(*panes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the viewer's data for some panes; the view goes into the address."""
    return {
        "bus": "test",
        "panes": list(panes),
        "image": {"width": SIDE_PX, "height": SIDE_PX},
        "digits": [],
        "shapes": [],
        "label": None,
        "link": {},
        **more,
    }


@dataclass
class ViewerPage:
    """A page with one viewer, and how tests look at it."""

    page: Page
    server: TestServer
    complaints: list[str]
    requests: list[str]
    density: float = 1

    @property
    def root(self) -> Locator:
        """The viewer."""
        return self.page.locator(".umnist-viewer")

    @property
    def canvas(self) -> Locator:
        """What takes the focus in the first pane."""
        return self.page.locator(".openseadragon-canvas").first

    @property
    def address(self) -> str:
        """What stands in the address bar."""
        return str(self.page.evaluate("location.href"))

    def pane(self, index: int = 0) -> Locator:
        """Return one pane."""
        return self.page.locator(".pane").nth(index)

    def box(self, index: int = 0) -> FloatRect:
        """Return where the picture of a pane is on the page, CSS px."""
        box = self.pane(index).locator(".image").bounding_box()
        assert box is not None
        return box

    def readout(self, name: str) -> str:
        """Return what the readout says of ``x``, ``y``, ``value`` or ``zoom``; "" for nothing."""
        text = self.page.locator(f"[data-readout={name}]").inner_text().split("\n")[-1].strip()
        return "" if text == NOTHING else text

    def view(self) -> dict[str, float]:
        """Return the view that was reported last."""
        wait_until(lambda: self.page.evaluate("views.length"), "No view was reported.")
        return dict(self.page.evaluate("views.at(-1)"))

    def wait_for_view(self, *, near: tuple[float, float] | None = None, **exact: float) -> None:
        """Wait for a reported view with these figures, to a thousandth, or near a point."""

        def there() -> bool:
            view = self.view()
            fits = all(abs(view[name] - value) < 1e-3 for name, value in exact.items())
            if near is not None:
                fits = fits and all(abs(view[n] - v) <= 1 for n, v in zip("xy", near, strict=True))
            return fits

        wait_until(there, f"Expected a view with {exact} near {near}, found {self.view()}.")

    def wait_for_readout(self, *wanted: str) -> None:
        """Wait until the readout says these: x, y, value."""

        def said() -> tuple[str, ...]:
            return tuple(self.readout(name) for name in ("x", "y", "value"))

        wait_until(lambda: said() == wanted, f"Expected the readout to say {wanted}.")

    def press(self, *keys: str) -> None:
        """Press keys with the focus on the picture."""
        self.canvas.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def shot(self, index: int = 0) -> Pixels:
        """Return the middle of a pane as it is on screen, uint8 (rows, cols), screen pixels.

        `MARGIN` leaves out what stands in the corners.
        """
        box = self.box(index)
        clip = {
            "x": box["x"] + MARGIN[0],
            "y": box["y"] + MARGIN[1],
            "width": box["width"] - 2 * MARGIN[0],
            "height": box["height"] - 2 * MARGIN[1],
        }
        png = self.page.screenshot(clip=clip)  # type: ignore[arg-type]
        rgb = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        assert rgb is not None
        assert (rgb[..., 0] == rgb[..., 1]).all(), "The picture is grey; something else is on it."
        return np.asarray(rgb[..., 0], np.uint8)


OpenViewer = Callable[..., ViewerPage]


@contextmanager
def _opened(
    browser: Browser, server: TestServer, size: tuple[int, int], **context: Any
) -> Iterator[ViewerPage]:
    options = {"viewport": {"width": size[0], "height": size[1]}, **context}
    opened = browser.new_context(**options)
    opened.set_default_timeout(1000 * PATIENCE_S)
    page = opened.new_page()
    complaints: list[str] = []
    requests: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    yield ViewerPage(page, server, complaints, requests, context.get("device_scale_factor", 1))
    opened.close()


@pytest.fixture
def open_viewer(browser: Browser, server: TestServer) -> Iterator[OpenViewer]:
    """Return a function that opens a page with a viewer.

    When the test ends, everything must have come from the server, and nothing may
    have been complained of in the console but what the test took out of ``complaints``.
    """
    pages: list[tuple[ViewerPage, Any]] = []

    def open_page(
        data: dict[str, Any],
        *,
        size: tuple[int, int] = DESK,
        query: dict[str, str] | None = None,
        **context: Any,
    ) -> ViewerPage:
        server.data = data
        manager = _opened(browser, server, size, **context)
        viewer = manager.__enter__()
        pages.append((viewer, manager))
        viewer.page.goto(f"{server.origin}/?{urlencode(query or {})}")
        viewer.page.wait_for_selector(".umnist-viewer.ready")
        viewer.view()
        return viewer

    yield open_page
    for viewer, manager in pages:
        manager.__exit__(None, None, None)
        local = (f"{server.origin}/", "data:", "blob:")
        assert [url for url in viewer.requests if not url.startswith(local)] == []
        assert viewer.complaints == []
