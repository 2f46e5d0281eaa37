"""Running sweeps: once each, whoever works; failures, retries, stale results, tables."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.experiments.sweeps.traced import (
    ends,
    here,
    is_alone,
    meeting,
    note,
    probes,
    quick,
    run,
    trace,
    traced,
)
from umnist_core.errors import (
    ConflictError,
    DamagedFileError,
    DeviceLostError,
    MissingFileError,
)
from umnist_core.experiments.sweeps.engine import run_sweep
from umnist_core.experiments.sweeps.plan import Sweep, plan_sweep
from umnist_core.experiments.sweeps.pool import TRIES, CellSlot, PoolExecutor, share_cores
from umnist_core.experiments.sweeps.probe import PROBE, ProbeKind
from umnist_core.experiments.sweeps.results import (
    COST_COLUMNS,
    find_result,
    iter_results,
    result_path,
)
from umnist_core.experiments.sweeps.running import CellOutcome, CellTask, run_cell
from umnist_core.experiments.sweeps.states import find_plan, iter_stale, iter_states
from umnist_core.experiments.sweeps.tables import fold_folder


def plain_table(folder: Path) -> list[dict[str, Any]]:
    """Return the table of a folder without what two runs differ in."""
    rows = fold_folder(folder)
    return [{name: row[name] for name in row if name not in COST_COLUMNS} for row in rows]


def states(folder: Path, sweep: Sweep) -> dict[str, int]:
    """Return how many cells stand where."""
    found: dict[str, int] = {}
    for one in iter_states(folder, sweep):
        found[one.state] = found.get(one.state, 0) + 1
    return found


def test_every_cell_is_run_once_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    """Two processes share the cells; what is done is not done again."""
    sweep = probes(4)
    told: list[str] = []
    first = run(sweep, tmp_path, on_result=lambda one: told.append(one.name))
    assert (first.cells, first.done, first.failed, first.ran) == (20, 20, 0, 20)
    assert sorted(told) == sorted(cell.name for cell in sweep.cells)
    again = run(sweep, tmp_path)
    assert (again.done, again.ran) == (20, 0)
    assert set(ends(tmp_path).values()) == {1}
    assert states(tmp_path, sweep) == {"done": 20}


def test_two_sweeps_in_one_folder_share_the_cells(tmp_path: Path) -> None:
    """Two commands at once give what one gives, and no cell twice."""
    sweep = probes(6, seconds=0.05)
    command = [sys.executable, "-m", "tests.experiments.sweeps.traced", str(tmp_path), "6", "0.05"]
    root = Path(__file__).parents[3]
    other = subprocess.Popen([*command, "meeting"], cwd=root)
    summary = run(sweep, tmp_path, meeting)
    assert other.wait() == 0
    assert len({line["pid"] for line in trace(tmp_path)}) > 2
    assert summary.done == summary.cells == 30
    assert ends(tmp_path) == {cell.name: 1 for cell in sweep.cells}
    assert is_alone(tmp_path)
    run(sweep, tmp_path / "alone", quick, executor=here)
    assert plain_table(tmp_path) == plain_table(tmp_path / "alone")


def fails_at_two(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Fail for one value, until that is mended."""
    note(folder, "begin")
    if config["value"] == 2 and not (folder.parents[1] / "mended").exists():
        raise ZeroDivisionError("two")
    return quick(kind, config, folder)


