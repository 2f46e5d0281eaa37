"""``umnist models``: which models there are, which come trained, and taking in foreign weights."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from umnist_core.cli._common import Commands, json_option, model_or_argument
from umnist_core.cli._memory import memory_command
from umnist_core.cli._types import GivenPath
from umnist_core.errors import ConflictError, UmnistError
from umnist_core.models.needs import check_torch

if TYPE_CHECKING:
    from umnist_core.models.cards import Card

_SIZE = click.IntRange(1, 100_000)


@click.group(
    "models",
    cls=Commands,
    epilog="\b\nExamples:\n  umnist models list\n  umnist models show --model ips\n"
    "  umnist models memory efficientnet-b0-512-11gb\n  umnist models import-ips net.pth",
)
def models_group() -> None:
    """See models and checkpoints, and import weights."""
    check_torch()


models_group.add_command(memory_command)


@models_group.command("list", epilog="\b\nExample:\n  umnist models list --json")
@json_option()
def list_command(as_json: bool) -> None:
    """List the models, and the checkpoints: those that come with umnist, and your own."""
    from umnist_core.models.cards import find_checkpoints, load_card
    from umnist_core.models.registry import get_entry, model_names

    models = {name: get_entry(name).model for name in model_names()}
    trained: dict[str, str] = {}
    for name, path in find_checkpoints().items():
        try:
            trained[name] = load_card(path).model
        except UmnistError as error:  # one damaged file of one's own hides no other
            click.echo(f"umnist: {error}", err=True)
    if as_json:
        listed = {name: {"sees": one.sees, "paper": one.paper} for name, one in models.items()}
        click.echo(json.dumps({"models": listed, "checkpoints": trained}))
        return
    click.echo("Models:")
    for name, one in models.items():
        click.echo(f"  {name:<24} {one.sees:<14} {one.paper}")
    click.echo("Checkpoints:" if trained else "Checkpoints: none come with this installation.")
    for name, model in trained.items():
        click.echo(f"  {name:<24} {model}")


@models_group.command("show", epilog="\b\nExample:\n  umnist models show --model digit-finder")
@model_or_argument()
@json_option()
def show_command(checkpoint: str, as_json: bool) -> None:
    """Show the card of a checkpoint, by name or path; or the settings of a model, by its name."""
    from umnist_core.models.cards import get_checkpoint, load_card
    from umnist_core.models.registry import get_entry, model_names

    if checkpoint in model_names():
        entry = get_entry(checkpoint)
        shown: dict[str, Any] = {
            "model": checkpoint,
            "sees": entry.model.sees,
            "paper": entry.model.paper,
            "settings": dataclasses.asdict(entry.config()),
        }
    else:
        shown = dataclasses.asdict(load_card(get_checkpoint(checkpoint)))
    if as_json:
        click.echo(json.dumps(shown))
        return
    for key, value in shown.items():
        _echo_field(key, value)


def _echo_field(name: str, value: Any) -> None:
    """Print a field; what has parts, one line each."""
    if isinstance(value, dict):
        click.echo(f"{name}:")
        for key, part in value.items():
            click.echo(f"  {key:<20} {part}")
    elif isinstance(value, list | tuple):
        click.echo(f"{name}:")
        for part in value:
            click.echo(textwrap.fill(str(part), 98, initial_indent="  ", subsequent_indent="  "))
    else:
        click.echo(f"{name}: {value}")


@models_group.command(
    "import-ips",
    epilog="\b\nExamples:\n  umnist models import-ips net.pth\n"
    "  umnist models import-ips traffic.pth --patch 100 --stride 100 --memory 10 "
    "--iteration 32 --no-positions --out traffic.safetensors",
)
@click.argument("file", type=GivenPath(dir_okay=False))
@click.option(
    "--out",
    type=GivenPath(dir_okay=False),
    help="Where to; FILE with the ending .safetensors by default.",
)
@click.option("--patch", "patch_px", type=_SIZE, default=50, show_default=True)
@click.option("--stride", "stride_px", type=_SIZE, default=50, show_default=True)
@click.option("--memory", type=_SIZE, default=100, show_default=True, help="M")
@click.option("--iteration", type=_SIZE, default=100, show_default=True, help="I")
@click.option("--heads", type=_SIZE, default=8, show_default=True, help="H")
@click.option("--positions/--no-positions", default=True, show_default=True)
@click.option("--force", is_flag=True, help="Replace what is there.")
def import_ips_command(file: Path, out: Path | None, force: bool, **settings: Any) -> None:
    """Take weights of the original IPS, and write them as a checkpoint with a card.

    FILE is a state dict, or has one among what a run saved, also one of Riffi-Aslett and Fell.
    Sizes of patches, M, I and heads do not show in weights; say them if they are not those
    of Megapixel MNIST. Only tensors are read from FILE; nothing in it is executed.
    """
    from umnist_core.models.cards import WEIGHTS_SUFFIX, card_path
    from umnist_core.models.checkpoints import save_checkpoint
    from umnist_core.models.ips.importing import import_ips, import_notes

    target = out or file.with_suffix(WEIGHTS_SUFFIX)
    for place in (target, card_path(target)):
        if place.exists() and not force:
            raise ConflictError(
                f"{place} is there already; choose another --out, or add --force to replace it."
            )
    model = import_ips(file, **settings)
    notes = import_notes(model)
    card = save_checkpoint(target, model, _card_of_import(file, notes))
    tasks = ", ".join(task.name for task in model.tasks)
    click.echo("\n".join([f"{target}: ips, {card.config['encoder']}, tasks {tasks}", *notes]))


def _card_of_import(file: Path, notes: tuple[str, ...]) -> Card:
    import hashlib
    import shlex
    import sys

    from umnist_core import __version__
    from umnist_core.models.cards import Card

    return Card(
        "ips",
        data={
            "imported_from": file.name,
            "imported_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        },
        command=shlex.join(["umnist", *sys.argv[1:]]),
        versions={"umnist": __version__},
        notes=(
            "Imported from a state dict of the original implementation of IPS (arXiv "
            "2210.13007); not trained by umnist, and nothing is known of its training.",
            *notes,
        ),
    )
