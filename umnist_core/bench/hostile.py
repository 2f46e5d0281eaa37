"""What the app does when somebody means it no good: requests, files, and leaning on it.

The app runs in a process of its own, with folders of its own, on loopback. Requests go to every
route there is (`hostile_requests`); files of every format go through the readers that the app uses
(`hostile_files`); and viewing goes on while somebody leans on the server (`hostile_viewing`).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from umnist_core.bench.hostile_app import HostileApp, hostile_app
from umnist_core.bench.hostile_files import FileTally, read_malformed
from umnist_core.bench.hostile_requests import (
    RequestTally,
    addresses_of,
    iter_requests,
    send_all,
)
from umnist_core.bench.hostile_viewing import ViewingFigures, ask_for_dear, watch_under_attack
from umnist_core.settings import load_settings

_TOLD = 20
_DEAR = 4


@dataclass(frozen=True)
class HostileFigures:
    """What came of it.

    Attributes
    ----------
    requests, addresses
        Requests that were sent, and the addresses that they went to.
    statuses
        How often each was answered; 0 where a connection was closed without.
    errors_5xx, tracebacks, slow
        Answers of 500 and more; tracebacks in the logs; answers that took over 5 s.
    slowest_s
        The longest that an answer took.
    files, told
        Malformed files that were read, and how many of them ended in a sentence of ours; the
        others could be read all the same.
    hangs, faults
        Files that were not done with within 20 s; files that raised another error than ours.
    peak_mib
        The most memory that the process had which read them.
    tile_p95_idle_ms, tile_p95_attacked_ms, tile_p95_ratio, tiles
        Latencies of tiles, of scenes that nobody had seen, and how many were measured; the ratio
        is that of the two in this one run.
    stop_s
        From the signal to end to the end, while scenes were drawn.
    found
        The first of what went wrong, a line each.
    """

    requests: int
    addresses: int
    statuses: dict[str, int]
    errors_5xx: int
    tracebacks: int
    slow: int
    slowest_s: float
    files: int
    told: int
    hangs: int
    faults: int
    peak_mib: float
    tile_p95_idle_ms: float
    tile_p95_attacked_ms: float
    tile_p95_ratio: float
    tiles: int
    stop_s: float
    found: tuple[str, ...]


def bench_hostile(
    *,
    requests: int = 10_000,
    files: int = 500,
    rounds: int = 4,
    round_s: float = 5.0,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> HostileFigures:
    """Be hostile, and count what is done about it.

    Parameters
    ----------
    requests, files
        How many.
    rounds, round_s
        Of viewing, with and without an attack, and how long each is.
    seed
        Of everything that is drawn.
    progress
        Told what is done next.

    Raises
    ------
    NetworkError
        If the app does not start.
    """
    say = progress or (lambda _: None)
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="umnist-bench-") as name:
        folder = Path(name)
        say(f"reading {files} malformed files")
        read = read_malformed(folder / "files", files, rng=rng)
        with hostile_app(folder / "app") as app:
            say(f"viewing in {2 * rounds} rounds")
            viewing = watch_under_attack(app, rounds, round_s)
            say(f"sending {requests} requests")
            addresses = addresses_of(load_settings())
            sent = asyncio.run(send_all(app.port, iter_requests(app, addresses, requests, rng=rng)))
            stop_s = asyncio.run(_stop_while_drawing(app))
            tracebacks = app.count_tracebacks()
    return _figures(
        sent, read, viewing, addresses=len(addresses), tracebacks=tracebacks, stop_s=stop_s
    )


async def _stop_while_drawing(app: HostileApp) -> float:
    writers = await ask_for_dear(app, _DEAR)
    stop_s = await asyncio.to_thread(app.stop)
    for writer in writers:
        writer.close()
    return stop_s


def _figures(
    sent: RequestTally,
    read: FileTally,
    viewing: ViewingFigures,
    *,
    addresses: int,
    tracebacks: int,
    stop_s: float,
) -> HostileFigures:
    found = [*sent.errors_5xx, *sent.slow, *read.hangs, *read.faults]
    return HostileFigures(
        requests=sum(sent.statuses.values()),
        addresses=addresses,
        statuses={str(status): count for status, count in sorted(sent.statuses.items())},
        errors_5xx=len(sent.errors_5xx),
        tracebacks=tracebacks,
        slow=len(sent.slow),
        slowest_s=round(sent.slowest_s, 2),
        files=read.files,
        told=read.told,
        hangs=len(read.hangs),
        faults=len(read.faults),
        peak_mib=read.peak_mib,
        tile_p95_idle_ms=viewing.tile_p95_idle_ms,
        tile_p95_attacked_ms=viewing.tile_p95_attacked_ms,
        tile_p95_ratio=viewing.tile_p95_ratio,
        tiles=viewing.tiles,
        stop_s=round(stop_s, 2),
        found=tuple(found[:_TOLD]),
    )
