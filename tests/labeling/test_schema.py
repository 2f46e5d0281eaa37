"""Tables are made and upgraded by migrations alone."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Inspector, inspect, text

from tests.contracts.log_events import add, contents, create, joined
from umnist_core.errors import StoreError
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.sql.models import Base
from umnist_core.labeling.sql.schema import MIGRATIONS, migrations, newest_revision

NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.add_column("studies", sa.Column("note", sa.String))
    {then}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a new store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'studies.sqlite'}"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a newer umnist, which has one migration more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / "schema_2.py").write_text(NEXT_MIGRATION.format(then="pass"))
    monkeypatch.setattr("umnist_core.labeling.sql.schema.MIGRATIONS", folder)
    return folder


def test_newest_migration_is_told_without_alembic_as_with_it(newer: Path) -> None:
    """So that a store that has it is opened without the half second that Alembic takes."""
    assert newest_revision() == ScriptDirectory.from_config(migrations()).get_current_head()


def test_migrations_make_the_tables_of_the_models(url: str) -> None:
    """A store that the migrations have made differs in nothing from what the code expects."""
    with closing(open_log(url)) as log, log._reading() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        _compare_constraints(inspect(connection))


def _compare_constraints(inspector: Inspector) -> None:
    """Compare keys and references, which Alembic leaves out in part."""
    for table in Base.metadata.sorted_tables:
        key = inspector.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [column.name for column in table.primary_key.columns]
        references = {
            (
                tuple(one["constrained_columns"]),
                one["referred_table"],
                tuple(one["referred_columns"]),
            )
            for one in inspector.get_foreign_keys(table.name)
        }
        assert references == {
            (
                tuple(one.column_keys),
                one.referred_table.name,
                tuple(element.column.name for element in one.elements),
            )
            for one in table.foreign_key_constraints
        }


def test_older_store_is_upgraded_and_keeps_everything(
    url: str, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store of the version before gets the new tables when it is opened."""
    with monkeypatch.context() as older:
        older.setattr("umnist_core.labeling.sql.schema.MIGRATIONS", MIGRATIONS)
        with closing(open_log(url)) as log:
            create(log, "s", joined("ann"))
            before = contents(log)
    with closing(open_log(url)) as log:
        assert contents(log) == before
        with log._reading() as connection:
            assert connection.execute(text("SELECT note FROM studies")).all() == [(None,)]


def test_store_of_a_newer_version_is_refused(
    url: str, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says to update, and the store is as it was."""
    with closing(open_log(url)) as log:
        create(log, "s", joined("ann"))
        before = contents(log)
    with monkeypatch.context() as older:
        older.setattr("umnist_core.labeling.sql.schema.MIGRATIONS", MIGRATIONS)
        with pytest.raises(StoreError, match=r"version '2' .* update umnist, nothing was"):
            open_log(url)
    with closing(open_log(url)) as log:
        assert contents(log) == before


def test_upgrade_that_fails_changes_nothing(
    url: str, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration is whole or not there, so the older umnist can still open the store."""
    broken = NEXT_MIGRATION.format(then='op.execute("SELECT nothing FROM nowhere")')
    (newer / "versions" / "schema_2.py").write_text(broken)
    with monkeypatch.context() as older:
        older.setattr("umnist_core.labeling.sql.schema.MIGRATIONS", MIGRATIONS)
        with closing(open_log(url)) as log:
            create(log, "s", joined("ann"))
            before = contents(log)
    with pytest.raises(StoreError, match="could not be opened"):
        open_log(url)
    monkeypatch.setattr("umnist_core.labeling.sql.schema.MIGRATIONS", MIGRATIONS)
    with closing(open_log(url)) as log:
        assert contents(log) == before
        add(log, "s", joined("bob"))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO labels VALUES ('s', 'image', 'unguided', 0, 'ann')",
        "INSERT INTO annotators VALUES ('s', 'ann', 'unguided')",
        "INSERT INTO assignments VALUES ('s', 'a1', 'cleo', 'image', 0)",
        "INSERT INTO answers VALUES ('s', 'key', 'a1')",
        "INSERT INTO attachments VALUES ('s', 99, 'text')",
        "INSERT INTO truths VALUES ('t', 'image', '7')",
        "DELETE FROM studies",
    ],
)
def test_database_keeps_the_promises_itself(url: str, statement: str) -> None:
    """Whatever code or hand writes to it: pools, places and references hold."""
    with closing(open_log(url)) as log:
        create(log, "s", joined("ann"))
        with pytest.raises(StoreError, match=r"(?i)constraint"), log._writing() as connection:
            connection.execute(text(statement))


def test_threads_that_open_different_stores_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Each gets its own tables, though Alembic has one environment for all."""
    count = 8
    urls = [f"sqlite:///{tmp_path / f'{number}.sqlite'}" for number in range(count)]
    start = threading.Barrier(count)

    def make(url: str) -> None:
        start.wait()
        with closing(open_log(url)) as log:
            create(log, "s")

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(make, urls))
