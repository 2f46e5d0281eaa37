"""``umnist scales``: how well models name digits of every scale of MNIST Large Scale."""

from __future__ import annotations

import json
from typing import Any

import click

from umnist_core.cli._common import device_option, json_option, model_or_argument
from umnist_core.cli._types import GivenPath

FILE = GivenPath(dir_okay=False)


@click.command(
    "scales",
    epilog="\b\nExamples:\n"
    "  umnist scales runs/fov-max-*/best.safetensors --count 2000 --out curves.json\n"
    "  umnist scales fov-max-scale-1 --out curve.json --figure curve.svg\n"
    "  umnist scales --out curves.json --figure curves.svg",
)
@model_or_argument(several=True)
@click.option(
    "--count",
    type=click.IntRange(2, 10_000),
    default=10_000,
    show_default=True,
    help="The first so many test digits at each of the 17 scales.",
)
@click.option("--batch-size", type=click.IntRange(1, 100_000), default=100, show_default=True)
@device_option(("auto", "cpu", "cuda"))
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="Keep all figures as JSON; what is there already is not measured again.",
)
@click.option("--figure", type=FILE, help="Draw the curves of all that --out holds as SVG.")
@json_option("Print the kinds as one JSON object.")
def scales_command(checkpoints: tuple[str, ...], **options: Any) -> None:
    """Measure accuracy over scale of models, each given by --model or simply named.

    Those of one model that learned from the same digits with other seeds are shown as one curve
    with Student's 95 % interval over them.
    """
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.files import write_whole
    from umnist_core.training.scale_curve import kinds_of, lines_of, load_curves
    from umnist_core.training.scale_figure import curve_figure

    if checkpoints:
        _measure(checkpoints, options)
    kinds = kinds_of(load_curves(options["out"]))
    if options["figure"] is not None:
        write_whole(options["figure"], curve_figure(kinds).encode())
    for line in [json.dumps({"kinds": kinds})] if options["as_json"] else lines_of(kinds):
        click.echo(line)


def _measure(checkpoints: tuple[str, ...], options: dict[str, Any]) -> None:
    from umnist_core.models.cards import get_checkpoint
    from umnist_core.training.distributed import joined_group
    from umnist_core.training.failures import failures_said
    from umnist_core.training.scale_curve import CurveTask, measure_curves

    task = CurveTask(options["count"], options["batch_size"])
    paths = [get_checkpoint(one) for one in checkpoints]
    advice = "free some there, or choose a smaller --batch-size or --device cpu"
    with (
        joined_group(options["device"]) as group,
        failures_said(group.hardware, f"A batch of {task.batch_size}", advice),
    ):
        measure_curves(
            paths, task, group.hardware, options["out"], lambda line: click.echo(line, err=True)
        )
