"""The routes under ``/inference``: ask for a prediction, wait for it, cancel it, see its attention.

They answer from the event loop or from two threads of their own, so neither tiles nor answers of
annotators ever wait for a model. Who waits for a job holds no thread. In a shared app the gate
closes them to everybody but researchers. The interface is one table (`_ROUTES`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from umnist_core.errors import (
    BusyError,
    DamagedFileError,
    GlyphMismatchError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
    TooLargeError,
    UmnistError,
)
from umnist_core.inference.jobs import ENDED, SUPERSEDED
from umnist_core.inference.pool import InferencePool, shared_pool
from umnist_core.inference.requests import PredictRequest
from umnist_core.models.cards import find_checkpoints
from umnist_core.models.needs import needs_sentence
from umnist_core.server.inference.dwell import agreement
from umnist_core.server.inference.heat import (
    attention_table,
    heat_tile,
    parse_choice,
    places_json,
)
from umnist_core.server.inference.images import find_image
from umnist_core.server.labeling.limits import read_json
from umnist_core.server.labeling.replies import (
    empty_reply,
    is_same_origin,
    json_reply,
    problem,
    tile_reply,
)
from umnist_core.server.query import parse_whole
from umnist_core.server.tiles import tile_address
from umnist_core.settings import Settings, load_settings

_log = logging.getLogger(__name__)

T = TypeVar("T")

BODY_MAX_BYTES = 2**16
WAIT_MAX_S = 30
_THREADS = 2
_TURN_MAX = 2**53
"""JavaScript's numbers are whole up to here."""

_ERRORS: tuple[tuple[type[UmnistError], int, str], ...] = (
    (NotFoundError, 404, "unknown"),
    (MissingFileError, 404, "missing"),
    (GlyphMismatchError, 409, "other_digits"),
    (TooLargeError, 413, "too_large"),
    (DamagedFileError, 422, "damaged"),
    (BusyError, 503, "busy"),
)
"""HTTP status and code of our errors; every other one is 422, ``"invalid"``."""

_RETRY_S = 2
_DEVICE = r"[0-9A-Za-z:]{1,40}"
_JOB = r"/inference/jobs/([0-9A-Za-z_-]{1,64})"


class InferenceApp:
    """The routes as one ASGI application.

    Parameters
    ----------
    settings
        Those of the environment when None.
    pool
        Who predicts; that of this process when None, made when first asked for.
    """

    def __init__(self, settings: Settings | None = None, pool: InferencePool | None = None) -> None:
        self._settings = settings or load_settings()
        self._given_pool = pool
        self._threads = ThreadPoolExecutor(_THREADS, "umnist-inference")

    @property
    def _pool(self) -> InferencePool:
        return self._given_pool or shared_pool()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            response = await self._answer(Request(scope, receive))
        except UmnistError as error:
            response = _problem_for(error)
        except Exception:
            _log.exception("No answer could be made to %s", scope["path"])
            sentence = "Something went wrong on the server; its log says more about it."
            response = problem(500, "trouble", sentence)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope["path"].removeprefix(request.scope.get("app_root_path", ""))
        method = "GET" if request.method == "HEAD" else request.method
        if path == "/inference/" and method == "GET":  # the page, which has no slash at its end
            return RedirectResponse(f"../inference?{request.url.query}".rstrip("?"))
        allowed = []
        for its_method, pattern, answer in _ROUTES:
            match = pattern.fullmatch(path)
            if match is not None and method == its_method:
                if method != "GET" and (refusal := _refused_change(request)):
                    return refusal
                return await answer(self, request, match)
            if match is not None:
                allowed.append("GET, HEAD" if its_method == "GET" else its_method)
        if not allowed:
            return problem(404, "unknown", "There is nothing at this address; reload the page.")
        allow = {"allow": ", ".join([*allowed, "OPTIONS"])}
        if method == "OPTIONS":
            return empty_reply(allow)
        sentence = f"This address takes {allow['allow']}; got {method[:20]}."
        return problem(405, "wrong_method", sentence, allow)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        """Run something that takes a while, but no model, in a thread of ours."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    # -- the interface ----------------------------------------------------------------

    async def _status(self, request: Request, match: re.Match[str]) -> Response:
        sentence = needs_sentence()
        await self._in_thread(self._pool.devices)
        devices = await self._in_thread(self._pool.status)
        return json_reply({"torch": not sentence, "sentence": sentence, "devices": devices})

    async def _start(self, request: Request, match: re.Match[str]) -> Response:
        if sentence := needs_sentence():
            return problem(503, "no_torch", sentence)
        device = _text("device", await _fields(request), _DEVICE)
        await self._in_thread(self._pool.start, device)
        return json_reply({}, 202)

    async def _submit(self, request: Request, match: re.Match[str]) -> Response:
        if sentence := needs_sentence():
            return problem(503, "no_torch", sentence)
        job = await self._in_thread(self._take, await _fields(request))
        return json_reply(job, 409 if job["state"] == SUPERSEDED else 202)

    def _take(self, fields: dict[str, Any]) -> dict[str, Any]:
        viewer = _text("viewer", fields, r"[0-9A-Za-z_-]{1,64}")
        slot = _text("slot", fields, r"[a-z]")
        turn = fields.get("turn")
        if not isinstance(turn, int) or isinstance(turn, bool) or not 0 <= turn <= _TURN_MAX:
            raise InvalidValueError(
                f"turn is a whole number that grows; got {str(turn)[:40]!r}; reload the page."
            )
        checkpoint = _text("checkpoint", fields, r"(?s).{1,200}")
        known = find_checkpoints(self._settings)
        if checkpoint not in known:  # a path would make this a way to look for files
            raise NotFoundError(
                f"Expected the name of a checkpoint ({', '.join(known) or 'there is none'}), got "
                f"{checkpoint[:80]!r}; choose one of the list."
            )
        device = _text("device", fields, _DEVICE)
        image, pixels = find_image(_text("image", fields, r"(?s).{1,8000}"))
        request = PredictRequest(checkpoint, device, image)
        return self._pool.submit(viewer, slot, turn, request, pixels)

    async def _job(self, request: Request, match: re.Match[str]) -> Response:
        fields = request.query_params
        after = parse_whole("after", fields.get("after", "0"))
        wait_s = min(parse_whole("wait_s", fields.get("wait_s", "0")), WAIT_MAX_S)
        return json_reply(await self._wait(match[1], after, wait_s))

    async def _wait(self, job_id: str, after: int, wait_s: float) -> dict[str, Any]:
        """Return a job as soon as it is newer than a version, has ended, or the time is up."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def listener() -> None:
            with contextlib.suppress(RuntimeError):  # the server ends
                loop.call_soon_threadsafe(changed.set)

        until = loop.time() + wait_s
        with self._pool.listening(job_id, listener):
            job = self._pool.get(job_id)
            while job["version"] <= after and job["state"] not in ENDED and loop.time() < until:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(until):
                        await changed.wait()
                changed.clear()
                job = self._pool.get(job_id)
        return job

    async def _cancel(self, request: Request, match: re.Match[str]) -> Response:
        return json_reply(self._pool.cancel(match[1]))

    async def _places(self, request: Request, match: re.Match[str]) -> Response:
        outcome, fields = self._pool.get_outcome(match[1]), request.query_params
        choice, top = parse_choice(fields), fields.get("top", "")
        places = await self._in_thread(places_json, outcome, choice, top)
        name = 'attachment; filename="attention.json"'
        return json_reply(
            places, 200, {"content-disposition": name} if _is_download(fields) else {}
        )

    async def _agreement(self, request: Request, match: re.Match[str]) -> Response:
        outcome, choice = self._pool.get_outcome(match[1]), parse_choice(request.query_params)
        return json_reply(await self._in_thread(agreement, outcome, choice, match[2]))

    async def _table(self, request: Request, match: re.Match[str]) -> Response:
        body = await self._in_thread(attention_table, self._pool.get_outcome(match[1]))
        reply = tile_reply(body, "application/octet-stream")
        reply.headers["content-disposition"] = 'attachment; filename="attention.npy"'
        return reply

    async def _tile(self, request: Request, match: re.Match[str]) -> Response:
        outcome, fields = self._pool.get_outcome(match[1]), request.query_params
        choice, address = parse_choice(fields), tile_address(match[2], match[3], match[4])
        tile = fields.get("tile", "")
        return tile_reply(
            await self._in_thread(heat_tile, outcome, choice, address, tile), "image/png"
        )


