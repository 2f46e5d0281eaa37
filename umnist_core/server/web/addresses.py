"""Addresses with their methods, and how an error under them is told.

Tiles apart, whose path is kept short, what the server answers is Starlette's routes below one path
(`mount`). All that goes wrong there, a bug of ours included, becomes one answer in one form.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router

from umnist_core.errors import UmnistError
from umnist_core.incidents import record_incident
from umnist_core.server.log_tokens import without_tokens
from umnist_core.server.web.fields import ID
from umnist_core.server.web.limits import refuse_other_sites
from umnist_core.server.web.meanings import Problem, problem_of
from umnist_core.server.web.replies import empty_reply, problem_reply

_log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
"""Answers a request, or raises."""

_HTTP_CODES = {
    403: "other_site",
    404: "unknown",
    405: "wrong_method",
    408: "too_slow",
    413: "too_large",
    415: "invalid",
    429: "slow_down",
}
"""Codes of what is refused before it reaches anything of ours."""

_LEFT = Response(status_code=499)
"""Goes to nobody: its client has left."""


class _Id(StringConvertor):
    regex = ID


class _Token(StringConvertor):
    regex = r"[0-9A-Za-z_-]{1,200}"


class _Digits(StringConvertor):
    regex = r"[0-9]+"


# ``{study:id}`` in a path: what stands there is a text still.
register_url_convertor("id", _Id())
register_url_convertor("token", _Token())
register_url_convertor("digits", _Digits())


def address(
    path: str,
    *,
    get: Endpoint | None = None,
    post: Endpoint | None = None,
    delete: Endpoint | None = None,
    must_say_origin: bool = False,
    middleware: Sequence[Middleware] = (),
) -> Route:
    """Return the route of an address, with all of its methods.

    HEAD is GET without content, OPTIONS says what there is, and every other method is refused
    with the same list. A change that a page of another site asks for is refused.

    Parameters
    ----------
    path
        As in Starlette, with ``{name:id}``, ``{name:token}`` and ``{name:digits}`` besides.
    get, post, delete
        What answers a method; None where the address does not take it.
    must_say_origin
        Whether a change has to say where it comes from.
    middleware
        As in Starlette.
    """
    given = {"GET": get, "POST": post, "DELETE": delete}
    answers = {method: answer for method, answer in given.items() if answer is not None}
    names = ["GET, HEAD" if method == "GET" else method for method in answers]
    allow = ", ".join([*names, "OPTIONS"])

    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        if method in answers:
            if method != "GET":
                refuse_other_sites(request, must_say=must_say_origin)
            return await answers[method](request)
        if method == "OPTIONS":
            return empty_reply({"allow": allow})
        sentence = f"This address takes {allow}; got {method[:20]}."
        raise HTTPException(405, sentence, {"allow": allow})

    # No methods for Starlette to check: its own answer to a wrong one lists those of one route.
    return Route(path, answer, methods=(), middleware=middleware)


def mount(path: str, routes: Sequence[BaseRoute], *, to_researcher: bool) -> Mount:
    """Return routes below a path; their errors are told as JSON.

    Parameters
    ----------
    path
        For example ``/label``; the routes' own paths follow it.
    routes
        What is there.
    to_researcher
        Whether researchers alone come here, who may read every error's own sentence.
    """
    # A slash too many is another address, and nobody is sent on from there.
    router = Router(routes, redirect_slashes=False)
    return Mount(path, router, middleware=[error_middleware(_as_json, to_researcher=to_researcher)])


def error_middleware(
    write: Callable[[Request, Problem], Response], *, to_researcher: bool
) -> Middleware:
    """Return what makes a reply of everything that is raised behind it.

    Parameters
    ----------
    write
        Makes a reply of a problem.
    to_researcher
        As in `mount`.
    """

    async def tell(request: Request, error: Exception) -> Response:
        if isinstance(error, ClientDisconnect):
            return _LEFT
        return write(request, explain(error, request.scope["path"], to_researcher=to_researcher))

    handlers = {HTTPException: tell, Exception: tell}
    return Middleware(ExceptionMiddleware, handlers=handlers)


def explain(error: Exception, path: str, *, to_researcher: bool) -> Problem:
    """Return what is told of an error; what is not told goes into the log.

    Parameters
    ----------
    error
        Of ours, of Starlette, or a bug.
    path
        What was asked for, for the log.
    to_researcher
        As in `mount`.
    """
    if isinstance(error, HTTPException):
        return _explain_http(error)
    if isinstance(error, UmnistError):
        problem = problem_of(error, to_researcher=to_researcher)
        if not problem.is_own:
            _log.warning("No answer could be made to %s: %s", without_tokens(path), error)
        return problem
    asked = without_tokens(path)
    number = record_incident(error, asked).number
    _log.error("No answer could be made to %s; incident %s", asked, number, exc_info=error)
    sentence = f"Something went wrong on the server; its log says more about incident {number}."
    return Problem(500, "trouble", sentence)


def _explain_http(error: HTTPException) -> Problem:
    sentence = error.detail
    if error.status_code == 404:  # Starlette's, which says no more than that
        sentence = "There is nothing at this address; reload the page."
    code = _HTTP_CODES.get(error.status_code, "trouble")
    return Problem(error.status_code, code, sentence, error.headers or {})


def _as_json(request: Request, problem: Problem) -> Response:
    return problem_reply(problem)
