"""The routes of curves of where models break: begin, wait, cancel, what was missed, and files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umnist_core.datasets.large_scale.ref import AnyRef
from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.experiments.breaking_point import BreakingCurve, BreakingPoint, TaskMark
from umnist_core.inference.breaking_runs import BreakingRuns
from umnist_core.inference.pool import InferencePool
from umnist_core.models.needs import needs_sentence
from umnist_core.server.inference.checkpoints import check_known, get_device
from umnist_core.server.inference.waiting import wait_for
from umnist_core.server.query import parse_scene_query
from umnist_core.server.tiles import SCENE_PATH, check_pin
from umnist_core.server.web.addresses import address
from umnist_core.server.web.fields import get_text, get_whole, read_object
from umnist_core.server.web.meanings import Problem
from umnist_core.server.web.replies import json_reply, problem_reply, saved_as
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings

BODY_MAX_BYTES = 2**16
COUNT_MAX = 1000
CHECKPOINTS_MAX = 3
_VALUES_MAX = 65
_THREADS = 2

_TEXT = r"(?s).{1,200}"


class _Breaking:
    """What answers each address.

    Parameters
    ----------
    pool
        Returns who predicts.
    settings
        Where checkpoints are.
    """

    def __init__(self, pool: Callable[[], InferencePool], settings: Settings) -> None:
        self._runs = BreakingRuns(pool)
        self._settings = settings
        self._threads = Threads("umnist-curves", _THREADS)

    async def begin(self, request: Request) -> Response:
        if sentence := needs_sentence():
            return problem_reply(Problem(503, "no_torch", sentence))
        fields = await read_object(request, BODY_MAX_BYTES)
        return json_reply(await self._threads.run(self._begin, fields), 202)

    def _begin(self, fields: dict[str, Any]) -> dict[str, Any]:
        viewer = get_text("viewer", fields)
        device = get_device(fields)
        asked = _texts("checkpoints", fields, CHECKPOINTS_MAX)
        checkpoints = tuple(check_known(name, self._settings) for name in asked)
        plan = BreakingPoint(
            checkpoints=checkpoints,
            parameter=get_text("parameter", fields, r"[a-z_]{1,40}"),
            values=_texts("values", fields, _VALUES_MAX),
            count=get_whole("count", fields, COUNT_MAX),
            ref=_first_scene(get_text("scene", fields, r"(?s).{1,8000}")),
        )
        return self._runs.begin(viewer, plan, device)

    async def get(self, request: Request) -> Response:
        return json_reply(await wait_for(self._runs, request.path_params["curve"], request))

    async def cancel(self, request: Request) -> Response:
        curve = request.path_params["curve"]
        return json_reply(await self._threads.run(self._runs.cancel, curve))

    async def misses(self, request: Request) -> Response:
        fields = request.query_params
        asked = [get_text(name, fields, _TEXT) for name in ("checkpoint", "value", "task")]

        def read(curve: BreakingCurve) -> list[dict[str, Any]]:
            return [_miss(ref, mark) for ref, mark in curve.misses(asked[0], asked[1], asked[2])]

        curve = request.path_params["curve"]
        return json_reply({"misses": await self._threads.run(self._runs.read, curve, read)})

    async def table(self, request: Request) -> Response:
        return await self._file(request, BreakingCurve.as_csv, "text/csv", "curve.csv")

    async def answers(self, request: Request) -> Response:
        return await self._file(request, BreakingCurve.to_json, "application/json", "curve.json")

    async def _file(
        self, request: Request, write: Callable[[BreakingCurve], str], kind: str, name: str
    ) -> Response:
        text = await self._threads.run(self._runs.read, request.path_params["curve"], write)
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        return Response(text, 200, {**headers, **saved_as(name)}, kind)


def breaking_addresses(pool: Callable[[], InferencePool], settings: Settings) -> list[Route]:
    """Return the addresses below that of predictions.

    Parameters
    ----------
    pool
        Returns who predicts.
    settings
        Where checkpoints are.
    """
    routes = _Breaking(pool, settings)
    curve = "/breaking/{curve:id}"
    return [
        address("/breaking", post=routes.begin),
        address(curve, get=routes.get, delete=routes.cancel),
        address(curve + "/misses", get=routes.misses),
        address(curve + "/curve.csv", get=routes.table),
        address(curve + "/curve.json", get=routes.answers),
    ]


def _texts(name: str, fields: dict[str, Any], most: int) -> tuple[str, ...]:
    given = fields.get(name)
    if not isinstance(given, list) or not 1 <= len(given) <= most:
        raise InvalidValueError(
            f"{name} is a list of 1 to {most} texts; got {str(given)[:80]}; choose as many."
        )
    if not all(isinstance(one, str) and re.fullmatch(_TEXT, one) for one in given):
        raise InvalidValueError(f"{name} is a list of short texts; got {str(given)[:80]}.")
    return tuple(given)


def _first_scene(scene: str) -> AnyRef:
    """Read the address of a generated image."""
    path, _, query = scene.partition("?")
    match = SCENE_PATH.fullmatch(path.removeprefix("/tiles"))
    if match is None or match[1] != "dzi":
        raise InvalidValueError(
            f"Expected the address of a generated image, /tiles/scene.dzi, found {scene[:80]!r}; "
            "choose a generated image."
        )
    asked = parse_scene_query(query)
    check_pin(asked.pin, load_glyphs())
    return asked.ref


def _miss(ref: AnyRef, mark: TaskMark) -> dict[str, Any]:
    """Return a scene that was missed, and the query by which every page shows it."""
    return {
        "index": ref.index,
        "said": list(mark.said),
        "true": None if mark.true is None else list(mark.true),
        "scene": ref.to_dict(),
        "query": urlencode(ref.to_query()),
    }
