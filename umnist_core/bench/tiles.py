"""How fast tiles are served: a real server process on loopback, 16 connections.

The yardstick is a plain Starlette route of the same server that returns the same bytes
from memory. Rounds of tiles and of that route alternate, and each pair of neighbours
gives one ratio, so that a disturbance of the machine touches both sides of it.

The client speaks just enough HTTP/1.1 over raw sockets not to be the bottleneck.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
from dataclasses import dataclass

import numpy as np

from umnist_core.bench.http_client import ask, ask_for
from umnist_core.bench.tile_server import bench_server, tile_addresses
from umnist_core.digits import load_glyphs
from umnist_core.rendering import pixel_pin

CONNECTIONS = 16
_COLD_TILE = (9, 0, 0)
"""The whole image in one tile, which is what a viewer shows first."""


@dataclass(frozen=True)
class TileFigures:
    """Latencies in ms, throughputs per second.

    Attributes
    ----------
    warm_p95_ms, tiles_per_s
        Tiles that were asked for before, over all tiles of one 4000 x 4000 scene.
    cold_p95_ms
        First tile of a scene never seen, all connections asking at once.
    cold_alone_p95_ms
        The same with one request at a time.
    static_per_s
        The same bytes from a plain route of the same server.
    tiles_over_static
        Median over the pairs of rounds of tiles per second over static per second.
    tiles_over_static_low, tiles_over_static_high
        Quartiles of the same.
    connections, rounds
        How it was measured.
    """

    warm_p95_ms: float
    cold_p95_ms: float
    cold_alone_p95_ms: float
    tiles_per_s: float
    static_per_s: float
    tiles_over_static: float
    tiles_over_static_low: float
    tiles_over_static_high: float
    connections: int
    rounds: int


def bench_tiles(*, rounds: int = 31, round_s: float = 0.2, cold_scenes: int = 64) -> TileFigures:
    """Start a server process, measure it, and stop it.

    Parameters
    ----------
    rounds
        Pairs of rounds, 2 or more.
    round_s
        Length of a round, in seconds.
    cold_scenes
        Scenes for each of the two cold figures.

    Raises
    ------
    UmnistError
        If the server does not start or does not answer as it should.
    """
    with bench_server() as port:
        return asyncio.run(_measure(port, rounds, round_s, cold_scenes))


async def _measure(port: int, rounds: int, round_s: float, cold_scenes: int) -> TileFigures:
    pin = pixel_pin(load_glyphs())
    tiles = [_tile_path(0, pin, *address) for address in tile_addresses()]
    static = [f"/bench/static/{number}" for number in range(len(tiles))]
    new = (_tile_path(seed, pin, *_COLD_TILE) for seed in itertools.count(1))
    for paths in (tiles, static):
        await ask(port, paths, CONNECTIONS)
    warm: list[float] = []
    tile_rates, static_rates = [], []
    for _ in range(rounds):
        latencies_s, rate = await ask_for(port, tiles, CONNECTIONS, round_s)
        warm += latencies_s
        tile_rates.append(rate)
        static_rates.append((await ask_for(port, static, CONNECTIONS, round_s))[1])
    cold = await ask(port, list(itertools.islice(new, cold_scenes)), CONNECTIONS)
    alone = await ask(port, list(itertools.islice(new, cold_scenes)), 1)
    ratios = [ours / plain for ours, plain in zip(tile_rates, static_rates, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return TileFigures(
        warm_p95_ms=_p95_ms(warm),
        cold_p95_ms=_p95_ms(cold),
        cold_alone_p95_ms=_p95_ms(alone),
        tiles_per_s=round(statistics.median(tile_rates)),
        static_per_s=round(statistics.median(static_rates)),
        tiles_over_static=round(middle, 3),
        tiles_over_static_low=round(low, 3),
        tiles_over_static_high=round(high, 3),
        connections=CONNECTIONS,
        rounds=rounds,
    )


def _p95_ms(latencies_s: list[float]) -> float:
    return round(float(np.percentile(latencies_s, 95)) * 1e3, 2)


def _tile_path(seed: int, pin: str, level: int, col: int, row: int) -> str:
    scene = f"preset=released&seed={seed}&index=0&pin={pin}"
    return f"/tiles/scene_files/{level}/{col}_{row}.png?{scene}"
