"""``umnist breaking-point``: accuracy of models over one parameter of the noise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from umnist_core.cli._common import device_option, model_or_argument
from umnist_core.cli._scene_options import SEED, set_option
from umnist_core.cli._types import GivenPath
from umnist_core.scenes import PRESETS
from umnist_core.seeds import SPLITS
from umnist_core.training.presets import LARGE_SCALE

if TYPE_CHECKING:
    from pathlib import Path

    from umnist_core.experiments.breaking_point import BreakingCurve, BreakingPoint


@click.command(
    "breaking-point",
    epilog="\b\nExamples:\n"
    "  umnist breaking-point digit-finder --parameter shape_pairs --values 0,5,10,20\n"
    "  umnist breaking-point --model digit-finder --model additive-pyramid \\\n"
    "      --parameter checkerboard --values 0,8,16,32,64 --count 50 --out curve.csv\n"
    "  umnist breaking-point digit-finder --parameter factor --values 0.5..75,2..75,10..75\n"
    "  umnist breaking-point ips-megapixel --preset megapixel --parameter noise_count \\\n"
    "      --values 0,50,200,800 --out curve.json",
)
@model_or_argument(several=True)
@click.option("--parameter", required=True, metavar="NAME", help="What is changed, as in --set.")
@click.option(
    "--values",
    required=True,
    metavar="V,V,…",
    help="To what: numbers, or ranges such as 0.5..75 from which each image draws.",
)
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Scenes a value."
)
@click.option(
    "--preset",
    type=click.Choice([*PRESETS, LARGE_SCALE]),
    default="released",
    show_default=True,
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--split", type=click.Choice(SPLITS), default="test", show_default=True)
@click.option("--index", type=SEED, default=0, show_default=True, help="Of the first scene.")
@set_option()
@device_option()
@click.option(
    "--out",
    type=GivenPath(dir_okay=False),
    help="Write the curve: .csv for a row a value, .json with every answer, too.",
)
def breaking_point_command(checkpoints: tuple[str, ...], **options: Any) -> None:
    """Measure where models break: accuracy at each value of one parameter, on the same scenes.

    Each share comes with Wilson's 95 % interval. The digits of a scene are the same at every value
    of the noise, so the curve tells of the noise. At each value the answers are those of
    `umnist evaluate` with that value in --set.
    """
    if not checkpoints:
        raise click.UsageError("Missing option '--model'; `umnist models list` names checkpoints.")
    out: Path | None = options["out"]
    if out is not None and out.suffix not in (".csv", ".json"):
        raise click.BadParameter(
            f"expected a name that ends in .csv or .json; got {out.name!r}.", param_hint="--out"
        )
    from umnist_core.models.needs import check_torch

    check_torch()
    curve = _measure(_plan(checkpoints, options), options["device"])
    if out is not None:
        from umnist_core.files import write_whole

        text = curve.as_csv() if out.suffix == ".csv" else curve.to_json()
        write_whole(out, text.encode())
    for line in _lines(curve):
        click.echo(line)


def _plan(checkpoints: tuple[str, ...], options: dict[str, Any]) -> BreakingPoint:
    from umnist_core.datasets.large_scale.ref import any_ref
    from umnist_core.errors import InvalidValueError
    from umnist_core.experiments.breaking_point import BreakingPoint, parse_values

    sample = {name: options[name] for name in ("seed", "split", "index")}
    try:
        ref = any_ref(options["preset"], options["overrides"], **sample)
        values = parse_values(options["values"])
        return BreakingPoint(checkpoints, options["parameter"], values, options["count"], ref)
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error


def _measure(plan: BreakingPoint, device: str) -> BreakingCurve:
    from tqdm import tqdm

    from umnist_core.inference.breaking import measure_curve

    with tqdm(total=plan.total, disable=not sys.stderr.isatty(), leave=False, unit="answer") as bar:
        return measure_curve(plan, device, lambda *_: bar.update())


def _lines(curve: BreakingCurve) -> list[str]:
    lines = []
    for one in curve.curves():
        lines.append(f"{one['checkpoint']}, {one['task']}, over {curve.plan.parameter}:")
        for row in one["rows"]:
            missing = f"; {row['not_drawn']} could not be drawn" if row["not_drawn"] else ""
            told = "no scene"
            if row["images"]:
                low, high = 100 * row["low"], 100 * row["high"]
                share = f"{100 * row['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
                told = f"{share}, {row['right']} of {row['images']}"
            lines.append(f"  {row['value']:>10}: {told}{missing}")
    return lines
