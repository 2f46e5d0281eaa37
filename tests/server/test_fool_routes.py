"""The routes of searches that fool a model, with a process of models that does as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from tests.inference.standing_in import StandInProcess
from tests.server.serving import serve
from umnist_core.errors import WorkerError
from umnist_core.inference import pool as pools
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.process import Outcome, RequestCancelledError
from umnist_core.inference.requests import OnProgress, PredictRequest, SceneImage
from umnist_core.scenes import SceneRef
from umnist_core.server.inference import inference_routes

MODEL = "additive-pyramid"
IMAGE = {"preset": "released", "seed": "3", "index": "2", "canvas": "600", "factor": "0.5..4"}
PATIENCE_S = 60


class _Told(StandInProcess):
    """Stands where a process of models does: says 13 under some noise, else 17, and may hold."""

    flips: frozenset[str] = frozenset()
    go = threading.Event()
    asked: ClassVar[list[str]] = []
    cancelled: ClassVar[list[str]] = []
    failure: Exception | None = None

    def run(self, number: int, request: dict[str, Any], on_progress: OnProgress) -> Outcome:
        """Answer when the test lets go."""
        noise = request["image"]["overrides"].get("noise_seed", "own")
        self.asked.append(noise)
        while not self.go.wait(0.01) and noise != "prompt":
            if number in self._cancelled:
                self.cancelled.append(noise)
                raise RequestCancelledError
        if self.failure is not None:
            raise self.failure
        said = 13 if noise in self.flips else 17
        return Outcome({"tasks": [{"name": "sum", "answer": [said], "truth": [17]}]})


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[InferencePool]:
    """Yield a pool with such a process, which answers at once."""
    monkeypatch.setattr(pools, "ModelProcess", _Told)
    _Told.flips, _Told.failure, _Told.asked, _Told.cancelled = frozenset(), None, [], []
    _Told.go.set()
    pool = InferencePool()
    yield pool
    _Told.go.set()
    pool.close()


@pytest.fixture
def client(pool: InferencePool) -> Iterator[httpx.Client]:
    """Yield a client of a real server with the routes."""
    app = Starlette(routes=inference_routes(pool=pool))
    with serve(app) as url, httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
        yield client


def _fields(**changes: Any) -> dict[str, Any]:
    address = f"/tiles/scene.dzi?{urlencode(IMAGE)}"
    given = {"viewer": "page", "checkpoint": MODEL, "device": "cpu", "image": address}
    return {**given, "vary": "noise_seed", "tries": 12, **changes}


def _begin(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/inference/fool", json=_fields(**changes))
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def _ended(client: httpx.Client, search: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_S
    while search["state"] == "running":
        assert time.monotonic() < until
        params = {"after": search["version"], "wait_s": 5}
        search = client.get(f"/inference/fool/{search['id']}", params=params).json()
    return search


def _wait_for_asked(count: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while len(_Told.asked) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_flip_is_found_said_and_given_as_an_address(client: httpx.Client) -> None:
    """After how many tries, from what to what, and both images."""
    _Told.flips = frozenset({"4"})
    found = _ended(client, _begin(client))
    assert found["state"] == "done"
    assert found["sentence"] == "Flipped after 4 tries of other noise: 17 became 13."
    assert (found["tried"], found["answer"], found["is_right"]) == (4, [17], True)
    assert {**IMAGE, "pair": "1", "b.noise_seed": "4"}.items() <= found["found"].items()
    assert _Told.asked == ["own", "0", "1", "2", "4"]


def test_none_is_said_and_no_answer_takes_the_place_of_one_that_is_looked_at(
    client: httpx.Client, pool: InferencePool
) -> None:
    """What was tried is not kept among the answers, of which there is room for few."""
    found = _ended(client, _begin(client))
    assert found["sentence"] == "None of 12 tries of other noise flipped it; it stayed 17."
    assert found["found"] is None
    assert pool._jobs == {}


def test_search_that_is_cancelled_asks_no_more(client: httpx.Client) -> None:
    """What runs is stopped, and how far it came is told."""
    _Told.go.clear()
    search = _begin(client)
    _wait_for_asked(1)
    ended = client.delete(f"/inference/fool/{search['id']}").json()
    assert ended["state"] == "cancelled"
    until = time.monotonic() + PATIENCE_S
    while not _Told.cancelled:
        assert time.monotonic() < until
        time.sleep(0.01)
    _Told.go.set()
    assert client.get(f"/inference/fool/{search['id']}").json()["state"] == "cancelled"
    assert _Told.asked == ["own"]


def test_newer_search_of_a_viewer_ends_the_older(client: httpx.Client) -> None:
    """And leaves another viewer's alone."""
    _Told.go.clear()
    other = _begin(client, viewer="other")
    older = _begin(client)
    newer = _begin(client)
    assert client.get(f"/inference/fool/{older['id']}").json()["state"] == "cancelled"
    _Told.go.set()
    assert [_ended(client, one)["state"] for one in (other, newer)] == ["done", "done"]


