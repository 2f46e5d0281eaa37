"""Every store of studies keeps the contract."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.contracts.log_contract import LogContract, populate
from tests.contracts.log_events import add, answered, assigned, contents, create, joined
from umnist_core.errors import ClaimError, SequenceError
from umnist_core.labeling.log import Draft, EventLog
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.verify import verify_log

WRITERS = 4
PLACES = 6


class TestMemoryLog(LogContract):
    """The log in memory."""

    @pytest.fixture
    def log(self) -> EventLog:
        """Give a new one."""
        return MemoryLog()

    def other(self, log: EventLog) -> EventLog:
        """Return the same one: there is no other way to it."""
        return log


class DatabaseContract(LogContract):
    """What a store promises that several servers can open."""

    @pytest.fixture
    def url(self) -> str:
        """Return the address of a new, empty database."""
        raise NotImplementedError

    @pytest.fixture
    def log(self, url: str) -> Iterator[EventLog]:
        """Give a store, and close all that was opened with `other`."""
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._url = url
            yield stack.enter_context(contextlib.closing(open_log(url)))

    def other(self, log: EventLog) -> EventLog:
        """Return one with connections of its own."""
        return self._stack.enter_context(contextlib.closing(open_log(self._url)))

    def test_store_is_there_when_it_is_opened_again(self, log: EventLog, url: str) -> None:
        """What was appended is read by the next process, and by one that is open already."""
        early = self.other(log)
        populate(log, "s")
        before = contents(log)
        assert contents(early) == before
        log.close()
        later = open_log(url)
        assert contents(later) == before
        add(later, "s", joined("zoe"))
        later.close()

    def test_of_many_processes_each_fills_its_places(self, log: EventLog, url: str) -> None:
        """Servers of their own that race for the same places fill each once, and lose none."""
        people = [f"p{number}" for number in range(WRITERS)]
        create(log, "s", *(joined(one) for one in people))
        context = multiprocessing.get_context("spawn")
        writers = [context.Process(target=race, args=(url, one)) for one in people]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0] * WRITERS
        claims = log.read_claims("s")
        assert sorted(label[:3] for label in claims.labels) == [
            (f"image-{number}", "guided", 0) for number in range(PLACES)
        ]
        assert len(claims.assignments) == WRITERS * PLACES
        assert verify_log(log, "s").faults == ()

    def test_threads_that_open_a_new_store_at_once_make_it_once(self, url: str) -> None:
        """A server's threads that need the store at the same moment do not disturb each other."""
        with ThreadPoolExecutor(WRITERS) as pool:
            logs = list(pool.map(open_log, [url] * WRITERS))
        for number, log in enumerate(logs):
            create(log, f"s{number}")
            log.close()

    def test_processes_that_open_a_new_store_at_once_make_it_once(self, url: str) -> None:
        """The tables are made by one of them, and all can use them."""
        context = multiprocessing.get_context("spawn")
        start = context.Barrier(WRITERS)
        writers = [
            context.Process(target=make, args=(url, f"s{number}", start))
            for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0] * WRITERS
        with contextlib.closing(open_log(url)) as log:
            assert sorted(log.studies()) == [f"s{number}" for number in range(WRITERS)]


class TestSqliteLog(DatabaseContract):
    """SQLite, in a file."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """Return the address of a file in a folder that is not there yet."""
        return f"sqlite:///{tmp_path / 'a folder' / 'studies.sqlite'}"


class TestPostgresLog(DatabaseContract):
    """A real PostgreSQL server."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        """Return the address of a new database."""
        return postgres_url


def race(url: str, person: str) -> None:
    """Try to fill every place, as one of several processes."""
    log = open_log(url)
    for number in range(PLACES):
        name, image = f"{person}-{number}", f"image-{number}"
        add_at_last(log, assigned(name, person, number, image))
        with contextlib.suppress(ClaimError):
            add_at_last(log, answered(name, name, person, stimulus=image))
    log.close()


def add_at_last(log: EventLog, draft: Draft) -> None:
    """Append behind whatever came in first, as often as it takes."""
    while True:
        with contextlib.suppress(SequenceError):
            add(log, "s", draft)
            return


def make(url: str, study: str, start: Barrier) -> None:
    """Open a store and make a study, as one of several processes that begin at once."""
    start.wait()
    log = open_log(url)
    create(log, study)
    log.close()
