"""Files that a page makes for somebody to save."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tests.server.serving import serve
from umnist_core.bench.ports import free_port
from umnist_core.errors import WriteError
from umnist_core.server.downloads import MOST_KEPT, download_routes, prepare_download

ROOT = Path(__file__).parents[2]
FILE_MIB = 300

SERVER = """
import sys
import uvicorn
from starlette.applications import Starlette
from umnist_core.server.downloads import download_routes, prepare_download

def make(path):
    with path.open("wb") as file:
        file.truncate(int(sys.argv[2]) << 20)

print(*(prepare_download("large.zip", make).address for _ in range(3)), flush=True)
uvicorn.run(Starlette(routes=download_routes()), port=int(sys.argv[1]), log_level="critical")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve the route alone."""
    with serve(Starlette(routes=download_routes())) as address:
        yield address


def test_large_download_is_streamed_and_held_in_no_memory() -> None:
    """A server that made and sent nearly a gigabyte never had a file of it in memory."""
    port = free_port()
    words = [sys.executable, "-c", SERVER, str(port), str(FILE_MIB)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            addresses = server.stdout.readline().split()
            before_mib = _peak_mib(server.pid)
            for path in addresses:
                assert _size_of(f"http://127.0.0.1:{port}{path}", server) == FILE_MIB << 20
            assert _peak_mib(server.pid) - before_mib < FILE_MIB / 3
        finally:
            server.terminate()


def _size_of(address: str, server: subprocess.Popen[str]) -> int:
    while True:
        assert server.poll() is None
        try:
            with httpx.stream("GET", address, timeout=60) as reply:
                assert reply.headers["content-disposition"] == 'attachment; filename="large.zip"'
                return sum(map(len, reply.iter_bytes()))
        except httpx.ConnectError:
            time.sleep(0.1)


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def test_files_that_wait_for_being_saved_are_few(server: str) -> None:
    """The oldest goes, and its address says so."""
    made = [prepare_download("x.zip", lambda path: path.write_text("x")) for _ in range(20)]
    assert [one.path.is_file() for one in made[-MOST_KEPT:]] == [True] * MOST_KEPT
    assert not any(one.path.parent.exists() for one in made[:-MOST_KEPT])
    reply = httpx.get(f"{server}{made[0].address}", timeout=60)
    assert reply.status_code == 404
    assert "prepare it again" in reply.text
    assert httpx.get(f"{server}{made[-1].address}", timeout=60).text == "x"


@pytest.mark.parametrize("path", ["/downloads/none/x.zip", "/downloads/x.zip", "/downloads/"])
def test_address_of_no_file_is_not_found(server: str, path: str) -> None:
    """Whatever is guessed."""
    assert httpx.get(f"{server}{path}", timeout=60).status_code == 404


def test_file_that_cannot_be_made_leaves_nothing() -> None:
    """And its error is the caller's."""
    folders: list[Path] = []

    def fail(path: Path) -> None:
        folders.append(path.parent)
        path.write_text("half")
        raise WriteError("no room")

    with pytest.raises(WriteError):
        prepare_download("x.zip", fail)
    assert not folders[0].exists()
