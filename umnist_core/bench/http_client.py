"""Just enough HTTP/1.1 to measure a server: GET, keep-alive, answers with a length."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence

from umnist_core.errors import NetworkError


async def ask(port: int, paths: Sequence[str], connections: int) -> list[float]:
    """Ask for every path once and return the latencies, in seconds."""
    latencies_s, _ = await _run(port, iter(paths), connections)
    return latencies_s


async def ask_for(
    port: int, paths: Sequence[str], connections: int, seconds: float
) -> tuple[list[float], float]:
    """Ask for the paths over and over; return latencies in seconds, and answers per second.

    Every connection asks at least once, however long that takes.
    """
    latencies_s, took_s = await _run(port, _repeat(paths, connections, seconds), connections)
    return latencies_s, len(latencies_s) / took_s


def _repeat(paths: Sequence[str], least: int, seconds: float) -> Iterator[str]:
    """Yield paths for some seconds, which begin when the first is taken, and some at least."""
    until = time.perf_counter() + seconds
    for number, path in enumerate(itertools.cycle(paths)):
        if number >= least and time.perf_counter() >= until:
            return
        yield path


async def _run(port: int, paths: Iterator[str], connections: int) -> tuple[list[float], float]:
    """Share the paths among connections, each of which asks when it has its answer.

    Returns latencies, and the time from the first question to the last answer, in seconds:
    opening connections is no part of it, which takes long on a busy machine.

    Raises
    ------
    NetworkError
        If an answer is not a success, or a connection breaks.
    """
    loop = asyncio.get_running_loop()
    latencies_s: list[float] = []
    clients = [_Client(paths, latencies_s, loop.create_future()) for _ in range(connections)]
    try:
        for client in clients:
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        start = time.perf_counter()
        for client in clients:
            client.ask_next()
        await asyncio.gather(*(client.done for client in clients))
        return latencies_s, time.perf_counter() - start
    finally:
        for client in clients:
            client.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn


class _Client(asyncio.Protocol):
    """One connection; takes paths from a shared iterator until there are none."""

    def __init__(
        self, paths: Iterator[str], latencies_s: list[float], done: asyncio.Future[None]
    ) -> None:
        self.done = done
        self._paths = paths
        self._latencies_s = latencies_s
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def ask_next(self) -> None:
        """Send the next request, or close the connection when all are sent."""
        assert self._transport is not None
        path = next(self._paths, None)
        if path is None:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._asked = time.perf_counter()
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def close(self) -> None:
        """Close the connection, whatever it waits for."""
        self.done.cancel()
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(f"Expected success, found {head.splitlines()[0].decode()!r}.")
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) >= int(length):
            self._received = b""
            self._latencies_s.append(time.perf_counter() - self._asked)
            self.ask_next()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("The server closed a connection.")

    def _fail(self, sentence: str) -> None:
        if not self.done.done():
            self.done.set_exception(NetworkError(f"{sentence} Run the measurement again."))