def test_failures_are_kept_with_their_sentence_and_retried_on_request(tmp_path: Path) -> None:
    """A failed cell stops nothing, is not run again by itself, and counts its attempts."""
    sweep = probes(3, 2)
    first = run(sweep, tmp_path, fails_at_two, executor=here)
    assert (first.done, first.failed) == (4, 2)
    failed = next(one for one in iter_results(tmp_path) if not one.is_done)
    assert "ZeroDivisionError: two" in failed.error
    assert (failed.attempts, failed.figures) == (1, {})
    (row,) = [row for row in fold_folder(tmp_path) if row["value"] == "2"]
    assert (row["seeds"], row["failed"], row["mean"]) == (0, 2, None)
    assert run(sweep, tmp_path, fails_at_two, executor=here).ran == 0
    assert run(sweep, tmp_path, fails_at_two, executor=here, retry_failed=True).failed == 2
    (tmp_path / "mended").touch()
    last = run(sweep, tmp_path, fails_at_two, executor=here, retry_failed=True)
    assert (last.done, last.failed, last.ran) == (6, 0, 2)
    found = find_result(tmp_path, failed.name)
    assert found is not None
    assert (found.attempts, found.error) == (3, "")


def diverges(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Answer as a net does whose weights are no numbers any more."""
    return CellOutcome({**quick(kind, config, folder).figures, "confidence": [0.5, float("nan")]})


def test_a_net_that_diverged_is_a_result(tmp_path: Path) -> None:
    """JSON has no NaN; what is known of the cell is kept."""
    summary = run(probes(1), tmp_path, diverges, executor=here)
    assert summary.done == summary.cells
    assert {str(one.figures["confidence"]) for one in iter_results(tmp_path)} == {"[0.5, None]"}


def ends_its_process(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """End the process for one value, as a system does that has no memory left."""
    note(folder, "begin")
    if config["value"] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(kind, config, folder)


def test_cell_that_ends_its_process_fails_alone(tmp_path: Path) -> None:
    """Its process is replaced a few times; the sentence says by what it ended."""
    sweep = probes(3, 1)
    summary = run(sweep, tmp_path, ends_its_process)
    assert (summary.done, summary.failed) == (2, 1)
    (failed,) = [one for one in iter_results(tmp_path) if not one.is_done]
    assert f"ended {TRIES} times without one, the last time by signal 9" in failed.error
    lines = (tmp_path / "trace.jsonl").read_text().count(failed.name)
    assert lines == TRIES


def loses_its_device(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Do no more in the process that begins, as when a GPU is reset, and all in the next."""
    lost = folder.parents[1] / "lost"
    if not lost.exists():
        lost.write_text(str(os.getpid()))
    if lost.read_text() == str(os.getpid()):
        raise DeviceLostError("Expected cuda:0 to answer, found that it no longer computes.")
    return quick(kind, config, folder)


def test_process_that_lost_its_device_is_replaced(tmp_path: Path) -> None:
    """No cell fails for what its process cannot do any more."""
    executor = PoolExecutor([CellSlot()])
    summary = run(probes(2, 1), tmp_path, loses_its_device, executor=executor)
    assert (summary.done, summary.failed) == (2, 0)


def environment(kind: str, config: Mapping[str, Any], folder: Path) -> CellOutcome:
    """Answer what the process was given."""
    told = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")}
    return CellOutcome({"answer": config["value"], **told})


def test_slots_share_cores_and_deal_out_gpus(tmp_path: Path) -> None:
    """Each process computes with its share of the cores and sees the GPU of its slot alone."""
    assert share_cores(2, 8, ["0", "3"]) == [CellSlot(4, "0"), CellSlot(4, "3")]
    assert share_cores(3, 2) == [CellSlot(1)] * 3
    before = dict(os.environ)
    run(probes(1, 1), tmp_path, environment, executor=PoolExecutor([CellSlot(3, "7")]))
    (found,) = iter_results(tmp_path)
    assert found.figures["OMP_NUM_THREADS"] == "3"
    assert found.figures["CUDA_VISIBLE_DEVICES"] == "7"
    assert found.cost["threads"] == 3
    assert dict(os.environ) == before


def test_changed_settings_and_code_make_new_cells_and_show_the_old_as_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stale result says what changed, and counts in no table."""
    run(probes(2, 1), tmp_path, quick, executor=here)
    changed = probes(2, 1, seconds=0.001)
    reasons = {one.reason for one in iter_stale(tmp_path, changed)}
    assert reasons == {"settings: seconds 0.0 -> 0.001"}
    assert states(tmp_path, changed) == {"waiting": 2}
    run(changed, tmp_path, quick, executor=here)
    assert [row["missing"] for row in fold_folder(tmp_path)] == [0, 0]
    assert len(list(iter_results(tmp_path))) == 4
    monkeypatch.setattr("umnist_core.experiments.sweeps.plan.code_of", lambda rooms: "c0de" * 4)
    newer = plan_sweep(changed.file, {PROBE: ProbeKind()})
    reasons = {one.reason for one in iter_stale(tmp_path, newer)}
    assert f"code: {changed.cells[0].code} -> {'c0de' * 4}" in reasons
    monkeypatch.undo()
    told = [one.reason for one in iter_stale(tmp_path, probes(1, 1))]
    assert told.count("no longer in the sweep") == 2


def test_folder_of_another_sweep_is_left_alone(tmp_path: Path) -> None:
    """Its plan stays, and the sentence names both."""
    run(probes(1, 1), tmp_path, quick, executor=here)
    before = (tmp_path / "plan.json").read_bytes()
    with pytest.raises(ConflictError, match=r"Expected the sweep 'Other' in .*, found 'Probes'"):
        run(probes(1, 1, title="Other"), tmp_path, quick, executor=here)
    assert (tmp_path / "plan.json").read_bytes() == before


def test_damaged_files_are_said(tmp_path: Path) -> None:
    """A result or a plan that is none is named, and left as it is."""
    sweep = probes(1, 1)
    run(sweep, tmp_path, quick, executor=here)
    path = result_path(tmp_path, sweep.cells[0].name)
    whole = path.read_text()
    other = whole.replace('"done"', '"x"')
    for damage in ("{", "[]", "{}", json.dumps({"format": 2}), other):
        path.write_text(damage)
        with pytest.raises(DamagedFileError, match="expected the result of a cell"):
            run(sweep, tmp_path, quick, executor=here)
    path.write_text(json.dumps({**json.loads(whole), "figures": [1]}))
    with pytest.raises(DamagedFileError, match="expected the result of a cell"):
        list(iter_results(tmp_path))
    path.unlink()
    cell = {"name": "a", "labels": {"x": "1"}, "seed": 0}
    damages: list[dict[str, Any]] = [
        {"labels": []},
        {"labels": {"x": 1}},
        {"seed": "0"},
        {"name": None},
    ]
    for wrong in damages:
        plan = {"title": "T", "cells": [{**cell, **wrong}]}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        with pytest.raises(DamagedFileError, match="expected the plan of a sweep"):
            find_plan(tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps({"title": "T", "cells": [cell]}))
    assert find_plan(tmp_path) is not None
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(DamagedFileError, match="expected the plan of a sweep"):
        run(sweep, tmp_path, quick, executor=here)


def test_machine_that_does_not_see_the_folder_says_so(tmp_path: Path) -> None:
    """A cell that is sent where there is no folder is not begun."""
    with pytest.raises(MissingFileError, match="on every machine"):
        run_cell(tmp_path / "elsewhere", CellTask(probes(1, 1).cells[0]), traced)


def test_results_differ_in_their_cost_alone(tmp_path: Path) -> None:
    """Two runs write the same but for times and memory, which every result has."""
    sweep = probes(1, 1)
    found = []
    for name in ("one", "two"):
        run_sweep(sweep, tmp_path / name, quick, here)
        (result,) = iter_results(tmp_path / name)
        told = result.to_dict()
        cost = told.pop("cost")
        assert {"seconds", "cpu_seconds", "peak_bytes", "device", "hardware", "threads"} <= {*cost}
        assert cost["peak_bytes"] > 2**20
        found.append(told)
    assert found[0] == found[1]
