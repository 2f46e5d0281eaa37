"""How long a sweep will take, before it starts: from its own results, or from a few trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import fmean
from typing import Any

from umnist_core.experiments.sweeps.plan import Sweep, SweepCell
from umnist_core.experiments.sweeps.results import CellResult, find_result

TRIALS = 5
"""Points that are tried, spread over the sweep."""


@dataclass(frozen=True)
class CellEstimate:
    """How long a cell takes.

    Attributes
    ----------
    seconds
        On this machine; infinite where nothing can be tried here, and `note` says why.
    note
        A sentence, or empty.
    """

    seconds: float
    note: str = ""


Trial = Callable[[str, Mapping[str, Any]], CellEstimate]
"""Tries a little of a cell, by its kind and configuration."""


@dataclass(frozen=True)
class SweepEstimate:
    """How long a sweep takes.

    Attributes
    ----------
    cells, left
        All of them, and those without a result.
    seconds_per_cell
        In the mean, least and most of what was tried or run; infinite where that is not known.
    seconds
        Of what is left, with all processes busy.
    tried, known
        Points that were tried, and that have results.
    notes
        What stood in the way, each sentence once.
    """

    cells: int
    left: int
    seconds_per_cell: tuple[float, float, float]
    seconds: float
    tried: int
    known: int
    notes: tuple[str, ...] = ()


def estimate_sweep(sweep: Sweep, folder: Path, processes: int, trial: Trial) -> SweepEstimate:
    """Estimate the time that is left of a sweep.

    Parameters
    ----------
    sweep
        Which.
    folder
        Whose results tell how long cells take; it need not exist.
    processes
        That run cells at the same time.
    trial
        Tries cells of points of which there is no result, at most `TRIALS` of them.
    """
    results = {cell.name: find_result(folder, cell.name) for cell in sweep.cells}
    points: dict[tuple[str, ...], list[SweepCell]] = {}
    for cell in sweep.cells:
        points.setdefault(tuple(cell.labels.values()), []).append(cell)
    known = {
        key: fmean(spent)
        for key, cells in points.items()
        if (spent := _spent([results[cell.name] for cell in cells]))
    }
    unknown = [key for key in points if key not in known]
    tried = {key: trial(sweep.file.kind, points[key][0].config) for key in _spread(unknown)}
    found = {**known, **{key: one.seconds for key, one in tried.items()}}
    finite = [seconds for seconds in found.values() if seconds < inf]
    middle = fmean(finite) if finite and len(finite) == len(found) else inf
    left = [key for key, cells in points.items() for cell in cells if results[cell.name] is None]
    return SweepEstimate(
        cells=len(results),
        left=len(left),
        seconds_per_cell=(middle, min(found.values()), max(found.values())),
        seconds=sum(found.get(key, middle) for key in left) / max(1, min(processes, len(left))),
        tried=len(tried),
        known=len(known),
        notes=tuple(dict.fromkeys(one.note for one in tried.values() if one.note)),
    )


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds == inf:
        return "not known here"
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _spent(results: Sequence[CellResult | None]) -> list[float]:
    return [one.cost["seconds"] for one in results if one is not None and one.is_done]


def _spread(keys: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return at most `TRIALS` of them, from the first to the last."""
    if len(keys) <= TRIALS:
        return list(keys)
    return [keys[round(at * (len(keys) - 1) / (TRIALS - 1))] for at in range(TRIALS)]
