"""Logging in to a shared app, for researchers: a form without scripts."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import escape
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from umnist_core.errors import UmnistError
from umnist_core.server.admin import ADMIN_COOKIE, Admins
from umnist_core.server.labeling.limits import RateLimit, client_of, read_body
from umnist_core.server.labeling.replies import html_reply, is_same_origin
from umnist_core.settings import Settings

_log = logging.getLogger(__name__)

FAILED_LOGINS_PER_MINUTE = 10
"""From one address."""

ALL_FAILED_LOGINS_PER_MINUTE = 60
"""From everywhere, so that many addresses guess no faster."""

_BODY_MAX_BYTES = 4096
_EVERYBODY = "everybody"

_HEADERS = {"referrer-policy": "same-origin"}
"""Under ``no-referrer`` browsers post forms with ``Origin: null``, which says nothing."""


class _Login:
    """The two pages. One secret is checked at a time, as each check takes 64 MiB."""

    def __init__(self, settings: Settings) -> None:
        self._admins = Admins(settings.labeling_dir)
        self._failed = RateLimit(FAILED_LOGINS_PER_MINUTE)
        self._all_failed = RateLimit(ALL_FAILED_LOGINS_PER_MINUTE)
        self._threads = ThreadPoolExecutor(1, "umnist-login")

    async def show_login(self, request: Request) -> Response:
        """Show the form."""
        return self._form(request.query_params.get("next", "/"))

    async def show_logout(self, request: Request) -> Response:
        """Show a button: a link that logged out would let any page do it."""
        return html_reply("login/logout.html", headers=_HEADERS)

    async def login(self, request: Request) -> Response:
        """Check the secret; set the cookie and go where the person wanted to."""
        if not is_same_origin(request, must_say=True):
            return self._form("/", "This came from another site's page. Log in here.", 403)
        client = client_of(request)
        wait_s = max(self._failed.wait_s(client), self._all_failed.wait_s(_EVERYBODY))
        if wait_s:
            sentence = f"Too many wrong secrets; try again in {wait_s} s."
            return self._form("/", sentence, 429, {"retry-after": str(wait_s)})
        try:
            fields = parse_qs(
                (await read_body(request, _BODY_MAX_BYTES)).decode(), max_num_fields=8
            )
        except (UmnistError, ValueError):
            return self._form("/", "The form came damaged. Send it again.", 422)
        target = _target(fields.get("next", ["/"])[0])
        try:
            sentence = await self._wrong_with(fields.get("secret", [""])[0].strip())
            if not sentence:
                response = RedirectResponse(target, 303, {"cache-control": "no-store"})
                self._admins.set_session(response, request)
                return response
        except UmnistError as error:
            _log.warning("Nobody can log in: %s", error)
            return self._form(target, "The server's secret cannot be read; see its log.", 500)
        self._failed.take(client)
        self._all_failed.take(_EVERYBODY)
        return self._form(target, sentence, 403)

    async def _wrong_with(self, secret: str) -> str:
        """Return what is wrong with a secret in a sentence; nothing if it is the right one."""
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._threads, self._admins.is_secret, secret):
            return ""
        if self._admins.find_hash() is None:
            return "No secret has been set: start umnist app --share."
        return "That is not the secret."

    async def logout(self, request: Request) -> Response:
        """Forget the cookie."""
        if not is_same_origin(request, must_say=True):
            return self._form("/", "This came from another site's page.", 403)
        response = RedirectResponse("/login", 303, {"cache-control": "no-store"})
        response.delete_cookie(ADMIN_COOKIE, path="/", httponly=True, samesite="lax")
        return response

    def _form(
        self,
        target: str,
        sentence: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        fields = {"next": escape(_target(target)), "message": escape(sentence)}
        return html_reply("login/login.html", fields, status, {**_HEADERS, **(headers or {})})


def login_routes(settings: Settings) -> list[BaseRoute]:
    """Return ``/login`` and ``/logout``, for ``streamlit.App(..., routes=...)``."""
    pages = _Login(settings)
    answers: list[tuple[str, str, Callable[..., object]]] = [
        ("/login", "GET", pages.show_login),
        ("/login", "POST", pages.login),
        ("/logout", "GET", pages.show_logout),
        ("/logout", "POST", pages.logout),
    ]
    return [Route(path, answer, methods=[method]) for path, method, answer in answers]


def _target(text: str) -> str:
    """Return where to go after logging in: a path of ours, whatever the form says."""
    # "//host" and "/\host" are addresses of other sites.
    return text if re.fullmatch(r"/(?![/\\])[\x20-\x7e]{0,1000}", text) else "/"
