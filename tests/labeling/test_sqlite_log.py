"""What can happen to a file: a killed writer, a full disk, a folder that cannot be written."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.contracts.log_events import (
    TIME,
    add,
    answered,
    append,
    assigned,
    attachments_of,
    chained,
    contents,
    create,
    erase,
    joined,
)
from umnist_core.errors import InvalidValueError, StoreError
from umnist_core.labeling.claims import claims_of, merged
from umnist_core.labeling.log import chain
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.sql.store import SqlLog
from umnist_core.labeling.verify import verify_log

KILLS = 50
NOBODY = 65534


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of a new file."""
    return f"sqlite:///{tmp_path / 'studies.sqlite'}"


# -- a killed writer -----------------------------------------------------------------


def answer_for_ever(url: str, person: str, acknowledged: Connection) -> None:
    """Answer one image after another, and name each event's hash once it is stored."""
    log = open_log(url)
    head = log.read("s")[-1]
    while True:
        name = f"a{head.seq}"
        drafts = (
            assigned(name, person, head.seq, name),
            answered(f"k{head.seq}", name, person, stimulus=name, trace="{}" * 5000),
        )
        events = chain("s", drafts, head, TIME)
        log.append(events, merged(map(claims_of, events)), attachments_of(events, drafts))
        head = events[-1]
        acknowledged.send((head.seq, head.hash))


def test_killed_writer_loses_nothing_that_it_was_told_is_saved(url: str) -> None:
    """After each of 50 kills all acknowledged answers are there, once, and all else is whole."""
    # Forked from a process that has loaded everything, so that a kill takes no second.
    # One that other tests have left running has not: with it, each of the writers takes seconds.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.labeling.test_sqlite_log", "alembic.command"])
    rng = random.Random(4)
    told: list[tuple[int, str]] = []
    with closing(open_log(url)) as log:
        create(log, "s", joined("ann"))
        for _ in range(KILLS):
            ours, theirs = context.Pipe(duplex=False)
            writer = context.Process(target=answer_for_ever, args=(url, "ann", theirs))
            writer.start()
            theirs.close()
            told += [ours.recv() for _ in range(rng.randint(1, 5))]
            time.sleep(rng.uniform(0, 0.01))  # to any moment of the next one
            writer.kill()
            writer.join()
            while True:
                try:
                    told.append(ours.recv())
                except (EOFError, OSError):
                    break
            events = log.read("s")
            assert {(one.seq, one.hash) for one in events} >= set(told)
        assert verify_log(log, "s").faults == ()
        # Whatever was under way when the kill came is whole: no assignment without its answer.
        claims = log.read_claims("s")
        assert len(claims.assignments) == len(claims.answers) == len(claims.labels)
        assert len(claims.answers) >= len(told)


# -- a full disk ---------------------------------------------------------------------


class FullDisk:
    """A file system, or a limit of SQLite's own, that is soon full."""

    def __init__(self, folder: Path, *, is_mounted: bool) -> None:
        self.folder = folder
        self.is_mounted = is_mounted
        self.pages = 80

    def open_log(self) -> SqlLog:
        """Open a store on it."""
        log = open_log(f"sqlite:///{self.folder / 'studies.sqlite'}")
        if not self.is_mounted:
            event.listen(
                log._engine,
                "checkout",
                lambda raw, *_: raw.execute(f"PRAGMA max_page_count = {self.pages}"),
            )
        return log

    def make_room(self) -> None:
        """Make it larger."""
        self.pages = 4000
        if self.is_mounted:
            subprocess.run(["mount", "-o", "remount,size=16m", self.folder], check=True)


