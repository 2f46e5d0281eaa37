"""``umnist doctor``: what is there, what is not, and what to do; nothing is changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.digits.idx_files import write_mnist
from umnist_core.cli.doctor import doctor_command


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give every folder a place of its own, which is not made yet."""
    for name in ("UMNIST_DATA", "UMNIST_LABELING", "UMNIST_CHECKPOINTS"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name.lower()))
    for name in ("UMNIST_DIGITS", "UMNIST_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _doctor(*words: str) -> Result:
    return CliRunner().invoke(doctor_command, words, standalone_mode=False)


def _states() -> dict[str, tuple[str, str]]:
    """Return state and everything said, by what it is about."""
    found = json.loads(_doctor("--json").output)
    return {one["about"]: (one["state"], f"{one['found']} {one['remedy']}") for one in found}


def test_new_machine_can_be_used_and_is_told_what_it_lacks(machine: Path) -> None:
    """Looking makes no folder."""
    done = _doctor()
    assert done.return_value == 0
    assert "- Digits       Stand-in digits" in done.output
    assert "umnist digits fetch" in done.output
    assert len(done.output.splitlines()) <= 24, "one screen"
    assert list(machine.iterdir()) == []


def test_digits_that_are_named_are_found(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder they are in."""
    write_mnist(machine / "digits")
    monkeypatch.setenv("UMNIST_DIGITS", str(machine / "digits"))
    state, said = _states()["Digits"]
    assert state == "good"
    assert str(machine / "digits") in said


def test_what_does_not_work_is_told_with_its_remedy_and_no_password(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the exit code is 1."""
    (machine / "file").touch()
    monkeypatch.setenv("UMNIST_DIGITS", str(machine / "none"))
    monkeypatch.setenv("UMNIST_LABELING", str(machine / "file" / "studies"))
    monkeypatch.setenv("UMNIST_DATABASE_URL", "postgresql://lab:s3cret@127.0.0.1:1/lab")
    states = _states()
    assert {name for name, (state, _) in states.items() if state == "broken"} == {
        "Digits",
        "Studies",
        "Store",
    }
    assert "UMNIST_DIGITS" in states["Digits"][1]
    assert "Set UMNIST_LABELING to another folder." in states["Studies"][1]
    assert "correct UMNIST_DATABASE_URL" in states["Store"][1]
    done = _doctor()
    assert done.return_value == 1
    assert "! Store" in done.output
    assert "s3cret" not in done.output


def test_library_that_the_system_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenCV's other build is without a screen's libraries."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    state, said = _states()["Packages"]
    assert state == "broken"
    assert "cv2 cannot be used" in said
