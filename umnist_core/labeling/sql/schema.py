"""Making and upgrading the tables: by migrations alone, when a store is opened."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from umnist_core.errors import StoreError
from umnist_core.labeling.sql.engine import WRITES

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).with_name("migrations")

_turn = threading.Lock()
"""Alembic's environment is one for the whole process, and must not be used by two threads."""

_LOCK = 7_846_153_092
"""Any number; who upgrades a PostgreSQL database holds its advisory lock."""


def upgrade(engine: Engine, place: str) -> None:
    """Bring a database's tables up to date; a new one gets all of them.

    Parameters
    ----------
    engine
        Of the database.
    place
        What to call it in a sentence.

    Raises
    ------
    StoreError
        If it was made by a newer version, or holds tables of something else.
    """
    with engine.connect() as connection:
        # Looked at without a lock first: opening must not wait for a writer, or need room.
        if _find_revision(connection) == newest_revision():
            return
    from alembic import command
    from alembic.script import ScriptDirectory

    config = migrations()
    script = ScriptDirectory.from_config(config)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        _check(connection, script, place)
        config.attributes["connection"] = connection
        with _turn:
            command.upgrade(config, "head")


def newest_revision() -> str:
    """Return the newest migration by the names of the files, since Alembic takes long to import.

    Migration ``N`` is in ``schema_N.py``.
    """
    files = (MIGRATIONS / "versions").glob("schema_*.py")
    return str(max(int(one.stem.removeprefix("schema_")) for one in files))


def migrations() -> Config:
    """Return what Alembic has to know of where the migrations are."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _find_revision(connection: Connection) -> str | None:
    """Return the migration that the tables are of; None where no table says."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return revision


def _check(connection: Connection, script: ScriptDirectory, place: str) -> None:
    revision = _find_revision(connection)
    known = {one.revision for one in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"The store {place} has the tables of version {revision[:20]!r} and this umnist knows "
            f"those up to {script.get_current_head()!r}; update umnist, nothing was changed."
        )
    if revision is None and (others := inspect(connection).get_table_names()):
        raise StoreError(
            f"The database {place} holds {len(others)} tables that are not umnist's "
            f"({others[0][:40]} ...); nothing was changed, so choose a new or empty one."
        )
