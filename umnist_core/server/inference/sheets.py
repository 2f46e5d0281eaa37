"""The routes of contact sheets: what a model missed when it was measured."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.inference.contact import MISSES, find_misses, sheet_html, sheet_png
from umnist_core.models.cards import find_checkpoints, load_card
from umnist_core.server.web.addresses import address
from umnist_core.server.web.fields import parse_whole
from umnist_core.server.web.replies import kept_reply
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings

MOST = 200
_THREADS = 1


class _Sheets:
    """What answers each address.

    Parameters
    ----------
    settings
        Where checkpoints are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = Threads("umnist-sheets", _THREADS)

    async def png(self, request: Request) -> Response:
        body = await self._threads.run(self._misses, request, "png")
        return kept_reply(body, "image/png", "misses.png")

    async def html(self, request: Request) -> Response:
        body = await self._threads.run(self._misses, request, "html")
        return kept_reply(body, "text/html; charset=utf-8", "misses.html")

    def _misses(self, request: Request, kind: str) -> bytes:
        fields = request.query_params
        name, known = fields.get("model", ""), find_checkpoints(self._settings)
        if name not in known:  # a path would make this a way to look for files
            raise NotFoundError(
                f"Expected the name of a checkpoint ({', '.join(known) or 'there is none'}), got "
                f"{name[:80]!r}; choose one of the list."
            )
        count = parse_whole("count", fields.get("count", str(MISSES)))
        if not 1 <= count <= MOST:
            raise InvalidValueError(f"count is a whole number from 1 to {MOST}; got {count}.")
        seed = parse_whole("seed", fields.get("seed", "0"))
        cells = find_misses(load_card(known[name]), name, count, seed)
        draw = sheet_png if kind == "png" else sheet_html
        return draw(cells, f"{len(cells)} images that {name} missed")


def sheet_addresses(settings: Settings) -> list[Route]:
    """Return the addresses below that of predictions.

    Parameters
    ----------
    settings
        Where checkpoints are.
    """
    sheets = _Sheets(settings)
    return [address("/misses.png", get=sheets.png), address("/misses.html", get=sheets.html)]
