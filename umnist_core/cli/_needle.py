"""``umnist datasets write-needle``: Needle MNIST in its original layout."""

from __future__ import annotations

from pathlib import Path

import click

from umnist_core.cli._scene_options import SEED
from umnist_core.cli._types import GivenPath
from umnist_core.datasets.needle.write import PUBLISHED_SEED, write_needle
from umnist_core.scenes import PUBLISHED_DISTRACTORS

_SIDES = [str(canvas_px) for canvas_px in PUBLISHED_DISTRACTORS]


@click.command(
    "write-needle",
    epilog="\b\nExamples:\n"
    "  umnist datasets write-needle 64_28\n"
    "  umnist datasets write-needle 1024_28 --canvas 1024 --count 2000\n\n"
    "The same command goes on where it was interrupted.",
)
@click.argument("out", metavar="OUT", type=GivenPath())
@click.option(
    "--canvas",
    type=click.Choice(_SIDES),
    default=_SIDES[0],
    show_default=True,
    help="Side of the images in px; distractors follow from it.",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Images of each split; those of the published set unless given, 22,552 to train with.",
)
@click.option("--seed", type=SEED, default=PUBLISHED_SEED, show_default=True)
def write_needle_command(*, out: Path, canvas: str, count: int | None, seed: int) -> None:
    """Write Needle MNIST to OUT as its original generator does.

    A NumPy file for each image with its greys and patch map, and a table for each of train, val
    and test. For images in other formats use `umnist generate --preset needle`.
    """
    report = write_needle(out, canvas=int(canvas), count=count, seed=seed, progress=True)
    counts = ", ".join(f"{name} {number}" for name, number in report.counts.items())
    click.echo(f"{report.folder}: {counts} images, {report.drawn} of them new")
