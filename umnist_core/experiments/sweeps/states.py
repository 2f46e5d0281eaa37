"""Where a sweep stands: its plan beside the results, what is done, failed, under way and stale."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from umnist_core.errors import ConflictError, DamagedFileError
from umnist_core.experiments.sweeps.leases import is_taken
from umnist_core.experiments.sweeps.plan import Sweep, SweepCell
from umnist_core.experiments.sweeps.results import (
    PLAN_FILE,
    SWEEP_FILE,
    CellResult,
    find_result,
    iter_results,
)
from umnist_core.files import write_whole
from umnist_core.parsing import parse_json

_TEXTS = dict.fromkeys(("kind", "about", "published", "size", "needs"), "")
"""What a plan says beside its title and cells, which one of others may lack."""

WAITING, RUNNING = "waiting", "running"
"""States of a cell beside those of its result."""


@dataclass(frozen=True)
class CellState:
    """A cell and where it stands.

    Attributes
    ----------
    cell
        Which.
    state
        ``"done"``, ``"failed"``, `RUNNING` or `WAITING`.
    result
        None where there is none.
    """

    cell: SweepCell
    state: str
    result: CellResult | None


@dataclass(frozen=True)
class StaleResult:
    """A result that is none of the sweep's any more.

    Attributes
    ----------
    result
        Which.
    reason
        What changed, in words.
    """

    result: CellResult
    reason: str


def keep_plan(folder: Path, sweep: Sweep) -> None:
    """Write a sweep's file and its plan into its folder.

    Raises
    ------
    ConflictError
        If the folder is that of another sweep.
    DamagedFileError
        If there is a plan that is none.
    WriteError
        If they cannot be written.
    """
    before = find_plan(folder)
    if before is not None and before["title"] != sweep.file.title:
        raise ConflictError(
            f"Expected the sweep {sweep.file.title!r} in {folder}, found {before['title']!r}; "
            "choose another folder with --out."
        )
    write_whole(folder / SWEEP_FILE, sweep.file.text.encode())
    text = json.dumps(sweep.to_dict(), separators=(",", ":")) + "\n"
    write_whole(folder / PLAN_FILE, text.encode())


def find_plan(folder: Path) -> dict[str, Any] | None:
    """Return the plan in a folder, as `Sweep.to_dict`; None where there is none.

    Raises
    ------
    DamagedFileError
        If the file is no plan.
    """
    path = folder / PLAN_FILE
    try:
        found: dict[str, Any] = {**_TEXTS, **parse_json(path.read_bytes())}
        if not all(isinstance(found[name], str) for name in ("title", *_TEXTS)):
            raise ValueError("a title or a word that is no text")
        if not isinstance(found["cells"], list):
            raise ValueError("no list of cells")
        for cell in found["cells"]:
            texts = (cell["name"], *cell["labels"].keys(), *cell["labels"].values())
            if not all(isinstance(one, str) for one in texts) or type(cell["seed"]) is not int:
                raise ValueError("a cell whose name, labels or seed are none")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFileError(
            f"{path}: expected the plan of a sweep, found something else ({str(error)[:60]}); "
            "remove it, and the next `umnist sweep` writes it anew."
        ) from error
    return found


def iter_states(folder: Path, sweep: Sweep) -> Iterator[CellState]:
    """Yield where every cell of a sweep stands, in its order."""
    for cell in sweep.cells:
        result = find_result(folder, cell.name)
        if is_taken(folder, cell.name):
            state = RUNNING
        else:
            state = WAITING if result is None else result.status
        yield CellState(cell, state, result)


def iter_stale(folder: Path, sweep: Sweep) -> Iterator[StaleResult]:
    """Yield the results in a folder that are of other code, data or settings than the sweep's."""
    names = {cell.name for cell in sweep.cells}
    at = {_point(cell.labels, cell.seed): cell for cell in sweep.cells}
    for result in iter_results(folder):
        if result.name not in names:
            yield StaleResult(result, _reason(result, at.get(_point(result.labels, result.seed))))


def _point(labels: Mapping[str, str], seed: int) -> tuple[Any, ...]:
    return (*sorted(labels.items()), seed)


def _reason(result: CellResult, cell: SweepCell | None) -> str:
    if cell is None:
        return "no longer in the sweep"
    reasons = []
    if changed := _changes(result.config, cell.config):
        reasons.append(f"settings: {', '.join(changed)}")
    if changed := _changes(result.data, cell.data):
        reasons.append(f"data: {', '.join(changed)}")
    if result.code != cell.code:
        reasons.append(f"code: {result.code} -> {cell.code}")
    return "; ".join(reasons)


def _changes(before: Any, after: Any, name: str = "") -> list[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = [*before, *(key for key in after if key not in before)]
        return [
            change
            for key in keys
            for change in _changes(before.get(key), after.get(key), f"{name}.{key}".lstrip("."))
        ]
    return [] if before == after else [f"{name} {before!r:.40} -> {after!r:.40}"]
