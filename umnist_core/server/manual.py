"""The documents as pages of the app, which need no network: what its question marks lead to.

The build makes them of ``docs/`` (``scripts/site_build.py``), so a wheel and a clone have them.
"""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

MANUAL_DIR = Path(__file__).parent / "site"

_HEADERS = {
    # Sphinx's theme has scripts in its pages; whatever they ask for, nobody else is asked.
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class _Manual(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a page or a file of it; 404 and a sentence where there is none."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            response = PlainTextResponse(_missing(path), error.status_code)
        response.headers.update(_HEADERS)
        return response


def _missing(path: str) -> str:
    if not (MANUAL_DIR / "index.html").is_file():
        return "The documents were not built with this installation; install umnist again."
    return f"There is no page {path[:80]!r} of the documents; their first page is index.html."


def manual_routes() -> list[BaseRoute]:
    """Return the route of the documents."""
    return [Mount("/docs", app=_Manual(directory=MANUAL_DIR, html=True, check_dir=False))]
