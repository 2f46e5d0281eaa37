"""The routes of curves of where models break, asked of a real server with a real process."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from tests.server.serving import serve
from umnist_core.experiments.breaking_point import BreakingPoint
from umnist_core.inference.breaking import measure_curve
from umnist_core.inference.pool import InferencePool
from umnist_core.scenes import SceneRef
from umnist_core.server.gate import Gate
from umnist_core.server.inference import inference_routes
from umnist_core.server.login import login_routes
from umnist_core.settings import load_settings

FIRST = SceneRef.of("released", {"canvas": "300", "factor": "1..2"}, seed=4, split="test")
SCENE = "/tiles/scene.dzi?preset=released&seed=4&split=test&index=0&canvas=300&factor=1..2"
MODEL = "additive-pyramid"
ASKED = {
    "viewer": "page",
    "device": "cpu",
    "checkpoints": [MODEL],
    "parameter": "shape_pairs",
    "values": ["0", "9"],
    "count": 3,
    "scene": SCENE,
}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Yield a client of a real server with predictions, as the app has them."""
    settings, pool = load_settings(), InferencePool()
    app = Starlette(
        routes=inference_routes(settings, pool), middleware=[Middleware(Gate, settings=settings)]
    )
    with serve(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client
    pool.close()


def _begin(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/inference/breaking", json={**ASKED, **changes})


def _until_ended(client: httpx.Client, curve: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + 120
    while curve["state"] == "running":
        assert time.monotonic() < until
        params = {"after": curve["version"], "wait_s": 20}
        curve = client.get(f"/inference/breaking/{curve['id']}", params=params).json()
    return curve


def test_curve_of_the_server_is_that_of_the_command(client: httpx.Client) -> None:
    """The same share and interval at every value; its files, its misses, its command."""
    begun = _begin(client)
    assert begun.status_code == 202
    curve = _until_ended(client, begun.json())
    assert (curve["state"], curve["done"], curve["total"]) == ("done", 6, 6)
    plan = BreakingPoint((MODEL,), "shape_pairs", ("0", "9"), 3, FIRST)
    here = measure_curve(plan, "cpu")
    assert curve["curves"] == here.curves()
    assert curve["command"] == plan.command
    base = f"/inference/breaking/{curve['id']}"
    table = client.get(f"{base}/curve.csv")
    assert "attachment" in table.headers["content-disposition"]
    assert table.text == here.as_csv()
    rows = list(csv.DictReader(io.StringIO(table.text)))
    answers = client.get(f"{base}/curve.json").json()
    assert len(answers["answers"]) == 6
    for row in rows:
        asked = {"checkpoint": MODEL, "value": row["value"], "task": "sum"}
        misses = client.get(f"{base}/misses", params=asked).json()["misses"]
        assert len(misses) == int(row["images"]) - int(row["right"])
        for miss in misses:
            assert miss["said"] != miss["true"]
            assert f"shape_pairs={row['value']}" in miss["query"]
            assert SceneRef.from_dict(miss["scene"]) == plan.scene(row["value"], miss["index"])


def test_cancelled_curve_keeps_what_it_has(client: httpx.Client) -> None:
    """Cancelling answers at once, and again."""
    begun = _begin(client, scene=SCENE.replace("seed=4", "seed=5"), count=200).json()
    for _ in range(2):
        ended = client.delete(f"/inference/breaking/{begun['id']}").json()
        assert ended["state"] == "cancelled"
        assert ended["done"] < ended["total"] == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"checkpoints": ["../secret"]}, 404),
        ({"checkpoints": []}, 422),
        ({"checkpoints": ["a", "b", "c", "d"]}, 422),
        ({"parameter": "nothing"}, 422),
        ({"values": ["0", "99"]}, 422),
        ({"values": [1]}, 422),
        ({"values": [str(one) for one in range(66)]}, 422),
        ({"count": 1001}, 422),
        ({"scene": "/tiles/file/abc.dzi"}, 422),
        ({"scene": SCENE + "&pin=abaf3091-2"}, 409),
        ({"device": "cuda:99"}, 404),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(
    client: httpx.Client, changes: dict[str, Any], status: int
) -> None:
    """Before anything is begun."""
    refused = _begin(client, **changes)
    assert refused.status_code == status
    assert refused.json()["error"].endswith(".")


def test_curve_that_nobody_began_is_unknown(client: httpx.Client) -> None:
    """In every address below it."""
    for path in ("", "/misses?checkpoint=a&value=0&task=sum", "/curve.csv", "/curve.json"):
        assert client.get(f"/inference/breaking/never{path}").status_code == 404
    assert client.delete("/inference/breaking/never").status_code == 404


def test_curves_are_for_researchers_alone(tmp_path: Path) -> None:
    """In a shared app nobody else begins one, or sees what came of one."""
    settings = load_settings({"UMNIST_LABELING": str(tmp_path), "UMNIST_SHARE": "1"})
    app = Starlette(
        routes=[*login_routes(settings), *inference_routes(settings)],
        middleware=[Middleware(Gate, settings=settings)],
    )
    with serve(app) as url, httpx.Client(base_url=url, timeout=60) as stranger:
        asked = [_begin(stranger), stranger.get("/inference/breaking/never/curve.csv")]
        assert [one.status_code for one in asked] == [403, 403]
