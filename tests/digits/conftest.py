"""Fixtures for digits: settings of a test's own, real MNIST, and mirrors on loopback."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.digits.idx_files import write_mnist
from umnist_core.digits.sources import MNIST_FILES
from umnist_core.settings import Settings, load_settings

PROJECT = Path(__file__).parents[2]

SILENCE_S = 10.0
"""How long a silent mirror keeps silent: a download without a timeout would get its file."""


@pytest.fixture(autouse=True)
def _reach_loopback_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a proxy of the machine's out of the way."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a machine without any digits of its own."""
    return load_settings({"UMNIST_DATA": str(tmp_path / "data")})


@pytest.fixture(scope="session")
def real_mnist() -> Path:
    """Return the folder of the original MNIST, where this machine has one."""
    folder = Path(os.environ.get("UMNIST_DIGITS") or PROJECT.parent / "shared" / "mnist")
    if not folder.is_dir():
        pytest.skip("MNIST is not on this machine; set UMNIST_DIGITS to its folder to run this")
    return folder


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Declare a small set to be the original MNIST; gives its gzipped files by name.

    So downloads can be tested on machines without MNIST.
    """
    folder = write_mnist(tmp_path / "original")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for subset, pair in MNIST_FILES.items():
        images, labels = (
            replace(file, md5=hashlib.md5(gzip.decompress(files[f"{file.name}.gz"])).hexdigest())
            for file in pair
        )
        monkeypatch.setitem(MNIST_FILES, subset, (images, labels))
    return files


class Mirror:
    """An HTTP server on loopback that serves files and can be made to misbehave.

    Attributes
    ----------
    files
        Served content by file name.
    cut
        Bytes left out at the end of each file's body.
    head_gate, get_gate
        Answers to HEAD and GET wait until these are set, or for `SILENCE_S`.
    asked
        Every request so far, as ``"METHOD name"``.
    sent
        Set once a GET was answered.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.cut = 0
        self.head_gate = threading.Event()
        self.get_gate = threading.Event()
        self.head_gate.set()
        self.get_gate.set()
        self.asked: list[str] = []
        self.sent = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Address of the folder with the files."""
        return f"http://127.0.0.1:{self._server.server_port}/mnist/"

    def close(self) -> None:
        """Let every waiting answer go and stop."""
        self.head_gate.set()
        self.get_gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer(mirror.head_gate)

            def do_GET(self) -> None:
                body = self._answer(mirror.get_gate)
                with contextlib.suppress(BrokenPipeError):  # another mirror answered first
                    self.wfile.write(body[: len(body) - mirror.cut])
                mirror.sent.set()

            def _answer(self, gate: threading.Event) -> bytes:
                name = self.path.rsplit("/", 1)[-1]
                mirror.asked.append(f"{self.command} {name}")
                gate.wait(SILENCE_S)
                body = mirror.files.get(name, b"")
                try:
                    self.send_response(200 if body else 404)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                except ConnectionError:
                    return b""
                return body

            def log_message(self, *_: object) -> None:
                """Keep the test's output quiet."""

        return Handler


@pytest.fixture
def make_mirror() -> Iterator[Callable[[dict[str, bytes]], Mirror]]:
    """Start mirrors that stop with the test."""
    with ExitStack() as stack:

        def make(files: dict[str, bytes]) -> Mirror:
            mirror = Mirror(files)
            stack.callback(mirror.close)
            return mirror

        yield make
