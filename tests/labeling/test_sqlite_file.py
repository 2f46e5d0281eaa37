"""The file of an SQLite store: whole after a normal stop, and never taken for whole when it is not.

Servers and commands are real processes here, stopped by SIGTERM or killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from tests.labeling.making import answer_all, come_in, open_small
from tests.labeling.test_sqlite_log import NOBODY, mounted, nobody
from umnist_core.bench.ports import free_port
from umnist_core.cli._study_files import verify_command
from umnist_core.errors import StoreError, UmnistError
from umnist_core.labeling import StudyService
from umnist_core.labeling.service import close_services
from umnist_core.labeling.sql import open_log
from umnist_core.labeling.sql.store import SqlLog

ROOT = Path(__file__).parents[2]
STORE = "umnist.sqlite"


def open_file(folder: Path) -> SqlLog:
    """Open the store of a folder."""
    return open_log(f"sqlite:///{folder / STORE}")


def command(folder: Path, *words: str) -> list[str]:
    """Return how to run umnist with the studies of a folder."""
    settings = f"UMNIST_LABELING={folder}"
    return ["env", "-u", "UMNIST_DATABASE_URL", settings, sys.executable, "-m", *words]


def verify(folder: Path) -> tuple[int, str]:
    """Do what ``umnist study verify`` does in a folder; return its code and what it says."""
    environment = {"UMNIST_LABELING": str(folder), "UMNIST_DATABASE_URL": None}
    done = CliRunner().invoke(verify_command, ["--without-images"], env=environment)
    close_services()  # as at the end of the command
    assert done.exception is None or isinstance(done.exception, SystemExit | UmnistError)
    return done.exit_code, f"{done.output}{done.exception or ''}"


class Lab:
    """A small study in the store of a folder."""

    def __init__(self, folder: Path) -> None:
        self.log = open_file(folder)
        if not self.log.studies():
            open_small(folder, self.log, stimuli=2, images_per_annotator=2)
        self.service = StudyService(self.log, folder)
        (self.study,) = self.log.studies()

    def change(self) -> int:
        """Make a change that is acknowledged, and return the number of its event."""
        self.service.invite(self.study)
        return self.service.overview(self.study).events

    def close(self) -> None:
        """Close the store."""
        self.log.close()


def copy_store(folder: Path, *endings: str) -> Path:
    """Copy the store's files with these endings, as they are now, into a folder of their own."""
    copy = Path(tempfile.mkdtemp(dir=folder.parent, prefix="copy-"))
    for ending in endings:
        shutil.copy(folder / f"{STORE}{ending}", copy)
    return copy


