"""A page with a viewer and the panel of breaking points, the real routes, and models that break.

All is the app's own but the process that runs a model: the one here is right of images with few
pairs of shapes and wrong of those with more, as many as the test says.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.conftest import DESK, PATIENCE_S, wait_until
from tests.browser.look_page import STYLE
from tests.inference.standing_in import StandInProcess
from umnist_core.bench.ports import free_port
from umnist_core.digits import load_glyphs
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.process import Outcome, RequestCancelledError
from umnist_core.inference.requests import OnProgress
from umnist_core.scenes import SceneRef
from umnist_core.server import tile_routes
from umnist_core.server.assets import static_version
from umnist_core.server.controls import TILE_PX, controls_data
from umnist_core.server.generated import scene_url, subject_of
from umnist_core.server.inference import inference_routes

FIRST, SECOND = "digit-finder", "additive-pyramid"
SCENE = SceneRef.of("released", {"canvas": "600", "factor": "1..6"}, seed=5, index=3)

PAGE = (
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Inference</title>
"""
    + STYLE
    + """
<main id="stage"></main>
<aside id="panel" aria-label="Panel"></aside>
<script type="module">
  import {{ mountViewer }} from "/assets/{version}/viewer/viewer.js";
  import {{ mountBreaking }} from "/assets/{version}/breaking/breaking.js";
  import {{ join }} from "/assets/{version}/hall/bus.js";
  const {{ viewer: viewerData, breaking: breakingData }} = {data};
  Object.assign(window, {{ viewerData, breakingData, scenes: [] }});
  window.channel = join(viewerData.bus).channel;
  window.viewer = mountViewer(document.getElementById("stage"), viewerData, {{}});
  window.breaking = mountBreaking(document.getElementById("panel"), breakingData, {{
    onScene: (scene) => window.scenes.push(scene),
  }});
</script>
"""
)


@dataclass
class Breakers:
    """How models break, and when they answer."""

    breaks_at: dict[str, int] = field(default_factory=dict)
    """By checkpoint: the fewest pairs at which it is wrong of odd indices; of all at twice that."""
    held: set[int] = field(default_factory=set)
    """Numbers of pairs whose answers wait."""
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    """Checkpoint, pairs and index of all that was begun."""
    cancelled: list[int] = field(default_factory=list)

    def is_right(self, checkpoint: str, pairs: int, index: int) -> bool:
        """Return whether a model gets an image right."""
        at = self.breaks_at[checkpoint]
        return pairs < at or (pairs < 2 * at and index % 2 == 0)


class BreakingProcess(StandInProcess):
    """Stands where `umnist_core.inference.process.ModelProcess` does, and breaks as it is told."""

    breakers = Breakers()

    def run(self, number: int, request: dict[str, Any], on_progress: OnProgress) -> Outcome:
        """Answer when the test lets go."""
        breakers, image = self.breakers, request["image"]
        pairs = int(image["overrides"].get("shape_pairs", 0))
        breakers.asked.append((request["checkpoint"], pairs, image["index"]))
        on_progress("run", 0, None)
        while pairs in breakers.held and number not in self._cancelled:
            time.sleep(0.01)
        if number in self._cancelled:
            breakers.cancelled.append(number)
            raise RequestCancelledError
        is_right = breakers.is_right(request["checkpoint"], pairs, image["index"])
        task = {"name": "sum", "classes": 28, "is_multi": False, "truth": [14]}
        said = {"answer": [14 if is_right else 10 + pairs % 4], "is_right": is_right}
        return Outcome({"tasks": [{**task, **said}], "seconds": {"run": 0.01}})


@dataclass
class BreakingServer:
    """The address of the server, and what its models do."""

    origin: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def breakers(self) -> Breakers:
        """How models break."""
        return BreakingProcess.breakers

    def reset(self) -> None:
        """Let the first model break at 10 pairs and the second at 4."""
        BreakingProcess.breakers.held.clear()
        BreakingProcess.breakers = Breakers({FIRST: 10, SECOND: 4})


