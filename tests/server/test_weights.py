"""Weights and cards of checkpoints are saved as they lie on the disk, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tests.server.serving import serve
from umnist_core.models.cards import find_shipped_checkpoints
from umnist_core.server.weights import weights_routes


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Return a client of the route, with a run of somebody's own."""
    monkeypatch.setenv("UMNIST_CHECKPOINTS", str(tmp_path))
    run = tmp_path / "my-run"
    run.mkdir()
    (run / "best.safetensors").write_bytes(b"weights")
    (tmp_path / "secret.txt").write_text("no")
    with serve(Starlette(routes=weights_routes())) as at, httpx.Client(base_url=at) as client:
        yield client


def saved(response: httpx.Response) -> str:
    """Return under which name a browser saves it."""
    return response.headers["content-disposition"].partition('filename="')[2].rstrip('"')


def test_weights_and_card_come_under_the_name_of_the_checkpoint(client: httpx.Client) -> None:
    """Of a run as well, whose file has the name of all runs' files."""
    path = find_shipped_checkpoints()["fov-max"]
    for kind, file in (("weights", path), ("card", path.with_suffix(".json"))):
        response = client.get(f"/checkpoints/fov-max/{kind}")
        assert response.status_code == 200
        assert response.content == file.read_bytes()
        assert saved(response) == file.name
        assert response.headers["cache-control"] == "no-store"
    own = client.get("/checkpoints/my-run/weights")
    assert (own.content, saved(own)) == (b"weights", "my-run.safetensors")


@pytest.mark.parametrize(
    "address",
    ["/nobody/weights", "/fov-max/secret", "/..%2fsecret.txt/weights", "/my-run/card", "/fov-max"],
)
def test_what_is_no_checkpoint_is_not_found(client: httpx.Client, address: str) -> None:
    """Another name, another kind, a path, and a card that there is none of: a sentence each."""
    response = client.get(f"/checkpoints{address}")
    assert response.status_code == 404
    assert (
        "expected" in response.text.lower()
        or "nothing at this address" in response.text
        or ("is gone" in response.text)
    )
