"""One table of errors for all routes: every class is in it, and no part of the server departs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.server.conftest import Lab
from tests.server.serving import serve
from umnist_core import errors
from umnist_core.errors import RefusedError, UmnistError
from umnist_core.inference.pool import InferencePool
from umnist_core.server import TileService, tile_routes
from umnist_core.server.admin import Admins
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling.desk import Desk
from umnist_core.server.login import login_routes
from umnist_core.server.web.meanings import MEANINGS, REFUSALS, problem_of
from umnist_core.settings import load_settings

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, UmnistError)
]
PLACE = "/srv/lab-of-anna/umnist.sqlite"


def _raise(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


@pytest.fixture
def pool() -> Iterator[InferencePool]:
    """Yield a pool that starts no process."""
    pool = InferencePool()
    yield pool
    pool.close()


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_line(kind: type[UmnistError]) -> None:
    """A new class gets its status here and not its parent's by accident."""
    assert kind in MEANINGS


def test_what_others_than_researchers_may_not_read_is_sent_again_or_never_reached() -> None:
    """So a page that keeps an answer tries again where the server is at fault."""
    hidden = {kind for kind, meaning in MEANINGS.items() if meaning.instead is not None}
    # Drawing, writing and other digits than an address names: nothing that an answer does.
    elsewhere = {errors.PlacementError, errors.ConflictError, errors.GlyphMismatchError}
    assert all(MEANINGS[kind].status >= 500 for kind in hidden - elsewhere)
    assert all(MEANINGS[kind].status < 500 for kind in set(MEANINGS) - hidden)


@pytest.mark.parametrize("kind", KINDS)
def test_error_has_one_status_wherever_it_is_met(
    lab: Lab,
    pool: InferencePool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[UmnistError],
) -> None:
    """Tiles, studies, predictions and log-in; only researchers' routes say more than they may."""
    error = kind(f"Expected {PLACE}, found none.")
    settings = load_settings({"UMNIST_LABELING": str(tmp_path)})
    monkeypatch.setattr(Desk, "join", _raise(error))
    monkeypatch.setattr(Desk, "state", _raise(error))
    monkeypatch.setattr(pool, "cancel", _raise(error))
    monkeypatch.setattr(Admins, "is_secret", _raise(error))
    study = lab.study()
    app = Starlette(
        routes=[
            *tile_routes(TileService(glyphs=_raise(error))),
            *inference_routes(settings, pool),
            *login_routes(settings),
        ]
    )
    with (
        lab.person() as person,
        serve(app) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        tiles = client.get("/tiles/scene.dzi")
        inference = client.delete("/inference/jobs/x")
        login = client.post("/login", data={"secret": "x"}, headers={"origin": url})
        joined = person.http.post("/join/token", json={})
        monkeypatch.undo()
        person.join(lab.link(study))
        monkeypatch.setattr(Desk, "state", _raise(error))
        labeling = person.http.get(f"/label/{study}/api/state")
    status = MEANINGS[kind].status
    assert [one.status_code for one in (tiles, inference, login, labeling)] == [status] * 4
    assert joined.status_code == (410 if kind is RefusedError else status)
    assert tiles.text == inference.json()["error"] == str(error)
    assert inference.json()["code"] == labeling.json()["code"]
    is_told = MEANINGS[kind].instead is None
    assert (PLACE in labeling.text, PLACE in login.text, PLACE in joined.text) == (is_told,) * 3
    for one in (tiles, inference, login, labeling):
        assert ("retry-after" in one.headers) is (status == 503)


@pytest.mark.parametrize("code", [*REFUSALS, "closed", "paused"])
def test_refusal_has_the_status_of_its_code(code: str) -> None:
    """And says its code and its sentence to everybody."""
    problem = problem_of(RefusedError("This study is paused.", code), to_researcher=False)
    assert (problem.code, problem.sentence) == (code, "This study is paused.")
    assert problem.status == REFUSALS.get(code, 409)


def test_error_that_is_not_in_the_table_counts_as_its_parent() -> None:
    """So a class of somebody else's never becomes a traceback."""

    class _Full(errors.StoreError):
        pass

    problem = problem_of(_Full(PLACE), to_researcher=False)
    assert (problem.status, problem.code, problem.is_own) == (503, "not_saved", False)
    assert PLACE not in problem.sentence
