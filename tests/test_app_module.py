"""``uvicorn app:app``: pages and tiles from one port, without Streamlit's own command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from umnist_core.bench.ports import free_port
from umnist_core.server.assets import static_version

PROJECT = Path(__file__).parents[1]
PATIENCE_S = 90


UVICORN = ("uvicorn", "app:app", "--port")
STREAMLIT = ("streamlit", "run", "app.py", "--server.headless=true", "--server.port")


@contextmanager
def running(command: Sequence[str] = UVICORN, **variables: str) -> Iterator[str]:
    """Run the app and yield its address; variables are of its environment."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *command, str(port)],
        cwd=PROJECT,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"{url}/health", timeout=60)
            return
        except httpx.TransportError:
            assert process.poll() is None, "The server ended by itself."
            assert time.monotonic() < deadline, "The server did not start."
            time.sleep(0.2)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run the app at the root of its address."""
    with running() as url:
        yield url


def test_pages_and_tiles_come_from_one_port(address: str) -> None:
    """Streamlit's page, our health route and a tile, all on one origin."""
    assert "<title>Streamlit</title>" in httpx.get(address, timeout=60).text
    assert httpx.get(f"{address}/health", timeout=60).json()["status"] == "ok"
    tile = httpx.get(f"{address}/tiles/scene_files/9/0_0.png?seed=1", timeout=60)
    assert tile.headers["content-type"] == "image/png"
    assert "access-control-allow-origin" not in tile.headers


def test_scene_of_100_000_px_is_served_at_its_coarsest_and_finest_level(address: str) -> None:
    """Ten gigapixels open without ever being drawn in full."""
    for level, place in ((8, "0_0"), (17, "100_100")):
        path = f"/tiles/scene_files/{level}/{place}.png?seed=1&canvas=100000"
        assert httpx.get(f"{address}{path}", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (UVICORN, "http://127.0.0.1/umnist/"),
        ((*STREAMLIT[:3], "--server.baseUrlPath=umnist", *STREAMLIT[3:]), ""),
    ],
    ids=["our setting", "Streamlit's"],
)
def test_either_setting_puts_everything_under_the_path(
    command: Sequence[str], variable: str
) -> None:
    """Pages, tiles, health and files, each with its own content type and none with another's."""
    kinds = {
        "/": "text/html",
        "/noise_lab": "text/html",
        "/_stcore/health": "text/plain",
        "/health": "application/json",
        "/tiles/scene_files/9/0_0.png?seed=1": "image/png",
        "/tiles/scene.dzi?seed=1": "application/xml",
        "/inference/status": "application/json",
        f"/assets/{static_version()}/streamlit.js": "javascript",
        "/label/s1/api/state": "application/json",
    }
    with running(command, UMNIST_BASE_URL=variable) as url:
        for path, kind in kinds.items():
            for prefix in ("/umnist", ""):  # a proxy may cut it
                reply = httpx.get(f"{url}{prefix}{path}", timeout=60, follow_redirects=True)
                assert kind in reply.headers["content-type"], prefix + path
