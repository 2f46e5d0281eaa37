"""What label routes answer with: pages, JSON, tiles, and errors in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response

from umnist_core.errors import (
    InvalidValueError,
    NotFoundError,
    RefusedError,
    StoreError,
    TooLargeError,
    UmnistError,
)
from umnist_core.server.assets import STATIC_DIR, static_version

TILE_KEPT = "private, max-age=31536000, immutable"
"""An address is of one frozen image for one person, so a browser may keep it for ever."""

_SAFETY = {
    "content-security-policy": (
        # OpenSeadragon adds a style element, and draws tiles that it fetched from blobs.
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_NOT_KEPT = {**_SAFETY, "cache-control": "no-store"}

_STATUS = {
    "no_session": 401,
    "not_yours": 403,
    "other_site": 403,
    "revoked": 410,
    "expired": 410,
    "closed": 409,
    "paused": 409,
    "already_answered": 409,
    "changed_enough": 409,
    "withdrawn": 409,
    "not_begun": 409,
}
"""HTTP status of a refusal, by its code; 409 for one that is not named."""

_RETRY_S = 2

_TROUBLE = "Something went wrong on the server; its log says more about it."
_NOT_SAVED = (
    "The server can neither save nor read at the moment, and nothing of this was kept; try again."
)


def html_reply(
    name: str,
    fields: Mapping[str, str] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return one of our own pages, with the viewer's files of this version.

    Parameters
    ----------
    name
        File in the folder of static files; each ``VERSION`` in its addresses is replaced.
    fields
        What stands for ``{{name}}`` in it, as HTML.
    status, headers
        HTTP status, and headers that go before ours.
    """
    text = _page(name)
    for field, value in (fields or {}).items():
        text = text.replace("{{" + field + "}}", value)
    return HTMLResponse(text, status, {**_NOT_KEPT, **(headers or {})})


def json_reply(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON that nobody keeps."""
    return JSONResponse(value, status, {**_NOT_KEPT, **(headers or {})})


def empty_reply(headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that says nothing but that all is well."""
    return Response(status_code=204, headers={**_NOT_KEPT, **(headers or {})})


def tile_reply(content: bytes, media_type: str) -> Response:
    """Return a tile or a descriptor, to be kept by this browser alone."""
    headers = {"cache-control": TILE_KEPT, "x-content-type-options": "nosniff"}
    return Response(content, 200, headers, media_type)


def problem(
    status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error: one sentence for people, one word for programs."""
    return json_reply({"error": sentence, "code": code}, status, headers)


def slow_down(wait_s: int) -> Response:
    """Return the answer to somebody who asks too often."""
    sentence = f"Too many tries from your network; try again in {wait_s} s."
    return problem(429, "slow_down", sentence, {"retry-after": str(wait_s)})


def problem_for(error: UmnistError, more: Mapping[str, Any] | None = None) -> Response:
    """Return the answer to an error of ours.

    Parameters
    ----------
    error
        What went wrong. Its sentence is sent where it is about what was asked; one about the
        server stays here.
    more
        Fields that stand beside the sentence.
    """
    status, code = _status_of(error)
    # The sentences of these two name files and hosts of the server; they are in its log.
    sentence = {"trouble": _TROUBLE, "not_saved": _NOT_SAVED}.get(code) or str(error)
    headers = {"retry-after": str(_RETRY_S)} if status == 503 else {}
    return json_reply({"error": sentence, "code": code, **(more or {})}, status, headers)


def _status_of(error: UmnistError) -> tuple[int, str]:
    """Return HTTP status and code; 500 and ``"trouble"`` for what is no fault of the asker."""
    if isinstance(error, RefusedError):
        return _STATUS.get(error.code, 409), error.code
    if isinstance(error, StoreError):
        return 503, "not_saved"
    if isinstance(error, NotFoundError):
        return 404, "unknown"
    if isinstance(error, TooLargeError):
        return 413, "too_large"
    if isinstance(error, InvalidValueError):
        return 422, "invalid"
    return 500, "trouble"


def is_same_origin(connection: HTTPConnection, *, must_say: bool = False) -> bool:
    """Return whether a post comes from a page of ours, as far as its browser tells.

    ``Sec-Fetch-Site`` is the browser's own word, but it is only sent to HTTPS and
    loopback; ``Origin`` goes with every post of a browser. A program that is no browser
    sends neither, and can be tricked by no other site.

    Parameters
    ----------
    connection
        The request.
    must_say
        Whether a request that says neither is refused.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = connection.headers.get("origin")
    if origin is None:
        return not must_say
    return urlsplit(origin).netloc == connection.headers.get("host", "")


@cache
def _page(name: str) -> str:
    text = (STATIC_DIR / name).read_text("utf-8")
    return text.replace("/umnist/VERSION/", f"/umnist/{static_version()}/")
