"""One sentence for whatever a database or its driver says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import exc

from umnist_core.errors import StoreError

_OF_SQLITE = {
    sqlite3.SQLITE_FULL: ("its disk is full", "make room and try again"),
    sqlite3.SQLITE_BUSY: ("another process keeps it locked", "try again; if that stays so, end it"),
    sqlite3.SQLITE_LOCKED: ("it is locked", "try again"),
    sqlite3.SQLITE_READONLY: (
        "it or its folder is read-only",
        "make both writable for the user who runs the app",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened or made",
        "make its folder writable for the user who runs the app",
    ),
    sqlite3.SQLITE_PERM: ("access is denied", "make the file writable for the user"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "look at the disk, then try again"),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "restore the last backup"),
    sqlite3.SQLITE_NOTADB: ("the file is no SQLite database", "choose another name"),
}
"""Primary result code (https://sqlite.org/rescode.html) -> what it means, what to do."""

_OF_POSTGRESQL = {
    "53100": ("the server's disk is full", "make room there and try again"),
    "53300": ("the server has no connection left", "try again, or raise its max_connections"),
    "55P03": ("another connection keeps it locked", "try again; if that stays so, end it"),
    "40P01": ("two connections waited for each other", "try again"),
    "25006": ("the server takes no changes now", "connect to the primary server"),
    "28P01": ("user or password is wrong", "correct the address"),
    "28000": ("the server refuses this user", "correct the address"),
    "3D000": ("there is no such database", "make it with `createdb`, or correct the address"),
    "42501": ("the user may not do that", "grant CREATE and USAGE on the schema to the user"),
    "57P01": ("the server is shutting down", "try again when it is back"),
    "57P03": ("the server is starting or stopping", "try again in a moment"),
}
"""SQLSTATE -> what it means, what to do."""

_LOST = ("the connection was lost", "try again; it is made anew by itself")


@contextmanager
def said_as_store_error(
    place: str, *, done: Literal["opened", "read", "written", "committed"]
) -> Iterator[None]:
    """Turn the database's errors into one sentence.

    Parameters
    ----------
    place
        Where the store is, without a password.
    done
        What could not be done to it. An end of the connection while a change is committed
        leaves open whether it was kept, and is said so.

    Raises
    ------
    StoreError
        For every error of SQLAlchemy or a driver within the block.
    """
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        what, remedy = _reason(error)
        is_lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
        if done == "committed" and is_lost:
            raise StoreError(
                f"The store {place} did not say whether the change was kept, because {what}: read "
                "it before trying again."
            ) from error
        kept = "" if done in ("opened", "read") else "; nothing of the change was kept"
        done = "written" if done == "committed" else done
        sentence = f"The store {place} could not be {done} because {what}{kept}: {remedy}."
        raise StoreError(sentence) from error
    except (UnicodeError, OverflowError) as error:
        # The drivers raise these as they are: half a character, or a number beyond 64 bits.
        raise StoreError(
            f"The store {place} could not be {done}: a text or number does not fit it ({error})."
        ) from error


def is_read_only(error: exc.DBAPIError | sqlite3.Error) -> bool:
    """Return whether SQLite says that it may not write."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_READONLY


def _reason(error: exc.SQLAlchemyError | sqlite3.Error) -> tuple[str, str]:
    """Return what has happened and what to do about it."""
    if isinstance(error, exc.TimeoutError):
        return "all its connections are in use", "try again in a moment"
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None and (known := _OF_SQLITE.get(code & 0xFF)):
        return known
    state = getattr(cause, "sqlstate", None)
    if state is not None and (known := _OF_POSTGRESQL.get(state)):
        return known
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return _LOST
    first_line = str(cause).strip().partition("\n")[0][:200].rstrip(".")
    if isinstance(cause, sqlite3.Error):
        return first_line, "look at the file and its disk"
    return f"of the database's error: {first_line}", "look at the address and at the server"
