"""The routes under ``/inference``: ask for a prediction, wait for it, cancel it, see its attention.

They answer from the event loop or from two threads of their own, so neither tiles nor answers of
annotators ever wait for a model. Who waits for a job holds no thread. In a shared app the gate
closes them to everybody but researchers. The interface is one table (`inference_routes`).
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from umnist_core.errors import InvalidValueError
from umnist_core.inference.jobs import DONE, SUPERSEDED
from umnist_core.inference.pool import InferencePool, shared_pool
from umnist_core.inference.process import Outcome
from umnist_core.inference.requests import PredictRequest
from umnist_core.models.needs import needs_sentence
from umnist_core.server.heat import (
    Choice,
    attention_table,
    heat_tile,
    parse_choice,
    places_json,
)
from umnist_core.server.inference.breaking import breaking_addresses
from umnist_core.server.inference.checkpoints import check_known, get_device
from umnist_core.server.inference.dwell import agreement
from umnist_core.server.inference.fool import fool_addresses
from umnist_core.server.inference.images import find_image
from umnist_core.server.inference.keep import keep_addresses
from umnist_core.server.inference.sheets import sheet_addresses
from umnist_core.server.inference.waiting import wait_for
from umnist_core.server.one_page import PageRun, make_page, page_image
from umnist_core.server.tiles import tile_address
from umnist_core.server.web.addresses import address, mount
from umnist_core.server.web.fields import get_text, get_whole, read_object
from umnist_core.server.web.meanings import Problem
from umnist_core.server.web.replies import json_reply, kept_reply, problem_reply, saved_as
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings, load_settings

BODY_MAX_BYTES = 2**16
_THREADS = 2
_TURN_MAX = 2**53
"""JavaScript's numbers are whole up to here."""


