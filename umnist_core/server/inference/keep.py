"""The routes of what is kept of a prediction: figures, JSON, and how to ask for it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umnist_core.errors import NotFoundError
from umnist_core.inference.again import predict_command, predict_python
from umnist_core.inference.figure import Figure, make_figure
from umnist_core.inference.open_image import open_image
from umnist_core.inference.pool import InferencePool
from umnist_core.server.heat import Choice, get_map, parse_choice, places_json
from umnist_core.server.web.addresses import address
from umnist_core.server.web.replies import json_reply, kept_reply, saved_as
from umnist_core.server.web.threads import Threads

_THREADS = 1


class _Keep:
    """What answers each address.

    Parameters
    ----------
    pool
        Returns who predicted.
    """

    def __init__(self, pool: Callable[[], InferencePool]) -> None:
        self._pool = pool
        self._threads = Threads("umnist-figures", _THREADS)

    async def png(self, request: Request) -> Response:
        body = await self._threads.run(lambda: self._figure(request).to_png())
        return kept_reply(body, "image/png", "prediction.png")

    async def svg(self, request: Request) -> Response:
        body = await self._threads.run(lambda: self._figure(request).to_svg())
        return kept_reply(body, "image/svg+xml", "prediction.svg")

    def _figure(self, request: Request) -> Figure:
        job, choice = request.path_params["job"], parse_choice(request.query_params)
        outcome, asked = self._pool().get_outcome(job), self._pool().get_request(job)
        source, _ = open_image(asked.image)
        try:
            found = get_map(outcome, choice)
        except NotFoundError:
            if choice != Choice():
                raise
            found = None
        title, task, head = asked.checkpoint, choice.task, choice.head
        return make_figure(source, outcome.result, found, title, task=task, head=head)

    async def answer(self, request: Request) -> Response:
        told = await self._threads.run(self._answer, request)
        return json_reply(told, 200, saved_as("prediction.json"))

    def _answer(self, request: Request) -> dict[str, Any]:
        """Return answer, truth, figures and every place of the map that is shown."""
        job, choice = request.path_params["job"], parse_choice(request.query_params)
        outcome, asked = self._pool().get_outcome(job), self._pool().get_request(job)
        has_map = outcome.attention is not None
        return {
            **asked.to_dict(),
            "command": predict_command(asked),
            "result": outcome.result,
            "places": places_json(outcome, choice, "all") if has_map else None,
        }

    async def again(self, request: Request) -> Response:
        asked = self._pool().get_request(request.path_params["job"])
        return json_reply({"command": predict_command(asked), "python": predict_python(asked)})


def keep_addresses(pool: Callable[[], InferencePool]) -> list[Route]:
    """Return the addresses below that of predictions.

    Parameters
    ----------
    pool
        Returns who predicted.
    """
    keep, job = _Keep(pool), "/jobs/{job:id}"
    return [
        address(job + "/figure.png", get=keep.png),
        address(job + "/figure.svg", get=keep.svg),
        address(job + "/answer.json", get=keep.answer),
        address(job + "/again", get=keep.again),
    ]
