"""The scripts of a clone: what they refuse, and which Python they choose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(
    path
    for folder in (ROOT / "scripts", ROOT / ".ci")
    for path in folder.iterdir()
    if path.is_file() and not path.suffix
)


def _bash(script: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"PATH": path} if path else {})}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _make_command(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_script_can_be_run_and_stops_at_an_error(script: Path) -> None:
    """Every script is executable, parses, and does not go on after a failed step."""
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert "set -euo pipefail" in script.read_text()


def test_test_script_refuses_an_unknown_option() -> None:
    """A mistyped option stops at once and shows the usage."""
    result = _bash("scripts/test --fats")
    assert result.returncode == 2
    assert "found '--fats'" in result.stderr
    assert "scripts/test --fast" in result.stderr


def test_python_search_passes_over_what_does_not_run(tmp_path: Path) -> None:
    """A version manager's shim without a version behind it is not taken for a Python."""
    _make_command(tmp_path / "python3.11", "exit 127")
    _make_command(tmp_path / "python3.12", f'exec "{sys.executable}" "$@"')
    result = _bash("source scripts/_env.sh; find_python", f"{tmp_path}:/usr/bin:/bin")
    assert result.stdout == "python3.12\n"


def test_python_search_says_which_versions_are_wanted(tmp_path: Path) -> None:
    """Without a Python of a supported version one line says what to install."""
    for name in ("python3.11", "python3.12", "python3.13", "python3", "python"):
        _make_command(tmp_path / name, "exit 1")
    script = "source scripts/_env.sh; venv_python=none; make_venv"
    result = _bash(script, f"{tmp_path}:/usr/bin:/bin")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "Expected Python 3.11, 3.12 or 3.13" in result.stderr


def test_slow_tests_that_are_named_are_there() -> None:
    """A file that was moved would be run with the fast ones, unseen."""
    named = (ROOT / "tests" / "slow.txt").read_text().splitlines()
    assert named == sorted(set(named))
    assert [name for name in named if not (ROOT / name).exists()] == []
