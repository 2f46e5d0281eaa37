"""Threads for what would hold up the event loop: each kind of work has its own.

They are daemons: a server that is told to end leaves what they are at, however long that would
take. (Those of `concurrent.futures` are waited for when Python ends.) What is written to disk is
written whole or not at all (`umnist_core.files`, the store's transactions), so it can be left.
Before Python ends they get a moment to come to rest: a daemon that is cut off within a library in
C++, such as OpenCV, takes the process down with it, which then seems to have failed.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from umnist_core.giving_up import GivenUpError, go_on, until

T = TypeVar("T")

_REST_S = 3.0
"""Enough for what OpenCV does at one go, on a busy machine too."""

_at_work: dict[Future[Any], threading.Event] = {}
"""What threads are doing, with what gives it up."""

_ending = threading.Event()

_Work = tuple[Future[Any], threading.Event, Callable[[], Any]]


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
        self._queue: SimpleQueue[_Work] = SimpleQueue()
        self._places = asyncio.Semaphore(threads)
        self._starting = threading.Lock()

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Do something in a thread and return what comes of it."""
        return await asyncio.wrap_future(self.start(work, *args))

    def start(
        self, work: Callable[..., T], *args: object, given_up: threading.Event | None = None
    ) -> Future[T]:
        """Have something done in a thread, without waiting for it.

        What has not begun when Python ends is never done.

        Parameters
        ----------
        given_up
            Set where nobody waits for it any more (`umnist_core.giving_up`).
        """
        future: Future[T] = Future()
        self._queue.put((future, given_up or threading.Event(), lambda: work(*args)))
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
            future = asyncio.wrap_future(self.start(work, *args, given_up=given_up))
            leaving = asyncio.ensure_future(_set_when_left(request, given_up))
            try:
                return await asyncio.shield(future)
            except GivenUpError as error:
                raise ClientDisconnect from error
            finally:
                given_up.set()
                leaving.cancel()
                future.cancel()


def _work_through(queue: SimpleQueue[_Work]) -> None:
    while True:
        future, given_up, work = queue.get()
        if _ending.is_set() or not future.set_running_or_notify_cancel():
            continue
        _at_work[future] = given_up
        try:
            with until(given_up):
                go_on()
                done = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(done)
        del _at_work[future], future, work  # what came of it is not kept until the next


@atexit.register
def _come_to_rest() -> None:
    _ending.set()
    at_work = dict(_at_work)
    for given_up in at_work.values():
        given_up.set()
    wait(at_work, _REST_S)


async def _set_when_left(request: Request, given_up: threading.Event) -> None:
    """Wait until a client leaves, whose request has been read."""
    with contextlib.suppress(RuntimeError):  # some servers may not be asked again
        while (await request.receive())["type"] != "http.disconnect":
            pass
        given_up.set()
