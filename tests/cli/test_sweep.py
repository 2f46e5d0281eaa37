"""``umnist sweep``: running, listing, estimating, and what it says."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBES = (
    'title = "Probes"\nkind = "probe"\nseeds = 2\n[axes]\nvalue = [1, 2]\nfails = [false, true]\n'
)


def umnist(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    command = [sys.executable, "-m", "umnist_core.cli", "sweep", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a sweep that was run once; half of its cells fail."""
    path = tmp_path_factory.mktemp("sweep")
    (path / "probes.toml").write_text(PROBES)
    done = umnist(path, "probes.toml", "--workers", "1", "--table", "table.csv")
    assert done.returncode == 1
    assert "sweeps/probes: 4 of 8 cells done, 8 of them now" in done.stdout
    assert "2 failed: Expected a probe with fails = false, found 1 fails" in done.stderr
    assert "--retry-failed runs them once more" in done.stderr
    return path


def test_table_has_a_row_for_each_point(folder: Path) -> None:
    """With means and counts of what failed."""
    rows = list(csv.DictReader((folder / "table.csv").read_text().splitlines()))
    told = [(row["value"], row["fails"], row["seeds"], row["failed"], row["mean"]) for row in rows]
    assert told == [
        ("1", "false", "2", "0", "1.5"),
        ("1", "true", "0", "2", ""),
        ("2", "false", "2", "0", "2.5"),
        ("2", "true", "0", "2", ""),
    ]


def test_list_says_where_each_cell_stands(folder: Path) -> None:
    """For people, and as JSON; nothing is run."""
    shown = umnist(folder, "probes.toml", "--list").stdout.splitlines()
    assert shown[-1] == "4 done, 4 failed"
    assert sum("failed" in line and "change it." in line for line in shown) == 4
    found = json.loads(umnist(folder, "probes.toml", "--list", "--json").stdout)
    assert [cell["labels"] for cell in found["cells"][:3:2]] == [
        {"value": "1", "fails": "false"},
        {"value": "1", "fails": "true"},
    ]
    assert found["stale"] == []


def test_second_run_does_nothing_and_a_retry_only_what_failed(folder: Path) -> None:
    """Failures are tried again on request alone."""
    again = json.loads(umnist(folder, "probes.toml", "--json").stdout)
    assert (again["cells"], again["done"], again["failed"], again["ran"]) == (8, 4, 4, 0)
    retried = umnist(folder, "probes.toml", "--retry-failed", "--workers", "1", "--json")
    assert json.loads(retried.stdout)["ran"] == 4


def test_estimate_runs_nothing(folder: Path) -> None:
    """It says what is left and how long that takes."""
    found = umnist(folder, "probes.toml", "--out", "other", "--estimate")
    assert found.returncode == 0
    assert found.stdout.startswith("8 of 8 cells are left.")
    assert not (folder / "other").exists()


def test_shipped_sweeps_are_listed_with_their_sizes(tmp_path: Path) -> None:
    """Names, counts of cells and what they need."""
    found = json.loads(umnist(tmp_path, "--list", "--json").stdout)
    assert found["thickness-paper"]["count"] == 100
    assert found["thickness-paper"]["needs"]
    assert found["fig6-compact"]["size"] == "compact"
    assert "fig6-compact" in umnist(tmp_path, "--list").stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((), 2, "Missing argument 'FILE'"),
        (("fig7",), 1, "Expected a TOML file or one of"),
        (("probes.toml", "--table", "t.txt"), 2, "a name that ends in .csv or .json"),
        (("probes.toml", "--dask", "x", "--slurm"), 2, "give one of them"),
        (("probes.toml", "--slurm-set", "a=1"), 2, "goes with --slurm"),
        (("probes.toml", "--gpus", "a"), 2, "expected numbers such as 0,1"),
        (("probes.toml", "--dask", "tcp://127.0.0.1:9", "--out", "d"), 1, "found none"),
    ],
)
def test_wrong_commands_get_one_sentence(
    folder: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """It says what to do."""
    found = umnist(folder, *words)
    assert found.returncode == code
    assert sentence in found.stderr
    assert "Traceback" not in found.stderr
