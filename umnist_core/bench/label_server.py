"""Servers of the label routes in processes of their own, which can be killed at any moment.

A supervisor that has imported everything forks the servers, so that a new one is there a
few milliseconds after the last was killed. Each opens the store afresh; what the supervisor
hands down is code and the listening socket. Connections that a killed server had accepted
are reset; those that it had not wait for the next one.

The supervisor's own process holds no thread, no store and no lock, so forking is safe.
"""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path

import uvicorn

from umnist_core.errors import NetworkError
from umnist_core.labeling.log import Claims, Event
from umnist_core.labeling.service import StudyService
from umnist_core.labeling.sql.store import SqlLog
from umnist_core.server.labeling import create_label_app
from umnist_core.settings import load_settings

START_S = 60
_REPLY_S = 60
_BACKLOG = 512

_CLOCK = slice(0, 8)
"""Where the shared memory has the seconds by which the servers' clocks are ahead (a double)."""

_WRITING = 8
"""Where it has a byte for each server: 1 while a change is being written."""


@dataclass(frozen=True)
class LabelServer:
    """Running servers of one store.

    Attributes
    ----------
    origin
        Where they answer; the system shares connections out among them.
    """

    origin: str
    _commands: Connection

    def kill(self) -> bool:
        """Kill a server with SIGKILL and start another at once; return whether it was writing.

        Returns
        -------
        bool
            Whether it was within a change of the store: after the change was decided on, and
            before the database had said that it is kept.
        """
        return bool(self._ask(("kill", 0.0)))

    def pass_time(self, seconds: float) -> None:
        """Put the servers' clocks forward."""
        self._ask(("pass", seconds))

    def _ask(self, command: tuple[str, float]) -> object:
        self._commands.send(command)
        if not self._commands.poll(_REPLY_S):
            raise NetworkError(f"The servers did not {command[0]} within {_REPLY_S} s; try again.")
        return self._commands.recv()


@contextmanager
def label_server(folder: Path, database_url: str, *, processes: int = 1) -> Iterator[LabelServer]:
    """Run servers of a store and give their address.

    Parameters
    ----------
    folder
        `Settings.labeling_dir`.
    database_url
        The store, as `umnist_core.labeling.sql.open_log` takes it.
    processes
        How many servers share the address.

    Raises
    ------
    NetworkError
        If they do not start.
    """
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    environment = {"UMNIST_LABELING": str(folder), "UMNIST_DATABASE_URL": database_url}
    supervisor = spawned.Process(
        target=_supervise, args=(theirs, environment, processes), name="umnist-label-supervisor"
    )
    supervisor.start()
    theirs.close()
    try:
        if not ours.poll(START_S):
            raise NetworkError(f"The servers did not start within {START_S} s; look at the store.")
        yield LabelServer(f"http://127.0.0.1:{ours.recv()}", ours)
    finally:
        ours.close()  # which tells the supervisor to end
        supervisor.join(START_S)


class _WatchedLog(SqlLog):
    """A store that says in shared memory when it is writing."""

    def __init__(self, url: str, shared: mmap.mmap, place: int) -> None:
        super().__init__(url)
        self._shared = shared
        self._place = place

    def append(
        self, events: Sequence[Event], claims: Claims, attachments: Mapping[int, str]
    ) -> None:
        self._shared[self._place] = 1
        try:
            super().append(events, claims, attachments)
        finally:
            self._shared[self._place] = 0


def _supervise(commands: Connection, environment: Mapping[str, str], processes: int) -> None:
    """Start servers, and do what is asked until nobody is there to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C ends our starter, and so us in order
    os.environ.update(environment)
    shared = mmap.mmap(-1, _WRITING + processes)
    gc.freeze()  # what is imported stays shared with the servers
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(_BACKLOG)
        servers = [_start(listener, shared, place) for place in range(processes)]
        commands.send(listener.getsockname()[1])
        turn = 0
        while (command := _next(commands)) is not None:
            name, amount = command
            if name == "kill":
                was_writing = _kill(servers[turn], shared, turn)
                servers[turn] = _start(listener, shared, turn)
                turn = (turn + 1) % processes
                commands.send(was_writing)
            else:
                shared[_CLOCK] = struct.pack("d", struct.unpack("d", shared[_CLOCK])[0] + amount)
                commands.send(True)
        for place, server in enumerate(servers):
            _kill(server, shared, place)


def _next(commands: Connection) -> tuple[str, float] | None:
    try:
        command: tuple[str, float] = commands.recv()
    except EOFError:
        return None
    return command


def _start(listener: socket.socket, shared: mmap.mmap, place: int) -> ForkProcess:
    forked = multiprocessing.get_context("fork")
    server = forked.Process(target=_serve, args=(listener, shared, place), daemon=True)
    server.start()
    return server


def _kill(server: ForkProcess, shared: mmap.mmap, place: int) -> bool:
    server.kill()
    server.join()
    was_writing = bool(shared[_WRITING + place])
    shared[_WRITING + place] = 0
    return was_writing


def _serve(listener: socket.socket, shared: mmap.mmap, place: int) -> None:
    """Serve the label routes until killed."""

    def now() -> datetime:
        ahead_s = struct.unpack("d", shared[_CLOCK])[0]
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    settings = load_settings()
    log = _open_patiently(settings.database_url, shared, _WRITING + place)
    service = StudyService(log, settings.labeling_dir, now=now)
    app = create_label_app(service, settings)
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", backlog=_BACKLOG
    )
    uvicorn.Server(config).run(sockets=[listener])


def _open_patiently(url: str, shared: mmap.mmap, place: int) -> _WatchedLog:
    """Open the store; a database server that is restarting itself is waited for."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            return _WatchedLog(url, shared, place)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
