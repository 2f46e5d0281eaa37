"""The log in a database: one short transaction for each change, on disk when it returns."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Connection, delete, event, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from umnist_core.errors import StoreError
from umnist_core.labeling.events import token_hash_of
from umnist_core.labeling.log import Claims, Event, EventLog, LogReader, StudyCopy, canonical_json
from umnist_core.labeling.refusals import (
    START,
    Place,
    check_batch,
    check_place,
    existing,
    moved_on,
    refused_claim,
    unknown,
)
from umnist_core.labeling.sql.engine import WRITES, describe, make_engine, parse_url
from umnist_core.labeling.sql.failures import is_read_only, said_as_store_error
from umnist_core.labeling.sql.models import (
    AnswerRow,
    AssignmentRow,
    AttachmentRow,
    EventRow,
    InviteRow,
    LabelRow,
    StudyRow,
    TruthRow,
)
from umnist_core.labeling.sql.reading import CLAIMS, SqlReader
from umnist_core.labeling.sql.schema import upgrade
from umnist_core.labeling.sql.sqlite_file import SqliteFile, find_faults

ATTACHMENTS_AT_ONCE = 50
"""How many attachments are held in memory while a study is restored."""


_PERSONAL = tuple(
    one.__tablename__
    for one in (EventRow, AttachmentRow, InviteRow, AssignmentRow, AnswerRow, LabelRow)
)
"""Tables of which `_empty` takes a person out."""


class SqlLog(SqlReader, EventLog):
    """Keeps studies in SQLite or PostgreSQL.

    Parameters
    ----------
    url
        As `umnist_core.labeling.sql.open_log`.

    Raises
    ------
    InvalidValueError, MissingFileError, StoreError
        As `umnist_core.labeling.sql.open_log`.
    """

    def __init__(self, url: str) -> None:
        parsed = parse_url(url)
        self.place = describe(parsed)
        self._engine = make_engine(parsed)
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        # SQLite lets waiting writers poll, with longer and longer pauses; those of one process
        # can hand over at once instead.
        self._turn = threading.Lock() if self._is_sqlite else nullcontext()
        self._is_closed = False
        path = self._engine.url.database
        self._file = SqliteFile(Path(str(path))) if self._is_sqlite else None
        try:
            with said_as_store_error(self.place, done="opened"):
                upgrade(self._engine, self.place)
                self._hold_file()
        except BaseException:
            self._engine.dispose()
            raise
        if self._file is not None:
            # A new connection would make a new file or log in the place of one that was deleted.
            event.listen(self._engine, "do_connect", self._check_file)

    # -- changes ----------------------------------------------------------------------

    def create(
        self,
        events: Sequence[Event],
        claims: Claims,
        truth: Mapping[str, str],
        attachments: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """Add a new study."""
        check_batch(events, attachments)
        given = tuple(attachments.items())
        copy = StudyCopy(events[0].study, tuple(events), claims, given, truth)
        with self._writing() as connection:
            _restore(connection, copy)

    def restore(self, copies: Iterable[StudyCopy]) -> None:
        """Add whole studies, or none."""
        with self._writing() as connection:
            for copy in copies:
                _restore(connection, copy)

    def append(
        self, events: Sequence[Event], claims: Claims, attachments: Mapping[int, str]
    ) -> None:
        """Add events behind the last."""
        check_batch(events, attachments)
        with self._writing() as connection:
            check_place(events, _lock_head(connection, events[0].study))
            _add_events(connection, events)
            _add_attachments(connection, events[0].study, attachments.items())
            _add_claims(connection, events[0].study, claims)

    def erase(self, event: Event, annotator: str) -> int:
        """Empty a person's events."""
        check_batch([event], {})
        with self._writing() as connection:
            check_place([event], _lock_head(connection, event.study))
            emptied = _empty(connection, event, annotator)
            _add_events(connection, [event])
            connection.execute(
                update(StudyRow)
                .where(StudyRow.study == event.study)
                .values(erasures=StudyRow.erasures + 1)
            )
        self._forget_old_pages()
        return emptied

    def close(self) -> None:
        """Let go of all connections; of SQLite, everything is in the one file then."""
        with self._turn:
            self._is_closed = True
            if self._file is not None:
                self._file.settle()
            self._engine.dispose()
            if self._file is not None:
                self._file.let_go()

    def faults(self) -> list[str]:
        """Return what is wrong with the file; PostgreSQL looks after its own."""
        if self._file is None:
            return []
        with self._reading() as connection:
            return find_faults(_raw(connection), self._file)

    # -- transactions -----------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed at the end, or rolled back.

        Raises
        ------
        StoreError
            For every error of the database that the block does not say better.
        """
        self._check_open()
        with (
            said_as_store_error(self.place, done="written"),
            self._turn,
            self._begun() as connection,
        ):
            if self._file is not None:
                self._file.set_mark(_raw(connection))
            yield connection
            with said_as_store_error(self.place, done="committed"):
                connection.commit()
            if self._file is not None:
                self._file.keep_mark()
                self._check_file()

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """Give a connection within a transaction; left open, it is rolled back."""
        self._check_file()
        if self._file is not None and self._file.is_read_only:
            # Connections to a file that could only be read stay so; by now it may be otherwise.
            self._file.let_go()
            self._engine.dispose()
            self._hold_file()
        with (
            self._engine.connect().execution_options(**{WRITES: True}) as connection,
            connection.begin(),
        ):
            try:
                yield connection
            except (OperationalError, sqlite3.OperationalError) as error:
                if self._file is not None and is_read_only(error):
                    self._file.is_read_only = True
                raise

    def _hold_file(self) -> None:
        if self._file is None:
            return

        def connect() -> sqlite3.Connection:
            pooled = self._engine.raw_connection()
            raw: sqlite3.Connection = pooled.dbapi_connection  # type: ignore[assignment]
            pooled.detach()
            return raw

        self._file.hold(connect)

    def _check_file(self, *_: object) -> None:
        if self._file is not None:
            self._file.check(self.place)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_open()
        with (
            said_as_store_error(self.place, done="read"),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[LogReader]:
        """Give what one transaction sees."""
        self._check_open()
        with said_as_store_error(self.place, done="read"):
            connection = self._engine.connect()
        with connection:
            if not self._is_sqlite:  # there, every transaction sees one moment only
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            snapshot = _Snapshot(connection, self.place)
            # The moment is that of the first reading.
            snapshot.studies()
            yield snapshot

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError(f"The store {self.place} was closed; open it again.")

    def _forget_old_pages(self) -> None:
        """Have the database write its files anew without what was erased.

        SQLite writes it over in the file and in its log, PostgreSQL makes the tables' files anew.
        If someone is reading just then, it is left to the next time, at the latest to when the
        store is closed or PostgreSQL's own vacuum comes. PostgreSQL's write-ahead log is used
        again as its settings say.
        """
        # What was asked for is done and kept, whatever goes wrong here.
        with (
            suppress(StoreError),
            self._turn,
            said_as_store_error(self.place, done="written"),
        ):
            raw = self._engine.raw_connection()
            try:
                cursor = raw.cursor()
                # A reader may take long, and nobody should wait for that.
                if self._is_sqlite:
                    cursor.execute("PRAGMA busy_timeout = 200")
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                else:
                    raw.rollback()
                    raw.driver_connection.autocommit = True  # type: ignore[union-attr]
                    cursor.execute("SET lock_timeout = '2s'")
                    cursor.execute(f"VACUUM (FULL) {', '.join(_PERSONAL)}")
            finally:
                raw.invalidate()  # with its short patience


class _Snapshot(SqlReader):
    """Reads on one connection, in the transaction that it is in."""

    def __init__(self, connection: Connection, place: str) -> None:
        self._connection = connection
        self._place = place

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with said_as_store_error(self._place, done="read"):
            yield self._connection


# -- statements, each within a transaction of its caller ------------------------------


def _raw(connection: Connection) -> sqlite3.Connection:
    raw: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
    return raw


def _restore(connection: Connection, copy: StudyCopy) -> None:
    check_place(copy.events, START)
    try:
        connection.execute(insert(StudyRow), {"study": copy.study, "erasures": copy.erasures})
    except IntegrityError as error:
        raise existing(copy.study) from error
    _add_events(connection, copy.events)
    attachments = iter(copy.attachments)
    while some := list(islice(attachments, ATTACHMENTS_AT_ONCE)):
        _add_attachments(connection, copy.study, some)
    rows = [
        {"study": copy.study, "stimulus": stimulus, "content": content}
        for stimulus, content in copy.truth.items()
    ]
    if rows:
        connection.execute(insert(TruthRow), rows)
    _add_claims(connection, copy.study, copy.claims)


def _lock_head(connection: Connection, study: str) -> Place:
    """Return the place of a study's last event, which stays the last until the transaction ends.

    SQLite has one writer at a time; in PostgreSQL the study's row is locked first, so that
    the query after it sees what the one before us has committed.
    """
    lock = select(StudyRow.number).where(StudyRow.study == study).with_for_update()
    if connection.execute(lock).first() is None:
        raise unknown(study)
    query = (
        select(EventRow.seq, EventRow.hash)
        .where(EventRow.study == study)
        .order_by(EventRow.seq.desc())
        .limit(1)
    )
    head = connection.execute(query).first()
    return START if head is None else (head.seq, head.hash)


def _add_events(connection: Connection, events: Sequence[Event]) -> None:
    rows = [{name: getattr(event, name) for name in Event.__dataclass_fields__} for event in events]
    for row in rows:
        row["payload"] = None if row["payload"] is None else canonical_json(row["payload"])
    try:
        connection.execute(insert(EventRow), rows)
    except IntegrityError as error:
        # Only if the head could be read wrongly; the primary key is the last fence.
        raise moved_on(events[0], events[0].seq) from error


def _add_attachments(
    connection: Connection, study: str, attachments: Iterable[tuple[int, str]]
) -> None:
    rows = [{"study": study, "seq": seq, "content": content} for seq, content in attachments]
    if rows:
        connection.execute(insert(AttachmentRow), rows)


def _add_claims(connection: Connection, study: str, claims: Claims) -> None:
    """Write claims one by one, so that the one that is refused can be named."""
    for name, columns in CLAIMS.items():
        keys = [column.key for column in columns]
        statement = insert(columns[0].class_)
        for claim in getattr(claims, name):
            row = {"study": study, **dict(zip(keys, claim, strict=True))}
            try:
                connection.execute(statement, row)
            except IntegrityError as error:
                raise refused_claim(name, claim) from error


def _empty(connection: Connection, event: Event, annotator: str) -> int:
    """Erase a person: payloads, attachments, and every claim but the one to the pool."""
    study = event.study
    # An earlier tombstone of the same person is no data of the person.
    theirs = (
        EventRow.study == study,
        EventRow.subject == annotator,
        EventRow.kind != event.kind,
        EventRow.payload.is_not(None),
    )
    columns = (EventRow.seq, EventRow.kind, EventRow.payload)
    found = connection.execute(select(*columns).where(*theirs)).all()
    for seq, kind, payload in found:
        place = (AttachmentRow.study == study, AttachmentRow.seq == seq)
        connection.execute(update(AttachmentRow).where(*place).values(content=None))
        # An invitation goes with the event that made it.
        if token_hash := token_hash_of(kind, json.loads(payload or "{}")):
            is_theirs = (InviteRow.study == study, InviteRow.token_hash == token_hash)
            connection.execute(delete(InviteRow).where(*is_theirs))
    connection.execute(update(EventRow).where(*theirs).values(payload=None))
    _give_up(connection, study, annotator)
    return len(found)


def _give_up(connection: Connection, study: str, annotator: str) -> None:
    own = select(AssignmentRow.assignment).where(
        AssignmentRow.study == study, AssignmentRow.annotator == annotator
    )
    for statement in (
        delete(LabelRow).where(LabelRow.study == study, LabelRow.annotator == annotator),
        delete(AnswerRow).where(AnswerRow.study == study, AnswerRow.assignment.in_(own)),
        delete(AssignmentRow).where(
            AssignmentRow.study == study, AssignmentRow.annotator == annotator
        ),
    ):
        connection.execute(statement)
