"""The label routes: joining by a link, an annotator's page and its interface, tiles.

Each request is answered for the person that its signed cookie names and for nobody else.
What the store does runs in threads of its own, so an answer never waits behind tiles. The
interface is one table (`label_routes`); a new address is a line in it and a method.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from umnist_core.errors import (
    InvalidValueError,
    NotFoundError,
    RefusedError,
    StoreError,
    UmnistError,
)
from umnist_core.labeling.language import ENGLISH, Language, shipped
from umnist_core.labeling.recorded import (
    AnswerPost,
    check_key,
    check_whole,
    practice_extras,
    practice_sum,
)
from umnist_core.labeling.recruiting import read_device
from umnist_core.labeling.service import StudyService, open_service
from umnist_core.pyramid import dzi_xml
from umnist_core.server.gate import Gate
from umnist_core.server.labeling.desk import Desk
from umnist_core.server.labeling.page import page_reply
from umnist_core.server.labeling.sessions import Session, end_session, read_session, set_session
from umnist_core.server.labeling.tiles import trouble
from umnist_core.server.log_tokens import keep_tokens_out_of_logs
from umnist_core.server.routes import viewer_files_route
from umnist_core.server.tiles import DZI_TYPE, tile_address
from umnist_core.server.web.addresses import address, mount
from umnist_core.server.web.fields import get_text, read_object
from umnist_core.server.web.limits import RateLimit, client_of, give_turns_back, take_turns
from umnist_core.server.web.meanings import problem_of
from umnist_core.server.web.replies import (
    empty_reply,
    json_reply,
    kept_reply,
    problem_reply,
)
from umnist_core.server.web.threads import Threads
from umnist_core.settings import Settings, load_settings

BODY_MAX_BYTES = 2**20
"""Largest body of a post: an answer with the longest trace has a third of it."""

JOINS_PER_MINUTE = 120
"""From one address; a whole lab may come from one, behind its router."""

FAILED_JOINS_PER_MINUTE = 10
"""From one address, with links that do not exist."""

_ANSWER_STAYS = ("already_answered", "changed_enough", "debriefed", "withdrawn")
"""Refusals of an answer after which the page goes on from the state that comes with them."""

PARAMETERS_MAX = 40
"""Parameters of a link that are looked at."""

_COMMAND_THREADS = 8
"""Most of a command is waiting for the disk or the database."""


class _Labeling:
    """What answers each address.

    Parameters
    ----------
    service
        The studies; those of the settings' store when None, opened when first asked for.
    settings
        Those of the environment when None.
    """

    def __init__(self, service: StudyService | None, settings: Settings | None = None) -> None:
        self._settings = settings or load_settings()
        self._service = service
        self._commands = Threads("umnist-label", _COMMAND_THREADS)
        self._pixels = Threads("umnist-label-tiles", os.cpu_count() or 1)
        self._desk: Desk | None = None
        self._opening = asyncio.Lock()
        self._joins = RateLimit(JOINS_PER_MINUTE)
        self._failed_joins = RateLimit(FAILED_JOINS_PER_MINUTE)
        self._failed_looks = RateLimit(FAILED_JOINS_PER_MINUTE)

    async def _open(self) -> Desk:
        """Return the desk, opening the store first if nobody has."""
        if self._desk is None:
            async with self._opening:
                if self._desk is None:
                    self._desk = await self._commands.run(self._make_desk)
        return self._desk

    def _make_desk(self) -> Desk:
        try:
            return Desk(self._service or open_service(self._settings), self._settings)
        except StoreError:
            raise
        except UmnistError as error:
            raise trouble(error) from error

    async def _who(self, request: Request) -> tuple[Desk, Session]:
        """Return who asks.

        Raises
        ------
        RefusedError
            ``no_session`` if no cookie says so.
        """
        desk = await self._open()
        session = read_session(request, desk.signer, request.path_params["study"])
        if session is None:
            raise RefusedError(
                "This browser is not known in this study; open the link that you were given.",
                "no_session",
            )
        return desk, session

    # -- pages and joining ----------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """Return the page, in the language of the study that it is of."""
        study = request.path_params["study"]
        return page_reply(request, await self._language(partial(Desk.language, study=study)))

    async def join_page(self, request: Request) -> Response:
        """Return the page behind a link, in the language of its study; changes nothing."""
        client, token = client_of(request), request.path_params["token"]
        return page_reply(request, await self._language(partial(self._look_up, client, token)))

    async def _language(self, find: Callable[[Desk], Language]) -> Language:
        """Return a language; English where the study cannot be read, which the page says then."""
        try:
            return await self._commands.run(find, await self._open())
        except (HTTPException, UmnistError):
            return shipped(ENGLISH)

    def _look_up(self, client: str, token: str, desk: Desk) -> Language:
        """Return the language of a link's study; links that do not exist are counted."""
        turn = (self._failed_looks, client)
        take_turns(turn)
        language = desk.language_of_link(token)
        give_turns_back(turn)
        return language

    async def join(self, request: Request) -> Response:
        client = client_of(request)
        take_turns((self._joins, client))
        ids = get_parameters(await read_object(request, BODY_MAX_BYTES))
        desk = await self._open()
        try:
            session = await self._commands.run(self._try_to_join, desk, request, client, ids)
        except RefusedError as error:  # whatever the reason, this link leads nowhere any more
            problem = problem_of(error, to_researcher=False)
            return problem_reply(replace(problem, status=410))
        response = json_reply({"to": f"/label/{session.study}"})
        set_session(response, request, desk.signer, session)
        return response

    def _try_to_join(
        self, desk: Desk, request: Request, client: str, ids: Mapping[str, object]
    ) -> Session:
        """Join by a link; one that nobody gave out counts before it is looked up.

        So many that come at once are as many tries. A class that joins together is not slowed
        down, since fewer are looked up at once than may fail.
        """
        turn = (self._failed_joins, client)
        take_turns(turn)
        try:
            session: Session = desk.join(request, request.path_params["token"], ids)
        except NotFoundError:
            raise
        except BaseException:
            give_turns_back(turn)
            raise
        give_turns_back(turn)
        return session

    # -- the interface --------------------------------------------------------------------

    async def state(self, request: Request) -> Response:
        desk, session = await self._who(request)
        return json_reply(await self._commands.run(desk.state, session))

    async def step(
        self, step: Callable[[Desk, Session, str], dict[str, Any]], request: Request
    ) -> Response:
        """Take a step that is said with its key alone."""
        desk, session = await self._who(request)
        key = check_key((await _fields(request)).get("key"))
        return json_reply({"state": await self._commands.run(step, desk, session, key)})

    async def step_on(
        self,
        step: Callable[[Desk, Session, str, Mapping[str, Any] | None], dict[str, Any]],
        request: Request,
    ) -> Response:
        """Take a step that depends on the device too."""
        desk, session = await self._who(request)
        fields = await _fields(request)
        key, device = check_key(fields.get("key")), read_device(fields.get("device"))
        return json_reply({"state": await self._commands.run(step, desk, session, key, device)})

    async def consent(self, request: Request) -> Response:
        desk, session = await self._who(request)
        fields = await _fields(request)
        key = check_key(fields.get("key"))
        version = check_whole("version", fields.get("version", 1), 1, 10**6)
        device = read_device(fields.get("device"))
        state = await self._commands.run(desk.consent, session, key, device, version)
        return json_reply({"state": state})

    async def answer_page(self, request: Request) -> Response:
        desk, session = await self._who(request)
        fields = await _fields(request)
        key, page = check_key(fields.get("key")), get_text("page", fields)
        answers = fields.get("answers")
        state = await self._commands.run(desk.answer_page, session, key, page, answers)
        return json_reply({"state": state})

    async def try_gate(self, request: Request) -> Response:
        desk, session = await self._who(request)
        fields = await _fields(request)
        key = check_key(fields.get("key"))
        state = await self._commands.run(desk.try_gate, session, key, fields.get("chosen"))
        return json_reply({"state": state})

    async def erase(self, request: Request) -> Response:
        desk, session = await self._who(request)
        await read_object(request, BODY_MAX_BYTES)
        response = json_reply(await self._commands.run(desk.erase, session))
        end_session(response, request, session)
        return response

    async def practise(self, request: Request) -> Response:
        desk, session = await self._who(request)
        fields = await _fields(request)
        key = check_key(fields.get("key"))
        extras = practice_extras(fields)
        answer = practice_sum(fields, extras)
        practise = partial(desk.practise, **extras)
        practice = get_text("practice", fields)
        return json_reply(await self._commands.run(practise, session, key, practice, answer))

    async def answer(self, request: Request) -> Response:
        desk, session = await self._who(request)
        post = AnswerPost.from_dict(await _fields(request))
        try:
            return json_reply(await self._commands.run(desk.answer, session, post))
        except RefusedError as error:
            if error.code not in _ANSWER_STAYS:
                raise
            state = await self._commands.run(desk.state, session)
            return problem_reply(problem_of(error, to_researcher=False), {"state": state})

    async def keep_alive(self, request: Request) -> Response:
        desk, session = await self._who(request)
        assignment = get_text("assignment", await _fields(request))
        await self._commands.run(desk.keep_alive, session, assignment)
        return empty_reply()

    # -- images ---------------------------------------------------------------------------

    async def descriptor(self, request: Request) -> Response:
        desk, session = await self._who(request)
        key = _signed_key(request, desk, session)
        grid = await self._pixels.run_for(request, desk.tiles.grid, session, key)
        return kept_reply(dzi_xml(grid).encode(), DZI_TYPE)

    async def tile(self, request: Request) -> Response:
        desk, session = await self._who(request)
        place = tile_address(*(request.path_params[name] for name in ("level", "col", "row")))
        key = _signed_key(request, desk, session)
        tile = desk.tiles.find(session, key, place)
        if tile is None:
            tile = await self._pixels.run_for(request, desk.tiles.tile, session, key, place)
        return kept_reply(tile, "image/png")


