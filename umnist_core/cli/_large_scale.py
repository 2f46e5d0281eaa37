"""``umnist generate --preset large-scale``: sets of MNIST Large Scale as HDF5 files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from umnist_core.datasets.large_scale.sets import (
    FULL_COUNTS,
    LARGE_SCALE,
    LargeScaleSet,
    digits_of,
    published_scale,
    published_sets,
)
from umnist_core.errors import InvalidValueError, UmnistError
from umnist_core.scenes import Parameter, Span, parse_parameter
from umnist_core.training.presets import LARGE_SCALE_PARAMETERS

PARAMETERS: Mapping[str, Parameter] = {
    **LARGE_SCALE_PARAMETERS,
    **{
        name: Parameter("whole", 1, FULL_COUNTS[name], "", meaning, ranged=False)
        for name, meaning in (
            ("val", "images to validate with, of --split train"),
            ("test", "images to test with, of --split train"),
        )
    },
}
"""What ``--set`` takes."""

LARGE_SCALE_HELP = "\n".join(
    [
        "\b",
        f"Parameters of --set for the preset {LARGE_SCALE}:",
        *(f"  {name:<19} {p.meaning}: {p.allowed}" for name, p in PARAMETERS.items()),
    ]
)

_OF_SCENES = ("format", "image", "study", "side", "jobs", "dask")
"""Options of images that are files of their own and take long to draw."""


def generate_large_scale(ctx: click.Context) -> None:
    """Write the sets that a command line asks for.

    Raises
    ------
    click.UsageError
        If it asks for what there is not.
    UmnistError
        As `write_large_scale`, and when it is stopped.
    """
    from umnist_core.datasets.large_scale.write import write_large_scale

    given: Mapping[str, Any] = ctx.params
    source = click.core.ParameterSource.DEFAULT
    names = {"format": "layout", "side": "sides_px"}
    refused = [n for n in _OF_SCENES if ctx.get_parameter_source(names.get(n, n)) != source]
    if refused:
        raise click.UsageError(
            f"--{refused[0]} is of scenes; got --preset {LARGE_SCALE}, which writes HDF5 files in "
            "one process, as the disc is slower than the drawing; leave it out."
        )
    if given["count"] is None:
        raise click.UsageError(
            "Say how many images with --count, for example --count 50000 --split train, the first "
            "so many digits of MNIST."
        )
    out: Path = given["out"]
    try:
        sets = _read_sets(given)
    except InvalidValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        report = write_large_scale(sets, out, progress=True)
    except KeyboardInterrupt:
        raise UmnistError(
            f"Stopped; every file in {out} is whole, and the same command goes on from there."
        ) from None
    there = report.count - report.drawn
    click.echo(
        f"{out}: {report.count} images in {len(sets)} file{'s' if len(sets) > 1 else ''} in "
        f"{report.seconds:.1f} s" + (f", {there} of them were there already" if there else "")
    )


def _read_sets(given: Mapping[str, Any]) -> list[LargeScaleSet]:
    split, seed, count = given["split"], given["seed"], given["count"]
    values = {
        name: parse_parameter(name, text, PARAMETERS) for name, text in given["overrides"].items()
    }
    counts = {"test": count}
    if split == "train":
        others = {name: min(count, digits_of(name).count) for name in ("val", "test")}
        counts = {"train": count, **others}
    for name in ("val", "test"):
        if name in values:
            if split == "test":
                raise InvalidValueError(
                    f"--set {name} is of --split train; got --split test, whose images --count "
                    "counts; leave it out."
                )
            counts[name] = int(_span(values[name]).low)
    if "scale" not in values:
        return published_sets(split, counts, seed)
    scale = _span(values["scale"])
    low, high = published_scale(scale.low), published_scale(scale.high)
    return [LargeScaleSet(low, high, counts, seed)]


def _span(value: Span | str | float) -> Span:
    return value if isinstance(value, Span) else Span(float(value), float(value))
