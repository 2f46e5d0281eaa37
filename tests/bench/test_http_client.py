"""The client of the measurements."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from umnist_core.bench.http_client import ask, ask_for
from umnist_core.bench.tile_server import bench_server
from umnist_core.errors import NetworkError

CONNECTIONS = 4
PATHS = [f"/bench/static/{number}" for number in range(6)]

Answer = TypeVar("Answer")


def _run(work: Coroutine[Any, Any, Answer]) -> Answer:
    # In a thread of its own: tests that drove a browser leave an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_client_asks_each_path_once_or_over_and_over() -> None:
    """A round of no time at all still has an answer for each connection, hence a percentile."""
    with bench_server() as port:
        assert len(_run(ask(port, PATHS, CONNECTIONS))) == len(PATHS)
        for seconds in (0.0, 0.2):
            latencies_s, rate = _run(ask_for(port, PATHS, CONNECTIONS, seconds))
            assert len(latencies_s) >= CONNECTIONS
            assert all(latency_s > 0 for latency_s in latencies_s)
            # All connections together have no more time than each of them has.
            assert rate <= CONNECTIONS * len(latencies_s) / sum(latencies_s)
            assert rate > 0
        with pytest.raises(NetworkError, match="404"):
            _run(ask(port, ["/bench/nothing"], 1))
