"""The label routes: joining by a link, an annotator's page and its interface, tiles.

Each request is answered for the person that its signed cookie names and for nobody else.
What the store does runs in threads of its own, so an answer never waits behind tiles. The
interface is one table (`_ROUTES`); a new address is a line in it and a method.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from umnist_core.errors import (
    InvalidValueError,
    NotFoundError,
    RefusedError,
    StoreError,
    UmnistError,
)
from umnist_core.labeling.recorded import AnswerPost, check_key, check_sum
from umnist_core.labeling.service import StudyService, open_service
from umnist_core.pyramid import dzi_xml
from umnist_core.server.gate import Gate
from umnist_core.server.labeling import limits
from umnist_core.server.labeling.desk import Desk
from umnist_core.server.labeling.replies import (
    empty_reply,
    html_reply,
    is_same_origin,
    json_reply,
    problem,
    problem_for,
    slow_down,
    tile_reply,
)
from umnist_core.server.labeling.sessions import Session, read_session, set_session
from umnist_core.server.labeling.tiles import trouble
from umnist_core.server.log_tokens import keep_tokens_out_of_logs, without_tokens
from umnist_core.server.routes import viewer_files_route
from umnist_core.server.tiles import DZI_TYPE, tile_address
from umnist_core.settings import Settings, load_settings

_log = logging.getLogger(__name__)

T = TypeVar("T")

_STUDY = r"/label/([0-9A-Za-z_-]{1,64})"
_IMAGE = _STUDY + r"/tiles/([0-9A-Za-z_-]{1,64})\.([0-9A-Za-z_-]{1,64})"

_ANSWER_STAYS = ("already_answered", "changed_enough", "withdrawn")
"""Refusals of an answer after which the page goes on from the state that comes with them."""

_COMMAND_THREADS = 8
"""Most of a command is waiting for the disk or the database."""


class LabelApp:
    """The label routes as one ASGI application.

    Parameters
    ----------
    service
        The studies; those of the settings' store when None, opened when first asked for.
    settings
        Those of the environment when None.
    """

    def __init__(self, service: StudyService | None, settings: Settings | None = None) -> None:
        self._settings = settings or load_settings()
        self._service = service
        cores = os.cpu_count() or 1
        self._commands = ThreadPoolExecutor(_COMMAND_THREADS, "umnist-label")
        self._tile_threads = ThreadPoolExecutor(cores, "umnist-label-tiles")
        self._tile_places = asyncio.Semaphore(cores)
        self._desk: Desk | None = None
        self._opening = asyncio.Lock()
        self._joins = limits.RateLimit(limits.JOINS_PER_MINUTE)
        self._failed_joins = limits.RateLimit(limits.FAILED_JOINS_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except UmnistError as error:
            response = problem_for(error)
            if response.status_code >= 500:
                path = without_tokens(scope["path"])
                _log.warning("No answer could be made to %s: %s", path, error)
        except Exception:
            _log.exception("No answer could be made to %s", without_tokens(scope["path"]))
            sentence = "Something went wrong on the server; its log says more about it."
            response = problem(500, "trouble", sentence)
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        path = request.scope["path"].removeprefix(request.scope.get("app_root_path", ""))
        method = "GET" if request.method == "HEAD" else request.method
        allowed = []
        for its_method, pattern, answer in _ROUTES:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if method == its_method:
                if method == "POST" and (refusal := _refused_post(request)):
                    return refusal
                return await answer(self, request, match)
            allowed.append("GET, HEAD" if its_method == "GET" else its_method)
        if not allowed:
            return problem(
                404, "unknown", "There is nothing at this address; open your link again."
            )
        allow = {"allow": ", ".join([*allowed, "OPTIONS"])}
        if method == "OPTIONS":
            return empty_reply(allow)
        sentence = f"This address takes {allow['allow']}; got {method[:20]}."
        return problem(405, "wrong_method", sentence, allow)

    async def _command(self, work: Callable[..., T], *args: object) -> T:
        """Run something that waits for the store, in a thread of ours."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._commands, work, *args)

    async def _open(self) -> Desk:
        """Return the desk, opening the store first if nobody has."""
        if self._desk is None:
            async with self._opening:
                if self._desk is None:
                    self._desk = await self._command(self._make_desk)
        return self._desk

    def _make_desk(self) -> Desk:
        try:
            return Desk(self._service or open_service(self._settings), self._settings)
        except StoreError:
            raise
        except UmnistError as error:
            raise trouble(error) from error

    async def _who(self, request: Request, study: str) -> tuple[Desk, Session]:
        """Return who asks.

        Raises
        ------
        RefusedError
            ``no_session`` if no cookie says so.
        """
        desk = await self._open()
        session = read_session(request, desk.signer, study)
        if session is None:
            raise RefusedError(
                "This browser is not known in this study; open the link that you were given.",
                "no_session",
            )
        return desk, session

    # -- pages and joining ----------------------------------------------------------------

    async def _page(self, request: Request, match: re.Match[str]) -> Response:
        return html_reply("label/label.html")

    async def _join(self, request: Request, match: re.Match[str]) -> Response:
        client = limits.client_of(request)
        if wait_s := max(self._joins.wait_s(client), self._failed_joins.wait_s(client)):
            return slow_down(wait_s)
        self._joins.take(client)
        await limits.read_json(request)
        desk = await self._open()
        try:
            session = await self._command(desk.join, request, match[1])
        except NotFoundError:
            self._failed_joins.take(client)
            raise
        except RefusedError as error:
            return problem(410, error.code, str(error))
        response = json_reply({"to": f"/label/{session.study}"})
        set_session(response, request, desk.signer, session)
        return response

    # -- the interface --------------------------------------------------------------------

    async def _state(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        return json_reply(await self._command(desk.state, session))

    async def _consent(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        key = check_key((await _fields(request)).get("key"))
        return json_reply({"state": await self._command(desk.consent, session, key)})

    async def _begin(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        key = check_key((await _fields(request)).get("key"))
        return json_reply({"state": await self._command(desk.begin, session, key)})

    async def _withdraw(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        key = check_key((await _fields(request)).get("key"))
        return json_reply({"state": await self._command(desk.withdraw, session, key)})

    async def _practice(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        fields = await _fields(request)
        key, answer = check_key(fields.get("key")), check_sum(fields.get("answer"))
        practice = _text("practice", fields)
        return json_reply(await self._command(desk.practise, session, key, practice, answer))

    async def _answers(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        post = AnswerPost.from_dict(await _fields(request))
        try:
            return json_reply(await self._command(desk.answer, session, post))
        except RefusedError as error:
            if error.code not in _ANSWER_STAYS:
                raise
            return problem_for(error, {"state": await self._command(desk.state, session)})

    async def _alive(self, request: Request, match: re.Match[str]) -> Response:
        desk, session = await self._who(request, match[1])
        assignment = _text("assignment", await _fields(request))
        await self._command(desk.keep_alive, session, assignment)
        return empty_reply()

    # -- images ---------------------------------------------------------------------------

    async def _dzi(self, request: Request, match: re.Match[str]) -> Response | None:
        desk, session = await self._who(request, match[1])
        desk.check_address(session, match[2], match[3])
        grid = await self._tile_work(request, desk.tiles.grid, session, match[2])
        return None if grid is None else tile_reply(dzi_xml(grid).encode(), DZI_TYPE)

    async def _tile(self, request: Request, match: re.Match[str]) -> Response | None:
        desk, session = await self._who(request, match[1])
        key, address = match[2], tile_address(*match.groups()[3:])
        desk.check_address(session, key, match[3])
        tile = desk.tiles.find(session, key, address)
        if tile is None:
            tile = await self._tile_work(request, desk.tiles.tile, session, key, address)
        return None if tile is None else tile_reply(tile, "image/png")

    async def _tile_work(self, request: Request, work: Callable[..., T], *args: object) -> T | None:
        """Run something that reads pixels; None if its client has left meanwhile."""
        async with self._tile_places:
            if await request.is_disconnected():
                return None
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._tile_threads, work, *args)


def _refused_post(request: Request) -> Response | None:
    """Return why a post is not even read; None if it is.

    A page of another site can make a browser send a form to us with its cookies, but not
    JSON, and not without saying where it comes from.
    """
    if not is_same_origin(request):
        sentence = "This came from another site's page; open the link that you were given."
        return problem(403, "other_site", sentence)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        return problem(
            415, "invalid", f"Expected application/json, found {kind[:60]!r}; send JSON."
        )
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limits.BODY_MAX_BYTES:
        sentence = f"At most {limits.BODY_MAX_BYTES} bytes may be sent at once, found {length}."
        return problem(413, "too_large", sentence, {"connection": "close"})
    return None


async def _fields(request: Request) -> dict[str, Any]:
    """Return the body of a post.

    Raises
    ------
    InvalidValueError, TooLargeError
        As `limits.read_json`, or if it is no JSON object.
    """
    value = await limits.read_json(request)
    if not isinstance(value, dict):
        raise InvalidValueError(
            f"Expected the body as a JSON object, found {type(value).__name__}; reload the page."
        )
    return value


def _text(name: str, fields: dict[str, Any]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", value):
        raise InvalidValueError(f"{name} is an id as the server gave it; got {str(value)[:80]!r}.")
    return value


_Answer = Callable[[LabelApp, Request, re.Match[str]], Awaitable[Response | None]]


def _route(method: str, pattern: str, answer: _Answer) -> tuple[str, re.Pattern[str], _Answer]:
    return method, re.compile(pattern, re.ASCII), answer


_ROUTES = (
    _route("GET", r"/join/([0-9A-Za-z_-]{1,200})", LabelApp._page),
    _route("POST", r"/join/([0-9A-Za-z_-]{1,200})", LabelApp._join),
    _route("GET", _STUDY, LabelApp._page),
    _route("GET", _STUDY + "/api/state", LabelApp._state),
    _route("POST", _STUDY + "/api/consent", LabelApp._consent),
    _route("POST", _STUDY + "/api/begin", LabelApp._begin),
    _route("POST", _STUDY + "/api/withdraw", LabelApp._withdraw),
    _route("POST", _STUDY + "/api/practice", LabelApp._practice),
    _route("POST", _STUDY + "/api/answers", LabelApp._answers),
    _route("POST", _STUDY + "/api/alive", LabelApp._alive),
    _route("GET", _IMAGE + r"\.dzi", LabelApp._dzi),
    _route("GET", _IMAGE + r"_files/([0-9]+)/([0-9]+)_([0-9]+)\.png", LabelApp._tile),
)


def label_routes(
    service: StudyService | None = None, settings: Settings | None = None
) -> list[BaseRoute]:
    """Return the routes, for ``streamlit.App(..., routes=...)`` or any Starlette application.

    Parameters
    ----------
    service
        The studies; those of the settings' store when None.
    settings
        Those of the environment when None.
    """
    keep_tokens_out_of_logs()
    app = LabelApp(service, settings)
    return [Mount("/join", app=app), Mount("/label", app=app)]


def create_label_app(
    service: StudyService | None = None, settings: Settings | None = None
) -> Starlette:
    """Return an application of the label routes and the viewer's files, without pages."""
    settings = settings or load_settings()
    return Starlette(
        routes=[*label_routes(service, settings), viewer_files_route()],
        middleware=[Middleware(Gate, settings=settings)],
    )
