"""What the engine of sweeps costs beside its cells.

Cells of a tenth of a second show what processes lose by waiting for cells, leases and results;
cells that do nothing show what one costs, among few and among many. Times of whole runs hold the
start of the processes, which a figure of its own says.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from umnist_core.bench.spread import median_of, range_of
from umnist_core.experiments.sweeps.engine import run_sweep
from umnist_core.experiments.sweeps.plan import Sweep, parse_sweep, plan_sweep
from umnist_core.experiments.sweeps.pool import CellSlot, PoolExecutor
from umnist_core.experiments.sweeps.probe import PROBE, ProbeKind, run_probe
from umnist_core.experiments.sweeps.results import CellResult

CELLS = 200
SECONDS = 0.1
COUNTS = (100, 5000)


@dataclass(frozen=True)
class SweepFigures:
    """Medians over the rounds, and the smallest and largest round of each.

    Attributes
    ----------
    processes, rounds, cells, cell_s
        Processes of each run, runs of each kind, and the cells of the first kind with the time that
        each is to compute.
    overhead
        Time of a whole run over what the cells alone would take with all processes busy: processes
        times the time of the run over the sum of the cells' own times.
    wall_over_sum
        Time of a whole run over that sum, whatever the processes.
    start_s
        From the call until the first cell's result, of cells that do nothing.
    per_cell_ms
        From the first result to the last over the cells between, for as many cells that do nothing
        as `counts` says.
    growth
        The last of these over the first.
    again_s
        To find that nothing is left to do among the most cells.
    """

    processes: int
    rounds: int
    cells: int
    cell_s: float
    overhead: float
    overhead_range: tuple[float, float]
    wall_over_sum: float
    start_s: float
    per_cell_ms: tuple[float, ...]
    per_cell_ms_range: tuple[tuple[float, float], ...]
    counts: tuple[int, ...]
    growth: float
    again_s: float


def bench_sweep(
    *,
    processes: int = 2,
    rounds: int = 3,
    cells: int = CELLS,
    cell_s: float = SECONDS,
    counts: tuple[int, ...] = COUNTS,
    folder: Path | None = None,
) -> SweepFigures:
    """Run sweeps of probes in a temporary folder and measure.

    Parameters
    ----------
    processes
        At the same time.
    rounds
        Of each kind; kinds take turns.
    cells, cell_s
        How many compute for how long.
    counts
        How many do nothing.
    folder
        Where to write; the system's folder for temporary files when None.
    """
    busy: list[tuple[float, float]] = []
    empty: list[list[tuple[float, float]]] = []
    with tempfile.TemporaryDirectory(prefix="umnist-bench-", dir=folder) as name:
        root = Path(name)
        for turn in range(rounds):
            busy.append(_busy(_probes(cells, cell_s), root / f"{turn}-busy", processes))
            empty.append(
                [_empty(_probes(one, 0.0), root / f"{turn}-{one}", processes) for one in counts]
            )
        began = time.perf_counter()
        run_sweep(_probes(counts[-1], 0.0), root / f"0-{counts[-1]}", run_probe, _pool(processes))
        again = time.perf_counter() - began
    walls, own = np.array(busy).T  # (rounds,) each
    starts, each = np.array(empty).transpose(2, 0, 1)  # (rounds, counts) each
    per_cell_ms = [1e3 * one for one in each.T]
    medians = tuple(median_of(one) for one in per_cell_ms)
    return SweepFigures(
        processes=processes,
        rounds=rounds,
        cells=cells,
        cell_s=cell_s,
        overhead=median_of(processes * walls / own),
        overhead_range=range_of(processes * walls / own),
        wall_over_sum=median_of(walls / own),
        start_s=median_of(starts[:, 0]),
        per_cell_ms=medians,
        per_cell_ms_range=tuple(range_of(one) for one in per_cell_ms),
        counts=counts,
        growth=round(medians[-1] / medians[0], 3),
        again_s=round(again, 3),
    )


def _probes(cells: int, seconds: float) -> Sweep:
    text = (
        f'title = "Probes"\nkind = "{PROBE}"\nseeds = 1\n[base]\nseconds = {seconds}\n'
        f"[axes]\nvalue = {list(range(cells))}\n"
    )
    found = {
        "title": "Probes",
        "kind": PROBE,
        "seeds": 1,
        "base": {"seconds": seconds},
        "axes": {"value": list(range(cells))},
    }
    return plan_sweep(parse_sweep(found, text, "bench"), {PROBE: ProbeKind()})


def _pool(processes: int) -> PoolExecutor:
    return PoolExecutor([CellSlot()] * processes)


def _busy(sweep: Sweep, folder: Path, processes: int) -> tuple[float, float]:
    """Return the time of a run, and the sum of its cells' own times."""
    own: list[float] = []

    def note(result: CellResult) -> None:
        own.append(result.cost["seconds"])

    began = time.perf_counter()
    run_sweep(sweep, folder, run_probe, _pool(processes), on_result=note)
    return time.perf_counter() - began, math.fsum(own)


def _empty(sweep: Sweep, folder: Path, processes: int) -> tuple[float, float]:
    """Return the time to the first result, and for each cell after it, in seconds."""
    came: list[float] = []
    began = time.perf_counter()
    run_sweep(
        sweep,
        folder,
        run_probe,
        _pool(processes),
        on_result=lambda _: came.append(time.perf_counter()),
    )
    return came[0] - began, (came[-1] - came[0]) / (len(came) - 1)
