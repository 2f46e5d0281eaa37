"""Requests that nobody would send, to every route that there is, and what came of them.

Addresses are those of the routes themselves, so a new one is tried as well. Each request is whole
as HTTP has it, and wrong in what it says: its path, query, headers or body.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import numpy as np
from starlette.routing import BaseRoute, Mount, Route

from umnist_core.bench.hostile_app import HostileApp
from umnist_core.scenes import PARAMETER_NAMES, PRESETS
from umnist_core.server import tile_routes
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling import label_routes
from umnist_core.server.login import login_routes
from umnist_core.settings import Settings

SLOW_S = 5.0
CONNECTIONS = 4
_GIVE_UP_S = 60.0

_METHODS = ("GET",) * 24 + ("POST",) * 10 + ("HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW")
_WORDS = (
    "", "0", "1", "-1", "9" * 18, "9" * 5000, "1e400", "-1e-400", "10**400", "NaN", "inf", "1..2",
    "5..3", "..", "null", "true", "%00", "%FF%FE", "%2e%2e%2f" * 8 + "etc/passwd", "../../app.py",
    "~nosuchuser", "\u202e\u0661", "\U0001f4a5", "a" * 3000, "'\"><script>alert(1)</script>",
    "=cmd|' /C calc'!A0", "[" * 600, "{}", "\\", ";", "full", "scene", "test", "balanced",
)  # fmt: skip
"""For any place, in words that may stand in one, encoded or not."""

_FIELDS = ("key", "answer", "practice", "assignment", "secret", "next", "image", "events", "model")
_TILES = (
    "/tiles/scene.dzi", "/tiles/scene.json", "/tiles/scene.png", "/tiles/scene.jpeg",
    "/tiles/scene.zip", "/tiles/scene_files/{number}/{number}_{number}.png",
    "/tiles/file/{word}.dzi", "/tiles/file/{word}_files/{number}/{number}_{number}.png",
    "/tiles/file/{word}_values/{number}_{number}.json",
)  # fmt: skip
_OTHER = (
    "/",
    "/{word}",
    "/_stcore/health",
    "/_stcore/host-config",
    "/static/{word}",
    "/media/{word}",
)
_HEADERS: Sequence[tuple[str, Sequence[str]]] = (
    ("Origin", ("http://[", "null", "http://other.example", "a" * 2000)),
    ("Content-Type", ("application/json", "text/plain", "multipart/form-data; boundary=", "\xff")),
    ("Accept-Encoding", ("gzip", "br;q=x", "*", "\xe9")),
    ("If-None-Match", ("*", '"' * 500, 'W/"a"')),
    ("Range", ("bytes=0-0", "bytes=9-1", "bytes=-99999999999999999999", "lines=1-2")),
    ("Cookie", ("a", "=;=;", "umnist_admin=x; umnist_admin=y", "\xff" * 300, "a=b;" * 500)),
    ("X-Forwarded-For", ("127.0.0.1", "::::", "1.2.3.4, unknown", "9" * 400)),
    ("X-Forwarded-Proto", ("https", "gopher")),
    ("Sec-Fetch-Site", ("cross-site", "same-origin", "")),
    ("Accept", ("text/html", "*/*;q=9", "")),
    ("Content-Encoding", ("gzip", "identity")),
)


@dataclass(frozen=True)
class HostileRequest:
    """One request.

    Attributes
    ----------
    line
        What it is, for people.
    data
        All of its bytes.
    """

    line: str
    data: bytes


@dataclass
class RequestTally:
    """What came of requests.

    Attributes
    ----------
    statuses
        How often each; 0 where the connection was closed without an answer.
    errors_5xx, slow
        Those requests, as people read them.
    slowest_s
        The longest that an answer took.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    errors_5xx: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    def add(self, line: str, status: int, took_s: float) -> None:
        """Count one."""
        self.statuses[status] += 1
        self.slowest_s = max(self.slowest_s, took_s)
        if status >= 500:
            self.errors_5xx.append(f"{status} {line}")
        if took_s > SLOW_S:
            self.slow.append(f"{took_s:.1f} s {line}")


def addresses_of(settings: Settings) -> tuple[str, ...]:
    """Return the path of every route, with ``{number}`` and ``{word}`` where any may stand."""
    routes = [
        *tile_routes(),
        *label_routes(settings=settings),
        *inference_routes(settings=settings),
        *login_routes(settings),
    ]
    return (*_TILES, *_OTHER, *_paths(routes, ""))


def _paths(routes: Sequence[BaseRoute], above: str) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount) and route.routes:
            yield from _paths(route.routes, above + route.path)
        elif isinstance(route, Mount):
            yield _general(f"{above}{route.path}/{{word}}")
        elif isinstance(route, Route):
            yield _general(above + route.path)


def _general(path: str) -> str:
    path = re.sub(r"\{study[^}]*\}", "{study}", path)
    path = re.sub(r"\{[a-z_]+:digits\}", "{number}", path)
    return re.sub(r"\{(?!study\}|number\}|word\})[^}]*\}", "{word}", path)


def iter_requests(
    app: HostileApp, addresses: Sequence[str], count: int, *, rng: np.random.Generator
) -> Iterator[HostileRequest]:
    """Yield requests, every address in turn."""
    for number in range(count):
        yield _make(app, addresses[number % len(addresses)], rng)


