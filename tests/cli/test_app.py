"""``umnist app``: who may reach it, what it says when it cannot run, and how it stops."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from umnist_core.cli import app

COMMAND = [sys.executable, "-m", "umnist_core.cli", "app"]


@pytest.fixture
def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def running_app(free_port: int) -> Iterator[subprocess.Popen[str]]:
    """Start the app on ``free_port``; stop it afterwards if it still runs."""
    command = [*COMMAND, "--port", str(free_port)]
    pipe = subprocess.PIPE
    # A session of its own, as a terminal would give it.
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        while process.poll() is None and not _answers(free_port):
            time.sleep(0.1)
        yield process
        process.terminate()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/_stcore/health").status_code == 200
    except httpx.TransportError:
        return False


def _run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the errors of a command that ends by itself."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], stdout=pipe, stderr=pipe, text=True) as process:
        _, errors = _finish(process)
    return process.returncode, errors


def _finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the end, and see to it where a broken command would run for ever."""
    try:
        return process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_app_prints_its_address_and_stops_quietly(
    running_app: subprocess.Popen[str], free_port: int, number: signal.Signals
) -> None:
    """Ctrl-C, a service manager's stop and a closed terminal end it with code 0."""
    assert _answers(free_port)
    running_app.send_signal(number)
    output, errors = _finish(running_app)
    assert running_app.returncode == 0
    assert f"http://127.0.0.1:{free_port}" in output
    assert errors == ""
    assert not _answers(free_port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_app_refuses_an_address_that_others_can_reach(host: str) -> None:
    """Without a log-in the app is for this machine alone."""
    code, errors = _run("--host", host)
    assert code == 2
    assert f"found {host!r}" in errors


def test_app_names_the_port_that_is_in_use() -> None:
    """A port that another program holds gives one sentence that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, errors = _run("--port", str(port))
    assert code == 1
    assert errors.count("\n") == 1
    assert f"port {port} of 127.0.0.1 in use" in errors
    assert "--port" in errors


def test_app_without_its_pages_says_where_to_run_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installation without a clone names what is missing and where it is found."""
    monkeypatch.setattr(app, "APP_FILE", tmp_path / "app.py")
    with pytest.raises(FileNotFoundError, match="scripts/app in a clone"):
        app.app_command.main([], standalone_mode=False)
