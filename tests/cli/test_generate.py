"""``umnist generate`` as a user runs it: what it says while it works and when it is done."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import termios
from pathlib import Path

from tests.datasets.making import SMALL_OPTIONS, hashes, umnist, umnist_command
from umnist_core.datasets.manifest import read_manifest


def test_run_says_where_and_how_many_and_again_what_was_there(tmp_path: Path) -> None:
    """One line, without a bar where nobody watches."""
    arguments = ["generate", "a", "--count", "7", "--jobs", "1", *SMALL_OPTIONS]
    done = umnist(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"a: 7 images in [\d.]+ s\n", done.stdout.replace(f"{tmp_path}/", ""))
    again = umnist(*arguments, cwd=tmp_path)
    assert "7 of them were there already" in again.stdout


def test_terminal_sees_rate_and_time_left(tmp_path: Path) -> None:
    """A bar on standard error."""
    options = ["--count", "40", "--jobs", "1", *SMALL_OPTIONS]
    command, environment = umnist_command("generate", str(tmp_path / "a"), *options)
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    subprocess.run(command, env=environment, stderr=follower, stdout=subprocess.DEVNULL, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "40/40" in shown
    assert re.search(r"\d\d:\d\d<\d\d:\d\d, +[\d.]+ images/s", shown)


def test_command_in_the_manifest_makes_the_same_bytes(tmp_path: Path) -> None:
    """Whoever finds the folder can make it again."""
    options = ["--seed", "9", "--format", "coco", "--image", "png", "--set", "shear=-5..5"]
    done = umnist("generate", "a", "--count", "5", *options, *SMALL_OPTIONS, cwd=tmp_path)
    assert done.returncode == 0
    manifest = read_manifest(tmp_path / "a")
    assert manifest is not None
    words = shlex.split(manifest.splits["train"].command)
    assert words[:2] == ["umnist", "generate"]
    words[words.index("OUT")] = "b"
    assert umnist(*words[1:], cwd=tmp_path).returncode == 0
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_help_shows_examples_and_parameters_of_both_planners(tmp_path: Path) -> None:
    """What can be set is listed where people look for it."""
    done = umnist("generate", "--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("Examples:", "umnist generate ultramnist", "shape_pairs", "noise_count", "--dask"):
        assert word in done.stdout
