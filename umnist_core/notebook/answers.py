"""What a viewer's address is answered with, in this process: no port, no proxy."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, lru_cache

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Scope

from umnist_core.inference.process import Outcome
from umnist_core.pyramid import ArraySource, PyramidGrid, TileSource, read_tile, reduce_for_model
from umnist_core.server.heat import Choice, heat_tile
from umnist_core.server.inference.routes import inference_routes
from umnist_core.server.query import MODEL_VIEWS, parse_file_query
from umnist_core.server.tiles import DearError, TileService, tile_address
from umnist_core.server.web.addresses import explain


@dataclass(frozen=True)
class Ask:
    """A question of the viewer's.

    Attributes
    ----------
    method, path, query, body
        As in HTTP; the path begins with ``/``.
    """

    method: str
    path: str
    query: str = ""
    body: str = ""


@dataclass(frozen=True)
class Answer:
    """What it is answered with.

    Attributes
    ----------
    status, media_type, body
        As in HTTP.
    """

    status: int
    media_type: str
    body: bytes


@cache
def shared_service() -> TileService:
    """Return the tiles of this process; all widgets share what it holds."""
    return TileService()


class Answers:
    """Answers the addresses of one widget; thread-safe.

    ``/tiles`` is that of the app; ``/own`` has scenes that no address can name, ``/maps``
    attention that was given, and ``/inference`` is the app's own interface to models.
    """

    def __init__(self) -> None:
        self._own: dict[str, TileSource] = {}
        self._maps: dict[str, Outcome] = {}

    def add_source(self, source: TileSource) -> str:
        """Return the address of the description of an image, whose tiles are served from now on."""
        name = f"{len(self._own)}"
        self._own[name] = source
        return f"/own/{name}.dzi"

    def add_maps(self, outcome: Outcome) -> str:
        """Return the address of the tiles of a map, without level, column and row."""
        name = f"{len(self._maps)}"
        self._maps[name] = outcome
        return f"/maps/{name}"

    @staticmethod
    def is_waiting(ask: Ask) -> bool:
        """Return whether an ask holds no thread while it is answered; `start` is for these."""
        return ask.path.startswith("/inference")

    def start(self, ask: Ask) -> Future[Answer]:
        """Begin to answer what waits for a model."""
        return _local_app().ask(ask)

    def answer(self, ask: Ask, *, may_be_dear: bool) -> Answer:
        """Answer in this thread; what goes wrong is an answer too.

        Raises
        ------
        umnist_core.server.tiles.DearError
            If it takes long, and may not.
        """
        try:
            return self._answer(ask, may_be_dear)
        except DearError:
            raise
        except Exception as error:
            problem = explain(error, f"{ask.path}?{ask.query}", to_researcher=True)
            return Answer(problem.status, "text/plain; charset=utf-8", problem.sentence.encode())

    def _answer(self, ask: Ask, may_be_dear: bool) -> Answer:
        first, _, rest = ask.path.removeprefix("/").partition("/")
        if first == "own":
            return _png(self._own_tile(rest, ask.query))
        if first == "maps":
            name, level, place = rest.split("/")
            col, _, row = place.removesuffix(".png").partition("_")
            return _png(heat_tile(self._maps[name], Choice(), tile_address(level, col, row), ""))
        service, path = shared_service(), ask.path.removeprefix("/tiles")
        reply = service.find_reply(path, ask.query) or service.reply(
            path, ask.query, may_be_dear=may_be_dear
        )
        kinds = dict(reply.start["headers"])
        return Answer(reply.status, kinds[b"content-type"].decode(), reply.body)

    def _own_tile(self, rest: str, query: str) -> bytes:
        name, level, place = rest.split("/")
        col, _, row = place.removesuffix(".png").partition("_")
        asked = parse_file_query(query)
        source = _seen(self._own[name.removesuffix("_files")], asked.view)
        grid = PyramidGrid(source.height, source.width, asked.tile_px, asked.overlap_px)
        return read_tile(source, grid, tile_address(level, col, row))


@lru_cache(maxsize=16)
def _seen(source: TileSource, view: str) -> TileSource:
    """Return a source as it is, or as a model sees it."""
    if view not in MODEL_VIEWS:
        return source
    return ArraySource(reduce_for_model(source.read_whole(), MODEL_VIEWS[view]))


def _png(body: bytes) -> Answer:
    return Answer(200, "image/png", body)


# -- what waits for models ------------------------------------------------------------


class LocalApp:
    """An ASGI application that is asked in this process, on an event loop of its own.

    Parameters
    ----------
    app
        The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="umnist-asks", daemon=True).start()

    def ask(self, ask: Ask) -> Future[Answer]:
        """Begin to answer; cancelling the result is what a client does that leaves."""
        return asyncio.run_coroutine_threadsafe(self._answer(ask), self._loop)

    async def _answer(self, ask: Ask) -> Answer:
        parts = [{"type": "http.request", "body": ask.body.encode(), "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            if parts:
                return parts.pop()
            await asyncio.Event().wait()
            raise AssertionError("nothing ends that wait but a cancel")

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(_scope(ask), receive, send)
        headers = dict(sent[0]["headers"])
        body = b"".join(one.get("body", b"") for one in sent[1:])
        kind = headers.get(b"content-type", b"application/octet-stream").decode()
        return Answer(int(sent[0]["status"]), kind, body)


def _scope(ask: Ask) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": ask.path,
        "raw_path": ask.path.encode(),
        "query_string": ask.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
    }


@cache
def _local_app() -> LocalApp:
    return LocalApp(Starlette(routes=inference_routes()))