def _make(app: HostileApp, address: str, rng: np.random.Generator) -> HostileRequest:
    method = _one(rng, _METHODS)
    path = _fill(address, app, rng)
    query = _scene_query(rng) if address.startswith("/tiles/scene") else _any_query(rng)
    target = f"{path}?{query}" if query else path
    body = _body(rng) if method in ("POST", "PUT", "PATCH", "DELETE") else b""
    headers = [("Host", f"127.0.0.1:{app.port}" if rng.random() < 0.95 else _raw_word(rng))]
    headers += [(name, _one(rng, values)) for name, values in _HEADERS if rng.random() < 0.08]
    names = {name for name, _ in headers}
    if "Cookie" not in names and rng.random() < 0.9:
        headers.append(("Cookie", app.cookies))
    if body and "Content-Type" not in names:
        kinds = ("application/json", "application/x-www-form-urlencoded")
        headers.append(("Content-Type", kinds[rng.random() < 0.3]))
    if "Origin" not in names:
        headers.append(("Origin", app.url))
    headers += [("Content-Length", str(len(body))), ("Connection", "close")]
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers)
    return HostileRequest(f"{method} {target[:300]}", head.encode("latin-1") + b"\r\n" + body)


def _fill(address: str, app: HostileApp, rng: np.random.Generator) -> str:
    def filled(match: re.Match[str]) -> str:
        if match[1] == "study" and rng.random() < 0.7:
            return app.study
        if match[1] == "number" and rng.random() < 0.8:
            return str(int(rng.integers(0, 2 ** int(rng.integers(1, 18)))))
        return _word(rng)

    return re.sub(r"\{(study|number|word)\}", filled, address)


def _any_query(rng: np.random.Generator) -> str:
    if rng.random() < 0.6:
        return ""
    names = ("after", "wait_s", "view", "tile", "next", _word(rng))
    return "&".join(f"{_one(rng, names)}={_word(rng)}" for _ in range(int(rng.integers(1, 4))))


def _scene_query(rng: np.random.Generator) -> str:
    """Return a scene that may be, whose parameters may be enormous, or none."""
    pairs = [f"preset={_one(rng, tuple(PRESETS))}", f"seed={int(rng.integers(0, 1000))}"]
    names = (*PARAMETER_NAMES, "view", "filter", "tile", "overlap", "pin", "index", "split")
    for name in rng.choice(names, int(rng.integers(0, 5)), replace=False).tolist():
        value = f"{10 ** rng.uniform(0, 5):.0f}" if rng.random() < 0.8 else _word(rng)
        pairs.append(f"{name}={value}")
    if rng.random() < 0.1:
        pairs.append(_word(rng))
    return "&".join(pairs)


def _body(rng: np.random.Generator) -> bytes:
    kinds: Sequence[Callable[[], bytes]] = (
        lambda: json.dumps({name: _value(rng) for name in _FIELDS if rng.random() < 0.5}).encode(),
        lambda: "&".join(f"{name}={_word(rng)}" for name in _FIELDS).encode(),
        lambda: rng.bytes(int(rng.integers(0, 2000))),
        lambda: b"[" * int(rng.integers(1, 50_000)),
        lambda: b'{"key": ' * int(rng.integers(1, 5000)),
        lambda: b'{"answer": ' + b"9" * int(rng.integers(1, 6000)) + b"}",
        lambda: b'{"answer": NaN, "key": "\\ud800"}',
        lambda: bytes(int(rng.integers(0, 300_000))),
    )
    return kinds[int(rng.choice(len(kinds), p=(0.6, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05)))]()


def _value(rng: np.random.Generator, depth: int = 0) -> object:
    kind = rng.random()
    if kind < 0.4:
        return _raw_word(rng)
    if kind < 0.6:
        return (
            float(10 ** rng.uniform(-300, 300))
            if rng.random() < 0.5
            else 10 ** int(rng.integers(0, 40))
        )
    if kind < 0.7 or depth > 3:
        return _one(rng, (None, True, False))
    if kind < 0.85:
        return [_value(rng, depth + 1) for _ in range(int(rng.integers(0, 5)))]
    return {_raw_word(rng)[:20]: _value(rng, depth + 1) for _ in range(int(rng.integers(0, 5)))}


def _one(rng: np.random.Generator, choices: Sequence[str] | Sequence[object]) -> str:
    return choices[int(rng.integers(0, len(choices)))]  # type: ignore[return-value]


def _raw_word(rng: np.random.Generator) -> str:
    return _one(rng, [word for word in _WORDS if word.isascii()])


def _word(rng: np.random.Generator) -> str:
    return quote(_one(rng, _WORDS), safe="%[]{}'\\;=|.*/~")


async def send_all(port: int, requests: Iterator[HostileRequest]) -> RequestTally:
    """Send requests over some connections at a time, and count what comes of them."""
    tally = RequestTally()

    async def send_in_turn() -> None:
        for request in requests:
            started = time.perf_counter()
            status = await _send(port, request.data)
            tally.add(request.line, status, time.perf_counter() - started)

    await asyncio.gather(*(send_in_turn() for _ in range(CONNECTIONS)))
    return tally


async def _send(port: int, data: bytes) -> int:
    """Send one request over its own connection; return the status, or 0 if there was none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(_GIVE_UP_S):
            writer.write(data)
            head = await reader.readuntil(b"\r\n")
            while await reader.read(1 << 20):
                pass
        return int(head.split(b" ")[1])
    except (OSError, EOFError, ValueError, IndexError, TimeoutError):
        return 0
    finally:
        writer.close()
