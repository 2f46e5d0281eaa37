"""Whether viewing goes on while somebody leans on the server.

Rounds with and without the attack alternate, so that a disturbance of the machine touches both.
The attack has a process of its own; what it costs the machine counts, what it costs the clock
that measures does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import quote

import numpy as np

from umnist_core.bench.hostile_app import HostileApp

IDLE_CONNECTIONS = 60
LOG_INS = 200
VIEWERS = 4
ENORMOUS = tuple(
    f"/tiles/scene_files/9/0_0.png?preset={preset}&canvas=200000&noise_count=10000&noise_size=2800"
    for preset in ("megapixel", "megapixel-bezier")
)
"""Legal, and minutes of drawing each."""

DEAR = "/tiles/scene_files/9/0_0.png?canvas=200000&shape_pairs=50&factor=1000..2000&seed="
"""Seconds of drawing each, which are allowed."""

_TILES = ("9/0_0", "11/0_0", "11/3_3", "12/3_4", "12/4_4", "12/4_5", "12/7_2", "12/7_7")
_AGAIN_S = 0.2


@dataclass(frozen=True)
class ViewingFigures:
    """Latencies of tiles, in ms, with nobody else there and under attack."""

    tile_p95_idle_ms: float
    tile_p95_attacked_ms: float
    tile_p95_ratio: float
    tiles: int


def watch_under_attack(app: HostileApp, rounds: int, round_s: float) -> ViewingFigures:
    """Look at scenes in rounds, every second of them under attack.

    Parameters
    ----------
    rounds
        Of each kind.
    round_s
        How long each is, in seconds.
    """
    seeds = itertools.count(10**6)
    idle: list[float] = []
    attacked: list[float] = []
    asyncio.run(_view(app, seeds, round_s))  # the first is slower, with or without an attack
    for _ in range(rounds):
        idle += asyncio.run(_view(app, seeds, round_s))
        with _attack(app):
            attacked += asyncio.run(_view(app, seeds, round_s))
    before, during = (float(np.percentile(one, 95)) * 1e3 for one in (idle, attacked))
    return ViewingFigures(
        tile_p95_idle_ms=round(before, 2),
        tile_p95_attacked_ms=round(during, 2),
        tile_p95_ratio=round(during / before, 3),
        tiles=len(idle) + len(attacked),
    )


async def _view(app: HostileApp, seeds: Iterator[int], seconds: float) -> list[float]:
    """Open scene after scene, some at a time, and return how long each tile took, in seconds."""
    until = time.perf_counter() + seconds
    latencies_s: list[float] = []

    async def view() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
        while time.perf_counter() < until:
            seed = next(seeds)
            for tile in _TILES:
                started = time.perf_counter()
                await _get_tile(app, reader, writer, f"{tile}.png?seed={seed}")
                latencies_s.append(time.perf_counter() - started)
        writer.close()

    await asyncio.gather(*(view() for _ in range(VIEWERS)))
    return latencies_s


async def _get_tile(
    app: HostileApp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tile: str
) -> None:
    writer.write(_request(app, "GET", f"/tiles/scene_files/{tile}"))
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise ConnectionError(f"A tile was answered with {head.splitlines()[0].decode()}.")
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))


def _request(app: HostileApp, method: str, target: str, body: bytes = b"") -> bytes:
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\nOrigin: {app.url}\r\n"
        f"Cookie: {app.cookies}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    return head.encode() + body


# -- the attack ---------------------------------------------------------------------------


@contextlib.contextmanager
def _attack(app: HostileApp) -> Iterator[None]:
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    plain = HostileApp(app.port, app.folder, app.secret, app.study, app.tokens, None, app.cookies)
    attacker = spawned.Process(target=_lean_on, args=(theirs, plain), daemon=True)
    attacker.start()
    theirs.close()
    try:
        ours.recv()
        yield
    finally:
        attacker.kill()
        attacker.join()
        ours.close()


def _lean_on(ready: Connection, app: HostileApp) -> None:
    asyncio.run(_lean(ready, app))


async def _lean(ready: Connection, app: HostileApp) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", app.port) for _ in range(IDLE_CONNECTIONS)]
    ready.send(len(idle))
    guesses = (f"secret={quote(f'guess {number}')}".encode() for number in range(LOG_INS))
    attempts = [_send(_request(app, "POST", "/login", guess), app.port) for guess in guesses]
    attempts += [_send_again(_request(app, "GET", scene), app.port) for scene in ENORMOUS]
    await asyncio.gather(*attempts)


async def _send_again(data: bytes, port: int) -> None:
    while True:
        await _send(data, port)
        await asyncio.sleep(_AGAIN_S)


async def _send(data: bytes, port: int) -> None:
    with contextlib.suppress(OSError, EOFError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def ask_for_dear(app: HostileApp, count: int) -> list[asyncio.StreamWriter]:
    """Ask for dear scenes and wait for none; return the connections."""
    connections = [await asyncio.open_connection("127.0.0.1", app.port) for _ in range(count)]
    for number, (_, writer) in enumerate(connections):
        writer.write(_request(app, "GET", f"{DEAR}{number}"))
        await writer.drain()
    await asyncio.sleep(_AGAIN_S)
    return [writer for _, writer in connections]
