"""Running one cell: lease, work, cost, result; the same in every executor."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from umnist_core.errors import DeviceLostError, MissingFileError, UmnistError, WriteError
from umnist_core.experiments.sweeps.costs import machine_facts, measured
from umnist_core.experiments.sweeps.leases import claim
from umnist_core.experiments.sweeps.plan import SweepCell
from umnist_core.experiments.sweeps.results import (
    CELLS,
    DONE,
    FAILED,
    LEASES,
    WORK,
    CellResult,
    find_result,
    save_result,
)
from umnist_core.incidents import record_incident

RAN, THERE, BUSY = "ran", "there", "busy"
"""What came of a cell: its result was made, was there already, or is being made by another."""

_one_at_a_time = threading.Lock()
"""A cell has its process alone: libraries keep seeds and threads for all of it."""


@dataclass(frozen=True)
class CellOutcome:
    """What the work of a cell gives.

    Attributes
    ----------
    figures
        Ready for JSON, as `umnist_core.experiments.sweeps.results` has them for each kind.
    cost
        What it knows of its cost beside time and memory, such as ``device`` and ``hardware``.
    """

    figures: Mapping[str, Any]
    cost: Mapping[str, Any] = field(default_factory=dict)


Work = Callable[[str, Mapping[str, Any], Path], CellOutcome]
"""Does a cell: takes its kind, its configuration, and a folder that it may make, which is kept
until the cell is done, also when its process is killed. It can be pickled, since other processes
call it."""


@dataclass(frozen=True)
class CellTask:
    """A cell to be run.

    Attributes
    ----------
    cell
        Which.
    attempts
        Of the failure that it takes the place of; 0 where there is none.
    """

    cell: SweepCell
    attempts: int = 0


def prepare_folder(folder: Path) -> None:
    """Make the folders of a sweep.

    Raises
    ------
    WriteError
        If they cannot be made.
    """
    try:
        for name in (CELLS, LEASES, WORK):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{folder} could not be made ({error.strerror or error}); choose another with --out."
        ) from error


def run_cell(folder: Path, task: CellTask, work: Work) -> str:
    """Run a cell, unless it is done or somebody else runs it.

    Parameters
    ----------
    folder
        Of the sweep, where `prepare_folder` was.
    task, work
        What is done.

    Returns
    -------
    str
        `RAN`, also where it failed, which its result says; `THERE` or `BUSY`.

    Raises
    ------
    MissingFileError
        If this machine does not see the folder.
    WriteError
        If the result cannot be written; nothing is left of it, and the next one begins anew.
    DeviceLostError
        If this process can compute nothing more on its device.
    """
    name = task.cell.name
    if not (folder / CELLS).is_dir():
        raise MissingFileError(
            f"Expected the sweep's folder at {folder.resolve()} on every machine that works on it, "
            "found none on one of them; choose a folder that all share with --out."
        )
    with _one_at_a_time:
        if _is_there(folder, task):
            return THERE
        lease = claim(folder, name)
        if lease is None:
            return BUSY
        with lease:
            # Whoever had it may have ended between the two questions.
            if _is_there(folder, task):
                return THERE
            result = _result(folder, task, work)
            if not lease.is_held:
                return BUSY
            save_result(folder, result)
            if result.is_done:  # of a failure it stays: to try again is to go on
                shutil.rmtree(folder / WORK / name, ignore_errors=True)
    return RAN


def give_up(folder: Path, task: CellTask, sentence: str) -> str:
    """Keep as a failure what ended every process that ran it; as `run_cell`."""

    def fail(*_: object) -> CellOutcome:
        raise UmnistError(sentence)

    return run_cell(folder, task, fail)


def _is_there(folder: Path, task: CellTask) -> bool:
    found = find_result(folder, task.cell.name)
    # A failure that is not the one to be tried again is another's, who just tried.
    return found is not None and (found.is_done or found.attempts != task.attempts)


def _finite(value: Any) -> Any:
    """Return figures with None for numbers that are none, as a net that diverged answers with."""
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _result(folder: Path, task: CellTask, work: Work) -> CellResult:
    cell = task.cell
    place = folder / WORK / cell.name
    found, sentence = CellOutcome({}), ""
    with measured() as cost:
        try:
            found = work(cell.kind, cell.config, place)
        except DeviceLostError:
            raise  # the fault of the process, which can do no other cell either
        except UmnistError as error:
            sentence = str(error)
        except Exception as error:  # the boundary: one cell's failure is not that of the sweep
            sentence = record_incident(error, f"cell {cell.name}").sentence
    return CellResult(
        name=cell.name,
        status=FAILED if sentence else DONE,
        kind=cell.kind,
        labels=cell.labels,
        seed=cell.seed,
        config=cell.config,
        data=cell.data,
        code=cell.code,
        command=cell.command,
        figures=_finite(found.figures),
        error=sentence,
        attempts=task.attempts + 1,
        cost=machine_facts() | dict(found.cost) | cost,
    )
