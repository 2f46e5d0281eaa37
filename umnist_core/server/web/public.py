"""Where a request's app is for its browser: as it was set, or as the request says."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import Scope

from umnist_core.public_address import PublicAddress

_IN_SCOPE = "umnist.public"
_BASE_PATH = "umnist.base_path"


def set_public(scope: Scope, address: PublicAddress | None, base_path: str) -> None:
    """Note the address that was set, or None, and the path that all paths begin with."""
    scope[_IN_SCOPE] = address
    scope[_BASE_PATH] = base_path


def with_host(scope: Scope, host: bytes) -> Scope:
    """Return a request's scope with another host than it came for."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*headers, (b"host", host)]}


def public_of(connection: HTTPConnection) -> PublicAddress:
    """Return where the app is; without a setting the scheme and the name that came are believed."""
    address: PublicAddress | None = connection.scope.get(_IN_SCOPE)
    if address is not None:
        return address
    scheme = connection.url.scheme.replace("ws", "http")
    netloc = connection.headers.get("host", "")
    return PublicAddress(scheme, netloc.lower(), None, base_path(connection))


def base_path(connection: HTTPConnection) -> str:
    """Return what stands before each of the app's own paths; empty at the root."""
    return str(connection.scope.get(_BASE_PATH, ""))


def own_path(connection: HTTPConnection) -> str:
    """Return a request's path within the app."""
    return str(connection.scope["path"]).removeprefix(base_path(connection)) or "/"


def seen_of(connection: HTTPConnection) -> dict[str, str]:
    """Return how a request arrived, so that somebody can compare it with how it was sent."""
    return {
        "scheme": connection.url.scheme,
        "host": connection.headers.get("host", ""),
        "client": connection.client.host if connection.client else "",
        "home": public_of(connection).to("/"),
    }


def is_own_origin(connection: HTTPConnection, origin: str) -> bool:
    """Return whether a page of this origin is one of ours.

    A proxy may name another host than the browser did, or drop the port. Where an address was
    set, that tells; where none was, a host that came without a port is told apart by name alone.
    """
    address: PublicAddress | None = connection.scope.get(_IN_SCOPE)
    if address is not None and origin.lower() == address.origin:
        return True
    try:
        parts = urlsplit(origin.lower())
        netloc, host = parts.netloc, parts.hostname
    except ValueError:
        return False
    named = connection.headers.get("host", "").lower()
    return bool(netloc) and (netloc == named or (address is None and host == named))
