"""The routes of contact sheets: what a model missed when it was measured, and of each sum one."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError, NotFoundError
from umnist_core.inference.contact import (
    MISSES,
    Cell,
    find_misses,
    find_sums,
    sheet_html,
    sheet_png,
    with_answers,
)
from umnist_core.inference.requests import SceneImage
from umnist_core.models.cards import find_checkpoints, load_card
from umnist_core.server.generated import scene_url
from umnist_core.server.inference.images import find_image
from umnist_core.server.web.addresses import address
from umnist_core.server.web.fields import parse_whole
from umnist_core.server.web.replies import json_reply, kept_reply
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

    async def sums(self, request: Request) -> Response:
        cells = await self._threads.run(self._find, request)
        glyphs = load_glyphs()
        told = [{"sum": cell.true, "image": scene_url(cell.ref, glyphs, "dzi")} for cell in cells]
        return json_reply({"images": told})

    async def sums_png(self, request: Request) -> Response:
        body = await self._threads.run(self._by_sum, request, sheet_png)
        return kept_reply(body, "image/png", "sums.png")

    async def sums_html(self, request: Request) -> Response:
        body = await self._threads.run(self._by_sum, request, sheet_html)
        return kept_reply(body, "text/html; charset=utf-8", "sums.html")

    def _find(self, request: Request) -> list[Cell]:
        """Return the first image of each sum among those like the one that is asked of."""
        image, _ = find_image(request.query_params.get("image", ""))
        if not isinstance(image, SceneImage):
            raise InvalidValueError(
                "Expected an image that was generated here, found another one; choose one under "
                "“Image and noise”."
            )
        return find_sums(image.ref.at(0), load_glyphs())

    def _by_sum(self, request: Request, draw: Callable[[list[Cell], str], bytes]) -> bytes:
        """Return the sheet with what a model said, which whoever asks brings along."""
        cells, said = self._find(request), request.query_params.get("said", "").split(",")
        if len(said) != len(cells) or not all(re.fullmatch(r"[0-9]{1,3}", one) for one in said):
            raise InvalidValueError(
                f"said is {len(cells)} numbers with commas between, got {len(said)}; make the "
                "sheet again."
            )
        told = with_answers(cells, said)
        right, model = sum(one.is_right is True for one in told), request.query_params.get("model")
        return draw(told, f"An image of each sum: {str(model)[:60]} gives {right} of {len(told)}")

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
    return [
        address("/misses.png", get=sheets.png),
        address("/misses.html", get=sheets.html),
        address("/sums", get=sheets.sums),
        address("/sums.png", get=sheets.sums_png),
        address("/sums.html", get=sheets.sums_html),
    ]
