"""The command ``umnist digits``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.digits.conftest import PROJECT, Mirror
from tests.digits.idx_files import write_mnist
from umnist_core.cli.digits import digits_group
from umnist_core.digits import fetch


def run(*arguments: str, **environment: str) -> str:
    """Run ``umnist digits`` in this process and return what it prints."""
    names = {"UMNIST_DIGITS": None, "UMNIST_DATA": None} | environment
    result = CliRunner().invoke(digits_group, arguments, env=names, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_status_says_where_digits_are_and_whether_they_are_the_original(tmp_path: Path) -> None:
    """People read a sentence and the folder."""
    folder = write_mnist(tmp_path / "digits")
    lines = run("status", UMNIST_DIGITS=str(folder)).splitlines()
    assert lines[0].startswith("Not the original MNIST: 30 training digits and 20 test digits")
    assert lines[1] == f"Folder: {folder}"


def test_status_shows_the_notice_of_the_stand_in(tmp_path: Path) -> None:
    """Without MNIST the status says so, how many digits stand in, and what to do."""
    output = run("status", UMNIST_DATA=str(tmp_path))
    assert output.startswith("Stand-in digits: MNIST was not found on this machine.")
    assert "umnist digits fetch" in output
    assert "1,797" in output


def test_status_for_programs_is_one_json_object(tmp_path: Path) -> None:
    """Every field of the status is in it."""
    folder = write_mnist(tmp_path / "mnist")
    status = json.loads(run("status", "--json", UMNIST_DATA=str(tmp_path)))
    sentence = status.pop("sentence")
    assert sentence.startswith("Not the original MNIST")
    assert status == {
        "kind": "mnist",
        "folder": str(folder),
        "train": 30,
        "test": 20,
        "official": False,
    }


def test_fetch_says_what_it_did_and_the_second_time_that_it_did_nothing(
    tmp_path: Path,
    original: dict[str, bytes],
    make_mirror: Callable[[dict[str, bytes]], Mirror],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download is reported once; a folder that UMNIST_DIGITS puts before it is mentioned."""
    monkeypatch.setattr(fetch, "MIRRORS", (make_mirror(original).url,))
    first = run("fetch", UMNIST_DATA=str(tmp_path))
    assert first == f"Downloaded 4 of MNIST's 4 files to {tmp_path / 'mnist'}.\n"
    again = run("fetch", UMNIST_DATA=str(tmp_path), UMNIST_DIGITS="elsewhere")
    assert again.splitlines() == [
        f"MNIST is already in {tmp_path / 'mnist'}; nothing was downloaded.",
        "UMNIST_DIGITS is set, so the digits in elsewhere are used.",
    ]


def test_status_of_a_wrong_folder_exits_1_with_one_line(tmp_path: Path) -> None:
    """The shell sees a failure, and people a sentence instead of a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "umnist_core.cli", "digits", "status"],
        cwd=PROJECT,
        env={**os.environ, "UMNIST_DIGITS": str(tmp_path / "absent")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("umnist: Expected MNIST's files")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("status",), ("fetch",)])
def test_help_shows_examples(arguments: tuple[str, ...]) -> None:
    """Each help text ends in commands that can be copied, each on its own line."""
    output = run(*arguments, "--help")
    assert "Examples:\n  " in output
    assert "umnist digits " in output
