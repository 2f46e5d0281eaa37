"""Results that come with the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.experiments.sweeps.results_page import PAGE, tables
from umnist_core.experiments.sweeps.plan import load_sweep
from umnist_core.experiments.sweeps.results import CELLS, SHIPPED, SWEEP_FILE, iter_results
from umnist_core.experiments.sweeps.states import find_plan
from umnist_core.experiments.sweeps.tables import axes_of, fold_folder

FOLDERS = sorted(path.parent for path in SHIPPED.glob(f"*/{SWEEP_FILE}"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_shipped_results_are_those_of_their_sweep(folder: Path) -> None:
    """They are done, named by the plan, of real MNIST, and say command, hardware and time."""
    plan = find_plan(folder)
    rows = fold_folder(folder)
    assert plan is not None
    assert load_sweep(folder / SWEEP_FILE).title == plan["title"]
    names = {cell["name"] for cell in plan["cells"]}
    results = list(iter_results(folder))
    assert results
    for one in results:
        assert one.is_done
        assert one.name in names
        assert not one.data.get("stand_in", False)
        assert {"seconds", "hardware", "started_utc", "versions"} <= one.cost.keys()
        assert one.kind != "evaluate" or one.command.startswith("umnist evaluate ")
    seeds = {tuple(row.get(axis) for axis in axes_of(rows)): row["seeds"] for row in rows}
    assert sum(seeds.values()) == len(results)


def test_shipped_results_are_small_and_name_no_path_of_a_machine() -> None:
    """A file a cell, some kilobytes each."""
    paths = list(SHIPPED.glob(f"*/{CELLS}/*"))
    assert all(path.stat().st_size < 100_000 for path in paths)
    told = re.compile(rb"/(?:home|root|tmp|work)/")
    assert [path.name for path in paths if told.search(path.read_bytes())] == []


def test_the_page_of_results_has_their_tables() -> None:
    """Remake: `python -m tests.experiments.sweeps.results_page`."""
    page = PAGE.read_text()
    assert [table for table in tables() if table not in page] == []
