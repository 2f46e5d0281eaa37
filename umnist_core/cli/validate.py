"""``umnist validate``: any folder of images against a preset of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from umnist_core.cli._common import json_option, model_option
from umnist_core.cli._scene_options import SEED, set_option
from umnist_core.cli._types import COUNT, GivenPath
from umnist_core.scenes import PRESETS, get_preset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from umnist_core.experiments.validation import Measure, Validation

MOST = 300
"""Images on either side unless something else is asked for; both take some 80 s of one core."""

FILE = GivenPath(dir_okay=False)


@click.command(
    "validate",
    epilog="\b\nExamples:\n"
    "  umnist validate released --against ultramnist-classification\n"
    "  umnist validate released --against noised --count 100 --set digit_jpeg=0\n"
    "  umnist validate o2i-28 --against megapixel --json --out figures.json\n"
    "  umnist validate released --against noised --count 100 --model digit-finder\n\n"
    "Ends with code 0 whether a difference is found or not.",
)
@click.argument("preset", type=click.Choice(list(PRESETS)))
@click.option(
    "--against",
    "folder",
    required=True,
    metavar="FOLDER",
    type=GivenPath(),
    help="Images in Kaggle's layout, in class folders, or any others.",
)
@click.option(
    "--count",
    type=COUNT,
    help=f"Images of FOLDER, drawn at random; all of them unless given, and at most {MOST}.",
)
@click.option("--ours", type=COUNT, help="Images of ours; as many unless given.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@set_option()
@model_option(help="Also compare the digits that this checkpoint finds; slow.")
@json_option("Print one JSON object and no text.")
@click.option("--out", type=FILE, help="Also write the JSON object into a file.")
def validate_command(
    *,
    preset: str,
    folder: Path,
    count: int | None,
    ours: int | None,
    seed: int,
    overrides: dict[str, str],
    checkpoint: str | None,
    as_json: bool,
    out: Path | None,
) -> None:
    """Compare the images of a FOLDER with those of PRESET, by figures of their pixels.

    Each figure has a test, corrected for their number, and there is one verdict for all;
    docs/validation.md says what is compared and how often the verdict is wrong.
    """
    try:
        get_preset(preset).with_overrides(overrides)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from error
    from umnist_core.experiments.validation import report_lines, to_json
    from umnist_core.files import write_whole

    found = _validate(
        preset=preset,
        overrides=overrides,
        folder=folder,
        count=count or MOST,
        ours=ours,
        seed=seed,
        model=checkpoint,
    )
    data = json.dumps(to_json(found), indent=1)
    if out is not None:
        write_whole(out, f"{data}\n".encode())
    click.echo(data if as_json else "\n".join(report_lines(found)))


def _validate(
    *,
    preset: str,
    overrides: dict[str, str],
    folder: Path,
    count: int,
    ours: int | None,
    seed: int,
    model: str | None,
) -> Validation:
    from umnist_core.datasets import open_dataset
    from umnist_core.experiments import validation

    measure = validation.pixel_measure if model is None else _with_found_digits(model)
    return validation.validate(
        preset,
        open_dataset(folder),
        count,
        ours,
        seed,
        overrides=overrides,
        measure=measure,
        progress=True,
    )


def _with_found_digits(checkpoint: str) -> Measure:
    """Return what measures pixels and the digits that a model finds; torch is loaded here."""
    from umnist_core.models.needs import check_torch

    check_torch()
    import torch

    from umnist_core.errors import InvalidValueError
    from umnist_core.experiments.validation import found_figures, pixel_measure
    from umnist_core.models.cards import get_checkpoint
    from umnist_core.models.checkpoints import load_checkpoint
    from umnist_core.pyramid import ArraySource

    model, _ = load_checkpoint(get_checkpoint(checkpoint))

    def measure(image: NDArray[np.uint8]) -> Mapping[str, float]:
        with torch.no_grad():
            output = model.attend(model.collate([model.prepare(ArraySource(image))]))
        if output.found is None:
            raise InvalidValueError(
                f"Expected a model that finds digits, such as digit-finder; {checkpoint[:80]!r} "
                "does not say where they are."
            )
        digits = output.found[0]
        found = found_figures([one.label for one in digits], [one.height_px for one in digits])
        return {**pixel_measure(image), **found}

    return measure
