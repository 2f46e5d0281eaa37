"""The routes of searches that fool a model: begin one, wait for it, cancel it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umnist_core.errors import InvalidValueError
from umnist_core.experiments.fool import TRIES_MAX, parse_variation
from umnist_core.inference.fooling import FoolRequest, FoolSearches
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.requests import SceneImage
from umnist_core.models.needs import needs_sentence
from umnist_core.server.inference.checkpoints import check_known, get_device
from umnist_core.server.inference.images import find_image
from umnist_core.server.inference.waiting import wait_for
from umnist_core.server.web.addresses import address
from umnist_core.server.web.fields import get_text, get_whole, read_object
from umnist_core.server.web.meanings import Problem
from umnist_core.server.web.replies import json_reply, problem_reply
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings

BODY_MAX_BYTES = 2**16
_THREADS = 1


class _Fool:
    """What answers each address.

    Parameters
    ----------
    pool
        Returns who predicts.
    settings
        Where checkpoints are.
    """

    def __init__(self, pool: Callable[[], InferencePool], settings: Settings) -> None:
        self._searches = FoolSearches(pool)
        self._settings = settings
        self._threads = Threads("umnist-fool", _THREADS)

    async def begin(self, request: Request) -> Response:
        if sentence := needs_sentence():
            return problem_reply(Problem(503, "no_torch", sentence))
        fields = await read_object(request, BODY_MAX_BYTES)
        return json_reply(await self._threads.run(self._begin, fields), 202)

    def _begin(self, fields: dict[str, Any]) -> dict[str, Any]:
        viewer = get_text("viewer", fields)
        asked = get_text("checkpoint", fields, r"(?s).{1,200}")
        checkpoint = check_known(asked, self._settings)
        device = get_device(fields)
        image, _ = find_image(get_text("image", fields, r"(?s).{1,8000}"))
        if not isinstance(image, SceneImage) or image.layer != "full":
            raise InvalidValueError(
                "Expected a whole image that was generated here, whose noise can be drawn anew; "
                "choose one under “Image and noise”."
            )
        variation = parse_variation(get_text("vary", fields, r"[a-z_]{1,40}(=[-+.0-9e]{1,60})?"))
        tries = get_whole("tries", fields, TRIES_MAX)
        request = FoolRequest(checkpoint, device, image.ref, variation, tries)
        return self._searches.begin(viewer, request)

    async def get(self, request: Request) -> Response:
        return json_reply(await wait_for(self._searches, request.path_params["search"], request))

    async def cancel(self, request: Request) -> Response:
        search = request.path_params["search"]
        return json_reply(await self._threads.run(self._searches.cancel, search))


def fool_addresses(pool: Callable[[], InferencePool], settings: Settings) -> list[Route]:
    """Return the addresses below that of predictions.

    Parameters
    ----------
    pool
        Returns who predicts.
    settings
        Where checkpoints are.
    """
    routes = _Fool(pool, settings)
    return [
        address("/fool", post=routes.begin),
        address("/fool/{search:id}", get=routes.get, delete=routes.cancel),
    ]
