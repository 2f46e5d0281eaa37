"""Threads of the routes: what is given up ends, and a server that ends waits for none."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from starlette.requests import ClientDisconnect, Request

from umnist_core.giving_up import go_on
from umnist_core.server.web.threads import Threads

T = TypeVar("T")

_ENDLESS = """
import asyncio, time
from umnist_core.server.web.threads import Threads

async def main():
    asyncio.get_running_loop().create_task(Threads("endless", 1).run(time.sleep, 10_000))
    await asyncio.sleep(0.1)
    print("told to end", flush=True)

asyncio.run(main())
"""

_BUSY = """
import asyncio
import cv2, numpy
from umnist_core.giving_up import go_on
from umnist_core.server.web.threads import Threads

def enlarge():
    image = numpy.zeros((500, 500), numpy.uint8)
    while True:
        go_on()
        cv2.resize(image, (1500, 1500), interpolation=cv2.INTER_CUBIC)

async def main():
    for number in range(4):
        Threads(f"busy-{number}", 1).start(enlarge)
    await asyncio.sleep(0.1)

asyncio.run(main())
"""


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run in a thread of its own: a browser that other tests keep has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def _request(messages: asyncio.Queue[dict[str, Any]]) -> Request:
    return Request({"type": "http", "headers": []}, messages.get)


def test_threads_end_work_whose_client_has_left() -> None:
    """What is being done ends at its next turn, and its thread is free for others."""

    async def leave() -> None:
        threads, messages = Threads("test", 1), asyncio.Queue[dict[str, Any]]()
        begun = threading.Event()

        def work_for_ever() -> None:
            begun.set()
            while True:
                go_on()

        work = asyncio.create_task(threads.run_for(_request(messages), work_for_ever))
        await asyncio.to_thread(begun.wait)
        messages.put_nowait({"type": "http.disconnect"})
        with pytest.raises(ClientDisconnect):
            await work
        assert await threads.run_for(_request(asyncio.Queue()), lambda: 1) == 1

    _run(leave)


def test_threads_do_not_hold_up_the_end_of_the_server() -> None:
    """Python ends although a thread is still at work."""
    program = [sys.executable, "-c", _ENDLESS]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout == "told to end\n"
    assert ended.returncode == 0
    assert ended.stderr == ""


def test_threads_in_a_library_do_not_bring_the_end_down() -> None:
    """Threads that are within OpenCV when Python ends come out of it first."""
    program = [sys.executable, "-c", _BUSY]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_threads_pass_on_errors_and_do_one_thing_after_another() -> None:
    """An error reaches whoever asked, and the thread goes on with the next."""

    async def fail_once() -> list[Any]:
        threads = Threads("test", 1)
        both = (threads.run(int, "one"), threads.run(int, "1"))
        return list(await asyncio.gather(*both, return_exceptions=True))

    error, number = _run(fail_once)
    assert isinstance(error, ValueError)
    assert number == 1
