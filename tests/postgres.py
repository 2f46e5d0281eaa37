"""A real PostgreSQL server for tests: made for them in a folder of its own, and stopped after.

It writes to the disk as one does in a lab: nothing of its durability is turned off.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

USER = "umnist"
START_S = 60
"""How long a server may take to start on a machine that is busy."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server.

    Attributes
    ----------
    folder
        What it writes.
    port
        On 127.0.0.1.
    password
        Of `USER`.
    """

    folder: Path
    port: int
    password: str

    def url(self, database: str) -> str:
        """Return the address of a database, as a lab would write it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its address, and remove it."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run a statement as the server's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server for all tests of this process."""
    # Not below pytest's own folder, which is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="umnist-postgres-"))
    try:
        with _running(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the address of a new, empty database."""
    with postgres_server.database() as url:
        yield url


@contextmanager
def _running(folder: Path) -> Iterator[PostgresServer]:
    programs = _find_programs()
    server = PostgresServer(folder / "data", _free_port(), secrets.token_hex(16))
    password_file = folder / "password"
    password_file.write_text(server.password)
    if os.geteuid() == 0:  # the server refuses to run as root
        for path in (folder, password_file):
            shutil.chown(path, "postgres", "postgres")
    command = [str(programs / "initdb"), "-D", str(server.folder), "-U", USER]
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    options.append(f"--pwfile={password_file}")
    made = subprocess.run(
        [*_as_owner(), *command, *options], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        "unix_socket_directories": "",
        "fsync": "on",
        "max_connections": "100",
    }
    flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_as_owner(), programs / "postgres", "-D", server.folder, *flags],
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(server, process, log)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # ends connections and stops in order
        process.wait(START_S)


def _find_programs() -> Path:
    """Return the folder of the newest server that is installed; Debian keeps it off the path."""
    candidates = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if candidates:
        return candidates[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    pytest.fail("Expected PostgreSQL's initdb, found none; on Debian: apt-get install postgresql")


def _as_owner() -> Sequence[str]:
    """Return what runs a command as a user that may own a server, and ends it with the tests."""
    command = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    if os.geteuid() == 0:
        command += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
