"""A sweep that is killed again and again gives what one gives that is not."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.experiments.sweeps.test_engine import plain_table
from tests.experiments.sweeps.traced import TRACE, ends, here, is_alone, probes, quick, run, trace

ROOT = Path(__file__).parents[3]
VALUES, SECONDS = 16, 0.1
KILLS = 20


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Begin the sweep, or go on with it, in a process with two workers."""
    command = [sys.executable, "-m", "tests.experiments.sweeps.traced", str(folder)]
    return subprocess.Popen([*command, str(VALUES), str(SECONDS), "traced"], cwd=ROOT)


def begun_in(folder: Path) -> int:
    """Return how many times a cell was begun."""
    if not (folder / TRACE).exists():
        return 0
    return sum(line["what"] == "begin" for line in trace(folder))


def workers_of(parent: int) -> list[int]:
    """Return the processes that a sweep's process began for its cells."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    found = []
    for pid in path.read_text().split() if path.exists() else []:
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"spawn_main" in command.read_bytes():
            found.append(int(pid))
    return found


def test_killed_and_resumed_sweep_gives_the_same_table(tmp_path: Path) -> None:
    """Workers and parents die 20 times at random moments; no cell ends twice, and none is lost."""
    rng = random.Random(20)
    folder = tmp_path / "killed"
    process = start(folder)
    killed = lost = 0
    while killed < KILLS and process.poll() is None:
        before = begun_in(folder)
        while begun_in(folder) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 1.5 * SECONDS))
        workers = workers_of(process.pid)
        victim = rng.choice([process.pid, *workers, *workers])
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed += 1
        lost += len(workers) if victim == process.pid else 1
        if victim == process.pid:
            process.wait()
            process = start(folder)
    assert process.wait() == 0
    assert killed == KILLS, "the sweep was done before the last kill; make it longer"
    sweep = probes(VALUES, seconds=SECONDS)
    summary = run(sweep, folder)
    assert (summary.done, summary.ran) == (len(sweep.cells), 0)
    assert is_alone(folder)
    # Each killed process can have lost the cell that it was at, perhaps just before its result.
    assert 0 < begun_in(folder) - len(sweep.cells) <= lost
    assert all(ends(folder)[cell.name] for cell in sweep.cells)
    run(sweep, tmp_path / "plain", quick, executor=here)
    assert plain_table(folder) == plain_table(tmp_path / "plain")
