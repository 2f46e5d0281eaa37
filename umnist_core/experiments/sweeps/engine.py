"""Running a whole sweep, or what is left of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from umnist_core.experiments.sweeps.leases import is_taken
from umnist_core.experiments.sweeps.plan import Sweep
from umnist_core.experiments.sweeps.results import CellResult, find_result
from umnist_core.experiments.sweeps.running import BUSY, RAN, CellTask, Work, prepare_folder
from umnist_core.experiments.sweeps.states import keep_plan

LOOK_S = 1.0
"""Between two looks at cells that others run."""

Executor = Callable[[Path, Iterable[CellTask], Work], Iterator[tuple[CellTask, str]]]
"""Runs tasks of a folder and yields what came of each, of `running`, in whatever order."""

OnResult = Callable[[CellResult], object]
"""Is told of every result that was made meanwhile, here or by others."""


@dataclass(frozen=True)
class SweepSummary:
    """What came of a run.

    Attributes
    ----------
    cells
        Different ones of the sweep.
    done, failed
        Of them, by now.
    ran
        Of them, by this run.
    seconds
        That it took.
    """

    cells: int
    done: int
    failed: int
    ran: int
    seconds: float


def run_sweep(
    sweep: Sweep,
    folder: Path,
    work: Work,
    executor: Executor,
    *,
    retry_failed: bool = False,
    on_result: OnResult | None = None,
    on_start: Callable[[int], object] | None = None,
) -> SweepSummary:
    """Run the cells of a sweep that have no result yet, also those that others leave undone.

    Parameters
    ----------
    sweep
        Which.
    folder
        Made if it is not there; others may work in it at the same time.
    work
        Does a cell.
    executor
        Who works: see `umnist_core.experiments.sweeps.pool` and ``cluster``.
    retry_failed
        Whether cells that failed before are run once more.
    on_result
        Is told of results.
    on_start
        Is told how many cells need not be run.

    Raises
    ------
    ConflictError
        If the folder is that of another sweep.
    DamagedFileError, WriteError
        If a file in it cannot be read or written.
    """
    began = time.monotonic()
    prepare_folder(folder)
    keep_plan(folder, sweep)
    names = {cell.name: cell for cell in sweep.cells}
    before = {name: find_result(folder, name) for name in names}
    left = [
        CellTask(cell, 0 if found is None else found.attempts)
        for name, cell in names.items()
        if (found := before[name]) is None or (retry_failed and not found.is_done)
    ]
    if on_start is not None:
        on_start(len(names) - len(left))
    ran = 0
    while left:
        busy: list[CellTask] = []
        for task, answer in executor(folder, left, work):
            ran += answer == RAN
            if answer == BUSY:
                busy.append(task)
            elif on_result is not None and (result := find_result(folder, task.cell.name)):
                on_result(result)
        left = _wait_for_others(folder, busy, on_result)
    ends = [find_result(folder, name) for name in names]
    done = sum(one is not None and one.is_done for one in ends)
    failed = sum(one is not None and not one.is_done for one in ends)
    return SweepSummary(len(names), done, failed, ran, time.monotonic() - began)


def _wait_for_others(
    folder: Path, busy: list[CellTask], on_result: OnResult | None
) -> list[CellTask]:
    """Return the cells that others gave up, as soon as there is one; none if all have a result."""
    while busy:
        free: list[CellTask] = []
        held: list[CellTask] = []
        for task in busy:
            # In this order: a result is written before its lease goes.
            is_held = is_taken(folder, task.cell.name)
            result = find_result(folder, task.cell.name)
            if result is not None and (result.is_done or result.attempts != task.attempts):
                if on_result is not None:
                    on_result(result)
            else:
                (held if is_held else free).append(task)
        if free:
            return free + held
        busy = held
        if busy:
            time.sleep(LOOK_S)
    return []
