"""What routes answer with: pages of our own, JSON, and what a browser may keep."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from umnist_core.server.assets import STATIC_DIR, static_version
from umnist_core.server.web.meanings import Problem

KEPT = "private, max-age=31536000, immutable"
"""Of an address whose content never changes, for this browser alone."""

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


def html_reply(
    name: str,
    fields: Mapping[str, str] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    base: str = "",
) -> Response:
    """Return one of our own pages, with the viewer's files of this version.

    Parameters
    ----------
    name
        File in the folder of static files; each ``BASE`` and ``VERSION`` in its addresses is
        replaced.
    fields
        What stands for ``{{name}}`` in it, as HTML.
    status, headers
        HTTP status, and headers that go before ours.
    base
        The base path of the app.
    """
    text = _page(name).replace('"BASE/', f'"{base}/')
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


def kept_reply(content: bytes, media_type: str, file_name: str = "") -> Response:
    """Return what never changes, to be kept by this browser alone.

    Parameters
    ----------
    content, media_type
        The content and its MIME type.
    file_name
        When given, browsers save the content under this name instead of showing it.
    """
    headers = {"cache-control": KEPT, "x-content-type-options": "nosniff"}
    return Response(content, 200, {**headers, **saved_as(file_name)}, media_type)


def saved_as(file_name: str) -> dict[str, str]:
    """Return the header by which browsers save an answer as a file; none for no name."""
    return {"content-disposition": f'attachment; filename="{file_name}"'} if file_name else {}


def problem_reply(problem: Problem, more: Mapping[str, Any] | None = None) -> Response:
    """Return an error as JSON: one sentence for people, one word for programs.

    Parameters
    ----------
    problem
        What went wrong.
    more
        Fields that stand beside the sentence.
    """
    closer = {"said": problem.said} if problem.said not in ("", problem.code) else {}
    values = {"values": dict(problem.values)} if problem.values else {}
    told = {"error": problem.sentence, "code": problem.code, **closer, **values}
    value = {**told, **(more or {})}
    return json_reply(value, problem.status, problem.headers)


@cache
def _page(name: str) -> str:
    text = (STATIC_DIR / name).read_text("utf-8")
    return text.replace("/assets/VERSION/", f"/assets/{static_version()}/")
