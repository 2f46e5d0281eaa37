"""``umnist evaluate``: how good a checkpoint is, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from umnist_core.cli._scene_options import read_settings
from umnist_core.scenes import PRESETS
from umnist_core.seeds import SPLITS

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "evaluate",
    epilog="\b\nExamples:\n"
    "  umnist evaluate runs/my-run/best.safetensors\n"
    "  umnist evaluate best.safetensors --count 200 --set shape_pairs=5 --out figures.json\n"
    "  umnist evaluate best.safetensors --data ultra-mnist --submission out.csv",
)
@click.argument("checkpoint")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A data set's folder; without it, scenes are drawn.",
)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="released", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--split", type=click.Choice(SPLITS), default="test", show_default=True)
@click.option("--count", type=click.IntRange(1), help="Images; 1000 scenes, or the whole folder.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="NAME=VALUE",
    callback=read_settings,
    help="Replace one parameter of the preset.",
)
@click.option("--batch-size", type=click.IntRange(1), default=16, show_default=True)
@click.option("--workers", type=click.IntRange(0), default=0, show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option("--attention/--no-attention", default=True, show_default=True)
@click.option("--memory-budget", metavar="SIZE", help="Cap memory on CUDA, such as 11GB.")
@click.option("--out", type=FILE, help="Write all figures as JSON.")
@click.option("--answers", type=FILE, help="Write a row for each image as CSV.")
@click.option("--submission", type=FILE, help="Write id,digit_sum as Kaggle takes it.")
def evaluate_command(checkpoint: str, **options: Any) -> None:
    """Score CHECKPOINT, a file or the name of one that comes with umnist, on fresh images."""
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.training.report import run_evaluation

    for line in run_evaluation(checkpoint, options):
        click.echo(line)
