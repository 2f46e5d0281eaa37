"""Leases: one holder, and none for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from umnist_core.errors import WriteError
from umnist_core.experiments.sweeps import leases
from umnist_core.experiments.sweeps.leases import Holder, claim, is_taken
from umnist_core.experiments.sweeps.results import LEASES
from umnist_core.experiments.sweeps.running import prepare_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of a sweep."""
    prepare_folder(tmp_path)
    return tmp_path


def test_one_of_many_gets_a_cell(folder: Path) -> None:
    """Of threads that ask at once, one; after its release, another."""
    barrier = threading.Barrier(8)
    found = []

    def ask() -> None:
        barrier.wait()
        found.append(claim(folder, "cell"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (lease,) = [one for one in found if one is not None]
    assert is_taken(folder, "cell")
    assert lease.is_held
    lease.release()
    assert not is_taken(folder, "cell")
    assert [*(folder / LEASES).iterdir()] == []
    with claim(folder, "cell") as again:  # type: ignore[union-attr]
        assert again.is_held


def test_killed_holder_is_followed_at_once(folder: Path) -> None:
    """A process that was killed holds nothing; of its followers one has the cell."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from umnist_core.experiments.sweeps.leases import claim\n"
        "claim(Path(sys.argv[1]), 'cell'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert claim(folder, "cell") is None
        holder.kill()
        holder.wait()
        lease = claim(folder, "cell")
        assert lease is not None
        assert claim(folder, "cell") is None
        lease.release()
    assert not is_taken(folder, "cell")


def test_holder_elsewhere_is_dead_when_nobody_touches_its_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another machine only the time of the last touch tells; whoever slept keeps nothing."""
    monkeypatch.setattr(leases._heart, "add", lambda path: None)  # who sleeps touches nothing
    path = folder / LEASES / "cell.0"
    path.write_text(json.dumps(vars(Holder("elsewhere", os.getpid(), "1"))))
    assert claim(folder, "cell") is None
    old = time.time() - leases.DEAD_AFTER_S - 1
    os.utime(path, (old, old))
    asleep = leases.Lease(path, "cell")
    lease = claim(folder, "cell")
    assert lease is not None
    assert lease.is_held
    assert not asleep.is_held
    asleep.release()
    assert lease.is_held
    lease.release()


def test_beats_keep_a_lease(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder touches its file again and again."""
    monkeypatch.setattr(leases, "BEAT_S", 0.01)
    with claim(folder, "cell") as lease:  # type: ignore[union-attr]
        assert lease.is_held
        path = folder / LEASES / "cell.0"
        os.utime(path, (1, 1))
        while path.stat().st_mtime < 2:
            time.sleep(0.01)


def test_damaged_lease_is_followed_when_it_is_old(folder: Path) -> None:
    """A file that says nothing counts by its age alone."""
    path = folder / LEASES / "cell.0"
    path.write_text("{")
    assert is_taken(folder, "cell")
    os.utime(path, (1, 1))
    assert not is_taken(folder, "cell")


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Without the folder of leases there is a sentence."""
    with pytest.raises(WriteError, match="choose a folder"):
        claim(tmp_path, "cell")
