"""Waiting for what goes on in the background, without a thread: jobs, curves and searches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from starlette.requests import Request

from umnist_core.inference.jobs import ENDED
from umnist_core.server.web.fields import parse_whole

WAIT_MAX_S = 30


class Watched(Protocol):
    """Whatever has pieces that change and tells of it."""

    def get(self, key: str, /) -> dict[str, Any]:
        """Return a piece; its ``version`` grows with each change of its ``state`` and the rest."""

    def listening(self, key: str, listener: Callable[[], None], /) -> AbstractContextManager[None]:
        """Call a listener after each change of a piece, from any thread."""


async def wait_for(watched: Watched, key: str, request: Request) -> dict[str, Any]:
    """Return a piece as soon as it is newer than a version, has ended, or the time is up.

    Parameters
    ----------
    watched, key
        Which piece.
    request
        With the version in ``after``, and the seconds in ``wait_s``, at most 30; both 0 if they
        are missing.

    Raises
    ------
    NotFoundError, InvalidValueError
        If there is no such piece, or a parameter is no whole number.
    """
    fields = request.query_params
    after = parse_whole("after", fields.get("after", "0"))
    wait_s = min(parse_whole("wait_s", fields.get("wait_s", "0")), WAIT_MAX_S)
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def listener() -> None:
        with contextlib.suppress(RuntimeError):  # the server ends
            loop.call_soon_threadsafe(changed.set)

    until = loop.time() + wait_s
    with watched.listening(key, listener):
        found = watched.get(key)
        while found["version"] <= after and found["state"] not in ENDED and loop.time() < until:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await changed.wait()
            changed.clear()
            found = watched.get(key)
    return found
