"""The tables, and the promises that the database keeps itself.

A person is in one pool; a place in a pool is filled once, by somebody of that pool; an
answer's key is stored once; an invitation's token is one study's. Two servers, or code that
is wrong, cannot break these. Texts of JSON are kept as texts: a JSON column of PostgreSQL
sorts and rewrites them, and their hashes would no longer hold.

Changing a table needs a new file in ``migrations/versions`` and a golden database of the
schema before it (`tests.golden`); a test says if the two differ.
"""

from __future__ import annotations

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables; every constraint has a name, so that a migration can change it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: String}  # noqa: RUF012 (SQLAlchemy reads it so)


class StudyRow(Base):
    """A study; ``number`` is the order in which they were added."""

    __tablename__ = "studies"

    number: Mapped[int] = mapped_column(primary_key=True)
    study: Mapped[str] = mapped_column(unique=True)
    erasures: Mapped[int]


class EventRow(Base):
    """An event; ``payload`` is null once it is erased."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "study", "subject"),)

    study: Mapped[str] = mapped_column(ForeignKey("studies.study"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    time_utc: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str | None]
    payload: Mapped[str | None] = mapped_column(Text)
    payload_hash: Mapped[str]
    attachment_hash: Mapped[str | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class AttachmentRow(Base):
    """An event's attachment; ``content`` is null once it is erased.

    It is apart from the events because it is large and the state does not follow from it.
    """

    __tablename__ = "attachments"
    __table_args__ = (ForeignKeyConstraint(["study", "seq"], ["events.study", "events.seq"]),)

    study: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str | None] = mapped_column(Text)


class TruthRow(Base):
    """What is in a stimulus; read by `SqlLog.read_truth` alone."""

    __tablename__ = "truths"

    study: Mapped[str] = mapped_column(ForeignKey("studies.study"), primary_key=True)
    stimulus: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class AnnotatorRow(Base):
    """A person's pool, for good; it outlives the person's erasure."""

    __tablename__ = "annotators"
    # What the labels refer to: a key of one column more than the primary one.
    __table_args__ = (UniqueConstraint("study", "annotator", "pool"),)

    study: Mapped[str] = mapped_column(ForeignKey("studies.study"), primary_key=True)
    annotator: Mapped[str] = mapped_column(primary_key=True)
    pool: Mapped[str]


class InviteRow(Base):
    """An invitation, by the hash of its token."""

    __tablename__ = "invites"

    study: Mapped[str] = mapped_column(ForeignKey("studies.study"), primary_key=True)
    invite: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)


class AssignmentRow(Base):
    """An image for a person."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("study", "annotator", "position"),
        ForeignKeyConstraint(["study", "annotator"], ["annotators.study", "annotators.annotator"]),
    )

    study: Mapped[str] = mapped_column(primary_key=True)
    assignment: Mapped[str] = mapped_column(primary_key=True)
    annotator: Mapped[str]
    stimulus: Mapped[str]
    position: Mapped[int]


class AnswerRow(Base):
    """An answer's idempotency key."""

    __tablename__ = "answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["study", "assignment"], ["assignments.study", "assignments.assignment"]
        ),
        # Without it, taking an assignment away would look through all answers.
        Index(None, "study", "assignment"),
    )

    study: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    assignment: Mapped[str]


class LabelRow(Base):
    """A filled place: the answer that counts for an image in a pool."""

    __tablename__ = "labels"
    __table_args__ = (
        ForeignKeyConstraint(
            ["study", "annotator", "pool"],
            ["annotators.study", "annotators.annotator", "annotators.pool"],
        ),
    )

    study: Mapped[str] = mapped_column(primary_key=True)
    stimulus: Mapped[str] = mapped_column(primary_key=True)
    pool: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    annotator: Mapped[str]
