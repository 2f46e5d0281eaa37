"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    _make_logs()
    _make_contents()
    _make_people()
    _make_assignments()
    _make_answers()


def _make_logs() -> None:
    op.create_table(
        "studies",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("study", sa.String, nullable=False),
        sa.Column("erasures", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_studies"),
        sa.UniqueConstraint("study", name="uq_studies_study"),
    )
    op.create_table(
        "events",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("time_utc", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", sa.String),
        sa.Column("payload", sa.Text),
        sa.Column("payload_hash", sa.String, nullable=False),
        sa.Column("attachment_hash", sa.String),
        sa.Column("previous_hash", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("study", "seq", name="pk_events"),
        sa.ForeignKeyConstraint(["study"], ["studies.study"], name="fk_events_study"),
    )
    op.create_index("ix_events_study_subject", "events", ["study", "subject"])


def _make_contents() -> None:
    op.create_table(
        "attachments",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("content", sa.Text),
        sa.PrimaryKeyConstraint("study", "seq", name="pk_attachments"),
        sa.ForeignKeyConstraint(
            ["study", "seq"], ["events.study", "events.seq"], name="fk_attachments_study_seq"
        ),
    )
    op.create_table(
        "truths",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("stimulus", sa.String, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", "stimulus", name="pk_truths"),
        sa.ForeignKeyConstraint(["study"], ["studies.study"], name="fk_truths_study"),
    )


def _make_people() -> None:
    op.create_table(
        "annotators",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("annotator", sa.String, nullable=False),
        sa.Column("pool", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("study", "annotator", name="pk_annotators"),
        sa.UniqueConstraint(
            "study", "annotator", "pool", name="uq_annotators_study_annotator_pool"
        ),
        sa.ForeignKeyConstraint(["study"], ["studies.study"], name="fk_annotators_study"),
    )
    op.create_table(
        "invites",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("invite", sa.String, nullable=False),
        sa.Column("token_hash", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("study", "invite", name="pk_invites"),
        sa.UniqueConstraint("token_hash", name="uq_invites_token_hash"),
        sa.ForeignKeyConstraint(["study"], ["studies.study"], name="fk_invites_study"),
    )


def _make_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("assignment", sa.String, nullable=False),
        sa.Column("annotator", sa.String, nullable=False),
        sa.Column("stimulus", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("study", "assignment", name="pk_assignments"),
        sa.UniqueConstraint(
            "study", "annotator", "position", name="uq_assignments_study_annotator_position"
        ),
        sa.ForeignKeyConstraint(
            ["study", "annotator"],
            ["annotators.study", "annotators.annotator"],
            name="fk_assignments_study_annotator",
        ),
    )


def _make_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("assignment", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("study", "key", name="pk_answers"),
        sa.ForeignKeyConstraint(
            ["study", "assignment"],
            ["assignments.study", "assignments.assignment"],
            name="fk_answers_study_assignment",
        ),
    )
    op.create_index("ix_answers_study_assignment", "answers", ["study", "assignment"])
    op.create_table(
        "labels",
        sa.Column("study", sa.String, nullable=False),
        sa.Column("stimulus", sa.String, nullable=False),
        sa.Column("pool", sa.String, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("annotator", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("study", "stimulus", "pool", "slot", name="pk_labels"),
        sa.ForeignKeyConstraint(
            ["study", "annotator", "pool"],
            ["annotators.study", "annotators.annotator", "annotators.pool"],
            name="fk_labels_study_annotator_pool",
        ),
    )
