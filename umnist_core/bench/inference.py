"""How long predictions take, and what they cost the tiles of others.

What somebody waits for is timed in a browser (`umnist_core.bench.clicks`). Cancelling and tiles
are measured over HTTP, at a real server process on loopback with the app's routes of tiles and
predictions. Tiles with and without inference are asked for in turns, so that a disturbance of
the machine touches both.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from starlette.applications import Starlette

from umnist_core.bench.clicks import time_clicks, time_follows
from umnist_core.bench.http_client import ask, ask_for
from umnist_core.bench.spread import Spread, spread_of
from umnist_core.bench.tile_server import bench_server, tile_addresses
from umnist_core.digits import load_glyphs
from umnist_core.errors import NetworkError
from umnist_core.inference.pool import InferencePool
from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.rendering import pixel_pin
from umnist_core.scenes import PRESETS
from umnist_core.server import TileService, tile_routes
from umnist_core.server.inference import inference_routes

CONNECTIONS = 6
"""As many as a browser opens to one server."""

BUSY_CHECKPOINT = "digit-finder"
"""What runs while tiles are asked for: it has the processor busy the longest."""

CHANGES_A_ROUND = 2
"""Places to which each round drags sliders, for each checkpoint."""

_WHOLE_TILE = (9, 0, 0)
"""Level, column and row of the tile that shows the whole image."""

_MADE_TILES = 6
"""Scenes never seen, for each round of tiles that must be made."""

_ENDED = ("done", "failed", "cancelled", "superseded")


@dataclass(frozen=True)
class InferenceFigures:
    """Times in ms.

    Attributes
    ----------
    device
        Where the models ran.
    first_ms
        Checkpoint -> from the first click on a page that has just been opened to the frame with
        all heat in view. The process of models starts with the page and loads the chosen model.
    warm_ms
        The same for further clicks; each image is a new one of the preset it learned from, or of
        ``released`` where it learned from no scenes.
    follow_p95_ms
        Checkpoint of ``released`` -> from a slider's event to the frame with the new answer, while
        the slider is dragged from place to place, each answer awaited; in ms.
    cancel_ms
        From the request to cancel what runs to a device that is free again.
    tile_p95_idle_ms, tile_p95_ms
        Tiles that were asked for before, without inference and while it runs back to back.
    tile_ratio
        Of the pairs of rounds, the second over the first: median and quartiles, no ms.
    made_p95_idle_ms, made_p95_ms
        The same for the first tile of scenes never seen, one after the other.
    connections, rounds
        How tiles were measured.
    """

    device: str
    first_ms: dict[str, Spread]
    warm_ms: dict[str, Spread]
    follow_p95_ms: dict[str, float]
    cancel_ms: Spread
    tile_p95_idle_ms: float
    tile_p95_ms: float
    tile_ratio: Spread
    made_p95_idle_ms: float
    made_p95_ms: float
    connections: int
    rounds: int


def bench_inference(
    *,
    device: str = "cpu",
    rounds: int = 9,
    first_rounds: int = 3,
    round_s: float = 1.0,
    checkpoints: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda sentence: None,
) -> InferenceFigures:
    """Start a server process, measure it, and stop it.

    Parameters
    ----------
    device
        ``"cpu"``, ``"auto"`` or ``"cuda:0"`` and the like.
    rounds
        Of everything but the clicks, 2 or more.
    first_rounds
        Fresh starts of the app for each checkpoint, 2 or more; each has as many warm clicks too.
    round_s
        Length of a round of tiles, in seconds.
    checkpoints
        Names of those that are timed; all that come with umnist when None.
    progress
        Is told what is measured next.

    Raises
    ------
    UmnistError
        If the server does not start or does not answer as it should.
    """
    names = tuple(find_shipped_checkpoints() if checkpoints is None else checkpoints)
    plan = _Arguments(device, names, rounds, first_rounds, round_s, progress)
    first, warm = _time_clicks(plan)
    follow = _time_follows(plan)
    with bench_server(create_inference_app) as port:
        others = asyncio.run(_measure(port, plan))
    return InferenceFigures(
        first_ms=first, warm_ms=warm, follow_p95_ms=follow, connections=CONNECTIONS, **others
    )


def create_inference_app() -> Starlette:
    """Return the routes of tiles and predictions."""
    return Starlette(routes=[*tile_routes(TileService()), *inference_routes(pool=InferencePool())])


@dataclass(frozen=True)
class _Arguments:
    """The arguments of `bench_inference`."""

    device: str
    checkpoints: tuple[str, ...]
    rounds: int
    first_rounds: int
    round_s: float
    progress: Callable[[str], None]


def _time_clicks(plan: _Arguments) -> tuple[dict[str, Spread], dict[str, Spread]]:
    """Return the first and the warm clicks of each checkpoint."""
    shipped = find_shipped_checkpoints()
    first: dict[str, Spread] = {}
    warm: dict[str, Spread] = {}
    for name in plan.checkpoints:
        learned = str(load_card(shipped[name]).data.get("preset"))
        preset = learned if learned in PRESETS else "released"
        starts = []
        for number in range(plan.first_rounds):
            plan.progress(f"clicks for {name}, round {number + 1} of {plan.first_rounds}")
            starts.append(time_clicks(name, preset, plan.first_rounds, plan.device))
        first[name] = spread_of([one.first_ms for one in starts])
        warm[name] = spread_of([ms for one in starts for ms in one.warm_ms])
    return first, warm


def _time_follows(plan: _Arguments) -> dict[str, float]:
    shipped = find_shipped_checkpoints()
    follow = {}
    for name in plan.checkpoints:
        if load_card(shipped[name]).data.get("preset") == "released":
            plan.progress(f"following a slider with {name}")
            follow[name] = _p95(time_follows(name, CHANGES_A_ROUND * plan.rounds, plan.device))
    return follow


@dataclass
class _Page:
    """Asks as the page does; every image is a new one."""

    client: httpx.AsyncClient
    device: str
    pin: str
    turn: int = 0
    scenes: int = 0

    async def post(self, checkpoint: str) -> dict[str, Any]:
        self.turn += 1
        self.scenes += 1
        scene = f"preset=released&seed=900&index={self.scenes}&pin={self.pin}"
        fields = {"viewer": "bench", "slot": "a", "turn": self.turn, "checkpoint": checkpoint}
        fields |= {"device": self.device, "image": f"/tiles/scene.dzi?{scene}"}
        return await self._json("POST", "/inference/jobs", json=fields)

    async def until(self, job: dict[str, Any], *states: str) -> dict[str, Any]:
        """Wait as the page does until a job is in one of some states.

        Raises
        ------
        NetworkError
            If it ends in another one.
        """
        while job["state"] not in states:
            if job["state"] in _ENDED:
                raise NetworkError(
                    f"Expected a prediction that is {' or '.join(states)}, found {job['state']} "
                    f"({job['error']}); run the measurement again."
                )
            query = f"after={job['version']}&wait_s=20"
            job = await self._json("GET", f"/inference/jobs/{job['id']}?{query}")
        return job

    async def cancel_ms(self, after_s: float) -> float:
        """Return the time from cancelling what runs to a free device."""
        job = await self.until(await self.post(BUSY_CHECKPOINT), "running")
        await asyncio.sleep(after_s)
        started = time.perf_counter()
        await self._json("DELETE", f"/inference/jobs/{job['id']}")
        while any(one["busy"] for one in await self.devices()):
            pass
        return (time.perf_counter() - started) * 1e3

    async def devices(self) -> list[dict[str, Any]]:
        devices: list[dict[str, Any]] = (await self._json("GET", "/inference/status"))["devices"]
        return devices

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Keep the device busy, one prediction after the other."""

        async def run() -> None:
            while True:
                await self.until(await self.post(BUSY_CHECKPOINT), "done")

        task = asyncio.create_task(run())
        while not any(one["busy"] for one in await self.devices()):
            await asyncio.sleep(0.01)
        try:
            yield
            if task.done():
                await task  # it failed, and says so
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            job = await self.post(BUSY_CHECKPOINT)
            await self._json("DELETE", f"/inference/jobs/{job['id']}")
            while any(one["busy"] for one in await self.devices()):
                await asyncio.sleep(0.01)

    async def _json(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = await self.client.request(method, path, **more)
        if answer.is_error:
            raise NetworkError(
                f"Expected an answer to {path}, found {answer.status_code} ({answer.text[:200]}); "
                "run the measurement again."
            )
        fields: dict[str, Any] = answer.json()
        return fields


async def _measure(port: int, plan: _Arguments) -> dict[str, Any]:
    base_url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base_url, timeout=300) as client:
        page = _Page(client, plan.device, pixel_pin(load_glyphs()))
        plan.progress("cancelling")
        await page.until(await page.post(BUSY_CHECKPOINT), "done")  # loaded from now on
        chance = random.Random(0)
        cancel = [await page.cancel_ms(chance.uniform(0, 0.5)) for _ in range(plan.rounds)]
        tiles = await _measure_tiles(page, port, plan)
        title = next(one["title"] for one in await page.devices() if one["loaded"])
    return {"device": title, "cancel_ms": spread_of(cancel), "rounds": plan.rounds, **tiles}


