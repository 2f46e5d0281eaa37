"""A page with a viewer and the panel beside it, the real routes, and models that do as told.

All is the app's own but the process that runs a model: instead of it stands one whose answers,
maps and moments the test decides. So what is drawn can be measured against known boxes.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, FloatRect, Locator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser.conftest import DESK, PATIENCE_S, Pixels, wait_until
from tests.inference.standing_in import StandInProcess
from umnist_core.attention import AttentionMap
from umnist_core.bench.ports import free_port
from umnist_core.geometry import Box
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.process import Outcome, RequestCancelledError
from umnist_core.inference.requests import OnProgress
from umnist_core.pyramid import encode_png
from umnist_core.server import tile_routes
from umnist_core.server.assets import static_version
from umnist_core.server.files import register_file
from umnist_core.server.inference import inference_routes

FIRST, SECOND = "digit-finder", "additive-pyramid"
"""Checkpoints that ship, so that the routes know them; the models behind them are the test's."""

HEIGHT, WIDTH = 2300, 3100
"""Of the picture: not square, and no multiple of a tile or a power of two."""

BOXES = (
    Box(301, 503, 557, 759),
    Box(300, 1503, 900, 1741),
    Box(1207, 611, 1231, 635),
    Box(1400, 1900, 1911, 2999),
    Box(2044, 100, 2300, 356),
)
"""Places whose sides are on no grid; the last one touches the picture's lower side."""

WEIGHTS = (0.4, 0.25, 0.2, 0.1, 0.05)

STYLE = """<style>
  :root {{ color-scheme: light dark; background: light-dark(#f4f4f4, #1e1e1e); }}
  body {{ margin: 0; padding: 12px; display: grid; gap: 16px;
    grid-template-columns: minmax(0, 7fr) minmax(0, 3fr); }}
  #stage {{ min-width: 0; --viewer-height: calc(100dvh - 26px); }}
  #panel {{ min-width: 0; max-height: calc(100dvh - 24px); overflow: hidden auto; }}
  @media (max-width: 700px) {{
    body {{ display: block; padding: 0; }}
    #stage {{ position: sticky; top: 0; z-index: 1; --viewer-height: 56dvh; }}
    #panel {{ max-height: none; padding: 8px; }}
  }}
</style>"""
"""Of a page with a viewer and a panel beside it; braces are doubled for `str.format`."""

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
<div id="stage"></div>
<div id="panel"></div>
<script type="module">
  import {{ mountViewer }} from "/assets/{version}/viewer/viewer.js";
  import {{ mountWatch }} from "/assets/{version}/watch/watch.js";
  import {{ join }} from "/assets/{version}/hall/bus.js";
  const {{ viewer: viewerData, watch: watchData }} = {data};
  Object.assign(window, {{ viewerData, watchData, views: [], choices: [], looks: [] }});
  window.channel = join(viewerData.bus).channel;
  channel.addEventListener("looks", () => looks.push(channel.looks));
  window.viewer = mountViewer(document.getElementById("stage"), viewerData, {{
    onView: (view) => window.views.push(view),
  }});
  window.watch = mountWatch(document.getElementById("panel"), watchData, {{
    onChoice: (choice) => window.choices.push(choice),
  }});
</script>
"""
)


def attention_map(weights: Any, **more: Any) -> AttentionMap:
    """Return a map over `BOXES`; weights are (tasks, heads, places) or those of the places."""
    array = np.asarray(weights, np.float32)
    array = array.reshape((1, 1, -1)) if array.ndim == 1 else array
    boxes = np.array([(b.row0, b.col0, b.row1, b.col1) for b in BOXES], np.float32)
    frame: dict[str, Any] = {"height": HEIGHT, "width": WIDTH, "tasks": ("sum",), "kind": "patches"}
    return AttentionMap(array, boxes, **{**frame, **more})


def answer(value: int = 18, truth: int | None = 18, **more: Any) -> dict[str, Any]:
    """Return one task's answer as JSON, sure of ``value`` to 62 %."""
    probabilities = np.full(28, 0.38 / 27)
    probabilities[value] = 0.62
    return {
        "name": "sum",
        "classes": 28,
        "is_multi": False,
        "probabilities": probabilities.tolist(),
        "answer": [value],
        "truth": None if truth is None else [truth],
        "is_right": None if truth is None else value == truth,
        **more,
    }


