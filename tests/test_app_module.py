"""``uvicorn app:app``: pages and tiles from one port, without Streamlit's own command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

PROJECT = Path(__file__).parents[1]
PATIENCE_S = 90


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run the app under uvicorn and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)],
        cwd=PROJECT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"{url}/health", timeout=60)
            break
        except httpx.TransportError:
            assert process.poll() is None, "uvicorn ended by itself."
            assert time.monotonic() < deadline, "uvicorn did not start."
            time.sleep(0.2)
    yield url
    process.terminate()
    process.wait()


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