@contextmanager
def mounted(size: str) -> Iterator[Path]:
    """Mount a small file system; as root only, and not in every container."""
    folder = Path(tempfile.mkdtemp(prefix="umnist-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("A file system can only be mounted as root.")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["disk", "limit"])
def full_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FullDisk]:
    """Give a disk that holds some hundred kilobytes."""
    if request.param == "limit":
        yield FullDisk(tmp_path, is_mounted=False)
        return
    with mounted("1m") as folder:
        yield FullDisk(folder, is_mounted=True)


def test_full_disk_loses_nothing(full_disk: FullDisk) -> None:
    """The answer that does not fit is refused with a sentence, and taken once there is room."""
    with closing(full_disk.open_log()) as log:
        create(log, "s", joined("ann"))
        head = add(log, "s", assigned("a", "ann"))
        number = 0
        while True:
            draft = answered(f"k{number}", "a", "ann", slot=None, trace="x" * 20_000)
            events = chained(log, "s", draft)
            try:
                head = append(log, events, (draft,))
            except StoreError as error:
                said = str(error)
                break
            number += 1
        assert "because its disk is full; nothing of the change was kept: make room" in said
        assert number > 2
        assert log.read("s")[-1] == head
        assert verify_log(log, "s").faults == ()
        with pytest.raises(StoreError, match="full"):
            append(log, events, (draft,))
        full_disk.make_room()
        append(log, events, (draft,))
        assert [seq for seq, _ in log.iter_attachments("s")] == list(range(4, 5 + number))
        assert verify_log(log, "s").faults == ()


# -- folders and files that cannot be used -------------------------------------------


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user whom permissions bind, where the tests run as root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that other users can enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="umnist-folder-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_new_store_in_a_read_only_folder_is_refused_with_a_sentence(open_folder: Path) -> None:
    """The sentence names the file and what to do."""
    open_folder.chmod(0o555)
    path = open_folder / "studies.sqlite"
    with nobody(), pytest.raises(StoreError, match="writable for the user") as caught:
        open_log(f"sqlite:///{path}")
    assert str(path) in str(caught.value)
    with nobody(), pytest.raises(StoreError, match=r"folder .* could not be made"):
        open_log(f"sqlite:///{open_folder / 'below' / 'studies.sqlite'}")


def test_store_that_became_read_only_keeps_what_it_has(open_folder: Path) -> None:
    """It cannot be opened until it is writable again, and then has everything."""
    path = open_folder / "studies.sqlite"
    with closing(open_log(f"sqlite:///{path}")) as log:
        create(log, "s", joined("ann"))
        before = contents(log)
    path.chmod(0o444)
    open_folder.chmod(0o555)
    with nobody(), pytest.raises(StoreError, match="writable for the user"):
        create(open_log(f"sqlite:///{path}"), "t")
    path.chmod(0o644)
    open_folder.chmod(0o755)
    with closing(open_log(f"sqlite:///{path}")) as log:
        assert contents(log) == before


def test_damaged_or_foreign_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """A text file, and a database of something else, stay as they are."""
    text = tmp_path / "notes.txt"
    text.write_text("These are notes, and no database at all. " * 100)
    with pytest.raises(StoreError, match="no SQLite database"):
        open_log(f"sqlite:///{text}")
    assert text.read_text().startswith("These are notes")
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match=r"1 tables that are not umnist's \(recipes"):
        open_log(f"sqlite:///{foreign}")
    with closing(sqlite3.connect(foreign)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


def test_writer_that_never_ends_is_told_of(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's open change is waited for, but not for ever."""
    monkeypatch.setattr("umnist_core.labeling.sql.engine.BUSY_S", 0.05)
    with closing(open_log(url)) as log:
        create(log, "s")
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="another process keeps it locked; nothing"):
                add(log, "s", joined("ann"))
            assert len(log.read("s")) == 1
            other.rollback()
        add(log, "s", joined("ann"))


def test_reader_does_not_stop_a_writer(url: str) -> None:
    """Answers are stored while a long export reads."""
    with closing(open_log(url)) as log:
        create(log, "s")
        with log.snapshot() as snapshot:
            add(log, "s", joined("ann"))
            assert len(snapshot.read("s")) == 1


def test_commit_waits_for_the_disk(url: str) -> None:
    """Every connection syncs its commits, looks at foreign keys and overwrites what is erased."""
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with closing(open_log(url)) as log, log._reading() as one, log._reading() as two:
        for connection in (one, two):
            for name, value in expected.items():
                assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value


def test_what_is_erased_is_nowhere_in_the_file(tmp_path: Path, url: str) -> None:
    """Neither an answer nor a trace of an erased person is left in the file or its log."""
    with closing(open_log(url)) as log:
        create(log, "s", joined("ann"), assigned("a", "ann"))
        for number in range(20):
            secret = f'"secret-{number}"' * 500
            add(log, "s", answered(f"secret-key-{number}", "a", "ann", slot=None, trace=secret))
        assert b"secret-" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
        erase(log, "s", "ann")
        assert b"secret-" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


# -- addresses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "studies.sqlite", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@host/db", "://"],
)
def test_address_of_another_kind_is_refused(address: str) -> None:
    """The sentence says how one looks, and repeats no password."""
    with pytest.raises(InvalidValueError, match="sqlite:///FILE, or postgresql://USER") as caught:
        open_log(address)
    assert "secret" not in str(caught.value)
