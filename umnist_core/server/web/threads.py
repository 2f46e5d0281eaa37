"""Threads for what would hold up the event loop: each kind of work has its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

T = TypeVar("T")


class Threads:
    """Threads of one kind of work, which neither starve those of another nor Streamlit's.

    Parameters
    ----------
    name
        Of the threads.
    threads
        How many things are done at once.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._places = asyncio.Semaphore(threads)

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Do something in a thread and return what comes of it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)

    async def run_for(self, request: Request, work: Callable[..., T], *args: object) -> T:
        """Do something for a client who may give it up; first come, first served.

        So nobody who pans fast keeps others waiting for ever, and what a browser has given up
        before its turn came is never made.

        Raises
        ------
        ClientDisconnect
            If the client has left.
        """
        async with self._places:
            if await request.is_disconnected():
                raise ClientDisconnect
            return await self.run(work, *args)
