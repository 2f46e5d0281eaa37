"""The file of an SQLite store: whether it is whole, and still the one that was opened.

Until SQLite carries it over, what is committed lies in a log beside the file (``-wal``). So a
copy of the file alone may lack the newest answers and look sound, and a log that is deleted
while the store is open takes along what was committed to it. Two things are kept against that:

- **A mark in the file**, in the database's ``user_version``, which SQLite itself does not use:
  set before a first change is said to be kept, taken away when the store is closed and all of it
  is in the file. A file with the mark and no log beside it has lost its log. That can also be so
  where another program opened the file after a crash; nothing in the file tells the two apart.
- **The identity of the files** that were opened, compared before and after every change.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from umnist_core.errors import StoreError

_IN_USE = 1
"""Bit of ``user_version``: the newest changes may be in the log beside the file alone."""

_CUT = 2
"""Bit of ``user_version``: the file was once opened without the log that it needed; for good."""

_PATIENCE_S = 2
"""How long closing waits for others' changes; they take the mark away when they close."""

MOST_FAULTS = 100
"""Faults that SQLite's own check lists."""

Identity = tuple[int, int]


class SqliteFile:
    """What is known of the file while its store is open; changes hold the store's turn.

    Parameters
    ----------
    path
        The file, before any connection to it.

    Attributes
    ----------
    is_cut
        Whether the file was opened without a log that it needed, now or earlier.
    is_read_only
        Whether it could only be read when it was opened, or tried last: connections stay so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = tuple(Path(f"{path}{ending}") for ending in ("", "-wal", "-shm"))
        self._held: dict[Path, Identity | None] = {}
        self._keeper: sqlite3.Connection | None = None
        self._has_mark = False
        self.is_read_only = False
        self._open_for_writing()
        self.is_cut = self._lacks_log()
        if self.is_cut:
            # A store that another process opens or closes just then looks so for a moment.
            time.sleep(0.05)
            self.is_cut = self._lacks_log()

    def _lacks_log(self) -> bool:
        log = self._files[1]
        return not log.exists() and self._read_mark() & _IN_USE != 0 and not log.exists()

    def _read_mark(self) -> int:
        """Return the mark in the file itself, whatever its log says; 0 if it cannot be read."""
        # Through SQLite: closing a file by hand would drop the locks of this process's others.
        address = f"file:{quote(str(self._path))}?mode=ro&immutable=1"
        with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as connection:
            return _mark(connection)
        return 0

    def _open_for_writing(self) -> None:
        """Make what SQLite keeps beside the file writable, if the file itself is.

        SQLite gives it the permissions that the file has just then, and so leaves what nobody can
        write beside a file that is writable again.
        """
        with suppress(OSError):
            mode = stat.S_IMODE(self._path.stat().st_mode)
            for path in self._files[1:]:
                if mode & stat.S_IWUSR and path.exists() and not path.stat().st_mode & stat.S_IWUSR:
                    path.chmod(mode)

    # -- holding ------------------------------------------------------------------------

    def hold(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Keep a connection open, so that SQLite deletes no log, and know the files by it.

        Parameters
        ----------
        connect
            Makes it; nobody else uses it.

        Raises
        ------
        sqlite3.Error
            If the file cannot be read.
        """
        self.let_go()
        self._open_for_writing()
        keeper = connect()
        keeper.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # opens the log
        self._keeper, self._has_mark = keeper, False
        self.is_read_only = not _can_write(keeper)
        self._held = {path: _identity(path) for path in self._files}
        if _mark(keeper) & _CUT:
            self.is_cut = True
        elif self.is_cut:
            with suppress(sqlite3.Error):  # a file that cannot be written is told of all the same
                self._change_mark(lambda mark: mark | _CUT)

    def let_go(self) -> None:
        """Close the connection that `hold` keeps."""
        keeper, self._keeper, self._held = self._keeper, None, {}
        if keeper is not None:
            with suppress(sqlite3.Error):
                keeper.close()

    def check(self, place: str) -> None:
        """See that the files are those that were opened, and save what can be saved if not.

        Raises
        ------
        StoreError
            If one was deleted or replaced: what is committed now would not be found again.
        """
        gone = [path for path, known in self._held.items() if _identity(path) != known]
        if not gone:
            return
        if self._path not in gone and not any(path.exists() for path in gone):
            # What was committed to a log that is deleted still is in what we hold open.
            self.settle()
        raise StoreError(
            f"The store {place} takes no changes any more, because {gone[0].name} was deleted or "
            "replaced while it was in use: stop the app, put the file back if you can, start the "
            "app again and run `umnist study verify`."
        )

    # -- the mark -----------------------------------------------------------------------

    def set_mark(self, connection: sqlite3.Connection) -> None:
        """Put the mark into a change that is under way, if it is not there; `keep_mark` follows."""
        mark = _mark(connection)
        if not mark & _IN_USE:
            self._has_mark = False
            connection.execute(f"PRAGMA user_version = {mark | _IN_USE}")

    def keep_mark(self) -> None:
        """Carry the mark over into the file, before the first change is said to be kept.

        While somebody reads what was there before the mark, SQLite cannot; it is tried again with
        the next change, since no answer should wait for an export.
        """
        if self._has_mark or self._keeper is None:
            return
        with suppress(sqlite3.Error):
            busy, pages, carried = self._keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._has_mark = not busy and pages == carried

    def settle(self) -> None:
        """Carry everything over into the file, and take the mark away.

        If others use the store, their next change sets it again. What hinders is nobody's trouble
        here: the log stays beside the file then, and is read when the store is opened.
        """
        if self._keeper is None:
            return
        with suppress(sqlite3.Error):
            self._keeper.execute(f"PRAGMA busy_timeout = {_PATIENCE_S * 1000}")
            if _mark(self._keeper) & _IN_USE:
                self._change_mark(lambda mark: mark & ~_IN_USE)
            self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _change_mark(self, change: Callable[[int], int]) -> None:
        keeper = self._keeper
        if keeper is None:
            return
        keeper.execute("BEGIN IMMEDIATE")
        try:
            keeper.execute(f"PRAGMA user_version = {change(_mark(keeper))}")
            keeper.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                keeper.execute("ROLLBACK")
            raise


