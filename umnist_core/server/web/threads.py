"""Threads for what would hold up the event loop: each kind of work has its own.

They are daemons: a server that is told to end leaves what they are at, however long that would
take. (Those of `concurrent.futures` are waited for when Python ends.) What is written to disk is
written whole or not at all (`umnist_core.files`, the store's transactions), so it can be left.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from umnist_core.giving_up import GivenUpError, go_on, until

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
        self._name = name
        self._left_to_start = threads
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._places = asyncio.Semaphore(threads)
        self._starting = threading.Lock()

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Do something in a thread and return what comes of it."""
        return await asyncio.wrap_future(self._submit(lambda: work(*args)))

    async def run_for(self, request: Request, work: Callable[..., T], *args: object) -> T:
        """Do something for a client who may give it up; first come, first served.

        So nobody who pans fast keeps others waiting for ever. What a browser has given up before
        its turn came is never made, and what it gives up later ends at the next
        `umnist_core.giving_up.go_on`.

        Raises
        ------
        ClientDisconnect
            If the client has left.
        """
        async with self._places:
            if await request.is_disconnected():
                raise ClientDisconnect
            given_up = threading.Event()

            def do() -> T:
                with until(given_up):
                    go_on()
                    return work(*args)

            future = asyncio.wrap_future(self._submit(do))
            leaving = asyncio.ensure_future(_set_when_left(request, given_up))
            try:
                return await asyncio.shield(future)
            except GivenUpError as error:
                raise ClientDisconnect from error
            finally:
                given_up.set()
                leaving.cancel()
                future.cancel()

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._queue.put((future, work))
        with self._starting:
            if self._left_to_start:
                self._left_to_start -= 1
                number = self._left_to_start
                threading.Thread(
                    target=_work_through,
                    args=(self._queue,),
                    name=f"{self._name}-{number}",
                    daemon=True,
                ).start()
        return future


def _work_through(queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]]]) -> None:
    while True:
        future, work = queue.get()
        if not future.set_running_or_notify_cancel():
            continue
        try:
            done = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(done)
        del future, work  # what came of it is not kept until the next


async def _set_when_left(request: Request, given_up: threading.Event) -> None:
    """Wait until a client leaves, whose request has been read."""
    with contextlib.suppress(RuntimeError):  # some servers may not be asked again
        while (await request.receive())["type"] != "http.disconnect":
            pass
        given_up.set()
