"""Executors of other machines: a Dask cluster, and Slurm through submitit.

All of them see the sweep's folder, and run cells exactly as a process here does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import closing
from pathlib import Path
from typing import Any

from umnist_core.datasets.write import connect_dask
from umnist_core.errors import InvalidValueError, MissingFileError, UmnistError, WorkerError
from umnist_core.experiments.sweeps.pool import TRIES
from umnist_core.experiments.sweeps.results import find_result
from umnist_core.experiments.sweeps.running import BUSY, THERE, CellTask, Work, give_up, run_cell

AHEAD = 3
"""Cells that lie ready for each thread of a cluster."""

LOOK_S = 2.0
"""Between two looks at Slurm's jobs."""

JOBS = "jobs"
"""Folder of submitit's files in a sweep's folder."""


class DaskExecutor:
    """Runs cells on a Dask cluster; an executor of `umnist_core.experiments.sweeps.engine`.

    Parameters
    ----------
    address
        Of its scheduler.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def __call__(
        self, folder: Path, tasks: Iterable[CellTask], work: Work
    ) -> Iterator[tuple[CellTask, str]]:
        """Yield what came of each task.

        Raises
        ------
        MissingFileError, InvalidValueError, NetworkError
            If there is no Dask, no cluster, or a worker does not see the folder.
        """
        with connect_dask(self._address) as client:
            from distributed import as_completed

            source = iter(tasks)
            threads = sum(client.nthreads().values())
            # Without a result yet, as keys of futures: what has one need not be remembered.
            out: dict[Any, CellTask] = {}
            with client.as_current():
                running = as_completed([])

            def send() -> None:
                task = next(source, None)
                if task is not None:
                    future = client.submit(
                        run_cell, folder.resolve(), task, work, pure=False, retries=TRIES
                    )
                    out[future.key] = task
                    running.add(future)

            for _ in range(max(1, AHEAD * threads)):
                send()
            try:
                for future in running:
                    task = out.pop(future.key)
                    answer = _answer(folder, task, future)
                    send()
                    yield task, answer
            finally:
                running.clear()
                client.cancel([*out], force=True)


def _answer(folder: Path, task: CellTask, future: Any) -> str:
    """Return what came of a task, also where every worker that had it ended."""
    try:
        return str(future.result())
    except UmnistError:
        raise
    except CancelledError as error:
        raise WorkerError(
            "Expected the cluster to run all cells, found that it was told to cancel some; run the "
            "same command again, which goes on from there."
        ) from error
    except Exception as error:  # Dask's own: workers ended again and again
        return give_up(
            folder,
            task,
            f"Expected a worker of the cluster to run the cell, found {type(error).__name__} "
            f"({str(error)[:120]}); see the workers' logs, then use --retry-failed.",
        )


class SlurmExecutor:
    """Runs cells as jobs of Slurm, an array of them; an executor as `DaskExecutor`.

    Parameters
    ----------
    jobs
        How many there are at a time; each takes cells until none is left.
    options
        Of submitit's `AutoExecutor`, such as ``timeout_min`` and ``slurm_partition``.
    cluster
        ``"slurm"``, or another that submitit knows, such as ``"local"``; None for what it finds.
    """

    def __init__(
        self, jobs: int, options: Mapping[str, Any] | None = None, cluster: str | None = "slurm"
    ) -> None:
        self._jobs, self._options, self._cluster = jobs, dict(options or {}), cluster

    def __call__(
        self, folder: Path, tasks: Iterable[CellTask], work: Work
    ) -> Iterator[tuple[CellTask, str]]:
        """Yield what came of each task, as results appear in the folder.

        Raises
        ------
        MissingFileError
            If there is no submitit, or no Slurm.
        InvalidValueError
            If submitit does not know an option.
        """
        left = list(tasks)
        executor = self._executor(folder)
        shares = [left[first :: self._jobs] for first in range(min(self._jobs, len(left)))]
        with executor.batch():
            jobs = [executor.submit(run_cells, folder.resolve(), one, work) for one in shares]
        with closing(_Jobs(jobs)) as sent:
            while left:
                ended = sent.have_ended
                waiting = []
                for task in left:
                    if not _is_finished(folder, task):
                        waiting.append(task)
                        continue
                    yield task, THERE  # who ran it, the folder does not say
                left = waiting
                if ended and left:
                    sent.check()
                    yield from ((task, BUSY) for task in left)
                    return
                if left:
                    time.sleep(LOOK_S)

    def _executor(self, folder: Path) -> Any:
        try:
            import submitit
        except ImportError as error:
            raise MissingFileError(
                "Expected submitit for --slurm, found that it is not installed; run "
                "`pip install 'umnist[slurm]'` here."
            ) from error
        try:
            executor = submitit.AutoExecutor(folder=folder / JOBS, cluster=self._cluster)
            executor.update_parameters(**self._options)
        except RuntimeError as error:
            raise MissingFileError(
                f"Expected Slurm on this machine, found none ({error}); run the command where "
                "sbatch can be called, or leave --slurm out."
            ) from error
        except (NameError, TypeError, ValueError) as error:
            raise InvalidValueError(
                f"Expected options that submitit knows, such as timeout_min=60, got "
                f"{', '.join(self._options)} ({str(error)[:160]}); correct --slurm-set."
            ) from error
        return executor


def run_cells(folder: Path, tasks: Sequence[CellTask], work: Work) -> int:
    """Run cells one after the other, as a job of Slurm does, and return how many were there."""
    return sum(run_cell(folder, task, work) == THERE for task in tasks)


class _Jobs:
    """Jobs that were sent."""

    def __init__(self, jobs: Sequence[Any]) -> None:
        self._jobs = jobs

    @property
    def have_ended(self) -> bool:
        return all(job.done() for job in self._jobs)

    def check(self) -> None:
        """Raise what a job failed with."""
        for job in self._jobs:
            error = job.exception()
            if error is not None:
                raise WorkerError(
                    f"Expected job {job.job_id} to run its cells, found that it failed "
                    f"({str(error).strip().splitlines()[-1][:160]}); see {JOBS}/ in the sweep's "
                    "folder, then run the same command again."
                )

    def close(self) -> None:
        """Call off what still waits or runs."""
        for job in self._jobs:
            if not job.done():
                job.cancel()


def _is_finished(folder: Path, task: CellTask) -> bool:
    found = find_result(folder, task.cell.name)
    return found is not None and (found.is_done or found.attempts != task.attempts)