def find_faults(connection: sqlite3.Connection, file: SqliteFile) -> list[str]:
    """Return what is wrong with a store's file, a sentence each.

    Raises
    ------
    sqlite3.Error
        If it is so damaged that it cannot be looked through.
    """
    faults = []
    if file.is_cut:
        faults.append(
            "The newest answers may be missing: the file was opened without its log (-wal), as if "
            "it alone had been copied from a running app. Copy with `umnist study backup`; if this "
            "is no copy, compare the last hashes with those of a backup."
        )
    for (said,) in connection.execute(f"PRAGMA integrity_check({MOST_FAULTS})").fetchall():
        if said != "ok":
            text = str(said).strip().replace("\n", " ")[:300]
            faults.append(f"The file is damaged, says SQLite: {text}; restore the last backup.")
    rows = connection.execute("PRAGMA foreign_key_check").fetchall()
    for table, row, parent, _ in rows[:MOST_FAULTS]:
        faults.append(f"Row {row} of {table} refers to one of {parent} that is not there.")
    return faults


def _can_write(connection: sqlite3.Connection) -> bool:
    """Return whether a change is not refused; none is made, and nobody is waited for."""
    (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("BEGIN IMMEDIATE")  # which a file that is read-only takes, too
        connection.execute(f"PRAGMA user_version = {_mark(connection)}")
    except sqlite3.Error as error:
        return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY
    else:
        return True
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA busy_timeout = {patience_ms}")


def _mark(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 (once for every change)
    except OSError:
        return None
    return found.st_dev, found.st_ino