def store_files(folder: Path) -> list[str]:
    """Return the names of the store's files in a folder."""
    return sorted(path.name for path in folder.glob(f"{STORE}*"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for a store, with room for copies beside it."""
    return tmp_path / "lab"


@pytest.fixture
def lab(folder: Path) -> Iterator[Lab]:
    """Give a lab whose store is open."""
    with closing(Lab(folder)) as lab:
        yield lab


# -- a normal stop ----------------------------------------------------------------------


@contextmanager
def running_app(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the app on a folder and yield the server's process and address."""
    port = free_port()
    words = ("streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true")
    with subprocess.Popen(command(folder, *words), cwd=ROOT, stdout=subprocess.DEVNULL) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            while server.poll() is None and not _answers(address):
                time.sleep(0.1)
            yield server, address
        finally:
            server.kill()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=60).status_code in (200, 503)
    except httpx.TransportError:
        return False


def test_after_a_normal_stop_everything_is_in_the_one_file(folder: Path) -> None:
    """The app takes somebody in and is stopped by SIGTERM: the file alone has it, and is sound."""
    with closing(Lab(folder)) as lab:
        token = lab.service.invite(lab.study)[0].token
        events = lab.service.overview(lab.study).events
    with running_app(folder) as (server, address):
        assert httpx.post(f"{address}/join/{token}", json={}, timeout=60).is_success
        assert (folder / f"{STORE}-wal").stat().st_size > 0
        server.send_signal(signal.SIGTERM)
        server.wait()
    assert store_files(folder) == [STORE]
    code, said = verify(copy_store(folder, ""))
    assert code == 0
    assert f"{lab.study}: sound; {events + 1} events" in said


def test_command_leaves_everything_in_the_one_file(lab: Lab, folder: Path) -> None:
    """Also one that only reads, and finds what a killed process left behind."""
    last = lab.change()
    crashed = copy_store(folder, "", "-wal", "-shm")
    assert (crashed / f"{STORE}-wal").stat().st_size > 0
    words = ("umnist_core.cli", "study", "verify", "--without-images")
    for _ in range(2):
        done = subprocess.run(
            command(crashed, *words), cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert f"sound; {last} events" in done.stdout
        assert store_files(crashed) == [STORE]


# -- a copy without its log -------------------------------------------------------------


def test_copy_without_its_log_is_not_called_sound(lab: Lab, folder: Path) -> None:
    """However often it is opened, written and closed; the store itself stays sound."""
    lab.change()
    copy = copy_store(folder, "")
    for _ in range(2):
        code, said = verify(copy)
        assert code == 1
        assert "newest answers may be missing" in said
    with closing(Lab(copy)) as other:
        other.change()
    assert verify(copy)[0] == 1
    assert verify(folder)[0] == 0
    lab.close()
    assert verify(folder)[0] == 0


def test_copy_before_the_first_study_was_carried_over_is_not_called_sound(folder: Path) -> None:
    """Even one that has no study at all."""
    with closing(open_file(folder)) as log:
        open_small(folder, log)
        assert verify(copy_store(folder, ""))[0] == 1


def test_copy_without_its_log_is_told_after_others_came_and_went(lab: Lab, folder: Path) -> None:
    """A command that closes the store beside a running app takes the mark for a moment only."""
    lab.change()
    assert verify(folder)[0] == 0
    lab.change()
    assert verify(copy_store(folder, ""))[0] == 1


def test_copy_without_its_log_is_told_once_nobody_reads_what_was_before(
    lab: Lab, folder: Path
) -> None:
    """A long export keeps the mark out of the file; it is put there after it."""
    lab.close()
    with closing(Lab(folder)) as again:
        with again.log.snapshot():
            again.change()
        again.change()
        assert verify(copy_store(folder, ""))[0] == 1


def test_copy_with_its_log_is_sound(lab: Lab, folder: Path) -> None:
    """Both files together have everything."""
    last = lab.change()
    code, said = verify(copy_store(folder, "", "-wal"))
    assert code == 0
    assert f"sound; {last} events" in said


def test_store_of_an_earlier_version_is_sound(folder: Path) -> None:
    """It has no mark, in use or not, and is kept with a log."""
    Lab(folder).close()
    with closing(sqlite3.connect(folder / STORE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert verify(folder)[0] == 0


# -- files that are taken away under a running store ------------------------------------


def found_after_a_kill(folder: Path) -> int:
    """Return the number of the last event that another process finds in a folder."""
    code = (
        "import sys; from umnist_core.labeling.sql import open_log\n"
        "log = open_log(sys.argv[1]); print(log.read(log.studies()[0])[-1].seq)"
    )
    words = [sys.executable, "-c", code, f"sqlite:///{folder / STORE}"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def _delete(*paths: Path) -> None:
    for path in paths:
        path.unlink()


def _replace(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy(path, other)
    other.replace(path)


TAKEN: dict[str, Callable[[Path], object]] = {
    "the log": lambda path: _delete(Path(f"{path}-wal")),
    "the log and its index": lambda path: _delete(Path(f"{path}-wal"), Path(f"{path}-shm")),
    "the file": _delete,
    "all": lambda path: _delete(*path.parent.glob(f"{STORE}*")),
    "the folder": lambda path: shutil.rmtree(path.parent),
    "the file, for another": _replace,
    "the log, for another": lambda path: _replace(Path(f"{path}-wal")),
}


@pytest.mark.parametrize("what", TAKEN)
def test_store_whose_files_are_taken_away_acknowledges_nothing_more(
    what: str, lab: Lab, folder: Path
) -> None:
    """Nor does it make others in their place; what was acknowledged is saved where it can be."""
    last = max(lab.change() for _ in range(3))
    TAKEN[what](folder / STORE)
    left = store_files(folder)
    for _ in range(3):
        with pytest.raises(StoreError, match="takes no changes any more, because umnist"):
            lab.change()
    assert store_files(folder) == left
    if what in ("the log", "the log and its index"):
        assert found_after_a_kill(copy_store(folder, "")) == last
        assert verify(copy_store(folder, ""))[0] == 0


def test_app_whose_log_is_deleted_never_says_saved_of_what_a_restart_does_not_find(
    folder: Path,
) -> None:
    """People join while the log is deleted; the app is killed, and everybody who came in is there.

    Nobody comes in after it.
    """
    with closing(Lab(folder)) as lab:
        tokens = [row.token for row in lab.service.invite(lab.study, 4)]
        study = lab.study
    with running_app(folder) as (server, address):

        def join(token: str | None) -> bool:
            return httpx.post(f"{address}/join/{token}", json={}, timeout=60).is_success

        assert [join(token) for token in tokens[:2]] == [True, True]
        (folder / f"{STORE}-wal").unlink()
        assert [join(token) for token in tokens[2:]] == [False, False]
        server.kill()
        server.wait()
    with closing(open_file(folder)) as log:
        assert sum(event.kind == "joined" for event in log.read(study)) == 2
    assert verify(folder)[0] == 0


def test_log_that_is_deleted_before_a_normal_stop_loses_nothing(lab: Lab, folder: Path) -> None:
    """What had been acknowledged is carried over from what is still open."""
    last = lab.change()
    (folder / f"{STORE}-wal").unlink()
    lab.close()
    assert verify(folder)[0] == 0
    assert found_after_a_kill(folder) == last


def test_file_that_is_put_back_is_gone_on_with(lab: Lab, folder: Path) -> None:
    """The same file under its name again."""
    path = folder / STORE
    path.rename(folder / "elsewhere")
    with pytest.raises(StoreError, match="deleted or replaced"):
        lab.change()
    (folder / "elsewhere").rename(path)
    last = lab.change()
    assert found_after_a_kill(folder) == last


# -- a store that could only be read ----------------------------------------------------


@pytest.mark.parametrize("is_tried", [True, False])
def test_store_that_was_opened_read_only_recovers_without_a_restart(is_tried: bool) -> None:
    """Whether or not somebody tried to write meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="umnist-folder-"))
    try:
        Lab(folder).close()
        for path in (folder, *folder.rglob("*")):  # another user's, where the tests run as root
            path.chmod(0o777 if path.is_dir() else 0o666)
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY)
        (folder / STORE).chmod(0o444)
        with nobody(), closing(Lab(folder)) as lab:
            before = lab.service.overview(lab.study).events
            if is_tried:
                with pytest.raises(StoreError, match="make both writable"):
                    lab.change()
            (folder / STORE).chmod(0o666)
            assert lab.change() == before + 1
            assert lab.log.faults() == []
    finally:
        shutil.rmtree(folder)


def test_store_on_a_disk_that_was_mounted_read_only_recovers_without_a_restart() -> None:
    """The disk is mounted for writing again, and the same process takes answers."""
    with mounted("8m") as disk:
        with closing(Lab(disk / "lab")) as lab:
            lab.change()
            shutil.copytree(disk / "lab", disk / "crashed")  # with its log, or nobody can read it
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with closing(Lab(disk / "crashed")) as lab:
            before = lab.service.overview(lab.study).events
            with pytest.raises(StoreError, match="make both writable"):
                lab.change()
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            assert lab.change() == before + 1


# -- damage -----------------------------------------------------------------------------


def damage(folder: Path, *statements: str) -> None:
    """Change a closed store in ways that SQLite would not."""
    with closing(sqlite3.connect(folder / STORE, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("table", ["events", "annotators", "answers", "invites", "labels"])
def test_verify_finds_an_index_that_lacks_rows(lab: Lab, folder: Path, table: str) -> None:
    """The page of an index is emptied, of which no reading of the log need tell."""
    annotator = come_in(lab.service, lab.study)
    answer_all(lab.service, lab.study, annotator)
    lab.close()
    assert verify(folder)[0] == 0
    with closing(sqlite3.connect(folder / STORE)) as connection:
        rows = "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
        pages = [page for (page,) in connection.execute(rows, (table,))]
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with (folder / STORE).open("r+b") as file:
        file.seek((pages[-1] - 1) * size)
        file.write(b"\x0a\0\0\0\0" + size.to_bytes(2, "big") + b"\0")  # a leaf of no cells
    code, said = verify(folder)
    assert code == 1
    assert "The file is damaged, says SQLite" in said


DAMAGE = (
    "DELETE FROM annotators WHERE annotator = ?",
    "UPDATE annotators SET pool = 'unguided' WHERE annotator = ?",
    "UPDATE annotators SET pool = 'nowhere' WHERE annotator = ?",
    "UPDATE annotators SET pool = 5 WHERE annotator = ?",
    "UPDATE annotators SET annotator = x'ff' WHERE annotator = ?",
    "INSERT INTO annotators SELECT study, 'bob', pool FROM annotators WHERE annotator = ?",
    "INSERT INTO annotators SELECT 'none', 'bob', pool FROM annotators WHERE annotator = ?",
)


@pytest.mark.parametrize("statement", DAMAGE)
@pytest.mark.parametrize("is_erased", [False, True])
def test_verify_finds_damage_in_the_table_of_annotators(
    lab: Lab, folder: Path, statement: str, is_erased: bool
) -> None:
    """Of people who are there, and of people who were erased, whose pool stays."""
    ann = come_in(lab.service, lab.study, "guided")
    come_in(lab.service, lab.study, "guided")
    if is_erased:
        lab.service.erase(lab.study, ann)
    lab.close()
    assert verify(folder)[0] == 0
    with closing(sqlite3.connect(folder / STORE, isolation_level=None)) as connection:
        assert connection.execute(statement, (ann,)).rowcount == 1
    code, said = verify(folder)
    assert code == 1, said
