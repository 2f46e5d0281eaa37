"""A PostgreSQL server for measurements and tests: made in a folder of its own, removed after.

It writes to the disk as one does in a lab: nothing of its durability is turned off.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from umnist_core.bench.ports import free_port
from umnist_core.errors import MissingFileError, NetworkError, StoreError

USER = "umnist"
START_S = 60
"""How long the server may take to start on a machine that is busy."""


class PostgresServer:
    """A server of PostgreSQL on loopback.

    Parameters
    ----------
    folder
        Where it keeps everything; empty, and of the user that it will run as.

    Raises
    ------
    MissingFileError
        If PostgreSQL is not installed.
    StoreError
        If the folder cannot be prepared.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = find_programs()
        self.folder = folder
        self._data = folder / "data"
        self._password = secrets.token_hex(16)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._prepare()

    def url(self, database: str) -> str:
        """Return the address of a database, as a lab would write it."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its address, and remove it."""
        name = f"umnist_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> str:
        """Run a statement as the server's owner and return what it printed.

        Raises
        ------
        StoreError
            If it fails.
        """
        done = self._run_sql(statement)
        if done.returncode:
            raise StoreError(
                f"Expected {statement[:60]!r} to be done, found: {done.stderr.strip()[:200]}; look "
                "at the server."
            )
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it answers, which it does after it has recovered.

        Raises
        ------
        NetworkError
            If it does not.
        """
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "max_connections": "100",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_as_owner(), str(self._programs / "postgres"), "-D", str(self._data), *flags],
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + START_S
        while self._run_sql("SELECT 1").returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NetworkError(
                    f"PostgreSQL did not start; its log ends with: {log.read_text()[-300:]}"
                )
            time.sleep(0.05)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server.

        Parameters
        ----------
        at_once
            Without writing anything more, as if the machine had lost its power; when it is
            started again it recovers from its write-ahead log.
        """
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(START_S)
            self._process = None

    def _prepare(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        if os.geteuid() == 0:  # the server refuses to run as root
            for path in (self.folder, password_file):
                shutil.chown(path, "postgres", "postgres")
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", USER]
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [*_as_owner(), *command, *options, f"--pwfile={password_file}"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise StoreError(
                f"A database folder could not be made: {made.stderr.strip()[:200]}; look at "
                f"{self.folder.parent}."
            )

    def _run_sql(self, statement: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._programs / "psql"), "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(
            [*command, "-c", statement, self.url("postgres")],
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Make and start a server; stop and remove it at the end.

    Raises
    ------
    MissingFileError
        If PostgreSQL is not installed.
    NetworkError, StoreError
        If it cannot be made or started.
    """
    folder = Path(tempfile.mkdtemp(prefix="umnist-postgres-"))
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """Return the folder of the newest server's programs; Debian keeps them off the path.

    Raises
    ------
    MissingFileError
        If there is none.
    """
    candidates = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if candidates:
        return candidates[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise MissingFileError(
        "Expected PostgreSQL's programs (initdb, postgres, psql), found none; on Debian: apt-get "
        "install postgresql."
    )


def _as_owner() -> list[str]:
    """Return what runs a command as a user that may own a server, and ends it with this process."""
    command = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    if os.geteuid() == 0:
        command += ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return command