def get_parameters(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that a link carried, of which a study keeps those that it names.

    Raises
    ------
    InvalidValueError
        If they are something else than texts by their names.
    """
    given = fields.get("ids", {})
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise InvalidValueError(
            f"Expected ids as texts by their names, got {str(given)[:80]!r}; reload the page."
        )
    return dict(list(given.items())[:PARAMETERS_MAX])


async def _fields(request: Request) -> dict[str, Any]:
    return await read_object(request, BODY_MAX_BYTES)


def _signed_key(request: Request, desk: Desk, session: Session) -> str:
    """Return the key of the image that an address is of, which was made for this person."""
    key: str = request.path_params["key"]
    desk.check_address(session, key, request.path_params["signature"])
    return key


def label_routes(
    service: StudyService | None = None, settings: Settings | None = None
) -> list[BaseRoute]:
    """Return the routes, for ``streamlit.App(..., routes=...)`` or any Starlette application.

    Parameters
    ----------
    service
        The studies; those of the settings' store when None.
    settings
        Those of the environment when None.
    """
    keep_tokens_out_of_logs()
    labeling = _Labeling(service, settings)
    image = "/{study:id}/tiles/{key:id}.{signature:id}"
    label = [  # tiles first: theirs are most of all requests
        address(image + "_files/{level:digits}/{col:digits}_{row:digits}.png", get=labeling.tile),
        address("/{study:id}", get=labeling.page),
        address("/{study:id}/api/state", get=labeling.state),
        address("/{study:id}/api/screen-out", post=partial(labeling.step_on, Desk.screen_out)),
        address("/{study:id}/api/consent", post=labeling.consent),
        address("/{study:id}/api/questions", post=labeling.answer_page),
        address("/{study:id}/api/gate", post=labeling.try_gate),
        address("/{study:id}/api/rest", post=partial(labeling.step, Desk.rest)),
        address("/{study:id}/api/erase", post=labeling.erase),
        address("/{study:id}/api/begin", post=partial(labeling.step, Desk.begin)),
        address("/{study:id}/api/withdraw", post=partial(labeling.step, Desk.withdraw)),
        address("/{study:id}/api/practice", post=labeling.practise),
        address("/{study:id}/api/answers", post=labeling.answer),
        address("/{study:id}/api/alive", post=labeling.keep_alive),
        address(image + ".dzi", get=labeling.descriptor),
    ]
    join = [address("/{token:token}", get=labeling.join_page, post=labeling.join)]
    return [
        mount("/join", join, to_researcher=False),
        mount("/label", label, to_researcher=False),
    ]


def create_label_app(
    service: StudyService | None = None, settings: Settings | None = None
) -> Starlette:
    """Return an application of the label routes and the viewer's files, without pages."""
    settings = settings or load_settings()
    return Starlette(
        routes=[*label_routes(service, settings), viewer_files_route()],
        middleware=[Middleware(Gate, settings=settings)],
    )