async def _measure_tiles(page: _Page, port: int, plan: _Arguments) -> dict[str, Any]:
    held = [_tile_path(page.pin, 0, 0, address) for address in tile_addresses()]
    await ask(port, held, CONNECTIONS)
    idle: list[float] = []
    busy: list[float] = []
    made_idle: list[float] = []
    made_busy: list[float] = []
    ratios = []
    for number in range(plan.rounds):
        plan.progress(f"tiles, round {number + 1} of {plan.rounds}")
        fresh, other = (
            [_tile_path(page.pin, seed, index, _WHOLE_TILE) for index in range(_MADE_TILES)]
            for seed in (1 + 2 * number, 2 + 2 * number)
        )
        without, _ = await ask_for(port, held, CONNECTIONS, plan.round_s)
        made_idle += await ask(port, fresh, 1)
        async with page.busy():
            beside, _ = await ask_for(port, held, CONNECTIONS, plan.round_s)
            made_busy += await ask(port, other, 1)
        idle += without
        busy += beside
        ratios.append(_p95_ms(beside) / _p95_ms(without))
    return {
        "tile_p95_idle_ms": _p95_ms(idle),
        "tile_p95_ms": _p95_ms(busy),
        "tile_ratio": spread_of(ratios),
        "made_p95_idle_ms": _p95_ms(made_idle),
        "made_p95_ms": _p95_ms(made_busy),
    }


def _tile_path(pin: str, seed: int, index: int, address: tuple[int, int, int]) -> str:
    level, col, row = address
    scene = f"preset=released&seed={seed}&index={index}&pin={pin}"
    return f"/tiles/scene_files/{level}/{col}_{row}.png?{scene}"


def _p95_ms(latencies_s: list[float]) -> float:
    return _p95([1e3 * one for one in latencies_s])


def _p95(values: list[float]) -> float:
    return round(float(np.percentile(values, 95)), 2)
