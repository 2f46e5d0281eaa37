"""What a proxy before a running app does wrong, found out from outside.

Each check asks the app through the proxy, as browsers do, and compares what arrived with what was
sent: ``/health`` tells how a request was seen.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import websockets.exceptions
from websockets.sync.client import connect
from websockets.typing import Origin

from umnist_core.public_address import PublicAddress
from umnist_core.server.assets import static_version

PATIENCE_S = 20.0

_BODY_BYTES = 4 * 2**20
"""More than what some proxies let through unless they are told."""

_STRANGER = "203.0.113.7"
"""An address that belongs to nobody (RFC 5737)."""


def check_proxy(address: PublicAddress, *, verify: bool = True) -> list[str]:
    """Return a sentence for each thing that a proxy does wrong; none if all is well.

    Parameters
    ----------
    address
        As people open the app.
    verify
        Whether the certificate must be one that browsers believe.
    """
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    home = address.to("")
    with httpx.Client(timeout=PATIENCE_S, verify=context) as client:
        try:
            health = client.get(f"{home}/health")
        except httpx.TransportError as error:
            return [f"Nothing answers at {home}/health ({error}): start the app and the proxy."]
        seen = _seen_in(health)
        if seen is None:
            return [_not_ours(health, home)]
        ours = str(health.extensions["network_stream"].get_extra_info("client_addr")[0])
        found = [*_check_seen(seen, address), *_check_counting(seen, ours)]
        # The proxy's own machine is believed whatever it says.
        if not ipaddress.ip_address(ours).is_loopback:
            found += _check_clients(client, home)
        found += [*_check_files(client, home), *_check_posts(client, address)]
    return [*found, *_check_websocket(address, context)]


def _seen_in(response: httpx.Response) -> dict[str, str] | None:
    try:
        seen: Any = response.json()["seen"]
        return {str(name): str(value) for name, value in seen.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _not_ours(response: httpx.Response, home: str) -> str:
    kind = response.headers.get("content-type", "nothing")
    location = response.headers.get("location")
    to = f" to {location}" if location else ""
    return (
        f"Expected umnist's JSON at {home}/health, found {kind} with status "
        f"{response.status_code}{to}: the proxy leads elsewhere, or the app was not started with "
        f"--base-url {home}/."
    )


def _check_seen(seen: dict[str, str], address: PublicAddress) -> Iterator[str]:
    if seen["home"].lower() != address.to("/").lower():
        yield (
            f"Links would begin with {seen['home']} instead of {address.to('/')}: start the app "
            f"with --base-url {address.to('/')}."
        )
    if seen["scheme"] != address.scheme:
        yield (
            f"A request sent by {address.scheme} arrives as {seen['scheme']}: let the proxy send "
            "X-Forwarded-Proto, and start the app with --trust-proxy and the proxy's address."
        )
    if seen["host"].lower() != address.netloc:
        yield (
            f"A request for {address.netloc} arrives for {seen['host']!r}: let the proxy send "
            "Host as it came, with its port (nginx: proxy_set_header Host $http_host)."
        )


def _check_counting(seen: dict[str, str], ours: str) -> Iterator[str]:
    try:
        arrived = ipaddress.ip_address(seen["client"])
    except ValueError:
        return
    if arrived.is_private and str(arrived) != ours:
        yield (
            f"Everybody arrives from {arrived}, so limits for one are limits for all: start the "
            f"app with --trust-proxy {arrived} if that is the proxy."
        )


def _check_clients(client: httpx.Client, home: str) -> Iterator[str]:
    said = _seen_in(client.get(f"{home}/health", headers={"x-forwarded-for": _STRANGER}))
    if said is not None and said["client"] == _STRANGER:
        yield (
            "The app believes whatever a client says of its own address, so nothing can be "
            "limited: let the proxy add to X-Forwarded-For (nginx: "
            "$proxy_add_x_forwarded_for), and trust no more than the proxy."
        )


def _check_files(client: httpx.Client, home: str) -> Iterator[str]:
    path = f"/assets/{static_version()}/label/main.js"
    script = client.get(home + path)
    if script.status_code == 404:
        yield (
            f"There is no {path}: the app that answers is of another version than this command, "
            "or the proxy serves files of its own there."
        )
    elif "javascript" not in script.headers.get("content-type", ""):
        kind = script.headers.get("content-type", "nothing")
        yield f"Expected JavaScript at {path}, found {kind}: the proxy changes or replaces files."
    tile = client.get(f"{home}/tiles/scene_files/8/0_0.png?preset=released&seed=0")
    kind = tile.headers.get("content-type", "nothing")
    if kind.partition(";")[0] not in ("image/png", "application/json"):
        yield f"Expected a tile or a refusal at /tiles, found {kind}: pass every path to the app."


def _check_posts(client: httpx.Client, address: PublicAddress) -> Iterator[str]:
    answer = client.post(address.to("/logout"), headers={"origin": address.origin})
    if answer.status_code == 403:
        yield (
            "The app takes its own pages for another site's: let the proxy send Host as it came, "
            f"or start the app with --base-url {address.to('/')}."
        )
    location = answer.headers.get("location", "")
    if answer.status_code == 303 and not _is_at_home(location, address):
        yield f"The app sends on to {location}: start it with --base-url {address.to('/')}."
    large = client.post(address.to("/logout"), content=bytes(_BODY_BYTES))
    if large.status_code == 413:
        yield (
            f"The proxy refuses {_BODY_BYTES // 2**20} MiB at once, and files that are opened have "
            "more: raise its limit (nginx: client_max_body_size 2g)."
        )


def _is_at_home(location: str, address: PublicAddress) -> bool:
    return location.removeprefix(address.origin).startswith(f"{address.path}/")


def _check_websocket(address: PublicAddress, context: ssl.SSLContext) -> Iterator[str]:
    url = address.to("/health").replace("http", "ws", 1)
    secure = context if address.scheme == "https" else None
    try:
        with connect(url, origin=Origin(address.origin), ssl=secure, open_timeout=PATIENCE_S):
            return
    except (OSError, websockets.exceptions.WebSocketException, TimeoutError) as error:
        yield (
            f"Websockets do not come through ({error}), and the pages would stay empty: let the "
            "proxy pass Upgrade and Connection on (nginx: proxy_http_version 1.1; "
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade)."
        )
