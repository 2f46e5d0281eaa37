"""``umnist evaluate``: how good a checkpoint is, and what it answers."""

from __future__ import annotations

from typing import Any

import click

from umnist_core.cli._common import device_option, model_or_argument
from umnist_core.cli._scene_options import SEED, read_digits, set_option
from umnist_core.cli._types import COUNT, GivenPath
from umnist_core.scenes import PRESETS
from umnist_core.seeds import FOLDER_SPLITS
from umnist_core.training.presets import LARGE_SCALE

FILE = GivenPath(dir_okay=False)


@click.command(
    "evaluate",
    epilog="\b\nExamples:\n"
    "  umnist evaluate --model runs/my-run/best.safetensors\n"
    "  umnist evaluate --model best.safetensors --count 200 --set shape_pairs=5 --out out.json\n"
    "  umnist evaluate --model best.safetensors --data ultra-mnist --submission out.csv\n"
    "  umnist evaluate --model fov-max.safetensors --preset large-scale --set scale=2.828\n"
    "  umnist evaluate --model digit-finder --variant rescaled-3900 --count 300\n"
    "  umnist evaluate --model digit-finder --variant all --data photos --count 300 --out a.json\n"
    "  umnist evaluate --model my-run --variant all --count 300 --onto-card\n"
    "  umnist evaluate --model bicubic-x4 --data MetH-SR",
)
@model_or_argument()
@click.option(
    "--data",
    type=GivenPath(exists=True, file_okay=False),
    help="A data set's folder; without it, scenes are drawn. With --variant photographs or all, "
    "the folder of the photographs.",
)
@click.option(
    "--variant",
    default="plain",
    show_default=True,
    metavar="NAME",
    help="Change the images first: as-jpeg, quality-30, rescaled-3900, rescaled-2000, turned-90, "
    "turned-180, turned-270, shifted, inverted, no-digits; photographs; or all, one after the "
    "other.",
)
@click.option(
    "--preset",
    type=click.Choice([*PRESETS, LARGE_SCALE]),
    default="released",
    show_default=True,
    help=f"Of the scenes; {LARGE_SCALE} for digits of MNIST Large Scale, with --set scale=2 or "
    "1..4.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--split", type=click.Choice(FOLDER_SPLITS), default="test", show_default=True)
@click.option("--count", type=COUNT, help="Images; 1000 scenes, or the whole folder.")
@set_option()
@click.option(
    "--digits",
    metavar="FEWEST..MOST",
    callback=read_digits,
    help="Digits that an image is assumed to have, instead of the model's own 3..5.",
)
@click.option("--batch-size", type=click.IntRange(1, 100_000), default=16, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    default=0,
    show_default=True,
    help="Processes that read images, and on the CPU answer too.",
)
@device_option(("auto", "cpu", "cuda"))
@click.option("--attention/--no-attention", default=True, show_default=True)
@click.option("--memory-budget", metavar="SIZE", help="Cap memory on CUDA, such as 11GB.")
@click.option("--out", type=FILE, help="Write all figures as JSON.")
@click.option("--answers", type=FILE, help="Write a row for each image as CSV.")
@click.option("--submission", type=FILE, help="Write id,digit_sum as Kaggle takes it.")
@click.option(
    "--low-files",
    metavar="PATTERN",
    help="Where reduced copies of MetH-SR lie below its folder, such as x{factor}/{name}.",
)
@click.option("--onto-card", is_flag=True, help="Put the figures onto the checkpoint's card.")
@click.option("--name", help="Under this name on the card; that of the variant by default.")
def evaluate_command(checkpoint: str, **options: Any) -> None:
    """Score a model on fresh images.

    What enlarges images is compared with the true ones and with bicubic, which bicubic-x2, -x4, -x8
    and -x16 are by themselves.
    """
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.training.report import run_evaluation

    _check_usage(options)
    for line in run_evaluation(checkpoint, options):
        click.echo(line)


def _check_usage(options: dict[str, Any]) -> None:
    from umnist_core.training.report import ALL
    from umnist_core.training.variants import PHOTOGRAPHS, VARIANTS

    chosen = options["variant"]
    if chosen not in (*VARIANTS, ALL):
        raise click.BadParameter(
            f"expected one of {', '.join(VARIANTS)}, {ALL}; got {chosen!r}.", param_hint="--variant"
        )
    if chosen == PHOTOGRAPHS and options["data"] is None:
        raise click.UsageError("Expected --data with a folder of photographs, got none; name it.")
    if chosen == ALL and (options["answers"] or options["submission"] or options["name"]):
        raise click.UsageError(
            "--answers, --submission and --name are of one variant, got all; choose one of them."
        )
    if options["name"] and not options["onto_card"]:
        raise click.UsageError("--name is for the card; add --onto-card or leave it out.")
