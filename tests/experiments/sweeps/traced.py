"""Work that leaves a trace of every beginning and end, and what tests run sweeps with."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from umnist_core.experiments.sweeps.engine import SweepSummary, run_sweep
from umnist_core.experiments.sweeps.plan import Sweep, parse_sweep, plan_sweep
from umnist_core.experiments.sweeps.pool import CellSlot, PoolExecutor
from umnist_core.experiments.sweeps.probe import PROBE, ProbeKind, run_probe
from umnist_core.experiments.sweeps.running import CellOutcome, CellTask, Work, run_cell
from umnist_core.parsing import parse_toml

TRACE = "trace.jsonl"

TWO = PoolExecutor([CellSlot(), CellSlot()])


def traced(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Do a probe, and write down when it begins and ends."""
    note(folder, "begin")
    found = run_probe(kind, config, folder)
    note(folder, "end")
    return found


def meeting(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Do a probe once the processes of two sweeps are at work, which have two each."""
    note(folder, "begin")
    while len({line["pid"] for line in trace(folder.parents[1])}) < 3:
        time.sleep(0.01)
    found = run_probe(kind, config, folder)
    note(folder, "end")
    return found


def note(folder: Path, what: str) -> None:
    """Add a line to the trace of the sweep whose cell has a folder."""
    line = json.dumps({"cell": folder.name, "what": what, "pid": os.getpid(), "at": time.time()})
    with (folder.parents[1] / TRACE).open("a") as file:
        file.write(line + "\n")


def quick(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Do a probe without its waiting."""
    return run_probe(kind, {**config, "seconds": 0.0}, folder)


def here(folder: Path, tasks: Iterable[CellTask], work: Work) -> Iterator[tuple[CellTask, str]]:
    """Run one cell after the other in this process: the plain executor."""
    for task in tasks:
        yield task, run_cell(folder, task, work)


def probes(values: int, seeds: int = 5, *, title: str = "Probes", **base: Any) -> Sweep:
    """Return a sweep of probes."""
    lines = [f'title = "{title}"', f'kind = "{PROBE}"', f"seeds = {seeds}", "[base]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in base.items()]
    lines += ["[axes]", f"value = {list(range(values))}"]
    text = "\n".join(lines) + "\n"
    return plan_sweep(parse_sweep(parse_toml(text), text, "probes"), {PROBE: ProbeKind()})


def ends(folder: Path) -> Counter[str]:
    """Return how many times each cell came to its end."""
    return Counter(line["cell"] for line in trace(folder) if line["what"] == "end")


def trace(folder: Path) -> list[dict[str, Any]]:
    """Return the trace of a sweep; a line that a kill cut off is left out."""
    found = []
    for line in (folder / TRACE).read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def is_alone(folder: Path) -> bool:
    """Return whether no two processes were at one cell at the same time, of those that ended it."""
    begun: dict[str, list[dict[str, Any]]] = {}
    for line in trace(folder):
        begun.setdefault(line["cell"], []).append(line)
    return all(
        # Whoever ends a cell is the one that began it last.
        lines[at - 1]["what"] == "begin" and lines[at - 1]["pid"] == line["pid"]
        for lines in begun.values()
        for at, line in enumerate(lines)
        if line["what"] == "end"
    )


def run(sweep: Sweep, folder: Path, work: Work = traced, **how: Any) -> SweepSummary:
    """Run a sweep with two processes, unless told otherwise."""
    return run_sweep(sweep, folder, work, how.pop("executor", TWO), **how)


if __name__ == "__main__":
    values, seconds = int(sys.argv[2]), float(sys.argv[3])
    how = {"meeting": meeting, "traced": traced}[sys.argv[4]]
    run(probes(values, seconds=seconds), Path(sys.argv[1]), how)
