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
from click.testing import CliRunner

from umnist_core.cli import app
from umnist_core.server.admin import Admins

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
        return httpx.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=60).status_code == 200
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
    """Without --share the app is for this machine alone."""
    code, errors = _run("--host", host)
    assert code == 2
    assert f"found {host!r}" in errors


@pytest.mark.parametrize("host", ["", " ", "no-such-name.invalid", "a" * 70, "[::1", "\udcff"])
def test_app_refuses_a_host_that_is_no_address(host: str) -> None:
    """An empty one would be every address, and a name that does not resolve is none."""
    for options in ([], ["--share"]):
        code, errors = _run("--host", host, *options)
        assert code == 2
        assert "Traceback" not in errors
        assert "'--host'" in errors
        assert "found" in errors


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


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a lab of its own, and no secret from outside."""
    monkeypatch.setenv("UMNIST_LABELING", str(tmp_path / "lab"))
    monkeypatch.delenv("UMNIST_ADMIN_SECRET", raising=False)
    return tmp_path / "lab"


def _start_recorded(
    monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[list[str], dict[str, str], str]:
    """Run the command up to the start of the server; return its command, variables and output."""
    started: list[tuple[list[str], dict[str, str]]] = []

    def record(command: list[str], environment: dict[str, str]) -> int:
        started.append((command, environment))
        return 0

    monkeypatch.setattr(app, "_run_until_stopped", record)
    result = CliRunner().invoke(app.app_command, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return *started[0], result.output


def test_shared_app_shows_its_secret_once(
    lab: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """At the first start, and again only for a new one, which replaces it."""
    arguments = ("--share", "--host", "127.0.0.1", "--port", str(free_port))
    _, environment, output = _start_recorded(monkeypatch, *arguments)
    secret = output.split()[2]
    assert Admins(lab).is_secret(secret)
    assert environment["UMNIST_SHARE"] == "1"
    assert "Admin secret" not in _start_recorded(monkeypatch, *arguments)[2]
    again = _start_recorded(monkeypatch, *arguments, "--new-secret")[2].split()[2]
    assert Admins(lab).is_secret(again)
    assert not Admins(lab).is_secret(secret)


def test_secret_of_the_environment_is_hashed_and_goes_no_further(
    lab: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """The server does not see it, and given again it ends no session."""
    monkeypatch.setenv("UMNIST_ADMIN_SECRET", "a secret for tests alone")
    arguments = ("--share", "--host", "127.0.0.1", "--port", str(free_port))
    command, environment, output = _start_recorded(monkeypatch, *arguments)
    kept = (lab / "admin.hash").read_text()
    assert "a secret for tests alone" not in " ".join([output, *command, *environment.values()])
    _start_recorded(monkeypatch, *arguments)
    assert (lab / "admin.hash").read_text() == kept
    monkeypatch.setenv("UMNIST_ADMIN_SECRET", "short")
    with pytest.raises(ValueError, match="12 characters or more"):
        _start_recorded(monkeypatch, *arguments)
    assert (lab / "admin.hash").read_text() == kept


def test_shared_app_listens_outward_under_the_names_it_is_given(
    lab: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """Streamlit's own protections stay on, and are told the same names."""
    arguments = ("--share", "--port", str(free_port), "--public-host", "labeling.example.org")
    command, environment, _ = _start_recorded(monkeypatch, *arguments)
    assert "--server.address=0.0.0.0" in command
    assert "--server.allowedHosts=labeling.example.org" in command
    assert "--browser.serverAddress=labeling.example.org" in command
    assert "--server.enableXsrfProtection=true" in command
    assert "--server.enableCORS=true" in command
    assert environment["UMNIST_PUBLIC_HOSTS"] == "labeling.example.org"


def test_app_that_is_not_shared_stays_closed(
    lab: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """Whatever the environment says: being shared is typed."""
    monkeypatch.setenv("UMNIST_SHARE", "1")
    command, environment, _ = _start_recorded(monkeypatch, "--port", str(free_port))
    assert "UMNIST_SHARE" not in environment
    assert "--server.address=127.0.0.1" in command
    assert not any("allowedHosts" in option for option in command)
    assert not lab.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--public-host", "example.org"], "go with --share"),
        (["--new-secret"], "go with --share"),
        (["--share", "--public-host", "https://example.org"], "without scheme and port"),
        (["--share", "--public-host", "example.org:8501"], "without scheme and port"),
    ],
)
def test_sharing_options_that_make_no_sense_are_refused(
    arguments: list[str], sentence: str
) -> None:
    """Exit code 2 and a sentence, before anything is started."""
    code, errors = _run(*arguments)
    assert code == 2
    assert sentence in errors