class _Inference:
    """What answers each address.

    Parameters
    ----------
    settings
        Those of the environment when None.
    pool
        Who predicts; that of this process when None, made when first asked for.
    """

    def __init__(self, settings: Settings | None = None, pool: InferencePool | None = None) -> None:
        self._settings = settings or load_settings()
        self._given_pool = pool
        self._threads = Threads(
            "umnist-inference", _THREADS
        )  # for what takes a while, but no model

    @property
    def curves(self) -> list[Route]:
        """The addresses of curves of where models break."""
        return breaking_addresses(lambda: self._pool, self._settings)

    @property
    def searches(self) -> list[Route]:
        """The addresses of searches that fool a model."""
        return fool_addresses(lambda: self._pool, self._settings)

    @property
    def kept(self) -> list[Route]:
        """The addresses of what is kept of a prediction, and of contact sheets."""
        return [*keep_addresses(lambda: self._pool), *sheet_addresses(self._settings)]

    @property
    def _pool(self) -> InferencePool:
        return self._given_pool or shared_pool()

    def _outcome(self, request: Request) -> Outcome:
        return self._pool.get_outcome(request.path_params["job"])

    async def leave(self, request: Request) -> Response:
        """Send on to the page of the same name, which has no slash at its end."""
        return RedirectResponse(f"../inference?{request.url.query}".rstrip("?"))

    async def status(self, request: Request) -> Response:
        sentence = needs_sentence()
        await self._threads.run(self._pool.devices)
        devices = await self._threads.run(self._pool.status)
        return json_reply({"torch": not sentence, "sentence": sentence, "devices": devices})

    async def start(self, request: Request) -> Response:
        if sentence := needs_sentence():
            return problem_reply(Problem(503, "no_torch", sentence))
        device = get_device(await read_object(request, BODY_MAX_BYTES))
        await self._threads.run(self._pool.start, device)
        return json_reply({}, 202)

    async def submit(self, request: Request) -> Response:
        if sentence := needs_sentence():
            return problem_reply(Problem(503, "no_torch", sentence))
        job = await self._threads.run(self._take, await read_object(request, BODY_MAX_BYTES))
        return json_reply(job, 409 if job["state"] == SUPERSEDED else 202)

    def _take(self, fields: dict[str, Any]) -> dict[str, Any]:
        viewer, slot = get_text("viewer", fields), get_text("slot", fields, "[a-z]")
        turn = get_whole("turn", fields, _TURN_MAX)
        asked = get_text("checkpoint", fields, r"(?s).{1,200}")
        checkpoint = check_known(asked, self._settings)
        device = get_device(fields)
        image, pixels = find_image(get_text("image", fields, r"(?s).{1,8000}"))
        request = PredictRequest(checkpoint, device, image)
        is_patient = fields.get("patient") is True
        return self._pool.submit(viewer, slot, turn, request, pixels, is_patient=is_patient)

    async def job(self, request: Request) -> Response:
        job = await wait_for(self._pool, request.path_params["job"], request)
        top = request.query_params.get("places", "")
        if top and job["state"] == DONE:
            places = await self._threads.run(self._whole_map, job["id"], top)
            job = {**job, "places": places}
        return json_reply(job)

    def _whole_map(self, job: str, top: str) -> dict[str, Any] | None:
        """Return the heaviest places with the answer, so that they need no question of theirs."""
        outcome = self._pool.get_outcome(job)
        return None if outcome.attention is None else places_json(outcome, Choice(), top)

    async def cancel(self, request: Request) -> Response:
        return json_reply(self._pool.cancel(request.path_params["job"]))

    async def places(self, request: Request) -> Response:
        outcome, fields = self._outcome(request), request.query_params
        choice, top = parse_choice(fields), fields.get("top", "")
        places = await self._threads.run(places_json, outcome, choice, top)
        is_download = fields.get("download") == "1"
        return json_reply(places, 200, saved_as("attention.json" if is_download else ""))

    async def agreement(self, request: Request) -> Response:
        outcome, choice = self._outcome(request), parse_choice(request.query_params)
        grid = request.path_params["grid"]
        return json_reply(await self._threads.run(agreement, outcome, choice, grid))

    async def table(self, request: Request) -> Response:
        body = await self._threads.run(attention_table, self._outcome(request))
        return kept_reply(body, "application/octet-stream", "attention.npy")

    async def page(self, request: Request) -> Response:
        first = request.path_params["job"]
        beside = request.query_params.get("beside", "")
        body = await self._threads.run(self._make_page, [first, *([beside] if beside else [])])
        return kept_reply(body, "text/html; charset=utf-8", "prediction.html")

    def _make_page(self, jobs: list[str]) -> bytes:
        """Return the image of the first job as one page, with the answers to all of them."""
        asked = [self._pool.get_request(job) for job in jobs]
        if any(one.image != asked[0].image for one in asked):
            raise InvalidValueError(
                "Expected predictions of one image, found those of two; predict again, and then "
                "keep the page."
            )
        outcomes = map(self._pool.get_outcome, jobs)
        runs = [PageRun(one.checkpoint, found) for one, found in zip(asked, outcomes, strict=True)]
        return make_page([page_image(asked[0].image, runs)])

    async def tile(self, request: Request) -> Response:
        outcome, fields = self._outcome(request), request.query_params
        place = tile_address(*(request.path_params[name] for name in ("level", "col", "row")))
        choice, side = parse_choice(fields), fields.get("tile", "")
        tile = await self._threads.run(heat_tile, outcome, choice, place, side)
        return kept_reply(tile, "image/png")


def inference_routes(
    settings: Settings | None = None, pool: InferencePool | None = None
) -> list[BaseRoute]:
    """Return the routes, for ``streamlit.App(..., routes=...)`` or any Starlette application.

    Parameters
    ----------
    settings
        Those of the environment when None.
    pool
        Who predicts; that of this process when None.
    """
    inference = _Inference(settings, pool)
    job = "/jobs/{job:id}"
    tile = "/heat/{level:digits}/{col:digits}_{row:digits}.png"
    addresses = [  # tiles first: theirs are most of all requests
        address(job + tile, get=inference.tile),
        address("/", get=inference.leave),
        address("/status", get=inference.status),
        address("/start", post=inference.start),
        address("/jobs", post=inference.submit),
        address(job, get=inference.job, delete=inference.cancel),
        address(job + "/attention.json", get=inference.places),
        address(job + "/attention.npy", get=inference.table),
        address(job + "/page.html", get=inference.page),
        address(job + "/dwell/{grid:id}", get=inference.agreement),
        *inference.curves,
        *inference.searches,
        *inference.kept,
    ]
    return [mount("/inference", addresses, to_researcher=True)]
