"""Requests as they were meant, whatever proxies made of them: a real server, proxies' headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.server.serving import serve
from umnist_core.public_address import parse_public_address
from umnist_core.server.admin import save_admin_secret
from umnist_core.server.front import Front, under
from umnist_core.server.gate import Gate
from umnist_core.server.labeling import label_routes
from umnist_core.server.labeling.routes import FAILED_JOINS_PER_MINUTE
from umnist_core.server.login import login_routes
from umnist_core.server.routes import viewer_files_route
from umnist_core.settings import load_settings

SECRET = "correct horse battery staple"
PUBLIC = "https://lab.org/umnist/"

OpenFront = Callable[..., AbstractContextManager[httpx.Client]]


async def _inside(request: Request) -> Response:
    """Answer as Streamlit's own page would: with HTML, whatever is asked for."""
    return PlainTextResponse(request.url.path, media_type="text/html")


async def _talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.headers["host"])
    await websocket.close()


@pytest.fixture
def open_front(tmp_path: Path) -> OpenFront:
    """Return what serves a shared app with `Front` before it and yields a browser."""
    save_admin_secret(tmp_path, SECRET)

    @contextmanager
    def open_one(base_url: str = "", trusted: str = "") -> Iterator[httpx.Client]:
        env = {"UMNIST_LABELING": str(tmp_path), "UMNIST_SHARE": "1"}
        env |= {"UMNIST_BASE_URL": base_url, "UMNIST_TRUSTED_PROXIES": trusted}
        settings = load_settings(env)
        base_path = settings.public_address.path if settings.public_address else ""
        ours: list[BaseRoute] = [
            *login_routes(settings),
            *label_routes(settings=settings),
            viewer_files_route(),
        ]
        app = Starlette(
            routes=[
                *under(base_path, ours),
                WebSocketRoute("/{path:path}", _talk),
                Route("/{path:path}", _inside),
            ],
            middleware=[
                Middleware(Front, settings=settings, base_path=base_path),
                Middleware(Gate, settings=settings),
            ],
        )
        with serve(app) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client

    return open_one


