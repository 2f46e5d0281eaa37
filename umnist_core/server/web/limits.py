"""How often anybody may do something, and where a change may come from."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from umnist_core.server.web.public import is_own_origin

_CLIENTS_MAX = 10_000


class RateLimit:
    """Lets a client do something so many times a minute, all at once or spread out.

    A bucket a client: it holds ``per_minute`` turns, each use takes one out, and they flow
    back evenly. A turn is taken before its use and given back where that shall not count, so
    that no more uses begin at once than there are turns. Memory is bounded: of too many clients
    those that were quiet longest are forgotten, which gives them their turns back.

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

    def take(self, client: str) -> int:
        """Take one turn of a client; return 0, or the whole seconds until there is one to take."""
        with self._lock:
            left = self._left(client)
            if left < 1:
                return math.ceil((1 - left) / self._turns_per_s)
            self._keep(client, left - 1)
        return 0

    def give_back(self, client: str) -> None:
        """Give a turn back that was taken for what turned out not to count."""
        with self._lock:
            self._keep(client, min(self._turns_max, self._left(client) + 1))

    def _keep(self, client: str, turns: float) -> None:
        self._turns[client] = (turns, self._clock())
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


def give_turns_back(*turns: tuple[RateLimit, str]) -> None:
    """Give back what `take_turns` took, as what came of it shall not count."""
    for limit, client in turns:
        limit.give_back(client)


def take_turns(*turns: tuple[RateLimit, str]) -> None:
    """Take a turn of each of several limits for a client of it, or of none.

    Raises
    ------
    HTTPException
        429, if one has no turn left.
    """
    for place, (limit, client) in enumerate(turns):
        wait_s = limit.take(client)
        if not wait_s:
            continue
        give_turns_back(*turns[:place])
        sentence = f"Too many tries; try again in {wait_s} s."
        raise HTTPException(429, sentence, {"retry-after": str(wait_s)})


def refuse_other_sites(connection: HTTPConnection, *, must_say: bool = False) -> None:
    """Refuse a change that a page of another site asks for, as far as its browser tells.

    Such a page can make a browser send a form to us with its cookies. ``Sec-Fetch-Site`` is the
    browser's own word, but it is only sent to HTTPS and loopback; ``Origin`` goes with every
    change. A program that is no browser sends neither, and can be tricked by no other site.

    Parameters
    ----------
    connection
        The request.
    must_say
        Whether one that says neither is refused as well.

    Raises
    ------
    HTTPException
        403, if it does not come from a page of ours.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None:
        is_ours = site == "same-origin"
    elif origin is not None:
        is_ours = is_own_origin(connection, origin)
    else:
        is_ours = not must_say
    if not is_ours:
        raise HTTPException(403, "This came from another site's page; open the app or your link.")
