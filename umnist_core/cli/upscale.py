"""``umnist upscale``: enlarge a photograph."""

from __future__ import annotations

from pathlib import Path

import click

from umnist_core.cli._common import device_option, model_option
from umnist_core.cli._types import GivenPath


@click.command(
    "upscale",
    epilog="\b\nExamples:\n  umnist upscale photo.jpeg --model bicubic-x4 --out large.png\n"
    "  umnist upscale photo.jpeg --model runs/espcn-meth-sr-x4/best.safetensors --out large.png",
)
@click.argument("image", type=GivenPath(dir_okay=False, exists=True))
@model_option(required=True, help="A checkpoint of espcn, or bicubic-x2, -x4, -x8 or -x16.")
@click.option("--out", required=True, type=GivenPath(dir_okay=False), help="A PNG to write.")
@device_option(("auto", "cpu", "cuda"))
def upscale_command(image: Path, checkpoint: str, out: Path, device: str) -> None:
    """Enlarge IMAGE, of any size, tile by tile, by the factor that the model has learned."""
    if out.suffix.lower() != ".png":
        raise click.BadParameter(
            f"expected a name that ends in .png; got {out.name!r}.", param_hint="--out"
        )
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.datasets.decode import decode_colour
    from umnist_core.files import write_whole
    from umnist_core.paths import read_file
    from umnist_core.pyramid import encode_png
    from umnist_core.training.enlarging import load_enlarger

    enlarger = load_enlarger(checkpoint, device)
    high = enlarger.enlarge(decode_colour(read_file(image), image.name))
    write_whole(out, encode_png(high))
    click.echo(f"{out}: {high.shape[1]} x {high.shape[0]} px, x{enlarger.factor}")
