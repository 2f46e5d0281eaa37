"""What a connection may cost before anything of ours has seen a request.

uvicorn bounds neither how much it keeps of a request's head, nor how long one takes to come, nor
how many connections there are. `BoundedProtocol` does. Streamlit makes uvicorn's configuration
itself and lets nobody choose the protocol, so `bound_connections` sets it when a server starts,
which is after the application has been loaded and before anybody can connect.

Nobody honest is held to these: a slow phone has the time that its body would have, too; a
connection on which nothing is asked is closed when its place is wanted, as browsers expect of
every server; websockets have pings of their own, and are left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from umnist_core.public_address import Network
from umnist_core.settings import Settings

HEAD_MAX_BYTES = 64 * 1024
"""Of a request: its line and its headers; also of what stands between parts of a body."""

HEADERS_MAX = 100
HEAD_PATIENCE_S = 20.0
"""From the connection, or from the first byte of a later request, to the end of its headers."""

TAKING_PATIENCE_S = 60.0
"""A client that takes nothing of its answer for so long is left."""

CONNECTIONS_MAX = 1000
CLIENT_CONNECTIONS_MAX = 500
"""From one address, but for this machine's own and those of trusted proxies."""

GRACE_S = 3
"""What is still being answered when the server is told to end has so long."""

_LOOK_S = 2.0
_PART_BYTES = 16 * 1024
_FILES_BESIDE = 256
"""Open files that are no connections."""

_TOO_MUCH = (
    f"Expected at most {HEADERS_MAX} headers and {HEAD_MAX_BYTES // 1024} KiB of them, found more; "
    "send less, or clear the cookies of this site."
)
_FULL = "The server has as many connections as it can serve; try again in some seconds."


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, bounded in bytes, in time and in number."""

    trusted: Sequence[Network] = ()
    """Whose connections are those of many."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.app = cast(Any, _ended_in_order(cast(Any, self.app)))
        self._head_bytes = 0
        self._head_until: float | None = None
        self._is_over = False
        self._looking: asyncio.TimerHandle | None = None
        self._left_to_take = (0, 0.0)
        self.quiet_since = self.loop.time()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    # -- number -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find a place for a connection."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._head_until = self.loop.time() + HEAD_PATIENCE_S
        self._looking = self.loop.call_later(_LOOK_S, self._look)
        others = [one for one in self.connections if one is not self]
        if len(others) >= min(CONNECTIONS_MAX, _open_files_max() - _FILES_BESIDE):
            self._take_place_of(others)
        elif not self._is_of_many:
            same = [one for one in others if getattr(one, "peer", None) == self.peer]
            if len(same) >= CLIENT_CONNECTIONS_MAX:
                self._take_place_of(same)

    @property
    def peer(self) -> str:
        """The address at the other end."""
        return self.client[0] if self.client else ""

    @property
    def _is_of_many(self) -> bool:
        try:
            address = ipaddress.ip_address(self.peer)
        except ValueError:  # a socket of this machine's own
            return True
        return address.is_loopback or any(address in network for network in self.trusted)

    def _take_place_of(self, others: Iterable[object]) -> None:
        """Close the connection that nothing was asked on for longest; this one if all are busy."""
        idle = [one for one in others if isinstance(one, BoundedProtocol) and one.is_idle]
        if not idle:
            self._refuse(503, "Service Unavailable", _FULL)
            return
        longest = min(idle, key=lambda one: one.quiet_since)
        self.connections.discard(longest)
        longest.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop_looking()
        super().connection_lost(exc)

    # -- time -------------------------------------------------------------------------

    def _look(self) -> None:
        now = self.loop.time()
        is_late = self._head_until is not None and now > self._head_until
        left, since = self._left_to_take
        left_now = self.transport.get_write_buffer_size()
        if left_now == 0 or left_now != left:
            self._left_to_take = (left_now, now)
        elif now - since > TAKING_PATIENCE_S:
            is_late = True
        if is_late:
            self._is_over = True
            self.transport.abort()
            return
        self._looking = self.loop.call_later(_LOOK_S, self._look)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to a protocol with its own pings."""
        self._is_over = True
        self._stop_looking()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        """Note since when nothing is asked."""
        self.quiet_since = self.loop.time()
        super().on_response_complete()

    # -- bytes ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse some at a time, and no more than a request's head may have."""
        for start in range(0, len(data), _PART_BYTES):
            if self._is_over or self.transport.is_closing():
                return
            part = data[start : start + _PART_BYTES]
            self._head_bytes += len(part)
            super().data_received(part)
            if self._has_too_much:
                self._refuse(431, "Request Header Fields Too Large", _TOO_MUCH)

    @property
    def _has_too_much(self) -> bool:
        is_parsing = not self._is_over and not self.transport.is_closing()
        headers = len(self.headers or ())
        return is_parsing and (self._head_bytes > HEAD_MAX_BYTES or headers > HEADERS_MAX)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        if self._head_until is None:
            self._head_until = self.loop.time() + HEAD_PATIENCE_S

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, and one more than may come."""
        if len(self.headers) <= HEADERS_MAX:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, unless it is to be refused."""
        self._head_bytes, self._head_until = 0, None
        if len(self.headers) <= HEADERS_MAX:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._head_bytes = 0
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if self.cycle is not None:
            super().on_message_complete()

    def _refuse(self, status: int, phrase: str, sentence: str) -> None:
        self._is_over = True
        body = sentence.encode()
        head = (
            f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def bound_connections(settings: Settings) -> None:
    """Let every uvicorn server of this process that is started from now on be bounded."""
    BoundedProtocol.trusted = settings.trusted_proxies
    _raise_open_files()
    if getattr(uvicorn.Server.startup, "is_bounded", False):
        return
    startup = uvicorn.Server.startup

    async def bounded_startup(self: uvicorn.Server, sockets: Any = None) -> None:
        self.config.http_protocol_class = BoundedProtocol
        if self.config.timeout_graceful_shutdown is None:
            self.config.timeout_graceful_shutdown = GRACE_S
        await startup(self, sockets=sockets)

    bounded_startup.is_bounded = True  # type: ignore[attr-defined]
    uvicorn.Server.startup = bounded_startup  # type: ignore[method-assign]


def _ended_in_order(app: ASGIApp) -> ASGIApp:
    """Answer what a server that ends has no more time for, instead of logging where it was."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_begun = False

        async def watched(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await app(scope, receive, watched)
        except asyncio.CancelledError:
            if not is_begun:
                await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return answer


def _raise_open_files() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # elsewhere than on Unix
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = CONNECTIONS_MAX + 2 * _FILES_BESIDE
        if soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _open_files_max() -> int:
    try:
        import resource
    except ImportError:
        return CONNECTIONS_MAX + _FILES_BESIDE
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX + _FILES_BESIDE if soft == resource.RLIM_INFINITY else soft