def _is_download(fields: Any) -> bool:
    return bool(fields.get("download") == "1")


def _refused_change(request: Request) -> Response | None:
    """Return the refusal of a post or a deletion that comes from elsewhere or is no JSON."""
    if not is_same_origin(request):
        return problem(403, "other_site", "This came from another site's page; open the app.")
    if request.method != "POST":
        return None
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return None
    return problem(415, "invalid", f"Expected application/json, found {kind[:60]!r}; send JSON.")


async def _fields(request: Request) -> dict[str, Any]:
    fields = await read_json(request, BODY_MAX_BYTES)
    if not isinstance(fields, dict):
        raise InvalidValueError(
            f"Expected a JSON object, found {type(fields).__name__}; reload the page."
        )
    return fields


def _text(name: str, fields: dict[str, Any], pattern: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise InvalidValueError(
            f"Expected {name} as a text of the right form, got {str(value)[:80]!r}; reload the "
            "page."
        )
    return value


def _problem_for(error: UmnistError) -> Response:
    for kind, status, code in _ERRORS:
        if isinstance(error, kind):
            headers = {"retry-after": str(_RETRY_S)} if status == 503 else {}
            return problem(status, code, str(error), headers)
    return problem(422, "invalid", str(error))


_Answer = Callable[[InferenceApp, Request, re.Match[str]], Awaitable[Response]]


def _route(method: str, pattern: str, answer: _Answer) -> tuple[str, re.Pattern[str], _Answer]:
    return method, re.compile(pattern, re.ASCII), answer


_ROUTES = (
    _route("GET", r"/inference/status", InferenceApp._status),
    _route("POST", r"/inference/start", InferenceApp._start),
    _route("POST", r"/inference/jobs", InferenceApp._submit),
    _route("GET", _JOB, InferenceApp._job),
    _route("DELETE", _JOB, InferenceApp._cancel),
    _route("GET", _JOB + r"/attention\.json", InferenceApp._places),
    _route("GET", _JOB + r"/attention\.npy", InferenceApp._table),
    _route("GET", _JOB + r"/dwell/([0-9a-f]{16})", InferenceApp._agreement),
    _route("GET", _JOB + r"/heat/([0-9]+)/([0-9]+)_([0-9]+)\.png", InferenceApp._tile),
)


def inference_routes(
    settings: Settings | None = None, pool: InferencePool | None = None
) -> list[BaseRoute]:
    """Return the routes, for ``streamlit.App(..., routes=...)`` or any Starlette application.

    Parameters
    ----------
    settings
        Those of the environment when None.
    pool
        Who predicts; that of this process when None.
    """
    return [Mount("/inference", app=InferenceApp(settings, pool))]
