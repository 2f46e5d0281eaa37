"""How often and how much anybody may send."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NoReturn

from starlette.requests import HTTPConnection, Request

from umnist_core.errors import InvalidValueError, TooLargeError

BODY_MAX_BYTES = 2**20
"""Largest body of a post: an answer with the longest trace has a third of it."""

BODY_PATIENCE_S = 30.0
"""A body that has not come whole by then holds a connection for nothing."""

JOINS_PER_MINUTE = 120
"""From one address; a whole lab may come from one, behind its router."""

FAILED_JOINS_PER_MINUTE = 10
"""From one address, with links that do not exist."""

_CLIENTS_MAX = 10_000


class RateLimit:
    """Lets a client do something so many times a minute, all at once or spread out.

    A bucket a client: it holds ``per_minute`` turns, each use takes one out, and they flow
    back evenly. Memory is bounded: of too many clients those that were quiet longest are
    forgotten, which gives them their turns back.

    Parameters
    ----------
    per_minute
        Turns a minute.
    clients_max
        Clients that are remembered.
    clock
        Returns seconds that only grow.
    """

    def __init__(
        self,
        per_minute: int,
        clients_max: int = _CLIENTS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._turns_max = float(per_minute)
        self._turns_per_s = per_minute / 60
        self._clients_max = clients_max
        self._clock = clock
        self._lock = threading.Lock()
        self._turns: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, client: str) -> int:
        """Return the whole seconds until a client has a turn; 0 if it has one now."""
        with self._lock:
            left = self._left(client)
        return 0 if left >= 1 else math.ceil((1 - left) / self._turns_per_s)

    def take(self, client: str) -> None:
        """Take one turn of a client; the last one may be taken by several at once."""
        with self._lock:
            left = max(0.0, self._left(client) - 1)
            self._turns[client] = (left, self._clock())
            self._turns.move_to_end(client)
            if len(self._turns) > self._clients_max:
                self._turns.popitem(last=False)

    def _left(self, client: str) -> float:
        turns, then = self._turns.get(client, (self._turns_max, 0.0))
        return min(self._turns_max, turns + (self._clock() - then) * self._turns_per_s)


def client_of(connection: HTTPConnection) -> str:
    """Return what a request is counted under: its address, or its network for IPv6.

    An IPv6 host has 2^64 addresses of its own, so its network counts as one client.
    """
    host = connection.client.host if connection.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


async def read_json(request: Request, max_bytes: int = BODY_MAX_BYTES) -> object:
    """Read the body of a post as JSON.

    Raises
    ------
    TooLargeError
        If it has more bytes than it may have; the rest is not read.
    InvalidValueError
        If it is no JSON in UTF-8, holds what JSON does not have (NaN, half a character),
        is nested too deep or does not come.
    """
    body = await read_body(request, max_bytes)
    try:
        value: object = json.loads(body.decode(), parse_constant=_refuse_constant)
        if "\\u" in body.decode():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair has no UTF-8
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(
            "Expected the body as JSON in UTF-8, found something else; reload the page."
        ) from error
    return value


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Read a body, and not one byte more than is allowed.

    Raises
    ------
    TooLargeError, InvalidValueError
        As `read_json`.
    """
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE_S):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > max_bytes:
                    raise TooLargeError(
                        f"At most {max_bytes} bytes may be sent at once, and more came; send less."
                    )
    except TimeoutError as error:
        raise InvalidValueError(
            f"The body did not come whole within {BODY_PATIENCE_S:g} s; send it again."
        ) from error
    return bytes(chunks)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")
