"""What proxies did to a request, undone before anything else sees it.

Outermost of all. It believes what a proxy says of its client only where that proxy is trusted,
puts the base path before paths from which a proxy has cut it, and notes where the app is for its
browsers (`umnist_core.server.web.public`). Behind it a path begins with the base path always, as
Streamlit's routes do.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any, cast

from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from umnist_core.public_address import PublicAddress
from umnist_core.server.web.public import set_public, with_host
from umnist_core.settings import Settings

_HOST = re.compile(rb"[0-9A-Za-z_.:\[\]-]{1,260}")


class Front:
    """Middleware that gives every request the client, the host and the path that its sender meant.

    Parameters
    ----------
    app
        What lies behind it.
    settings
        ``public_address`` and ``trusted_proxies``.
    base_path
        What every path begins with, such as ``/umnist``; empty at the root.
    """

    def __init__(self, app: ASGIApp, settings: Settings, base_path: str = "") -> None:
        self._app = app
        self._address: PublicAddress | None = settings.public_address
        self._base_path = base_path
        self._trusted = settings.trusted_proxies
        self._forwarded = ProxyHeadersMiddleware(
            cast(Any, self._pass), [str(network) for network in self._trusted]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = _under_its_host(scope) if self._is_trusted(scope) else dict(scope)
        await self._forwarded(cast(Any, scope), cast(Any, receive), cast(Any, send))

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        set_public(scope, self._address, self._base_path)
        base = self._base_path
        if base and scope["path"] != base and not scope["path"].startswith(f"{base}/"):
            scope["path"] = base + scope["path"]
            if raw := scope.get("raw_path"):
                scope["raw_path"] = base.encode() + raw
        await self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        try:
            address = ipaddress.ip_address((scope.get("client") or ("",))[0])
        except ValueError:  # a socket of this machine's own
            return False
        return any(address in network for network in self._trusted)


class _BasePath(Mount):
    """Routes below the base path; what none of them answers is left to the routes after it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, more = super().matches(scope)
        inner = {**scope, **more}
        if match is Match.NONE or all(
            route.matches(inner)[0] is Match.NONE for route in self.routes
        ):
            return Match.NONE, {}
        return match, more


def under(base_path: str, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Return routes as they are to stand beside Streamlit's, which has the base path in its own."""
    return [_BasePath(base_path, routes=routes)] if base_path else list(routes)


def _under_its_host(scope: Scope) -> Scope:
    """Return a scope with the host that the browser named in place of the one of its proxy."""
    told = next((value for name, value in scope["headers"] if name == b"x-forwarded-host"), b"")
    host = told.split(b",")[0].strip()
    return with_host(scope, host) if _HOST.fullmatch(host) else dict(scope)
