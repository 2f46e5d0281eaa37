"""What lets a request in at all: the host it names, and in a shared app who sends it.

`Gate` stands before everything, Streamlit's own routes and its websocket included, which
know nothing of our cookies. It lists what is open and closes the rest, so a page or route
that is added later is closed until somebody decides otherwise.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from umnist_core.server.admin import Admins
from umnist_core.server.web.meanings import Problem
from umnist_core.server.web.public import (
    base_path,
    is_own_origin,
    own_path,
    seen_of,
    with_host,
)
from umnist_core.server.web.replies import json_reply, problem_reply
from umnist_core.settings import Settings

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

_OPEN = re.compile(r"/(?:join|label)/.+|/assets/[^/]+/.+|/login|/logout", re.DOTALL)
"""What somebody without the admin cookie reaches in a shared app; each checks for itself."""

_HEALTH = "/health"
_POLICY_VIOLATION = 1008


class Gate:
    """Middleware that turns away what must not reach the application.

    Alone on a machine, it refuses names of other hosts: a page of another site whose name
    was made to lead to 127.0.0.1 could read everything else through its visitor's browser
    (DNS rebinding). Shared, it lets researchers with the admin cookie through and everybody
    else no further than the annotators' pages and the log-in.

    Parameters
    ----------
    app
        What lies behind it.
    settings
        ``is_shared`` and ``public_hosts``.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._is_shared = settings.is_shared
        self._hosts = _allowed_hosts(settings)
        self._admins = Admins(settings.labeling_dir)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if not self._is_host_allowed(connection):
            sentence = "This name is not one of this server's; open it by the address it printed."
            await _refuse(scope, receive, send, 421, sentence)
        elif scope["type"] == "websocket" and not _is_own_page(connection):
            await _refuse(scope, receive, send, 403, "This came from another site's page.")
        elif scope["type"] == "websocket" and own_path(connection) == _HEALTH:
            await _say_hello(WebSocket(scope, receive, send))
        elif not self._is_shared or self._may_pass(scope, connection):
            await self._app(_as_its_page_named(scope, connection), receive, send)
        elif own_path(connection) == _HEALTH and scope["type"] == "http":
            reply = {"status": "ok", "seen": seen_of(connection)}
            await json_reply(reply)(scope, receive, send)
        elif _wants_page(scope, connection):
            await _redirect(scope, receive, send, base_path(connection))
        else:
            login = f"{base_path(connection)}/login"
            sentence = f"This is for researchers; log in at {login}."
            await _refuse(scope, receive, send, 403, sentence)

    def _is_host_allowed(self, connection: HTTPConnection) -> bool:
        if self._hosts is None:
            return True
        try:
            name = urlsplit(f"//{connection.headers.get('host', '')}").hostname
        except ValueError:
            return False
        return name is not None and name.rstrip(".") in self._hosts

    def _may_pass(self, scope: Scope, connection: HTTPConnection) -> bool:
        is_open = scope["type"] == "http" and _OPEN.fullmatch(own_path(connection)) is not None
        return is_open or self._admins.is_admin(connection)


def _allowed_hosts(settings: Settings) -> frozenset[str] | None:
    """Return the names that requests may come under; None for any.

    A shared app whose names nobody gave has any: what it serves needs a cookie, and a
    browser sends no cookie of ours to a name that is not ours.
    """
    if not settings.is_shared:
        return LOOPBACK_NAMES
    if not settings.public_hosts:
        return None
    address = settings.public_address
    names = [*settings.public_hosts, *([address.hostname] if address else [])]
    return LOOPBACK_NAMES | {name.lower().rstrip(".") for name in names}


async def _say_hello(websocket: WebSocket) -> None:
    """Show that websockets come through, to whoever tries a proxy."""
    await websocket.accept()
    await websocket.close()


def _is_own_page(connection: HTTPConnection) -> bool:
    """Return whether a websocket was opened by a page of ours, or by no browser."""
    origin = connection.headers.get("origin")
    return origin is None or is_own_origin(connection, origin)


def _as_its_page_named(scope: Scope, connection: HTTPConnection) -> Scope:
    """Return a websocket's scope under the host that its page came from.

    Streamlit compares the two by itself, and knows nothing of what proxies made of the host.
    """
    origin = connection.headers.get("origin")
    if scope["type"] != "websocket" or origin is None:
        return scope
    return with_host(scope, urlsplit(origin).netloc.encode("latin-1"))


def _wants_page(scope: Scope, connection: HTTPConnection) -> bool:
    is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
    return is_read and "text/html" in connection.headers.get("accept", "")


async def _redirect(scope: Scope, receive: Receive, send: Send, base: str) -> None:
    target = scope["path"]
    if scope["query_string"]:
        target = f"{target}?{scope['query_string'].decode('latin-1')}"
    reply = RedirectResponse(
        f"{base}/login?next={quote(target, safe='')}", 303, {"cache-control": "no-store"}
    )
    await reply(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    if scope["type"] == "websocket":  # before it is accepted, which gives the client a 403
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
    else:
        await problem_reply(Problem(status, "closed_to_you", sentence))(scope, receive, send)
