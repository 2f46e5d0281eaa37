"""Commands agree: what several of them have goes by one name, and means one thing."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import click
import pytest

from tests.cli.test_render import umnist as run
from tests.test_docs import commands
from umnist_core.cli import root as umnist
from umnist_core.cli._common import COMMON

OPTIONS = {
    name: {
        option: parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    for name, command in commands(umnist, "umnist").items()
}
"""Options of each command, by name."""


def test_every_command_that_takes_a_checkpoint_takes_it_as_model() -> None:
    """By name or path, and by no other name alone."""
    of_checkpoints = {
        name
        for name, command in commands(umnist, "umnist").items()
        for parameter in command.params
        if parameter.name in ("checkpoint", "checkpoints")
    }
    assert of_checkpoints >= {
        f"umnist {name}" for name in ("predict", "evaluate", "page", "scales")
    }
    for name in of_checkpoints:
        assert OPTIONS[name]["--model"].metavar == "NAME|PATH"


def test_set_is_told_the_same_way_everywhere() -> None:
    """NAME=VALUE, as often as one likes."""
    found = [options["--set"] for options in OPTIONS.values() if "--set" in options]
    assert len(found) >= 8
    assert {(one.metavar, one.multiple, one.name) for one in found} == {
        ("NAME=VALUE", True, "overrides")
    }


def test_options_of_one_name_are_of_one_kind() -> None:
    """A seed is a seed, and --json never takes a value."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for options in OPTIONS.values():
        for name in ("--seed", "--index", "--json", "--model"):
            if name in options:
                kinds[name].add(f"{options[name].type!r} {options[name].is_flag}")
    assert {name: found for name, found in kinds.items() if len(found) != 1} == {}


def test_help_tells_of_common_options_once(tmp_path: Path) -> None:
    """Each of them is one of a command."""
    told = run("--help", cwd=tmp_path).stdout
    names = {word.strip(",") for line in COMMON for word in line.split() if word.startswith("--")}
    assert names <= {name for options in OPTIONS.values() for name in options}
    assert all(name in told for name in names)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate"], "Missing option '--model'"),
        (["evaluate", "a", "--model", "b"], "Expected one model, got 2 (a, b)"),
        (["train", "a.toml", "--set", "epochs"], "expected NAME=VALUE"),
        (["render", "--set", "shape_pairs", "a.png"], "expected NAME=VALUE"),
        (["models", "memory", "--set", "epochs"], "expected NAME=VALUE"),
    ],
)
def test_wrong_usage_is_told_the_same_way(tmp_path: Path, words: list[str], said: str) -> None:
    """In one sentence, with code 2."""
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr


def test_model_may_be_named_either_way(tmp_path: Path) -> None:
    """As an option, and as the argument that it was."""
    told = {
        run("evaluate", *words, "--count", "1", cwd=tmp_path).stderr
        for words in (["--model", "nobody"], ["nobody"])
    }
    assert len(told) == 1
    assert "nobody" in told.pop()


@pytest.mark.parametrize("group", ["study", "models", "bench", "datasets", "digits", "tiles"])
def test_misspelt_command_of_a_group_is_told_which_was_meant(tmp_path: Path, group: str) -> None:
    """As those of umnist itself are."""
    first = next(name for name in OPTIONS if name.startswith(f"umnist {group} ")).split()[-1]
    done = run(group, f"{first}x", cwd=tmp_path)
    assert done.returncode == 2
    assert f"Did you mean {first!r}?" in done.stderr
