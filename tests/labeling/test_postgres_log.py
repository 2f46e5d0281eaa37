"""What can happen to a server: connections that end, a wrong address, a driver that is missing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import event, make_url, text

from tests.contracts.log_events import (
    add,
    answered,
    assigned,
    chained,
    contents,
    create,
    erase,
    joined,
)
from tests.postgres import PostgresServer
from umnist_core.errors import MissingFileError, StoreError
from umnist_core.labeling.log import Claims, Event
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.sql.store import SqlLog
from umnist_core.labeling.verify import verify_log


@pytest.fixture
def log(postgres_url: str) -> Iterator[SqlLog]:
    """Give a new store."""
    with closing(open_log(postgres_url)) as log:
        yield log


def end_connections(server: PostgresServer, url: str) -> None:
    """End every connection to a database, as a restart or a firewall does."""
    name = make_url(url).database
    server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )


def test_lost_connection_heals_by_itself(
    log: SqlLog, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Connections that the server has ended while they were idle are replaced unseen."""
    create(log, "s")
    for number in range(3):
        end_connections(postgres_server, postgres_url)
        add(log, "s", joined(f"p{number}"))
    assert len(log.read("s")) == 4


def test_connection_lost_during_a_change_keeps_nothing_of_it(
    log: SqlLog, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """The sentence says so, and the next try is on a new connection."""
    create(log, "s")
    before = contents(log)
    arguments = _joining(log, "ann")

    def cut(*_: object) -> None:
        end_connections(postgres_server, postgres_url)

    event.listen(log._engine, "after_cursor_execute", cut, once=True)
    with pytest.raises(StoreError, match="nothing of the change was kept"):
        log.append(*arguments)
    assert contents(log) == before
    add(log, "s", joined("ann"))


def test_connection_lost_during_the_commit_says_that_it_is_not_known(
    log: SqlLog, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """Then nobody can say whether the change was kept, so the sentence does not either."""
    create(log, "s")
    arguments = _joining(log, "ann")

    def cut(*_: object) -> None:
        end_connections(postgres_server, postgres_url)

    event.listen(log._engine, "commit", cut, once=True)
    with pytest.raises(StoreError, match="did not say whether the change was kept"):
        log.append(*arguments)
    assert len(log.read("s")) == 1


def test_commit_waits_for_the_disk_whatever_the_server_s_default(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    """A server that is set to answer before it has written does not do so to us."""
    name = make_url(postgres_url).database
    postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    with closing(open_log(postgres_url)) as log, log._reading() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_studies_do_not_wait_for_each_other(log: SqlLog) -> None:
    """A change of one study that takes long keeps only its own study's others waiting."""
    create(log, "slow")
    create(log, "quick")
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with log._writing() as connection:
            connection.execute(text("SELECT 1 FROM studies WHERE study = 'slow' FOR UPDATE"))
            locked.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait()
    try:
        add(log, "quick", joined("ann"))  # would wait for ever
    finally:
        done.set()
        holder.join()


def test_wrong_addresses_are_told_without_the_password(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    """A wrong password, database or port gives one sentence that says which."""
    url = make_url(postgres_url)
    for wrong, sentence in (
        (url.set(password="secret-and-wrong"), "password"),
        (url.set(database="nowhere"), "nowhere"),
        (url.set(port=1), "refused"),
    ):
        address = wrong.render_as_string(hide_password=False)
        with pytest.raises(StoreError, match=sentence) as caught:
            open_log(address)
        assert str(wrong.password) not in str(caught.value)
        assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_address_may_name_the_driver_or_not(postgres_url: str, scheme: str) -> None:
    """The addresses that hosts and tools give out all work."""
    _, _, rest = postgres_url.partition("://")
    with closing(open_log(f"{scheme}://{rest}")) as log:
        assert log.studies() == []


def test_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg the sentence says how to get it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingFileError, match=r"pip install 'umnist\[postgres\]'"):
        open_log("postgresql://user@127.0.0.1/database")


def test_what_is_erased_is_nowhere_in_the_tables_files(
    log: SqlLog, postgres_server: PostgresServer
) -> None:
    """Neither an answer nor a trace of an erased person is left where PostgreSQL keeps tables."""

    def is_there() -> bool:
        postgres_server.execute("CHECKPOINT")  # what is in its memory goes to its files
        tables = [one for one in (postgres_server.folder / "data/base").rglob("*") if one.is_file()]
        return any(b"secret-" in one.read_bytes() for one in tables)

    create(log, "s", joined("ann"), assigned("a", "ann"))
    for number in range(5):
        secret = f'"secret-{number}"' * 500
        add(log, "s", answered(f"secret-key-{number}", "a", "ann", slot=None, trace=secret))
    assert is_there()
    erase(log, "s", "ann")
    assert not is_there()
    assert verify_log(log, "s").faults == ()


def _joining(log: SqlLog, person: str) -> tuple[list[Event], Claims, dict[int, str]]:
    return chained(log, "s", joined(person)), Claims(annotators=((person, "guided"),)), {}
