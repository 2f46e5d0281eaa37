"""What can be read of the tables; by a store in short transactions, by a snapshot in one."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.orm import InstrumentedAttribute

from umnist_core.errors import StoreError
from umnist_core.labeling.log import Claims, Event
from umnist_core.labeling.refusals import unknown
from umnist_core.labeling.sql.models import (
    AnnotatorRow,
    AnswerRow,
    AssignmentRow,
    AttachmentRow,
    EventRow,
    InviteRow,
    LabelRow,
    StudyRow,
    TruthRow,
)

CLAIMS: dict[str, tuple[InstrumentedAttribute[str] | InstrumentedAttribute[int], ...]] = {
    "annotators": (AnnotatorRow.annotator, AnnotatorRow.pool),
    "invites": (InviteRow.token_hash, InviteRow.invite),
    "assignments": (
        AssignmentRow.assignment,
        AssignmentRow.annotator,
        AssignmentRow.stimulus,
        AssignmentRow.position,
    ),
    "answers": (AnswerRow.key, AnswerRow.assignment),
    "labels": (LabelRow.stimulus, LabelRow.pool, LabelRow.slot, LabelRow.annotator),
}
"""Field of `umnist_core.labeling.log.Claims` -> the columns of an entry, each table after
those that it refers to."""


class SqlReader(ABC):
    """Reads studies; every method is as `umnist_core.labeling.log.EventLog` says."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """Give a connection within a transaction, and say its errors as `StoreError`."""

    def read(self, study: str, after_seq: int = 0) -> list[Event]:
        """Return events."""
        query = (
            select(EventRow.__table__)
            .where(EventRow.study == study, EventRow.seq > after_seq)
            .order_by(EventRow.seq)
        )
        with self._reading() as connection:
            return [_event(row) for row in connection.execute(query).mappings()]

    def read_attachment(self, study: str, seq: int) -> str | None:
        """Return an attachment."""
        query = select(AttachmentRow.content).where(
            AttachmentRow.study == study, AttachmentRow.seq == seq
        )
        with self._reading() as connection:
            return connection.execute(query).scalar()

    def iter_attachments(self, study: str) -> Iterator[tuple[int, str]]:
        """Yield attachments, each read when it is its turn; one may be erased until then."""
        query = (
            select(AttachmentRow.seq)
            .where(AttachmentRow.study == study, AttachmentRow.content.is_not(None))
            .order_by(AttachmentRow.seq)
        )
        with self._reading() as connection:
            numbers = connection.execute(query).scalars().all()
        for seq in numbers:
            if (content := self.read_attachment(study, seq)) is not None:
                yield seq, content

    def read_truth(self, study: str) -> dict[str, str]:
        """Return the truth."""
        known = select(StudyRow.number).where(StudyRow.study == study)
        query = (
            select(TruthRow.stimulus, TruthRow.content)
            .where(TruthRow.study == study)
            .order_by(TruthRow.stimulus)
        )
        with self._reading() as connection:
            if connection.execute(known).first() is None:
                raise unknown(study)
            return {row.stimulus: row.content for row in connection.execute(query)}

    def studies(self) -> list[str]:
        """Return the ids of studies."""
        query = select(StudyRow.study).order_by(StudyRow.number)
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

    def find_invite(self, token_hash: str) -> tuple[str, str] | None:
        """Return an invitation's study and id."""
        query = select(InviteRow.study, InviteRow.invite).where(InviteRow.token_hash == token_hash)
        with self._reading() as connection:
            found = connection.execute(query).first()
        return None if found is None else (found.study, found.invite)

    def read_claims(self, study: str) -> Claims:
        """Return all claims."""
        with self._reading() as connection:
            entries = {}
            for name, columns in CLAIMS.items():
                query = select(*columns).where(columns[0].class_.study == study)
                # Sorted here, because the databases order texts each in their own way.
                entries[name] = _sorted(tuple(row) for row in connection.execute(query))
        return Claims(**entries)

    def erasure_count(self, study: str) -> int:
        """Return how many people were erased."""
        query = select(StudyRow.erasures).where(StudyRow.study == study)
        with self._reading() as connection:
            return connection.execute(query).scalar() or 0


def _sorted(claims: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    found = list(claims)
    try:
        return tuple(sorted(found))
    except TypeError:  # damage: SQLite keeps a number where a text should be
        return tuple(sorted(found, key=repr))


def _event(row: RowMapping) -> Event:
    payload = row["payload"]
    try:
        read = None if payload is None else json.loads(payload)
    except (ValueError, TypeError, RecursionError) as error:
        raise StoreError(
            f"Expected event {row['seq']} of study {row['study']} as JSON, found other bytes: the "
            "store is damaged; restore the last backup."
        ) from error
    return Event(**{**row, "payload": read})
