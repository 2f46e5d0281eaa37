"""A network that fails: a proxy that cuts connections at random moments."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

CUT_SHARE = 0.15
"""Share of the pieces, of requests and of replies, at which a connection is cut."""


@dataclass
class CuttingProxy:
    """A proxy of one server.

    Attributes
    ----------
    origin
        Where it listens.
    cuts_of_requests, cuts_of_replies
        Connections that were cut while something was on its way to the server, and from it.
    """

    origin: str
    cuts_of_requests: int = 0
    cuts_of_replies: int = 0


@contextlib.contextmanager
def cutting_proxy(server: str, *, seed: int) -> Iterator[CuttingProxy]:
    """Run a proxy of a server and yield it."""
    parts = urlsplit(server)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        proxy = CuttingProxy(f"http://127.0.0.1:{listener.getsockname()[1]}")
        stop = threading.Event()
        thread = threading.Thread(
            target=asyncio.run,
            args=(_serve(listener, (str(parts.hostname), parts.port or 80), proxy, stop, seed),),
        )
        thread.start()
        try:
            yield proxy
        finally:
            stop.set()
            thread.join()


async def _serve(
    listener: socket.socket,
    server: tuple[str, int],
    proxy: CuttingProxy,
    stop: threading.Event,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*server)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            _pump(reader, far_writer, writer, proxy, rng, is_reply=False),
            _pump(far_reader, writer, far_writer, proxy, rng, is_reply=True),
        )

    listening = await asyncio.start_server(connected, sock=listener.dup())
    async with listening:
        while not stop.is_set():
            await asyncio.sleep(0.05)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    other: asyncio.StreamWriter,
    proxy: CuttingProxy,
    rng: np.random.Generator,
    *,
    is_reply: bool,
) -> None:
    """Hand on what comes, now and then only a part of it and then nothing more, ever."""
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            if rng.random() >= CUT_SHARE:
                writer.write(piece)
                await writer.drain()
                continue
            if is_reply:
                proxy.cuts_of_replies += 1
            else:
                proxy.cuts_of_requests += 1
            writer.write(piece[: int(rng.integers(0, len(piece) + 1))])
            await writer.drain()
            _reset(writer)
            _reset(other)
            return
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection at once, without a word to the other side."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
