"""The whole app in a process of its own, with folders of its own: something to be hostile to."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from umnist_core.bench.ports import free_port
from umnist_core.errors import NetworkError
from umnist_core.incidents import LOG_NAME
from umnist_core.labeling import StudyService, StudySpec
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.sql import open_log

START_S = 120
_POLL_S = 0.2
_TRACEBACK = "Traceback (most recent call last)"


@dataclass
class HostileApp:
    """A running app.

    Attributes
    ----------
    port
        On 127.0.0.1.
    folder
        Where it keeps everything.
    secret
        Of its researchers.
    study, tokens
        A study in it, and links for people.
    process
        The command; None in other processes than the one that started it.
    cookies
        Those of a researcher and of a person with a link, for a header.
    """

    port: int
    folder: Path
    secret: str
    study: str
    tokens: tuple[str, ...]
    process: subprocess.Popen[bytes] | None
    cookies: str = field(default="")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def count_tracebacks(self) -> int:
        """Return how many are in what it printed and in its log of incidents."""
        logs = [_log_of(self.folder), *self.folder.rglob(f"{LOG_NAME}*")]
        texts = (path.read_text(encoding="utf-8", errors="replace") for path in logs)
        return sum(text.count(_TRACEBACK) for text in texts)

    def stop(self) -> float:
        """Tell it to end as a service manager does; return how long it took, in seconds."""
        started = time.perf_counter()
        assert self.process is not None
        self.process.terminate()
        self.process.wait(START_S)
        return time.perf_counter() - started


@contextmanager
def hostile_app(folder: Path) -> Iterator[HostileApp]:
    """Run ``umnist app --share`` and yield it.

    Raises
    ------
    NetworkError
        If it does not come up.
    """
    study, tokens = _make_study(folder)
    port = free_port()
    secret = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "umnist_core.cli", "app", "--share", f"--port={port}"]
    with _log_of(folder).open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host=127.0.0.1"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_own_folders(folder), "UMNIST_ADMIN_SECRET": secret},
        )
    app = HostileApp(port, folder, secret, study, tokens, process)
    try:
        _wait_until_up(app)
        app.cookies = _log_in(app)
        yield app
    finally:
        if process.poll() is None:
            app.stop()


def _own_folders(folder: Path) -> dict[str, str]:
    return {
        "UMNIST_DATA": str(folder / "data"),
        "UMNIST_LABELING": str(folder / "lab"),
        "UMNIST_DATABASE_URL": _store(folder),
    }


def _store(folder: Path) -> str:
    return f"sqlite:///{folder / 'lab' / 'umnist.sqlite'}"


def _log_of(folder: Path) -> Path:
    return folder / "app.log"


def _make_study(folder: Path) -> tuple[str, tuple[str, ...]]:
    (folder / "lab").mkdir(parents=True)
    log = open_log(_store(folder))
    try:
        service = StudyService(log, folder / "lab")
        sizes = {"canvas": "512", "factor": "0.5..4"}
        spec = StudySpec(
            name="Hostile", overrides=sizes, stimuli=3, images_per_annotator=3, practice=1
        )
        study = create_study(service, spec, jobs=1)
        tokens = tuple(row.token or "" for row in service.invite(study, 2))
    finally:
        log.close()
    return study, tokens


def _wait_until_up(app: HostileApp) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and app.process is not None and app.process.poll() is None:
        try:
            if httpx.get(f"{app.url}/health", timeout=START_S).is_success:
                return
        except httpx.TransportError:
            time.sleep(_POLL_S)
    printed = _log_of(app.folder).read_text(errors="replace").strip().splitlines()
    raise NetworkError(
        f"Expected the app to start within {START_S} s, found that it did not "
        f"({printed[-1] if printed else 'it printed nothing'}); see that `umnist app` runs."
    )


def _log_in(app: HostileApp) -> str:
    """Return the cookies of a researcher who has joined a study, too."""
    with httpx.Client(base_url=app.url, headers={"origin": app.url}, timeout=START_S) as client:
        client.post("/login", data={"secret": app.secret})
        client.post(f"/join/{app.tokens[0]}", json={})
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())
