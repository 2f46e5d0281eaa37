"""What Alembic runs: migrations on the connection and in the transaction that are given.

There is no way to run them from a command line, because a store upgrades itself when it is
opened (`umnist_core.labeling.sql.schema`).
"""

from __future__ import annotations

from alembic import context

from umnist_core.labeling.sql.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot change most of a table; Alembic then copies it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
