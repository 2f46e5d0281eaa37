"""``umnist train``: what it says before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.digits.idx_files import write_mnist
from umnist_core.cli.train import train_command

BROKEN = ["fov-max-scale-1", "--set", "data.count=10000000", "--out"]
"""Refused once the digits are counted, and so before anything is trained."""


def test_who_trains_on_stand_in_digits_is_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours later it would stand on the card alone; with MNIST nothing is said."""
    monkeypatch.delenv("UMNIST_DIGITS", raising=False)
    done = CliRunner().invoke(train_command, [*BROKEN, str(tmp_path / "run")])
    assert done.exit_code != 0
    assert "umnist: Stand-in digits" in done.stderr
    write_mnist(tmp_path / "digits")
    monkeypatch.setenv("UMNIST_DIGITS", str(tmp_path / "digits"))
    done = CliRunner().invoke(train_command, [*BROKEN, str(tmp_path / "run")])
    assert done.exit_code != 0
    assert "Stand-in" not in done.stderr
