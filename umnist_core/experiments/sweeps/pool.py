"""The executor of this machine: processes that stay, each with its share of cores or a GPU.

A process keeps what its cells share, such as models, for as long as there are cells. One that ends
in the midst of a cell is replaced, and its cell begun again, `TRIES` times.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from umnist_core.datasets.samples import join_pool
from umnist_core.errors import DeviceLostError, UmnistError
from umnist_core.experiments.sweeps.running import CellTask, Work, give_up, run_cell

STOP_S = 5.0
"""Given to a process to end by itself."""

TRIES = 3
"""Processes that a cell may end before it counts as failed."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_GPUS = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class CellSlot:
    """Room for one cell at a time.

    Attributes
    ----------
    threads
        With which libraries compute there.
    gpu
        Number of the GPU that the process sees; None to leave what this process sees, and empty
        for none.
    """

    threads: int = 1
    gpu: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process in it."""
        told = dict.fromkeys(_THREADS, str(self.threads))
        return told if self.gpu is None else {**told, _GPUS: self.gpu}


def share_cores(workers: int, cores: int, gpus: Sequence[str] = ()) -> list[CellSlot]:
    """Return slots for so many processes: cores are shared, GPUs dealt out in turn."""
    threads = max(1, cores // workers)
    return [CellSlot(threads, gpus[at % len(gpus)] if gpus else None) for at in range(workers)]


@dataclass(frozen=True)
class PoolExecutor:
    """Runs cells in processes of this machine; an executor of `engine.run_sweep`.

    Attributes
    ----------
    slots
        One or more.
    """

    slots: Sequence[CellSlot]

    def __call__(
        self, folder: Path, tasks: Iterable[CellTask], work: Work
    ) -> Iterator[tuple[CellTask, str]]:
        """Yield what came of each task, as `run_here`."""
        return run_here(folder, tasks, work, self.slots)


def run_here(
    folder: Path, tasks: Iterable[CellTask], work: Work, slots: Sequence[CellSlot]
) -> Iterator[tuple[CellTask, str]]:
    """Run cells in processes of this machine and yield what came of each, as it comes.

    Parameters
    ----------
    folder
        Of the sweep.
    tasks
        Asked for as slots become free.
    work
        As `umnist_core.experiments.sweeps.running.Work`.
    slots
        One or more; each gets a process.

    Raises
    ------
    UmnistError
        If a process cannot write results.
    """
    waiting = deque[tuple[CellTask, int]]()
    source = iter(tasks)

    def next_task() -> tuple[CellTask, int] | None:
        if waiting:
            return waiting.popleft()
        task = next(source, None)
        return None if task is None else (task, 0)

    workers: list[_Worker] = []
    try:
        for slot in slots:
            given = next_task()
            if given is None:
                break
            workers.append(_Worker(folder, work, slot, given))
        while busy := [worker for worker in workers if worker.given is not None]:
            ready = wait([worker.connection for worker in busy])
            for worker in (one for one in busy if one.connection in ready):
                task, tries = worker.take()
                answer, epitaph = worker.answer(), ""
                if answer is None:
                    epitaph = worker.epitaph
                    if tries + 1 < TRIES:
                        waiting.append((task, tries + 1))
                # At once: whoever is told of the answer may take his time.
                worker.give(next_task())
                if answer is None and tries + 1 >= TRIES:
                    answer = give_up(folder, task, epitaph)
                if answer is not None:
                    yield task, answer
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process and what it is at."""

    def __init__(
        self, folder: Path, work: Work, slot: CellSlot, given: tuple[CellTask, int]
    ) -> None:
        self._made_of = (folder, work)
        self._slot = slot
        self.given: tuple[CellTask, int] | None = None
        self._start()
        self.give(given)

    def _start(self) -> None:
        # Begun anew and not forked: numbers of threads and GPUs are read once, on import.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, os.getpid(), *self._made_of), name="umnist sweep"
        )
        with _environment(self._slot.environment):
            self._process.start()
        theirs.close()

    def give(self, given: tuple[CellTask, int] | None) -> None:
        self.given = given
        if given is None:
            return
        if not self._process.is_alive():
            self._end()
            self._start()
        with suppress(OSError):  # it ended just now, which `answer` finds
            self.connection.send(given[0])

    def take(self) -> tuple[CellTask, int]:
        """Return what it was at; it is at nothing then."""
        assert self.given is not None
        given, self.given = self.given, None
        return given

    def answer(self) -> str | None:
        """Return what came of the cell; None if the process ended in its midst."""
        try:
            found = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            return None
        if isinstance(found, UmnistError):
            raise found
        return str(found)

    @property
    def epitaph(self) -> str:
        code = self._process.exitcode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return (
            f"Expected the process of this cell to end with a result, found it ended {TRIES} times "
            f"without one, the last time by {how}; see if the machine has too little memory, then "
            "use --retry-failed with fewer --workers."
        )

    def stop(self) -> None:
        """End the process, in the midst of a cell or not."""
        with suppress(OSError):
            if self.given is None:
                self.connection.send(None)
            else:
                self._process.terminate()
        self._process.join(STOP_S)
        if self._process.is_alive():
            self._process.kill()
        self._end()

    def _end(self) -> None:
        self._process.join()
        self._process.close()
        self.connection.close()


def _serve(connection: Connection, owner_pid: int, folder: Path, work: Work) -> None:
    """Run what comes until nothing does."""
    join_pool(owner_pid)
    # What it shares with other processes, such as locks, is put in order before it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with suppress(EOFError, OSError):
        while (task := connection.recv()) is not None:
            answer: Any
            try:
                answer = run_cell(folder, task, work)
            except DeviceLostError:
                sys.exit(1)  # another process may have it again
            except UmnistError as error:
                answer = error
            connection.send(answer)


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
