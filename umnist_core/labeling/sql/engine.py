"""Connections: what each database must be told so that a commit means that it is kept."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from umnist_core.errors import InvalidValueError, MissingFileError, StoreError
from umnist_core.labeling.private import close_store_to_others, make_private_folder
from umnist_core.paths import expand_home

BUSY_S = 30
"""How long a connection waits for another's change to end."""

CONNECT_S = 10
"""How long a server may take to answer."""

WRITES = "umnist_writes"
"""Execution option of a connection whose transaction changes something."""


def parse_url(text: str) -> URL:
    """Return a store's address, with the driver that is used.

    Raises
    ------
    InvalidValueError
        If it is neither a file of SQLite nor a database of PostgreSQL.
    """
    # The text is not repeated, because it may hold a password.
    advice = (
        "write sqlite:///FILE, or postgresql://USER:PASSWORD@HOST:PORT/DATABASE with special "
        "characters of the password as %XX"
    )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InvalidValueError(f"The address of the store could not be read; {advice}.") from error
    backend = url.get_backend_name()
    if backend == "sqlite" and url.get_driver_name() in ("", "pysqlite"):
        if url.database in (None, "", ":memory:") or url.query:
            raise InvalidValueError(
                "Expected the name of a file in the address of an SQLite store, found none or "
                f"options; {advice}."
            )
        return url.set(drivername="sqlite")
    if backend in ("postgresql", "postgres") and "+" not in url.drivername.replace("+psycopg", ""):
        return url.set(drivername="postgresql+psycopg")
    raise InvalidValueError(
        f"Expected a store in SQLite or PostgreSQL, found {url.drivername[:40]!r}; {advice}."
    )


def describe(url: URL) -> str:
    """Return where a store is, without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "this machine"
    return f"{url.database} on {host}{f':{url.port}' if url.port else ''}"


def make_engine(url: URL) -> Engine:
    """Return what connects to a store; nothing is connected yet.

    Parameters
    ----------
    url
        Of `parse_url`. An SQLite file and its folder are made, for their owner alone.

    Raises
    ------
    StoreError
        If the folder cannot be made.
    MissingFileError
        If PostgreSQL's driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        return _make_sqlite(url)
    try:
        # An idle server or a firewall ends connections unseen: each is tried before it is used.
        engine = create_engine(
            url,
            hide_parameters=True,  # as for SQLite
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=20,
            connect_args={"connect_timeout": CONNECT_S},
        )
    except ImportError as error:
        raise MissingFileError(
            "Expected the driver psycopg for a store in PostgreSQL, found that it is not "
            "installed; run `pip install 'umnist[postgres]'`."
        ) from error
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _make_sqlite(url: URL) -> Engine:
    path = expand_home(str(url.database)).absolute()
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"The folder {path.parent} of the store could not be made ({error.strerror or error}); "
            "choose another, or make the one above it writable."
        ) from error
    close_store_to_others(path)
    engine = create_engine(
        url.set(database=str(path)),
        # Errors repeat what was written otherwise: truth, keys and answers would stand in logs.
        hide_parameters=True,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgresql(connection: Any, record: object) -> None:
    """Make a commit wait for the disk, whatever the server's default, and bound the waiting."""
    connection.autocommit = True
    connection.execute("SET synchronous_commit TO on")
    connection.execute(f"SET lock_timeout TO '{BUSY_S}s'")
    connection.autocommit = False


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Make a commit wait for the disk, and the database look at foreign keys.

    The driver begins no transactions of its own; `_begin_sqlite` does.
    """
    connection.isolation_level = None
    for pragma in (
        "foreign_keys = ON",
        # With a write-ahead log, NORMAL would lose the last commits when the power goes.
        "synchronous = FULL",
        # What is erased is overwritten, not only unlinked.
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side; it is remembered in the file.

    Raises
    ------
    StoreError
        If the file system cannot do that.
    """
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != "wal":
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            # Two that open a new file at once: SQLite does not wait here by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    if mode != "wal":
        raise StoreError(
            f"Expected a file system on which SQLite can keep a write-ahead log, found one where "
            f"it keeps {mode!r}; put the store on a local disk, or use PostgreSQL."
        )


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a writer where something will be written.

    A transaction that reads first and writes later fails at once, without waiting, if another
    has written in between (https://sqlite.org/isolation.html).
    """
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