def prediction(seen: AttentionMap | None = None, **more: Any) -> dict[str, Any]:
    """Return a prediction as JSON, with the map it has."""
    rounds = len(more.pop("rounds", ()))
    described = seen and {
        "kind": seen.kind,
        "tasks": list(seen.tasks),
        "heads": seen.heads,
        "rounds": rounds,
        "places": len(seen.boxes),
    }
    return {
        "tasks": [answer()],
        "confidence": 0.62,
        "is_calibrated": False,
        "doubts": None,
        "found": None,
        "device": "CPU, 2 threads",
        "image": {"width": WIDTH, "height": HEIGHT},
        "seconds": {"load": 0.31, "read": 0.12, "run": 0.84},
        "peak_bytes": 612_000_000,
        "attention": described,
        "no_attention": "" if seen else "This model weighs all places alike.",
        "looked": None,
        "chosen": None,
        "why": None,
        **more,
    }


def outcome(seen: AttentionMap | None, **more: Any) -> Outcome:
    """Return what a model answers: a prediction, its map and its rounds."""
    return Outcome(prediction(seen, **more), seen, tuple(more.get("rounds", ())))


@dataclass
class Models:
    """What the models answer, and when."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By checkpoint."""
    values: dict[int, int] = field(default_factory=dict)
    """The sum that is answered to a scene, by its index; else that of the outcome."""
    noises: dict[str, int] = field(default_factory=dict)
    """The sum that is answered to a scene whose noise has a seed of its own, by that seed."""
    failures: dict[str, Exception] = field(default_factory=dict)
    steps: int = 0
    """Of progress; the first is told, and more while the model is not held."""
    seen: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Places that are told of with the first step."""
    held: set[int | None] = field(default_factory=set)
    """Indices of scenes, None for the picture, whose answers wait."""
    asked: list[tuple[str, int | None]] = field(default_factory=list)
    """Checkpoint and index of all that was begun."""
    cancelled: list[int] = field(default_factory=list)

    def outcome_of(self, request: Mapping[str, Any]) -> Outcome:
        """Return the answer to a request."""
        known = self.outcomes[request["checkpoint"]]
        index = request["image"].get("index")
        noise = request["image"].get("overrides", {}).get("noise_seed")
        if noise in self.noises:
            return replace(known, result={**known.result, "tasks": [answer(self.noises[noise])]})
        if index not in self.values:
            return known
        return replace(known, result={**known.result, "tasks": [answer(self.values[index], None)]})


class ToldProcess(StandInProcess):
    """Stands where `umnist_core.inference.process.ModelProcess` does, and does as it is told."""

    models = Models()

    def run(self, number: int, request: dict[str, Any], on_progress: OnProgress) -> Outcome:
        """Answer when the test lets go."""
        models, index = self.models, request["image"].get("index")
        models.asked.append((request["checkpoint"], index))
        on_progress("load", 0, None)
        for step in range(max(models.steps, 1)):
            if models.steps or models.seen:
                on_progress("run", step, models.steps or None, () if step else models.seen)
            while index in models.held and number not in self._cancelled:
                time.sleep(0.01)
            if number in self._cancelled:
                models.cancelled.append(number)
                raise RequestCancelledError
        if request["checkpoint"] in models.failures:
            raise models.failures[request["checkpoint"]]
        return models.outcome_of(request)


@dataclass
class LookServer:
    """The address of the server, and what its models answer."""

    origin: str
    picture: str
    """Address of the picture's description."""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def models(self) -> Models:
        """What the models answer."""
        return ToldProcess.models

    def reset(self) -> None:
        """Let both models look at `BOXES`."""
        ToldProcess.models.held.clear()  # what a test left to wait would keep the next one waiting
        known = outcome(attention_map(WEIGHTS))
        ToldProcess.models = Models({FIRST: known, SECOND: known})


def boxed_picture() -> Pixels:
    """Return a black picture whose `BOXES` are white, uint8 (rows, columns)."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for box in BOXES:
        pixels[box.row0 : box.row1, box.col0 : box.col1] = 255
    return pixels


@contextmanager
def look_server(folder: Path, pool: InferencePool) -> Iterator[LookServer]:
    """Serve the page, the viewer's files, tiles and predictions on loopback."""
    path = folder / "boxes.png"
    path.write_bytes(encode_png(boxed_picture()))
    port = free_port()
    picture = f"/tiles/file/{register_file(path).id}.dzi"
    state = LookServer(f"http://127.0.0.1:{port}", picture)

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


def look_data(server: LookServer, **choice: Any) -> dict[str, Any]:
    """Return the page's data: the picture of `BOXES`, and two models to choose from."""
    pane = {
        "key": "picture",
        "title": "Image",
        "dzi": server.picture,
        "width": WIDTH,
        "height": HEIGHT,
    }
    frame = {"width": WIDTH, "height": HEIGHT}
    models = ((FIRST, "finder"), (SECOND, "own"))
    return {
        "viewer": {"bus": "look", "panes": [pane], "image": frame, "digits": [], "shapes": []},
        "watch": {
            "bus": "look",
            "viewer": f"test{time.monotonic_ns()}",
            "checkpoints": [{"key": key, "title": key, "model": model} for key, model in models],
            "devices": [{"key": "cpu", "title": "CPU"}],
            "image": pane,
            "truth": {},
            "choice": {
                **{"checkpoint": FIRST, "device": "cpu", "beside": None, "follow": True},
                **choice,
            },
            "people": None,
            "sentence": None,
        },
    }