def _seen(client: httpx.Client, **headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    seen: dict[str, str] = client.get("/health", headers=named).json()["seen"]
    return seen


def _socket_host(client: httpx.Client, path: str, **headers: str) -> str | int:
    """Return the host under which a websocket arrives, or the status of a refusal."""
    address = str(client.base_url).replace("http", "ws").rstrip("/") + path
    origin = Origin(headers["origin"]) if "origin" in headers else None
    more = {"cookie": client.headers["cookie"]}
    try:
        with connect(address, origin=origin, additional_headers=more) as socket:
            return str(socket.recv())
    except InvalidStatus as error:
        return error.response.status_code


def test_header_of_a_client_is_believed_only_from_a_trusted_proxy(open_front: OpenFront) -> None:
    """The last address that no trusted proxy wrote is the client's."""
    forwarded = {"x_forwarded_for": "198.51.100.1, 203.0.113.7", "x_forwarded_proto": "https"}
    forwarded["x_forwarded_host"] = "lab.org"
    with open_front() as client:
        seen = _seen(client, **forwarded)
        assert (seen["client"], seen["scheme"]) == ("127.0.0.1", "http")
        assert seen["host"] == client.base_url.netloc.decode()
    with open_front(trusted="127.0.0.1") as client:
        seen = _seen(client, **forwarded)
        assert (seen["client"], seen["scheme"], seen["host"]) == ("203.0.113.7", "https", "lab.org")
    with open_front(trusted="127.0.0.0/8,203.0.113.0/24") as client:
        assert _seen(client, **forwarded)["client"] == "198.51.100.1"


def test_joins_are_limited_whatever_address_a_client_claims(open_front: OpenFront) -> None:
    """150 tries under 150 made-up addresses are tries of one client."""
    with open_front() as client:
        statuses = [
            client.post(
                f"/join/none{number}", json={}, headers={"x-forwarded-for": f"10.1.{number}.9"}
            ).status_code
            for number in range(FAILED_JOINS_PER_MINUTE + 5)
        ]
    assert 429 in statuses


@pytest.mark.parametrize("prefix", ["/umnist", ""])
def test_base_path_is_there_whether_a_proxy_cuts_it_or_not(
    open_front: OpenFront, prefix: str
) -> None:
    """Our routes and files answer under it, with their own content types."""
    with open_front(PUBLIC) as client:
        page = client.get(f"{prefix}/label/s1")
        assert "/umnist/assets/" in page.text
        assert "text/html" in page.headers["content-type"]
        script = page.text.split('src="')[1].split('"')[0]
        kind = client.get(script.removeprefix("/umnist" if not prefix else "")).headers
        assert "javascript" in kind["content-type"]
        assert client.get(f"{prefix}/label/s1/api/state").json()["code"] == "no_session"
        assert client.get(f"{prefix}/health").json()["status"] == "ok"


def test_log_in_stays_under_the_base_path(open_front: OpenFront) -> None:
    """Redirects, the form's address and the cookie's path have it; the cookie is Secure."""
    with open_front(PUBLIC) as client:
        sent = client.get("/umnist/explore?seed=1", headers={"accept": "text/html"})
        assert sent.headers["location"] == "/umnist/login?next=%2Fumnist%2Fexplore%3Fseed%3D1"
        assert 'action="/umnist/login"' in client.get("/umnist/login").text
        fields = {"secret": SECRET, "next": "/umnist/explore?seed=1"}
        headers = {"origin": "https://lab.org"}
        entered = client.post("/umnist/login", data=fields, headers=headers)
        assert entered.headers["location"] == (
            "/umnist/login?entered=1&next=%2Fumnist%2Fexplore%3Fseed%3D1"
        )
        cookie = entered.headers["set-cookie"]
        assert "Path=/umnist/;" in cookie
        assert "Secure" in cookie
        fields["next"] = "/elsewhere"
        entered = client.post("/umnist/login", data=fields, headers=headers)
        assert entered.headers["location"] == "/umnist/login?entered=1&next=%2Fumnist%2F"


@pytest.mark.parametrize(
    ("base_url", "host", "origin", "is_ours"),
    [
        ("", "lab.org:8080", "http://lab.org:8080", True),
        ("", "lab.org", "http://lab.org:8080", True),  # a proxy dropped the port
        ("", "lab.org:8080", "http://lab.org:9090", False),
        ("", "lab.org", "http://evil.org", False),
        ("", "lab.org", "http://[", False),
        ("", "lab.org", "null", False),
        (PUBLIC, "127.0.0.1:8501", "https://lab.org", True),  # a proxy rewrote the host
        (PUBLIC, "umnist:8501", "https://evil.org", False),
        (PUBLIC, "lab.org", "https://lab.org:9090", False),
        (PUBLIC, "127.0.0.1:8501", "http://127.0.0.1:8501", True),  # past the proxy
    ],
)
def test_page_of_ours_is_told_from_another_sites_whatever_the_proxy_named(
    open_front: OpenFront, base_url: str, host: str, origin: str, is_ours: bool
) -> None:
    """For changes and for websockets alike."""
    with open_front(base_url) as client:
        headers = {"host": host, "origin": origin}
        assert client.post("/logout", headers=headers).status_code == (303 if is_ours else 403)


def test_websocket_arrives_under_the_host_of_its_page(open_front: OpenFront) -> None:
    """So Streamlit, which compares the two, does not take our own page for another site's."""
    with open_front(PUBLIC) as client:
        entered = client.post(
            "/umnist/login", data={"secret": SECRET}, headers={"origin": "https://lab.org"}
        )
        # As a browser would over HTTPS.
        client.headers["cookie"] = entered.headers["set-cookie"].split(";")[0]
        assert client.get("/umnist/x").text == "/umnist/x"
        assert _socket_host(client, "/umnist/x", origin="https://lab.org") == "lab.org"
        assert _socket_host(client, "/umnist/x", origin="https://lab.org") == "lab.org"
        assert _socket_host(client, "/umnist/x", origin="https://evil.org") == 403
        assert _socket_host(client, "/umnist/x", origin="http://[") == 403


def test_app_alone_on_a_machine_keeps_other_names_out(tmp_path: Path) -> None:
    """An address for the public opens nothing as long as the app is not shared."""
    settings = replace(
        load_settings({"UMNIST_LABELING": str(tmp_path)}),
        public_address=parse_public_address(PUBLIC),
    )
    app = Starlette(
        routes=[Route("/{path:path}", _inside)],
        middleware=[
            Middleware(Front, settings=settings, base_path="/umnist"),
            Middleware(Gate, settings=settings),
        ],
    )
    with serve(app) as url:
        assert httpx.get(f"{url}/umnist/x", headers={"host": "lab.org"}).status_code == 421
        assert httpx.get(f"{url}/umnist/x").text == "/umnist/x"
