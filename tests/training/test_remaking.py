"""Commands that are shown make what they say from nothing: each file they name is made before."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

from umnist_core.cli.evaluate import evaluate_command
from umnist_core.experiments.published.methods import PublishedMethod, published_methods
from umnist_core.models.cards import find_shipped_checkpoints, load_card
from umnist_core.training.config import load_config

SHIPPED = find_shipped_checkpoints()


def follow(commands: Iterable[str]) -> str:
    """Read each command of training as it would be run, and return the model of the last.

    What a run begins with has to be the best weights of one before it.
    """
    made: set[Path] = set()
    model = ""
    for command in commands:
        program, verb, run, *options = shlex.split(command)
        assert (program, verb) == ("umnist", "train")
        changes = [options[at + 1] for at, word in enumerate(options) if word == "--set"]
        out = options[options.index("--out") + 1] if "--out" in options else f"runs/{run}"
        assert set(options[::2]) <= {"--set", "--out"}
        config = load_config(Path(run), changes)
        if config.model.initial:
            assert Path(config.model.initial) in made, f"{command} begins with what nobody made"
        made |= {Path(out) / "best.safetensors"}
        model = config.model.name
    return model


@pytest.mark.parametrize("name", SHIPPED)
def test_command_of_a_shipped_card_starts_from_nothing(name: str) -> None:
    """Stages in their order, by recipes that ship, up to the model that the card is of."""
    card = load_card(SHIPPED[name])
    stages = card.command.replace("\n", " ").split("&&")
    assert follow(stages) == card.model


@pytest.mark.parametrize(
    "method", [one for one in published_methods() if one.commands], ids=lambda one: one.method
)
def test_commands_of_a_published_method_start_from_nothing(method: PublishedMethod) -> None:
    """Every recipe exists, its settings are allowed, and the last trains that model."""
    assert follow(method.commands) == method.model


@pytest.mark.parametrize("name", SHIPPED)
def test_commands_that_measure_name_the_checkpoint_as_everybody_has_it(name: str) -> None:
    """By its name, with options that `umnist evaluate` knows; a folder may have to be brought."""
    card = load_card(SHIPPED[name])
    measured = [kept["command"] for kept in card.measured.values()]
    measured += [kept["command"] for kept in (card.figures.get("answers"),) if kept]
    known = {word for one in evaluate_command.params for word in one.opts}
    for command in measured:
        words = shlex.split(command)
        assert words[:3] == ["umnist", "evaluate", name]
        assert {word for word in words if word.startswith("--")} <= known