@dataclass
class LookPage:
    """A page with a viewer and the panel, and how tests look at it."""

    page: Page
    server: LookServer
    density: float
    complaints: list[str]

    @property
    def panel(self) -> Locator:
        """The panel beside the viewer."""
        return self.page.locator(".umnist-watch")

    @property
    def models(self) -> Models:
        """What the models answer."""
        return self.server.models

    def predict(self) -> None:
        """Ask for a prediction and wait until it is there."""
        before = self.page.evaluate("looks.length")
        self.page.get_by_role("button", name="Predict").click()
        wait_until(
            lambda: self.page.evaluate("looks.length") > before,
            f"No prediction came to the viewer; the panel says {self.panel.inner_text()!r}.",
        )

    def box(self, index: int = 0) -> FloatRect:
        """Return where a pane's picture is on the page, CSS px."""
        box = self.page.locator(".pane").nth(index).locator(".image").bounding_box()
        assert box is not None
        return box

    def view(self) -> dict[str, float]:
        """Return the view that was reported last."""
        wait_until(lambda: self.page.evaluate("views.length"), "No view was reported.")
        return dict(self.page.evaluate("views.at(-1)"))

    def go(self, x: float, y: float, zoom: float) -> None:
        """Show a place of the picture, and wait until it is there."""
        view = {"x": x, "y": y, "zoom": zoom}
        self.page.evaluate("(view) => viewer.update({ ...viewerData, view })", view)

        def there() -> bool:
            found = self.view()
            return abs(found["zoom"] - zoom) < 1e-6 and abs(found["x"] - x) < 1 / zoom

        wait_until(there, f"Expected the view {view}, found {self.view()}.")

    def screen(self, x: float, y: float, index: int = 0) -> tuple[float, float]:
        """Return where a point of the picture is on the page, CSS px."""
        view, box = self.view(), self.box(index)
        return (
            box["x"] + box["width"] / 2 + (x - view["x"]) * view["zoom"],
            box["y"] + box["height"] / 2 + (y - view["y"]) * view["zoom"],
        )

    def value(self) -> str:
        """Return what the bar says of the heat under the pointer."""
        return self.page.locator("[data-readout=heat]").inner_text()

    def show_value_at(self, x: float, y: float, said: str, index: int = 0) -> None:
        """Point at a place of the picture and wait until the bar says this."""
        self.page.mouse.move(*self.screen(x, y, index))
        wait_until(
            lambda: self.value() == said, f"Expected {said} at {x}, {y}, found {self.value()}."
        )


@contextmanager
def look_page(
    browser: Browser, server: LookServer, data: dict[str, Any], **context: Any
) -> Iterator[LookPage]:
    """Open the page; nothing may be complained of in its console when it is closed."""
    server.data = data
    options = {"viewport": {"width": DESK[0], "height": DESK[1]}, **context}
    opened = browser.new_context(**options)
    opened.set_default_timeout(1000 * PATIENCE_S)
    page = opened.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.origin)
    page.wait_for_selector(".umnist-viewer.ready")
    page.wait_for_selector(".umnist-watch")
    look = LookPage(page, server, context.get("device_scale_factor", 1), complaints)
    look.view()
    try:
        yield look
    finally:
        opened.close()
    assert not complaints, complaints


def scene_address(index: int, **noise: int) -> str:
    """Return the address of a generated picture."""
    query = {"preset": "released", "seed": 1, "split": "train", "index": index, **noise}
    return f"/tiles/scene.dzi?{urlencode(query)}"


def show_scenes(look: LookPage, *indices: int, **noise: int) -> None:
    """Let the viewer show pictures one after the other, as the noise lab's sliders do."""
    size = {"width": 4000, "height": 4000}
    addresses = [scene_address(index, **noise) for index in indices]
    panes = [{"key": "a", "title": "A", "dzi": address, **size} for address in addresses]
    lives = [{"panes": [pane], "image": size, "compare": "side"} for pane in panes]
    look.page.evaluate("(lives) => lives.forEach((live) => channel.setLive(live))", lives)


def value(look: LookPage) -> Any:
    """Return the answer that the panel shows first."""
    return look.panel.locator(".outcome .value").first
