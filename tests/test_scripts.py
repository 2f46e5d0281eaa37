"""The scripts of a clone: what they refuse, and which Python they choose."""

from __future__ import annotations

import os
import shutil
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


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Copy what the site of the app is made of."""
    for folder in ("docs", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "umnist_core" / "server").mkdir(parents=True)
    shutil.copy(ROOT / "umnist_core" / "__init__.py", tmp_path / "umnist_core")
    return tmp_path


def _app_site(root: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, "scripts/site_build.py", "--app"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_site_of_the_app_is_built_when_its_sources_have_changed(sources: Path) -> None:
    """And left alone otherwise; a broken link stops the build and keeps the site that is there."""
    page = sources / "umnist_core" / "server" / "site" / "guide" / "show.html"
    assert _app_site(sources).returncode == 0
    first = page.stat().st_mtime_ns
    assert _app_site(sources).returncode == 0
    assert page.stat().st_mtime_ns == first
    document = sources / "docs" / "guide" / "show.md"
    document.write_text(document.read_text() + "\nOne more sentence.\n")
    assert _app_site(sources).returncode == 0
    assert "One more sentence." in page.read_text()
    document.write_text(document.read_text() + "\n[nowhere](nowhere.md#at-all)\n")
    failed = _app_site(sources)
    assert failed.returncode == 1
    assert "nowhere.md" in failed.stderr
    assert "One more sentence." in page.read_text()
    assert [one.name for one in page.parents[2].iterdir()] == ["site"]