@contextmanager
def breaking_server(pool: InferencePool) -> Iterator[BreakingServer]:
    """Serve the page, the viewer's files, tiles and predictions on loopback."""
    port = free_port()
    state = BreakingServer(f"http://127.0.0.1:{port}")

    def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE.format(version=static_version(), data=json.dumps(state.data)))

    app = Starlette(routes=[Route("/", page), *tile_routes(), *inference_routes(pool=pool)])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "The test server did not start.")
    try:
        yield state
    finally:
        server.should_exit = True
        thread.join()
        pool.close()


def breaking_data(**more: Any) -> dict[str, Any]:
    """Return the page's data: an image of 600 px, and two models to choose from."""
    glyphs = load_glyphs()
    pane = {
        "key": "a",
        "title": "Image",
        "dzi": scene_url(SCENE, glyphs, "dzi", tile=str(TILE_PX)),
        "width": 600,
        "height": 600,
        "tiles": {"tileSize": TILE_PX, "overlap": 1, "format": "png"},
    }
    shared = controls_data(glyphs)
    return {
        "viewer": {
            "bus": "breaking",
            "panes": [pane],
            "image": {"width": 600, "height": 600},
            "subject": subject_of(SCENE),
            "digits": [],
            "shapes": [],
        },
        "breaking": {
            "bus": "breaking",
            "viewer": f"test{time.monotonic_ns()}",
            "scene": SCENE.to_dict(),
            "isFrozen": False,
            **{name: shared[name] for name in ("controls", "presets", "pin", "tileSize")},
            "checkpoints": [{"key": key, "title": key} for key in (FIRST, SECOND)],
            "hints": {},
            "checkpoint": FIRST,
            "device": "cpu",
            "people": None,
            "asked": "",
            "told": 0,
            "isDark": False,
            "sentence": None,
            **more,
        },
    }


@dataclass
class BreakingPage:
    """A page with a viewer and the panel, and how tests look at it."""

    page: Page
    server: BreakingServer
    refusals: list[str] = field(default_factory=list)
    """What the console may complain of, in part."""

    @property
    def panel(self) -> Locator:
        """The panel beside the viewer."""
        return self.page.locator(".umnist-breaking")

    @property
    def breakers(self) -> Breakers:
        """How models break."""
        return self.server.breakers

    @property
    def slider(self) -> Locator:
        """What drags the parameter."""
        return self.panel.get_by_role("slider", name="Shapes: pairs")

    def chip(self, place: int = 0) -> Locator:
        """Return what stands beside a model."""
        return self.panel.locator(".chip").nth(place)

    def drag(self, *pairs: int) -> None:
        """Drag the slider over numbers of pairs, one after the other."""
        self.slider.evaluate(
            """(input, values) => {
              for (const value of values) {
                input.value = value;
                input.dispatchEvent(new Event("input", { bubbles: true }));
              }
              input.dispatchEvent(new Event("change", { bubbles: true }));
            }""",
            [str(one) for one in pairs],
        )

    def measure(self, values: str, count: int = 5) -> None:
        """Ask for a curve."""
        field = self.panel.get_by_role("textbox", name="Values")
        field.fill(values)
        field.press("Tab")
        self.panel.get_by_role("combobox", name="Scenes each").select_option(str(count))
        self.panel.get_by_role("button", name="Draw the curve").click()

    def point(self, value: str, model: str = FIRST) -> Locator:
        """Return a point of a model's curve."""
        return self.panel.locator(f'.point[data-curve="{model}"][data-value="{value}"]')


@contextmanager
def breaking_page(
    browser: Browser, server: BreakingServer, data: dict[str, Any], **context: Any
) -> Iterator[BreakingPage]:
    """Open the page; nothing may be complained of in its console when it is closed."""
    server.data = data
    options = {"viewport": {"width": DESK[0], "height": DESK[1]}, **context}
    opened = browser.new_context(**options)
    opened.set_default_timeout(1000 * PATIENCE_S)
    page = opened.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.text} {message.location}")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.origin)
    page.wait_for_selector(".umnist-viewer.ready")
    page.wait_for_selector(".umnist-breaking")
    look = BreakingPage(page, server)
    try:
        yield look
    finally:
        opened.close()
    left = [one for one in complaints if not any(part in one for part in look.refusals)]
    assert not left, left
