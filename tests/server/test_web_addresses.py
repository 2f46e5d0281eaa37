"""Addresses: their methods, what is not there, bugs, and a prefix before them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from tests.server.conftest import Lab
from tests.server.serving import serve
from umnist_core.digits import GlyphSet
from umnist_core.server import TileService, tile_routes
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling import label_routes
from umnist_core.server.web.addresses import address, mount
from umnist_core.server.web.fields import read_object
from umnist_core.server.web.replies import json_reply


async def _show(request: Request) -> Response:
    return json_reply(request.path_params)


async def _take(request: Request) -> Response:
    return json_reply(await read_object(request, 100))


async def _fail(request: Request) -> Response:
    raise RuntimeError("secret detail")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Yield a client of a server with a few addresses."""
    addresses = [
        address("/things", post=_take),
        address("/things/{thing:id}", get=_show, delete=_show),
        address("/tiles/{level:digits}/{col:digits}_{row:digits}.png", get=_show),
        address("/bug", get=_fail),
    ]
    app = Starlette(routes=[mount("/x", addresses, to_researcher=False)])
    with serve(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_address_takes_its_own_methods_and_says_which(client: httpx.Client) -> None:
    """All of them together, whichever comes first in the table; HEAD is GET without content."""
    assert client.get("/x/things/a-1").json() == {"thing": "a-1"}
    assert client.delete("/x/things/a-1").status_code == 200
    head = client.head("/x/things/a-1")
    assert (head.status_code, head.content) == (200, b"")
    allow = "GET, HEAD, DELETE, OPTIONS"
    options = client.options("/x/things/a-1")
    assert (options.status_code, options.headers["allow"]) == (204, allow)
    for method in ("POST", "PUT", "PURGE"):
        refused = client.request(method, "/x/things/a-1")
        assert (refused.status_code, refused.json()["code"]) == (405, "wrong_method")
        assert refused.headers["allow"] == allow
        assert allow in refused.json()["error"]


@pytest.mark.parametrize(
    "path",
    ["", "things/", "things/a/", "things/a.b", f"things/{'a' * 65}", "tiles/1/-1_0.png", "thing"],
)
def test_what_is_not_there_is_said_and_nobody_is_sent_on(client: httpx.Client, path: str) -> None:
    """With 404 and JSON; a slash too many is no other spelling."""
    answer = client.get(f"/x/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown")


def test_number_of_any_length_reaches_whoever_reads_it(client: httpx.Client) -> None:
    """As a text: a path that is too long for a number is no traceback."""
    level = "9" * 5000
    assert client.get(f"/x/tiles/{level}/0_1.png").json() == {
        "level": level,
        "col": "0",
        "row": "1",
    }


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ('{"a": 1}', "application/json; charset=utf-8", 200, None),
        ('{"a": 1}', "text/plain", 415, "invalid"),
        ("[1]", "application/json", 422, "invalid"),
        ('{"a": "' + "x" * 100 + '"}', "application/json", 413, "too_large"),
    ],
)
def test_body_is_a_json_object_of_limited_size(
    client: httpx.Client, content: str, kind: str, status: int, code: str | None
) -> None:
    """Anything else is refused before it is acted upon."""
    answer = client.post("/x/things", content=content, headers={"content-type": kind})
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert (answer.headers.get("connection") == "close") is (status == 413)


def test_change_that_another_site_asks_for_is_refused(client: httpx.Client) -> None:
    """Of either method; reading is not."""
    for headers in ({"origin": "http://other.example"}, {"sec-fetch-site": "cross-site"}):
        for method, path in (("POST", "/x/things"), ("DELETE", "/x/things/a")):
            refused = client.request(method, path, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "other_site")
        assert client.get("/x/things/a", headers=headers).status_code == 200


def test_bug_is_one_sentence_and_logged(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Its traceback reaches the log and nobody else."""
    answer = client.get("/x/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "trouble")
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text
    assert "Traceback" in caplog.text


def test_every_part_answers_below_a_prefix(lab: Lab, glyphs: GlyphSet) -> None:
    """No route knows where it is mounted."""
    study = lab.study()
    routes = [
        *tile_routes(TileService(glyphs=lambda: glyphs)),
        *label_routes(lab.service),
        *inference_routes(),
    ]
    app = Starlette(routes=[Mount("/hub/lab", routes=routes)])
    with serve(app) as url, httpx.Client(base_url=f"{url}/hub/lab", timeout=60) as client:
        assert client.get("/health").json()["status"] == "ok"
        assert client.get("/tiles/scene.dzi?canvas=900&factor=1").status_code == 200
        assert client.get("/inference/jobs/x").json()["code"] == "unknown"
        assert client.get(f"/label/{study}/api/state").json()["code"] == "no_session"
        token = lab.link(study)
        assert client.get(f"/join/{token}").status_code == 200
        assert client.post(f"/join/{token}", json={}).json() == {"to": f"/label/{study}"}
