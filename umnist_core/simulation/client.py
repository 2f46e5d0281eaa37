"""A browser's part of the annotator's interface, without the browser.

It does what the page does: joins with a link, keeps the cookie, fetches tiles, posts
answers under an idempotency key and sends them again, key unchanged, until the server says
that they are saved. What the server has said is saved is written into a ledger, which is
then held against the store (`umnist_core.simulation.audit`).
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from umnist_core.errors import NetworkError, RefusedError
from umnist_core.server.log_tokens import without_tokens
from umnist_core.simulation.fetching import Fetcher
from umnist_core.simulation.people import Reply

CONNECTIONS = 6
"""Connections of a browser to one server over HTTP/1.1."""

WARM_CONNECTIONS = 2
"""Those over which the page fetches the next image."""

TIMEOUT_S = 30.0
GIVE_UP_S = 180.0
"""How long a request is sent again before a person gives up."""

_KEPT_S = 3.0
"""An idle connection is let go before the server does so, as that would look like a loss."""

_PAUSE_S = (0.02, 1.0)
_PNG = b"\x89PNG"

Json = dict[str, Any]
TileAddress = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An answer that the server has said is saved.

    Attributes
    ----------
    key, assignment, answer
        As it was sent.
    is_counted
        As the server said.
    person
        Number of who sent it.
    """

    key: str
    assignment: str
    answer: int
    is_counted: bool
    person: int


@dataclass
class Tally:
    """What a run of many people has come to; for one event loop.

    Attributes
    ----------
    acknowledged
        Answers that the server has said are saved, in the order in which it did.
    answer_ms, tile_ms
        From sending to the whole reply; of an answer, from its first sending. Of a tile without
        the wait for one of the browser's own connections.
    troubles
        Kind -> how often: ``connection`` for a lost or refused one, else status and code of
        every reply that is no success.
    reasons
        Reason -> answers (`umnist_core.simulation.people.Reply`).
    requests
        How many were sent.
    """

    acknowledged: list[Acknowledged] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    tile_ms: list[float] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    requests: int = 0


