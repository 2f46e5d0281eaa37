"""Connections that cost too much: long heads, slow heads, and many of them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from umnist_core.server.web import connections
from umnist_core.server.web.connections import BoundedProtocol


async def _length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


_LARGE = bytes(20_000_000)


async def _large(request: Request) -> Response:
    return Response(_LARGE)


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Yield the address of a server of the protocol."""
    routes = [
        Route("/", _length, methods=["GET", "POST"]),
        Route("/large", _large),
        WebSocketRoute("/echo", _echo),
    ]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        config = uvicorn.Config(
            Starlette(routes=routes), http=BoundedProtocol, log_level="critical", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.force_exit = server.should_exit = True
            thread.join()


def _send(address: tuple[str, int], *parts: bytes) -> bytes:
    """Return everything that comes back until the server closes the connection."""
    received = b""
    with socket.create_connection(address, timeout=60) as connection:
        for part in parts:
            with contextlib.suppress(ConnectionError):
                connection.sendall(part)
        with contextlib.suppress(ConnectionError):
            while more := connection.recv(65536):
                received += more
    return received


@pytest.mark.parametrize(
    "headers",
    [b"a: b\r\n" * 101, b"a: " + b"b" * 70_000 + b"\r\n", b"a: " + b"b" * 5_000_000],
)
def test_head_of_a_request_is_bounded(address: tuple[str, int], headers: bytes) -> None:
    """In number and in bytes, whether it ends or not."""
    answer = _send(address, b"GET / HTTP/1.1\r\nHost: a\r\n", headers, b"\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ") or not answer  # what was sent after it resets it


def test_endless_trailer_is_bounded(address: tuple[str, int]) -> None:
    """What stands behind a body in parts is no way around the bound."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    answer = _send(address, head, b"a: " + b"b" * 5_000_000)
    assert b"HTTP/1.1 200" not in answer


def test_request_within_the_bounds_is_answered(address: tuple[str, int]) -> None:
    """With many headers, a large cookie, a body of many small parts, and one after another."""
    headers = {f"x-{number}": "value" for number in range(80)} | {"cookie": "c" * 20_000}
    url = f"http://{address[0]}:{address[1]}/"
    with httpx.Client() as client:
        assert client.get(url, headers=headers).text == "0"
        parts = (b"part" for _ in range(30_000))
        assert client.post(url, content=parts).text == "120000"
        assert client.post(url, content=bytes(10_000_000)).text == "10000000"


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost"])
def test_connection_whose_head_does_not_come_is_closed(
    address: tuple[str, int], begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether nothing came or half of it; other connections are answered meanwhile."""
    monkeypatch.setattr(connections, "HEAD_PATIENCE_S", 0.2)
    monkeypatch.setattr(connections, "_LOOK_S", 0.05)
    assert _send(address, begun) == b""


def _drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"a")
        time.sleep(0.02)


def test_head_that_drips_is_not_waited_for(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then does not hold a connection, neither a new one nor one in use."""
    monkeypatch.setattr(connections, "HEAD_PATIENCE_S", 0.5)
    monkeypatch.setattr(connections, "_LOOK_S", 0.05)
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nX: ")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionError):
            _drip(connection)


def test_client_that_takes_nothing_of_its_answer_is_left(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that nobody reads is not kept for ever."""
    monkeypatch.setattr(connections, "TAKING_PATIENCE_S", 0.3)
    monkeypatch.setattr(connections, "_LOOK_S", 0.05)
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(2)
        received = 0
        with contextlib.suppress(ConnectionError):
            while more := connection.recv(1 << 20):
                received += len(more)
    assert received < len(_LARGE)


def test_newcomer_takes_the_place_of_who_asked_nothing_for_longest(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Idle connections, however many, keep nobody out."""
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 10)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(30)]
        answer = httpx.get(f"http://{address[0]}:{address[1]}/", timeout=60)
        assert answer.text == "0"
        idle[0].settimeout(60)
        assert idle[0].recv(1) == b""


def test_one_client_has_not_every_place(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its share it loses its own connections, not those of others."""
    monkeypatch.setattr(connections, "CLIENT_CONNECTIONS_MAX", 5)
    monkeypatch.setattr(BoundedProtocol, "_is_of_many", False)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(12)]
        assert httpx.get(f"http://{address[0]}:{address[1]}/", timeout=60).text == "0"
        idle[0].settimeout(60)
        assert idle[0].recv(1) == b""


def test_websocket_is_left_alone(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is quiet for longer than a head may take, and goes on."""
    monkeypatch.setattr(connections, "HEAD_PATIENCE_S", 0.1)
    monkeypatch.setattr(connections, "_LOOK_S", 0.05)
    with connect(f"ws://{address[0]}:{address[1]}/echo") as websocket:
        websocket.send("before")
        assert websocket.recv() == "before"
        time.sleep(0.5)
        websocket.send("after")
        assert websocket.recv() == "after"
