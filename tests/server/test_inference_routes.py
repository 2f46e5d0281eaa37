"""The routes of predictions, asked of a real server with a real process of models behind it."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tests.server.serving import serve
from umnist_core.attention import AttentionMap
from umnist_core.attention.tiles import paint
from umnist_core.digits import load_glyphs
from umnist_core.geometry import Box
from umnist_core.inference.jobs import ENDED
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.process import Outcome
from umnist_core.pyramid import PyramidGrid, encode_png
from umnist_core.rendering import pixel_pin
from umnist_core.server import TileService, tile_routes
from umnist_core.server.files import register_file
from umnist_core.server.gate import Gate
from umnist_core.server.heat import Choice, places_json
from umnist_core.server.inference import inference_routes
from umnist_core.server.login import login_routes
from umnist_core.settings import load_settings

SMALL = "/tiles/scene.dzi?preset=released&seed=1&index=0&canvas=512"
LARGE = "/tiles/scene.dzi?preset=released&seed=1&index=0"


@pytest.fixture(scope="module")
def pool() -> Iterator[InferencePool]:
    """Yield the pool behind the server."""
    pool = InferencePool()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def client(pool: InferencePool) -> Iterator[httpx.Client]:
    """Yield a client of a real server with tiles and predictions, as the app has them."""
    settings = load_settings()
    app = Starlette(
        routes=[*tile_routes(TileService()), *inference_routes(settings, pool)],
        middleware=[Middleware(Gate, settings=settings)],
    )
    with serve(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


class _Browser:
    """A viewer that asks as the page does."""

    def __init__(self, client: httpx.Client, viewer: str) -> None:
        self.client, self.viewer, self.turn = client, viewer, 0

    def post(self, **changes: Any) -> httpx.Response:
        self.turn += 1
        fields = {
            "viewer": self.viewer,
            "slot": "a",
            "turn": self.turn,
            "checkpoint": "additive-pyramid",
            "device": "auto",
            "image": SMALL,
            **changes,
        }
        return self.client.post("/inference/jobs", json=fields)

    def done(self, **changes: Any) -> dict[str, Any]:
        answer = self.post(**changes)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = self.until_ended(answer.json())
        assert job["state"] == "done", job
        return job

    def until_ended(self, job: dict[str, Any]) -> dict[str, Any]:
        until = time.monotonic() + 120
        while job["state"] not in ENDED:
            assert time.monotonic() < until
            params = {"after": job["version"], "wait_s": 20}
            job = self.client.get(f"/inference/jobs/{job['id']}", params=params).json()
        return job


@pytest.fixture
def browser(client: httpx.Client, request: pytest.FixtureRequest) -> _Browser:
    """Return a viewer of its own for each test."""
    viewer = "".join(c if c.isalnum() else "-" for c in request.node.name)[:64]
    return _Browser(client, viewer)


@pytest.fixture
def made(pool: InferencePool, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Return an answer with known maps, which the pool gives for every job."""
    boxes = np.array([[10, 20, 40, 60], [100, 100, 300, 400], [650, 800, 700, 900]], np.float32)
    weights = np.array([[[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], [[1, 0, 0], [0, 0, 1]]], np.float32)
    last = AttentionMap(weights, boxes, 700, 900, ("sum", "max"), "made")
    first = AttentionMap(weights[:, :, :2], boxes[:2], 700, 900, ("sum", "max"), "made")
    outcome = Outcome({"no_attention": ""}, last, (first,))
    monkeypatch.setattr(pool, "get_outcome", lambda job_id: outcome)
    return outcome


def _values(png: bytes) -> NDArray[np.uint16]:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert not image[:, :, 0].any()  # blue
    red, green = image[:, :, 2].astype(np.int64), image[:, :, 1].astype(np.int64)
    values: NDArray[np.uint16] = (red * 256 + green).astype(np.uint16)
    return values


def test_prediction_comes_with_its_attention(browser: _Browser, client: httpx.Client) -> None:
    """From asking to tiles, table and list of the same map."""
    job = browser.done()
    assert (job["viewer"], job["slot"], job["turn"]) == (browser.viewer, "a", 1)
    assert (job["checkpoint"], job["device"], job["error"]) == ("additive-pyramid", "cpu", None)
    result = job["result"]
    assert result["image"] == {"width": 512, "height": 512}
    base = f"/inference/jobs/{job['id']}"
    places = client.get(f"{base}/attention.json?top=3").json()
    assert len(places["places"]) <= 3
    assert client.get(f"{base}?places=3").json()["places"] == places  # with the answer
    assert "places" not in client.get(base).json()
    assert places["count"] == result["attention"]["places"]
    assert places["places"][0]["weight"] == places["max"]
    assert places["looked"] == result["looked"]["sum"]
    assert places["chosen"] == result["chosen"]
    assert places["chosen"]["places"] == places["count"]
    assert places["effective_places"] == pytest.approx(places["looked"]["effective_places"])
    x, y, width, height = places["places"][0]["box"]
    tile = _values(client.get(f"{base}/heat/9/0_0.png").content)
    assert tile.shape == (512, 512)
    assert tile[int(y + height / 2), int(x + width / 2)] == 65535
    table = np.load(io.BytesIO(client.get(f"{base}/attention.npy").content))
    assert (table["round"] == -1).sum() == places["count"]


def test_long_poll_waits_for_news_and_no_longer(browser: _Browser, client: httpx.Client) -> None:
    """It answers when something has changed, at the end of its time, and at once afterwards."""
    job = browser.post(checkpoint="digit-finder", image=LARGE).json()
    versions = [job["version"]]
    while job["state"] not in ENDED:
        params = {"after": job["version"], "wait_s": 20}
        job = client.get(f"/inference/jobs/{job['id']}", params=params).json()
        versions.append(job["version"])
    assert versions == sorted(set(versions))
    assert len(versions) > 3  # progress was among the news
    again = client.get(f"/inference/jobs/{job['id']}", params={"after": 10**9, "wait_s": 20})
    assert again.json()["version"] == job["version"]


def test_hundred_long_polls_hold_nothing_up(browser: _Browser, client: httpx.Client) -> None:
    """Whoever waits holds no thread: tiles and the state of others are answered meanwhile."""
    blocker = browser.post(checkpoint="digit-finder", image=LARGE).json()
    waiting = _Browser(client, "hundred-polls-behind").post().json()
    params = {"after": 10**9, "wait_s": 20}
    address = f"/inference/jobs/{waiting['id']}"
    limits = httpx.Limits(max_connections=120)
    answered = threading.Semaphore(0)

    def poll(other: httpx.Client) -> str:
        answered.release()
        return str(other.get(address, params=params).json()["state"])

    with (
        httpx.Client(base_url=client.base_url, timeout=60, limits=limits) as other,
        ThreadPoolExecutor(100) as threads,
    ):
        polls = [threads.submit(poll, other) for _ in range(100)]
        for _ in range(100):
            answered.acquire()
        assert client.get("/inference/status").status_code == 200
        assert client.get("/tiles/scene_files/8/0_0.png?seed=5").status_code == 200
        client.delete(address)
        assert {one.result() for one in polls} == {"cancelled"}
    client.delete(f"/inference/jobs/{blocker['id']}")


def test_deleted_job_is_cancelled_and_the_device_is_free(
    browser: _Browser, client: httpx.Client
) -> None:
    """The models stay."""
    browser.done(checkpoint="digit-finder")
    job = browser.post(checkpoint="digit-finder", image=LARGE).json()
    while client.get(f"/inference/jobs/{job['id']}").json()["state"] != "running":
        time.sleep(0.01)
    assert client.delete(f"/inference/jobs/{job['id']}").json()["state"] == "cancelled"
    while (device := client.get("/inference/status").json()["devices"][-1])["busy"]:
        time.sleep(0.01)
    assert device["is_started"]
    assert "digit-finder" in device["loaded"]
    assert client.get(f"/inference/jobs/{job['id']}/attention.json").status_code == 404


def test_stale_turn_is_refused_with_its_job(browser: _Browser) -> None:
    """So a slow request cannot take the place of a newer one."""
    newest = browser.post(turn=5).json()
    late = browser.post(turn=4)
    assert (late.status_code, late.json()["state"], late.json()["turn"]) == (409, "superseded", 4)
    assert browser.until_ended(newest)["state"] == "done"


def test_status_names_the_devices(client: httpx.Client) -> None:
    """With what they do; the processor is always there."""
    status = client.get("/inference/status").json()
    assert (status["torch"], status["sentence"]) == (True, "")
    names = {"key", "title", "queue", "busy", "loaded", "is_started"}
    assert all(set(device) == names for device in status["devices"])
    assert status["devices"][-1]["key"] == "cpu"
    assert status["devices"][-1]["title"].startswith("CPU, ")


def test_process_can_be_started_before_anything_is_asked(
    client: httpx.Client, pool: InferencePool
) -> None:
    """By the page, when it opens; from there alone."""
    pool.unload()
    while client.get("/inference/status").json()["devices"][-1]["is_started"]:
        time.sleep(0.01)
    assert client.post("/inference/start", json={"device": "cpu"}).status_code == 202
    while not client.get("/inference/status").json()["devices"][-1]["is_started"]:
        time.sleep(0.01)
    for fields, status in (({"device": "cuda:77"}, 404), ({}, 422)):
        assert client.post("/inference/start", json=fields).status_code == status
    headers = {"origin": "http://other.example"}
    assert client.post("/inference/start", json={}, headers=headers).status_code == 403


def test_missing_torch_is_said(
    browser: _Browser, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how to get it; everything else of the app works without."""
    sentence = "Models need torch, which this installation lacks; get it with pip."
    monkeypatch.setattr("umnist_core.server.inference.routes.needs_sentence", lambda: sentence)
    status = client.get("/inference/status").json()
    assert (status["torch"], status["sentence"]) == (False, sentence)
    refused = browser.post()
    assert (refused.status_code, refused.json()["code"]) == (503, "no_torch")
    assert refused.json()["error"] == sentence


def test_open_file_is_looked_at(browser: _Browser, client: httpx.Client, tmp_path: Path) -> None:
    """By the id that the viewer has it under; a file that nobody opened cannot be named."""
    image = np.zeros((300, 400), np.uint8)
    image[100:200, 100:200] = 255
    path = tmp_path / "square.png"
    path.write_bytes(encode_png(image))
    entry = register_file(path)
    result = browser.done(image=f"/tiles/file/{entry.id}.dzi")["result"]
    assert result["image"] == {"width": 400, "height": 300}
    assert result["tasks"][0]["truth"] is None
    unknown = browser.post(image="/tiles/file/0123456789abcdef.dzi")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"viewer": ""}, 422, "viewer"),
        ({"viewer": "a b"}, 422, "viewer"),
        ({"slot": "1"}, 422, "slot"),
        ({"slot": "aa"}, 422, "slot"),
        ({"turn": -1}, 422, "turn"),
        ({"turn": True}, 422, "turn"),
        ({"turn": 1.5}, 422, "turn"),
        ({"turn": 10**30}, 422, "turn"),
        ({"checkpoint": "nothing"}, 404, "name of a checkpoint"),
        ({"checkpoint": "/etc/hostname"}, 404, "name of a checkpoint"),
        ({"device": "cuda:77"}, 404, "no device 'cuda:77'"),
        ({"device": "a b"}, 422, "device"),
        ({"image": "/tiles/scene.png?seed=1"}, 422, "address of an image"),
        ({"image": "https://other.example/tiles/scene.dzi"}, 422, "address of an image"),
        ({"image": "/tiles/scene.dzi?colour=red"}, 422, "no parameter 'colour'"),
        ({"image": "/tiles/scene.dzi?preset=nothing"}, 422, "preset"),
        ({"image": "/tiles/scene.dzi?view=model-512"}, 422, "choose one of full"),
        ({"image": None}, 422, "image"),
    ],
)
def test_wrong_request_is_refused_in_one_sentence(
    browser: _Browser, changes: dict[str, Any], status: int, words: str
) -> None:
    """Before anything is asked of a model."""
    answer = browser.post(**changes)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]


def test_scene_of_other_digits_is_refused_as_tiles_are(browser: _Browser) -> None:
    """A model must see what the viewer shows, or nothing."""
    pin = pixel_pin(load_glyphs())
    assert browser.post(image=f"{SMALL}&pin={pin}").status_code == 202
    refused = browser.post(image=f"{SMALL}&pin=00000000-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "other_digits")
    assert "open the sample again" in refused.json()["error"]


def test_post_of_another_site_or_kind_is_refused(client: httpx.Client) -> None:
    """No other page may put this machine to work."""
    refused = client.post("/inference/jobs", json={}, headers={"origin": "http://other.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "other_site")
    refused = client.delete("/inference/jobs/x", headers={"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    assert client.post("/inference/jobs", content="viewer=x").status_code == 415
    headers = {"content-type": "application/json"}
    for content, status in (("[1]", 422), ("{", 422), ('"' + "x" * 2**17 + '"', 413)):
        assert (
            client.post("/inference/jobs", content=content, headers=headers).status_code == status
        )


def test_addresses_that_are_not_there_are_said(client: httpx.Client) -> None:
    """With 404 and 405; the page of the same name is left to the pages."""
    for path in ("/inference/x", "/inference/jobs/x", "/inference/_stcore/health"):
        assert client.get(path).status_code == 404
    assert client.put("/inference/status").status_code == 405
    assert client.get("/inference/jobs").headers["allow"] == "POST, OPTIONS"
    moved = client.get("/inference/?model=ips")
    assert (moved.status_code, moved.headers["location"]) == (307, "../inference?model=ips")


def test_heat_tiles_are_the_values_of_the_map(client: httpx.Client, made: Outcome) -> None:
    """At every level, for every round, task and head, in tiles of the size that is asked for."""
    grid = PyramidGrid(700, 900, 128, 0)
    assert made.attention is not None
    for level in (7, 9, 10):
        rows, cols = grid.tile_counts(level)
        for query, found, task, head in (
            ("", made.attention, None, None),
            ("&round=&task=&head=", made.attention, None, None),
            ("&task=max&head=1", made.attention, "max", 1),
            ("&round=0&task=sum", made.rounds[0], "sum", None),
        ):
            whole = Box(0, 0, *grid.level_size(level))
            expected = paint(found, whole, grid.reduction(level), task=task, head=head)
            tiles = [
                [
                    _values(
                        client.get(
                            f"/inference/jobs/x/heat/{level}/{col}_{row}.png?tile=128{query}"
                        ).content
                    )
                    for col in range(cols)
                ]
                for row in range(rows)
            ]
            np.testing.assert_array_equal(np.block(tiles), expected)


def test_page_holds_the_predictions_of_one_image(client: httpx.Client) -> None:
    """One job or two of the same image; two images are no page."""
    viewer = _Browser(client, "page")
    ours = viewer.done()["id"]
    beside = viewer.done(slot="b", checkpoint="digit-finder")["id"]
    other = _Browser(client, "other-page").done(image=SMALL.replace("seed=1", "seed=2"))["id"]
    page = client.get(f"/inference/jobs/{ours}/page.html?beside={beside}")
    assert page.headers["content-disposition"].startswith("attachment")
    held = re.search(r'id="data">(.*?)</script>', page.text, re.S)
    assert held is not None
    (image,) = json.loads(held[1])["images"]
    assert [run["title"] for run in image["runs"]] == ["additive-pyramid", "digit-finder"]
    refused = client.get(f"/inference/jobs/{ours}/page.html?beside={other}")
    assert refused.status_code == 422
    assert "those of two" in refused.json()["error"]


def test_heat_tile_is_kept_by_its_browser_alone(client: httpx.Client, made: Outcome) -> None:
    """An address never changes its content; no proxy keeps it for others."""
    answer = client.get("/inference/jobs/x/heat/10/0_0.png")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("heat/11/0_0.png", 404, "levels 0 to 10"),
        ("heat/10/2_0.png", 404, "no tile 2_0"),
        ("heat/10/0_0.png?tile=5", 422, "16 to 4096"),
        ("heat/10/0_0.png?task=other", 422, "tasks are sum, max"),
        ("heat/10/0_0.png?head=2", 422, "heads are 0 to 1"),
        ("heat/10/0_0.png?head=-1", 422, "head"),
        ("attention.json?round=1", 404, "1 rounds"),
        ("attention.json?top=many", 422, "top"),
    ],
)
def test_attention_that_is_not_there_is_said(
    client: httpx.Client, made: Outcome, path: str, status: int, words: str
) -> None:
    """In one sentence."""
    answer = client.get(f"/inference/jobs/x/{path}")
    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]


def test_strongest_places_are_listed_heaviest_first(client: httpx.Client, made: Outcome) -> None:
    """With their boxes as browsers have them."""
    listed = client.get("/inference/jobs/x/attention.json?task=sum&head=0&top=2").json()
    assert (listed["task"], listed["head"], listed["round"]) == ("sum", 0, None)
    assert listed["count"] == 3
    assert listed["max"] == listed["last_colour"] == pytest.approx(0.5)
    boxes = [place["box"] for place in listed["places"]]
    assert boxes == [[100, 100, 300, 200], [800, 650, 100, 50]]
    assert [place["rank"] for place in listed["places"]] == [1, 2]
    mean = client.get("/inference/jobs/x/attention.json?top=all&download=1")
    assert len(mean.json()["places"]) == 3
    assert 'filename="attention.json"' in mean.headers["content-disposition"]


@pytest.mark.parametrize(("covered", "share"), [(1.0, 0.5), (0.25, 1.0)])
def test_uniform_attention_is_not_in_the_last_colour(covered: float, share: float) -> None:
    """The same over the whole image is in the middle; over a few places alone they stand out."""
    side = 400 * covered**0.5 / 4
    starts = np.arange(4) * side
    boxes = np.array([(r, c, r + side, c + side) for r in starts for c in starts])
    weights = np.full((1, 1, 16), 1 / 16, np.float32)
    found = AttentionMap(weights, boxes.astype(np.float32), 400, 400, ("sum",), "made")
    listed = places_json(Outcome({}, found), Choice(), "")
    assert listed["max"] / listed["last_colour"] == pytest.approx(share)


def test_table_holds_every_round_and_weight(client: httpx.Client, made: Outcome) -> None:
    """NumPy opens it without pickle."""
    answer = client.get("/inference/jobs/x/attention.npy")
    assert 'filename="attention.npy"' in answer.headers["content-disposition"]
    table = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert made.attention is not None
    assert table["round"].tolist() == [0, 0, -1, -1, -1]
    weights = table["weights"][table["round"] == -1]
    np.testing.assert_array_equal(weights.transpose(1, 2, 0), made.attention.weights)
    assert table["col1"].tolist() == [60, 400, 60, 400, 900]


def test_model_without_attention_says_why(
    client: httpx.Client, pool: InferencePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the model's own words."""
    outcome = Outcome({"no_attention": "This model looks at nothing in particular."})
    monkeypatch.setattr(pool, "get_outcome", lambda job_id: outcome)
    for path in ("attention.json", "attention.npy", "heat/0/0_0.png"):
        answer = client.get(f"/inference/jobs/x/{path}")
        assert answer.status_code == 404
        assert answer.json()["error"] == outcome.result["no_attention"]


@pytest.mark.parametrize(
    "path",
    [
        "/inference",
        "/inference/status",
        "/inference/jobs",
        "/inference/jobs/x",
        "/inference/jobs/x/attention.json",
        "/inference/jobs/x/attention.npy",
        "/inference/jobs/x/heat/0/0_0.png",
    ],
)
def test_shared_app_closes_predictions_to_annotators_and_strangers(
    pool: InferencePool, tmp_path: Path, path: str
) -> None:
    """A prediction would tell them the answer; neither a link nor a session of theirs helps."""
    settings = load_settings({"UMNIST_LABELING": str(tmp_path), "UMNIST_SHARE": "1"})
    app = Starlette(
        routes=[*login_routes(settings), *inference_routes(settings, pool)],
        middleware=[Middleware(Gate, settings=settings)],
    )
    with serve(app) as url, httpx.Client(base_url=url, timeout=60) as stranger:
        for headers in ({}, {"cookie": "umnist_annotator=1.2.3; umnist_session=x"}):
            for method in ("GET", "POST", "DELETE", "OPTIONS"):
                refused = stranger.request(method, path, headers=headers)
                assert (refused.status_code, refused.json()["code"]) == (403, "closed_to_you")
