"""Small data sets for tests, and how to compare and to run them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from umnist_core.cli import main
from umnist_core.datasets.recipe import Recipe

SMALL = {"canvas": "512", "factor": "0.5..4"}
"""512 px a side: a few milliseconds for an image."""

SMALL_OPTIONS = [word for name, text in SMALL.items() for word in ("--set", f"{name}={text}")]

NOISE_FREE = {"shape_pairs": "0", "checkerboard": "0"}


def small_recipe(count: int = 10, **changes: Any) -> Recipe:
    """Return a recipe of small images, of UltraMNIST unless a preset is named."""
    small = {} if changes.get("preset") == "megapixel" else SMALL
    overrides = {**small, **changes.pop("overrides", {})}
    return Recipe(**{"count": count, "seed": 3, "overrides": overrides, **changes})


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, hidden ones too, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command in this process, as the shell does, and return its exit code."""
    monkeypatch.setattr("sys.argv", ["umnist", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def inspect_made(
    make: Callable[[Path], object],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    quick: bool,
) -> tuple[int, list[str]]:
    """Make a data set in the folder ``a`` and inspect it; return code and the sentences of damage.

    Fails where something of it was run, or a traceback was shown.
    """
    make(folder / "a")
    monkeypatch.chdir(folder)
    code = run(["datasets", "inspect", "a", *(["--quick"] if quick else [])], monkeypatch)
    shown = capfd.readouterr()
    assert not (folder / "unpickled").exists()
    assert "Traceback" not in shown.out + shown.err
    listed = [one for one in shown.out.splitlines() if one.startswith("  damaged")]
    return code, shown.err.splitlines() or listed


def umnist_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment that run ``umnist`` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return [sys.executable, "-m", "umnist_core.cli", *arguments], environment


def umnist(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``umnist`` to its end."""
    command, environment = umnist_command(*arguments)
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
