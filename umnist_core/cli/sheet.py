"""``umnist sheet``: small pictures of an image of each sum, or of what a model missed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from umnist_core.cli._common import device_option, model_option
from umnist_core.cli._scene_options import given_scene_options, parameter_help, scene_options
from umnist_core.cli._types import GivenPath

if TYPE_CHECKING:
    from umnist_core.inference.contact import Cell
    from umnist_core.scenes import SceneRef

KINDS = (".png", ".html")


@click.command(
    "sheet",
    epilog="\b\nExamples:\n"
    "  umnist sheet --seed 7 --out sums.png\n"
    "  umnist sheet --seed 7 --model digit-finder --out sums.html\n"
    "  umnist sheet --misses 20 --model digit-finder --out misses.png\n\n" + parameter_help(),
)
@click.option("--out", required=True, type=GivenPath(dir_okay=False), help="The file, .png, .html.")
@click.option(
    "--misses",
    type=click.IntRange(1, 200),
    help="As many random images that the model missed when it was measured, by its card; --seed "
    "chooses which.",
)
@model_option(help="A checkpoint, whose answers stand below the pictures.")
@device_option()
@scene_options
@click.pass_context
def sheet_command(
    ctx: click.Context,
    *,
    ref: SceneRef,
    out: Path,
    misses: int | None,
    checkpoint: str | None,
    device: str,
) -> None:
    """Write a contact sheet: an image of each sum from 0 to 27, or random misses of a model.

    By sum, the images are the first of each that the options choose, and a model that is given
    answers each of them. Misses are those that the model's card lists; nothing is predicted.
    """
    if out.suffix.lower() not in KINDS:
        raise click.BadParameter(
            f"expected a name that ends in .png or .html; got {out.name!r}.", param_hint="--out"
        )
    if misses is None:
        cells, title = _by_sum(ref, checkpoint, device)
    else:
        if checkpoint is None:
            raise click.UsageError("--misses is of a model's; give --model too.")
        if extra := [one for one in given_scene_options(ctx) if one != "seed"]:
            raise click.UsageError(
                f"--misses shows images of the model's card; leave out --{extra[0]}."
            )
        cells, title = _missed(checkpoint, misses, ref.seed)
    from umnist_core.files import write_whole
    from umnist_core.inference.contact import sheet_html, sheet_png

    draw = sheet_png if out.suffix.lower() == ".png" else sheet_html
    data = draw(cells, title)
    write_whole(out, data)
    click.echo(f"{out}: {len(cells)} images, {len(data) / 1e6:.1f} MB")


def _missed(checkpoint: str, count: int, seed: int) -> tuple[list[Cell], str]:
    from umnist_core.inference.contact import find_misses
    from umnist_core.models.cards import get_checkpoint, load_card

    cells = find_misses(load_card(get_checkpoint(checkpoint)), checkpoint, count, seed)
    return cells, f"{len(cells)} images that {checkpoint} missed"


def _by_sum(ref: SceneRef, checkpoint: str | None, device: str) -> tuple[list[Cell], str]:
    from umnist_core.digits import load_glyphs
    from umnist_core.inference.contact import find_sums

    cells = find_sums(ref, load_glyphs())
    title = f"An image of each sum, {ref.preset}"
    if checkpoint is None:
        return cells, title
    from umnist_core.models.needs import check_torch

    check_torch()
    from tqdm import tqdm

    from umnist_core.inference.predictor import Predictor
    from umnist_core.inference.requests import PredictRequest, SceneImage

    predictor = Predictor(device)
    answered = []
    for cell in tqdm(cells, disable=not sys.stderr.isatty(), leave=False, unit="image"):
        image = SceneImage(replace(ref, index=cell.ref.index))
        task = predictor.predict(PredictRequest(checkpoint, "auto", image)).tasks[0]
        said = " ".join(map(str, task.answer)) or "none"
        answered.append(replace(cell, said=said, is_right=task.is_right))
    right = sum(cell.is_right is True for cell in answered)
    return answered, f"{title}: {checkpoint} gives {right} of {len(cells)}"
