"""Real runs that are stopped: by kill, by Ctrl-C, with other processes, on a cluster."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.datasets.making import SMALL_OPTIONS, hashes, small_recipe, umnist, umnist_command
from tests.repeated import repeated
from umnist_core import __version__
from umnist_core.datasets.ends import file_checksum, image_ends
from umnist_core.datasets.inspect import inspect_dataset
from umnist_core.datasets.write import write_dataset
from umnist_core.digits import load_glyphs
from umnist_core.pyramid.comment import scene_comment

OPTIONS = ["--seed", "3", *SMALL_OPTIONS]
LIMIT_S = 60
UNFINISHED = ".unfinished-train"


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start ``umnist`` in a process group of its own, as a shell does; end what is left of it."""
    command, environment = umnist_command(*arguments)
    process = subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        # The processes of a pool outlive a killed parent for a while.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_files(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until a folder holds as many files, or the process is over."""
    end = time.monotonic() + LIMIT_S
    while process.poll() is None and time.monotonic() < end:
        if folder.is_dir() and sum(1 for _ in folder.iterdir()) >= count:
            return
        time.sleep(0.001)
    assert process.poll() is not None, f"no {count} files within {LIMIT_S} s"


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes of a run's pool."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(c) for c in children if b"LokyProcess" in Path(f"/proc/{c}/cmdline").read_bytes()]


def wait_until_over(processes: list[int]) -> None:
    """Wait until processes have ended; none may stay behind."""
    end = time.monotonic() + LIMIT_S
    while any(_runs(process) for process in processes):
        assert time.monotonic() < end, f"one of {processes} still runs after {LIMIT_S} s"
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("kills", repeated([6, 20], 1))
def test_run_that_is_killed_again_and_again_ends_byte_identical_to_a_straight_one(
    tmp_path: Path, kills: int
) -> None:
    """Each run is killed at a random moment, and leaves whole files alone."""
    rng = random.Random(20)
    count = 25 * kills
    recipe = small_recipe(count)
    write_dataset(recipe, tmp_path / "straight", jobs=1)
    straight = hashes(tmp_path / "straight")
    stopped = tmp_path / "stopped"
    command = ["generate", str(stopped), "--count", str(count), "--jobs", "1", *OPTIONS]
    killed = 0
    for _ in range(kills):
        there = len(list((stopped / "train").glob("*"))) if stopped.exists() else 0
        with started(*command) as process:
            wait_for_files(stopped / "train", there + rng.randint(1, 24), process)
            time.sleep(rng.random() * 0.01)
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        visible = {n: sha for n, sha in hashes(stopped).items() if not n.startswith(".")}
        assert {name: straight[name] for name in visible} == visible
    assert killed == kills
    assert len(visible) < len(straight)
    done = umnist(*command, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "were there already" in done.stdout
    assert hashes(stopped) == straight


@pytest.mark.parametrize(
    ("layout", "count", "watched"), [("voc", 300, "train"), ("webdataset", 1100, UNFINISHED)]
)
def test_killed_pool_leaves_whole_files_and_the_run_goes_on_at_once(
    tmp_path: Path, layout: str, count: int, watched: str
) -> None:
    """The parent alone is killed; its two workers may still write when the next run begins."""
    arguments = ["--count", str(count), "--jobs", "2", "--format", layout, *OPTIONS]
    with started("generate", str(tmp_path / "a"), *arguments) as process:
        # In the hidden folder: the table of truth and a shard, both half written.
        wait_for_files(tmp_path / "a" / watched, 2, process)
        workers = workers_of(process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        done = umnist("generate", str(tmp_path / "a"), *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(workers) == 2
        wait_until_over(workers)
    write_dataset(small_recipe(count, layout=layout), tmp_path / "b", jobs=2)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_says_in_one_line_how_to_go_on(tmp_path: Path, jobs: str) -> None:
    """The signal goes to all processes of the group, as from a terminal."""
    folder = tmp_path / "a"
    arguments = ["generate", str(folder), "--count", "3000", "--jobs", jobs, *OPTIONS]
    with started(*arguments) as process:
        wait_for_files(folder / "train", 5, process)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "the same command goes on from there" in errors
    images = sorted((folder / "train").iterdir())
    assert 0 < len(images) < 3000
    assert all(path.read_bytes().endswith(image_ends("jpeg", "")[2]) for path in images)
    found = inspect_dataset(folder)
    assert (found.unfinished, found.damaged) == (("train",), ())
    assert len(found.missing) == 3000 - len(images)


def test_dying_worker_is_one_sentence(tmp_path: Path) -> None:
    """As when memory runs out and the system ends the largest process."""
    folder = tmp_path / "a"
    arguments = ["generate", str(folder), "--count", "3000", "--jobs", "2", *OPTIONS]
    with started(*arguments) as process:
        wait_for_files(folder / "train", 5, process)
        os.kill(workers_of(process)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert "A worker process was ended" in errors.splitlines()[-1]
    assert "Traceback" not in errors


@pytest.mark.parametrize("image", ["jpeg", "png"])
def test_file_without_its_end_is_not_whole(tmp_path: Path, image: str) -> None:
    """The check that going on rests on."""
    recipe = small_recipe(1, image=image)
    write_dataset(recipe, tmp_path)
    (path,) = (tmp_path / "train").iterdir()
    comment = scene_comment(recipe.plan(0, load_glyphs()), __version__)
    ends = image_ends(image, comment)
    assert file_checksum(path, ends) == hashes(tmp_path / "train")[path.name]
    data = path.read_bytes()
    for length in (0, 1, 20, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        assert file_checksum(path, ends) is None


# -- a cluster --------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """Give the address of a real scheduler with two worker processes, on loopback."""
    file, scratch = tmp_path / "scheduler.json", tmp_path / "scratch"
    environment = umnist_command()[1]
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    scheduler = ["dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common]
    worker = ["dask_worker", "--nthreads", "1", "--no-nanny", *common]
    worker += ["--host", "127.0.0.1", "--local-directory", str(scratch)]
    with ExitStack() as stack:
        for module, *options in (scheduler, worker, worker):
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *options],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
        end = time.monotonic() + LIMIT_S
        while not file.exists():
            assert time.monotonic() < end, f"no scheduler within {LIMIT_S} s"
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"]


def test_cluster_writes_the_same_bytes(tmp_path: Path, cluster: str) -> None:
    """A scheduler and two workers, each a process; then the other layout goes the same way."""
    for layout in ("voc", "webdataset"):
        write_dataset(small_recipe(40, layout=layout), tmp_path / f"here-{layout}", jobs=1)
        folder = tmp_path / f"there-{layout}"
        arguments = ["--count", "40", "--format", layout, *OPTIONS, "--dask", cluster]
        done = umnist("generate", str(folder), *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert hashes(folder) == hashes(tmp_path / f"here-{layout}")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hello", "is like tcp://10.0.0.1:8786"),
        ("inproc://3", "is like tcp://10.0.0.1:8786"),
        ("tcp://[::1", "is like tcp://10.0.0.1:8786"),
        ("127.0.0.1:1", "found none"),
    ],
)
def test_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, address: str, said: str) -> None:
    """And no folder is left behind."""
    arguments = ["generate", "a", "--count", "4", *OPTIONS, "--dask", address]
    done = umnist(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