class Client:
    """One person's browser.

    Parameters
    ----------
    origin
        Of the server, such as ``http://127.0.0.1:8501``.
    person
        Number of the person, for the ledger.
    tally
        Where everything is counted.
    certificates
        For https; shared between clients, as it takes long to make.
    """

    def __init__(
        self, origin: str, person: int, tally: Tally, certificates: ssl.SSLContext
    ) -> None:
        self._person = person
        self._tally = tally
        self._http = httpx.AsyncClient(
            base_url=origin,
            verify=certificates,
            timeout=TIMEOUT_S,
            limits=httpx.Limits(keepalive_expiry=_KEPT_S),
        )
        self._fetcher = Fetcher(
            origin,
            connections=CONNECTIONS,
            kept_s=_KEPT_S,
            certificates=certificates,
        )
        self._held: set[str] = set()
        self._warmed = ""
        self._warming: list[asyncio.Task[None]] = []
        self._home = ""

    async def __aenter__(self) -> Client:
        """Open the browser."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all its connections."""
        self._stop_warming()
        await asyncio.gather(*self._warming, return_exceptions=True)
        await self._http.aclose()
        await self._fetcher.close()

    async def join(self, token: str, ids: Mapping[str, str] | None = None) -> Json:
        """Open a link, with the ids that a recruiting site put into it; return the state."""
        body = {"ids": dict(ids)} if ids else {}
        self._home = str((await self._post(f"/join/{token}", body))["to"])
        request = self._http.build_request("GET", f"{self._home}/tiles/")
        self._fetcher.cookie = str(request.headers.get("cookie", ""))
        return await self.state()

    async def state(self) -> Json:
        """Return where the person stands."""
        return _body(await self._ask("GET", f"{self._home}/api/state"))

    async def consent(self, version: int, device: Mapping[str, Any]) -> Json:
        """Agree to take part, by a text of the consent and on a device; return the state."""
        return await self.step("consent", {"version": version, "device": device})

    async def begin(self) -> Json:
        """Say that the instructions were read; return the state."""
        return await self.step("begin", {})

    async def step(self, name: str, body: Mapping[str, Any]) -> Json:
        """Take another step of the interface, ``body`` beside its key; return the state."""
        return _state(await self._post(f"{self._home}/api/{name}", {"key": new_key(), **body}))

    async def practise(self, practice: str, reply: Reply, ask: Mapping[str, Any]) -> Json:
        """Answer a practice image, ``ask`` as of `answer`; return feedback and state."""
        beside = _beside(reply, ask) if ask["practised"] or ask.get("boxes") else {}
        body = {"key": new_key(), "practice": practice, "answer": reply.answer, **beside}
        return await self._post(f"{self._home}/api/practice", body)

    async def keep_alive(self, assignment: str) -> None:
        """Keep an image reserved."""
        await self._ask("POST", f"{self._home}/api/alive", {"assignment": assignment})

    async def answer(
        self, assignment: str, reply: Reply, *, ask: Mapping[str, Any], key: str | None = None
    ) -> Json:
        """Send an answer until it is saved; return the state after it.

        Parameters
        ----------
        assignment
            Which image.
        reply
            The answer with everything around it.
        ask
            ``ask`` of the state: what is wanted beside the sum.
        key
            Idempotency key; a new one when None.

        Raises
        ------
        RefusedError
            If the server will not have it; nothing goes into the ledger.
        NetworkError
            If the server does not answer for long.
        """
        key = key or new_key()
        body = {
            "key": key,
            "assignment": assignment,
            "answer": reply.answer,
            **_beside(reply, ask),
            "response": reply.response,
        }
        started = time.perf_counter()
        said = await self._post(f"{self._home}/api/answers", body)
        took_ms = (time.perf_counter() - started) * 1e3
        if said.get("saved") is not True or said.get("key") != key:
            raise NetworkError(f"Expected the answer {key} as saved, found {str(said)[:80]!r}.")
        self._tally.answer_ms.append(took_ms)
        self._tally.reasons[reply.reason] += 1
        done = Acknowledged(key, assignment, int(body["answer"]), said["counted"], self._person)
        self._tally.acknowledged.append(done)
        return _state(said)

    async def fetch(self, image: Mapping[str, Any], tiles: Iterable[TileAddress]) -> None:
        """Fetch tiles of an image side by side; those that were fetched before are held.

        Parameters
        ----------
        image
            ``Image`` of the interface.
        tiles
            Level, column and row of each.
        """
        await asyncio.gather(*(self._tile(path) for path in _paths(image, tiles)))

    def warm(self, image: Mapping[str, Any], tiles: Iterable[TileAddress]) -> None:
        """Begin to fetch tiles of an image that is not shown yet; ends fetching any other so."""
        if image["dzi"] != self._warmed:
            self._stop_warming()
            self._warmed = image["dzi"]
            left = iter(_paths(image, tiles))
            self._warming = [asyncio.create_task(self._warm(left)) for _ in range(WARM_CONNECTIONS)]

    async def _warm(self, paths: Iterator[str]) -> None:
        for path in paths:
            await self._tile(path)

    def _stop_warming(self) -> None:
        for task in self._warming:
            task.cancel()

    async def _tile(self, path: str) -> None:
        async def get() -> _Answer:
            took_ms, status, body = await self._fetcher.get(path)
            self._tally.tile_ms.append(took_ms)
            return _Answer(status, body)

        if path in self._held:
            return
        answer = await self._insist(f"GET {path}", get)
        self._held.add(path)
        if not answer.body.startswith(_PNG):
            self._tally.troubles["no image"] += 1

    async def _post(self, path: str, body: Json) -> Json:
        return _body(await self._ask("POST", path, body))

    async def _ask(self, method: str, path: str, body: Json | None = None) -> _Answer:
        async def ask() -> _Answer:
            reply = await self._http.request(method, path, json=body)
            return _Answer(reply.status_code, reply.content, reply.headers.get("retry-after"))

        return await self._insist(f"{method} {path}", ask)

    async def _insist(self, what: str, send: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Send a request again and again until there is an answer that stands.

        Raises
        ------
        RefusedError
            If the answer is that the request is wrong.
        NetworkError
            If there is none for long.
        """
        what = without_tokens(what)[:120]  # a link is a person, and errors end up in logs
        deadline = time.monotonic() + GIVE_UP_S
        pause_s, pause_max_s = _PAUSE_S
        trouble = ""
        while time.monotonic() < deadline:
            self._tally.requests += 1
            try:
                answer = await send()
            except (httpx.TransportError, OSError) as error:
                trouble = f"{type(error).__name__}: {error}"
                self._tally.troubles["connection"] += 1
            else:
                if 200 <= answer.status < 300:
                    return answer
                trouble = f"it answered {answer.status}: {answer.body[:200].decode()}"
                self._tally.troubles[f"{answer.status} {answer.code}".strip()] += 1
                if answer.status == 429:
                    pause_s = float(answer.retry_after or 1)
                elif answer.status < 500 and answer.status != 408:
                    raise RefusedError(f"The server would not do {what}: {trouble}", answer.code)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, pause_max_s)
        raise NetworkError(
            f"Expected an answer to {what} within {GIVE_UP_S:g} s, found none "
            f"({trouble[:200]}); look at the server."
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """Status and body of an answer, and when to ask again if the server said so."""

    status: int
    body: bytes
    retry_after: str | None = None

    @property
    def code(self) -> str:
        """The word that an error has for programs."""
        try:
            return str(json.loads(self.body)["code"])
        except (ValueError, KeyError, TypeError):
            return ""


def new_key() -> str:
    """Return a new idempotency key."""
    return str(uuid.uuid4())


def _beside(reply: Reply, ask: Mapping[str, Any]) -> Json:
    """Return what goes with a sum; who has seen no digit says so where digits are required."""
    if ask.get("boxes"):
        return {
            "answer": sum(one["label"] for one in reply.boxes),
            "boxes": list(reply.boxes),
            "confidence": reply.confidence if ask["confidence"] else None,
        }
    digits = list(reply.digits or ())
    has_digits = ask["digits"] and (digits or ask["required"]["digits"])
    return {
        "confidence": reply.confidence if ask["confidence"] else None,
        "digits": digits if has_digits else None,
    }


def _paths(image: Mapping[str, Any], tiles: Iterable[TileAddress]) -> list[str]:
    base = str(image["dzi"]).removesuffix(".dzi")
    return [f"{base}_files/{level}/{col}_{row}.png" for level, col, row in tiles]


def _body(answer: _Answer) -> Json:
    value: Json = json.loads(answer.body)
    return value


def _state(said: Json) -> Json:
    state: Json = said["state"]
    return state
