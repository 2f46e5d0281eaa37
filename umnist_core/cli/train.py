"""``umnist train``: train a model, or go on where a run stopped."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from umnist_core.cli._scene_options import CONFIG_SET, set_option
from umnist_core.cli._types import GivenPath


@click.command(
    "train",
    epilog="\b\nExamples:\n"
    "  umnist train efficientnet-b0-512-11gb\n"
    "  umnist train my-run.toml --set run.epochs=3 --set model.settings.side_px=256\n"
    "  umnist train resnet50-1024-11gb --memory-budget 24GB --out runs/resnet\n"
    "  torchrun --nproc-per-node 2 -m umnist_core.cli train my-run.toml\n\n"
    "docs/training.md explains every setting and lists the configurations.",
)
@click.argument("config", type=GivenPath())
@click.option(
    "--out",
    type=GivenPath(file_okay=False),
    help="Folder of the run; runs/CONFIG by default. A run that is there already goes on.",
)
@set_option(CONFIG_SET)
@click.option(
    "--memory-budget",
    metavar="SIZE",
    help="Cap memory, such as 11GB, and search the batch size that fills it.",
)
def train_command(
    config: Path, out: Path | None, overrides: dict[str, str], memory_budget: str | None
) -> None:
    """Train by CONFIG, a TOML file or the name of one that comes with umnist."""
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.digits import find_digits
    from umnist_core.training.config import load_config
    from umnist_core.training.loop import train
    from umnist_core.training.own.courses import train_course

    changes = [f"{name}={text}" for name, text in overrides.items()]
    # Before the changes, so that a batch size can still be set by hand.
    budget = (
        []
        if memory_budget is None
        else [f'run.memory_budget="{memory_budget}"', "run.batch_size=0"]
    )
    folder = out or Path("runs") / config.stem
    words = ["umnist", "train", str(config), "--out", str(folder)]
    words += [] if memory_budget is None else ["--memory-budget", memory_budget]
    words += [word for change in changes for word in ("--set", change)]
    loaded = load_config(config, [*budget, *changes])
    if not loaded.data.folder and (status := find_digits()).kind == "stand-in":
        click.echo(f"umnist: {status.sentence}", err=True)
    if loaded.recipe:
        click.echo(f"best {train_course(loaded, folder, command=shlex.join(words))}")
        return
    result = train(loaded, folder, command=shlex.join(words))
    if not result.is_first:
        return
    row = result.rows[-1]
    click.echo(f"{folder}: {row['epoch']} epochs, batch size {result.batch_size}")
    click.echo("  ".join(f"{name} {value:.6g}" for name, value in row.items()))
    click.echo(f"best {result.best}")
