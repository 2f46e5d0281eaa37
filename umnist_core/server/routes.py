"""The routes: tiles, the viewer's files, health.

They stand beside Streamlit's in the application, or alone in `create_tile_app`. No
route sends a CORS header, so other sites cannot read what is served here.
"""

from __future__ import annotations

import os
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from umnist_core import __version__
from umnist_core.digits import find_digits
from umnist_core.errors import UmnistError
from umnist_core.server.assets import STATIC_DIR, static_version
from umnist_core.server.tile_reply import IMMUTABLE, TileReply, error_reply
from umnist_core.server.tiles import DearError, TileService
from umnist_core.server.web.addresses import explain
from umnist_core.server.web.public import seen_of
from umnist_core.server.web.threads import Threads


class TileApp:
    """The tile service as an ASGI application.

    Replies that are held are sent from the event loop at once. Everything else is made in
    threads of our own, as many as there are cores, so that tiles neither starve the
    threads that Streamlit works in nor are starved by them; and what takes long in one thread
    more, so that whoever asks for dear scenes keeps nobody from seeing others.

    Parameters
    ----------
    service
        What makes the replies.
    """

    def __init__(self, service: TileService) -> None:
        self._service = service
        self._threads = Threads("umnist-tiles", os.cpu_count() or 1)
        self._dear = Threads("umnist-dear-tiles", 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        query = scope["query_string"].decode("latin-1")
        method = scope["method"]
        reply: TileReply | None
        if method not in ("GET", "HEAD"):
            reply = error_reply(
                405, f"Tiles are read with GET or HEAD; got {method}.", (b"allow", b"GET, HEAD")
            )
        else:
            reply = self._service.find_reply(path, query) or await self._make(
                path, query, Request(scope, receive)
            )
        if reply is None:
            return
        if_none_match = next((v for k, v in scope["headers"] if k == b"if-none-match"), b"")
        start, body = reply.messages(method, if_none_match)
        await send(start)
        await send(body)

    async def _make(self, path: str, query: str, request: Request) -> TileReply | None:
        """Return a reply, or None if its client left before it was made."""
        quick = partial(self._service.reply, may_be_dear=False)
        try:
            try:
                return await self._threads.run_for(request, quick, path, query)
            except DearError:
                return await self._dear.run_for(request, self._service.reply, path, query)
        except ClientDisconnect:
            return None
        except Exception as error:
            problem = explain(error, f"{path}?{query}", to_researcher=True)
            headers = [(name.encode(), value.encode()) for name, value in problem.headers.items()]
            return error_reply(problem.status, problem.sentence, *headers)


class _ViewerFiles(StaticFiles):
    """The viewer's files, under the version that they belong to."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, to be kept for ever; 404 for another version than this one."""
        version = scope["path_params"]["version"]
        if version != static_version():
            raise HTTPException(
                404, f"The viewer's files are of version {static_version()}; reload the page."
            )
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            sentence = f"The viewer has no file {path!r}; reload the page."
            raise HTTPException(error.status_code, sentence) from error
        response.headers["cache-control"] = IMMUTABLE
        return response


def tile_routes(service: TileService | None = None) -> list[BaseRoute]:
    """Return the routes, for ``streamlit.App(..., routes=...)`` or any Starlette application.

    Parameters
    ----------
    service
        Makes the tiles; one with the environment's settings when None.
    """
    service = service or TileService()

    def health(request: Request) -> Response:
        return _health(service, request)

    return [
        Mount("/tiles", app=TileApp(service)),
        viewer_files_route(),
        Route("/health", health),
    ]


def viewer_files_route() -> BaseRoute:
    """Return the route of the viewer's own files."""
    return Mount("/assets/{version}", app=_ViewerFiles(directory=STATIC_DIR))


def create_tile_app(service: TileService | None = None) -> Starlette:
    """Return an application of the routes alone, without pages."""
    return Starlette(routes=tile_routes(service), exception_handlers={404: _not_found})


def _health(service: TileService, request: Request) -> Response:
    status = {"version": __version__, "cache": service.cache_stats, "seen": seen_of(request)}
    try:
        digits = find_digits()
    except UmnistError as error:
        return JSONResponse({"status": "no digits", "digits": str(error), **status}, 503)
    return JSONResponse({"status": "ok", "digits": digits.sentence, **status})


async def _not_found(request: Request, error: Exception) -> Response:
    detail = str(getattr(error, "detail", ""))
    if detail in ("", "Not Found"):
        detail = f"There is nothing at {request.url.path!r}; tiles are under /tiles."
    return PlainTextResponse(detail, 404)
