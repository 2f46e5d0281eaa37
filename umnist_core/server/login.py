"""Logging in to a shared app, for researchers: a form without scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from html import escape
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from umnist_core.errors import InvalidValueError
from umnist_core.server.admin import ADMIN_COOKIE, Admins
from umnist_core.server.web.addresses import address, error_middleware
from umnist_core.server.web.fields import read_body
from umnist_core.server.web.limits import RateLimit, client_of, give_turns_back, take_turns
from umnist_core.server.web.meanings import Problem
from umnist_core.server.web.public import base_path
from umnist_core.server.web.replies import html_reply
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings

FAILED_LOGINS_PER_MINUTE = 10
"""From one address."""

ALL_FAILED_LOGINS_PER_MINUTE = 60
"""From everywhere, so that many addresses guess no faster."""

_BODY_MAX_BYTES = 4096
_NO_COOKIE = (
    "This browser refused the cookie by which it is known; allow cookies for this address, then "
    "log in again."
)
_EVERYBODY = "everybody"

_HEADERS = {"referrer-policy": "same-origin"}
"""Under ``no-referrer`` browsers post forms with ``Origin: null``, which says nothing."""


class _Login:
    """The two pages. One secret is checked at a time, as each check takes 64 MiB."""

    def __init__(self, settings: Settings) -> None:
        self._admins = Admins(settings.labeling_dir)
        self._failed = RateLimit(FAILED_LOGINS_PER_MINUTE)
        self._all_failed = RateLimit(ALL_FAILED_LOGINS_PER_MINUTE)
        self._threads = Threads("umnist-login", 1)

    async def show_login(self, request: Request) -> Response:
        """Show the form; go on where somebody has just logged in and the browser says so."""
        target = _target(request, request.query_params.get("next", "/"))
        if request.query_params.get("entered") != "1":
            return _form(request, target)
        if self._admins.is_admin(request):
            return RedirectResponse(target, 303, {"cache-control": "no-store"})
        return _form(request, target, _NO_COOKIE, 403)

    async def show_logout(self, request: Request) -> Response:
        """Show a button: a link that logged out would let any page do it."""
        return html_reply("login/logout.html", base=base_path(request), headers=_HEADERS)

    async def login(self, request: Request) -> Response:
        """Check the secret; set the cookie and go where the person wanted to."""
        fields = await _read_form(request)
        target = _target(request, fields.get("next", ["/"])[0])
        secret = fields.get("secret", [""])[0].strip()
        sentence = await self._threads.run(self._wrong_with, secret, client_of(request))
        if not sentence:
            # Whether the browser took the cookie shows when it comes back with it.
            back = f"{base_path(request)}/login?entered=1&next={quote(target, safe='')}"
            response = RedirectResponse(back, 303, {"cache-control": "no-store"})
            self._admins.set_session(response, request)
            return response
        return _form(request, target, sentence, 403)

    def _wrong_with(self, secret: str, client: str) -> str:
        """Return what is wrong with a secret in a sentence; nothing if it is the right one.

        It counts as a failure before it is checked, so that many that come at once are as many.
        """
        turns = ((self._failed, client), (self._all_failed, _EVERYBODY))
        take_turns(*turns)
        if self._admins.is_secret(secret):
            give_turns_back(*turns)
            return ""
        if self._admins.find_hash() is None:
            return "No secret has been set: start umnist app --share."
        return "That is not the secret."

    async def logout(self, request: Request) -> Response:
        """Forget the cookie."""
        base = base_path(request)
        response = RedirectResponse(f"{base}/login", 303, {"cache-control": "no-store"})
        response.delete_cookie(ADMIN_COOKIE, path=f"{base}/", httponly=True, samesite="lax")
        return response


def login_routes(settings: Settings) -> list[BaseRoute]:
    """Return ``/login`` and ``/logout``, for ``streamlit.App(..., routes=...)``."""
    pages = _Login(settings)
    told_in_forms = [error_middleware(_as_form, to_researcher=False)]
    # A browser that sends a form always says where it comes from.
    page = partial(address, must_say_origin=True, middleware=told_in_forms)
    return [
        page("/login", get=pages.show_login, post=pages.login),
        page("/logout", get=pages.show_logout, post=pages.logout),
    ]


async def _read_form(request: Request) -> dict[str, list[str]]:
    try:
        body = await read_body(request, _BODY_MAX_BYTES)
        return parse_qs(body.decode(), max_num_fields=8)
    except ValueError as error:
        raise InvalidValueError("The form came damaged; send it again.") from error


def _form(
    request: Request,
    target: str,
    sentence: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    fields = {"next": escape(target), "message": escape(sentence)}
    headers = {**_HEADERS, **(headers or {})}
    return html_reply("login/login.html", fields, status, headers, base=base_path(request))


def _as_form(request: Request, problem: Problem) -> Response:
    return _form(
        request, f"{base_path(request)}/", problem.sentence, problem.status, problem.headers
    )


def _target(request: Request, text: str) -> str:
    """Return where to go after logging in: a path of ours, whatever the form says."""
    # "//host" and "/\host" are addresses of other sites.
    home = f"{base_path(request)}/"
    is_ours = re.fullmatch(r"/(?![/\\])[\x20-\x7e]{0,1000}", text) and text.startswith(home)
    return text if is_ours else home