def test_answer_that_somebody_waits_for_goes_first(
    client: httpx.Client, pool: InferencePool
) -> None:
    """A search that runs gives way, and loses nothing by it."""
    _Told.go.clear()
    search = _begin(client)
    _wait_for_asked(1)
    image = SceneImage(SceneRef.of("released", {"noise_seed": "5", "canvas": "600"}))
    job = pool.submit("person", "a", 1, PredictRequest(MODEL, "cpu", image), 360_000)
    _wait_for_asked(2)
    assert _Told.asked == ["own", "5"]
    _Told.go.set()
    assert _ended(client, search)["tried"] == 12
    assert pool.get(job["id"])["state"] == "done"


def test_model_that_fails_is_said(client: httpx.Client) -> None:
    """In the sentence of its process."""
    _Told.failure = WorkerError("The model does not take this; choose another.", "trouble")
    found = _ended(client, _begin(client))
    assert found["state"] == "failed"
    assert found["error"] == "The model does not take this; choose another."


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"checkpoint": "../weights"}, 404, "name of a checkpoint"),
        ({"vary": "shape_pairs"}, 422, "with a range"),
        ({"tries": 0}, None, "whole number from 1"),
        ({"image": "/tiles/scene.dzi?preset=patchgd"}, None, "has none"),
        ({"image": "/tiles/scene.dzi?preset=released&view=background"}, 422, "generated here"),
        ({"image": "/tiles/scene.dzi?preset=large-scale"}, 422, "generated here"),
    ],
)
def test_what_cannot_be_searched_is_a_sentence(
    client: httpx.Client, changes: dict[str, Any], status: int | None, words: str
) -> None:
    """At once where the request says so; else as the end of the search."""
    answer = client.post("/inference/fool", json=_fields(**changes))
    if status is None:
        assert words in _ended(client, answer.json())["error"]
    else:
        assert answer.status_code == status
        assert words in answer.text


def test_sheet_of_misses_is_a_file_and_names_no_path(client: httpx.Client) -> None:
    """PNG and HTML of a model that ships; another name, and a number of none, are refused."""
    for suffix, start in (("png", b"\x89PNG"), ("html", b"<!doctype html>")):
        params = {"model": MODEL, "count": "2"}
        answer = client.get(f"/inference/misses.{suffix}", params=params)
        assert answer.status_code == 200
        assert answer.content.startswith(start)
        assert f"misses.{suffix}" in answer.headers["content-disposition"]
    for asked, status in (({"model": "../x"}, 404), ({"model": MODEL, "count": "0"}, 422)):
        assert client.get("/inference/misses.png", params=asked).status_code == status


def test_sheet_by_sum_has_what_the_model_said(client: httpx.Client) -> None:
    """An image of each sum, which the pool is asked of patiently; then the sheet, with answers."""
    image = {"image": f"/tiles/scene.dzi?{urlencode(IMAGE)}"}
    images = client.get("/inference/sums", params=image).json()["images"]
    assert [one["sum"] for one in images] == [str(one) for one in range(28)]
    asked = {"viewer": "page", "slot": "s", "turn": 1, "checkpoint": MODEL, "device": "cpu"}
    job = client.post("/inference/jobs", json={**asked, "image": images[5]["image"]})
    assert job.status_code == 202
    said = ",".join(["17"] * 28)
    for suffix, words in (("png", b"\x89PNG"), ("html", b"m gives 1 of 28")):
        params = {**image, "model": "m", "said": said}
        answer = client.get(f"/inference/sums.{suffix}", params=params)
        assert answer.status_code == 200
        assert words in answer.content
    for change in ({"said": "1,2"}, {"image": "/tiles/scene.dzi?preset=megapixel"}):
        refused = client.get("/inference/sums.png", params={**image, "said": said, **change})
        assert refused.status_code == 422


def test_patient_request_of_a_page_gives_way(client: httpx.Client, pool: InferencePool) -> None:
    """What the page asks for a sheet waits behind what somebody looks at."""
    fields = {"slot": "s", "turn": 1, "checkpoint": MODEL, "device": "cpu"}
    image = f"/tiles/scene.dzi?{urlencode(IMAGE)}"
    job = client.post(
        "/inference/jobs", json={**fields, "viewer": "page", "image": image, "patient": True}
    ).json()
    assert pool._jobs[job["id"]].is_patient
