"""``umnist page``: images, their truth and what models make of them as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from umnist_core.cli._common import device_option, model_option
from umnist_core.cli._page_option import page_option
from umnist_core.cli._scene_options import given_scene_options, parameter_help, scene_options
from umnist_core.cli._types import GivenPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from umnist_core.inference.requests import ImageRef
    from umnist_core.scenes import SceneRef
    from umnist_core.server.one_page import PageRun


@click.command(
    "page",
    epilog="\b\nExamples:\n"
    "  umnist page --seed 7 --index 3 --model digit-finder --out figure.html\n"
    "  umnist page --preset megapixel-bezier --model ips-megapixel --out rounds.html\n"
    "  umnist page photo.jpeg other.tif --model digit-finder --out mine.html\n\n"
    + parameter_help(),
)
@click.argument("images", nargs=-1, metavar="[IMAGE]...", type=GivenPath(dir_okay=False))
@click.option("--out", required=True, type=GivenPath(dir_okay=False), help="The file, .html.")
@model_option(multiple=True, help="A checkpoint that looks at each image; may be given again.")
@device_option()
@click.option("--title", default="", help="Of the page.")
@page_option
@scene_options
@click.pass_context
def page_command(
    ctx: click.Context,
    *,
    ref: SceneRef,
    images: tuple[Path, ...],
    out: Path,
    checkpoints: tuple[str, ...],
    device: str,
    title: str,
    page: int | None,
) -> None:
    """Write the viewer with an image as one file, which opens by a double click.

    It holds the files IMAGE, and the scene that the options choose where they choose one, with
    all that the viewer asks a server for: the truth behind a button, and of each model the answers
    and its attention in every round. It needs no network. Images of more than 16 million px are
    reduced in it, and it says so.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(
            f"expected a name that ends in .html; got {out.name!r}.", param_hint="--out"
        )
    if page is not None and not images:
        raise click.UsageError("--page is one of a file's; give IMAGE too.")
    from umnist_core.files import write_whole
    from umnist_core.server.one_page import make_page, page_image

    chosen = _images(ref if given_scene_options(ctx) or not images else None, images, page)
    runs = _predict(chosen, checkpoints, device)
    shown = [page_image(image, of_image) for image, of_image in zip(chosen, runs, strict=True)]
    data = make_page(shown, title=title)
    write_whole(out, data)
    click.echo(f"{out}: {len(data) / 1e6:.1f} MB")


def _images(ref: SceneRef | None, files: tuple[Path, ...], page: int | None) -> list[ImageRef]:
    from umnist_core.inference.requests import FileImage, SceneImage

    scenes: list[ImageRef] = [] if ref is None else [SceneImage(ref)]
    return [*scenes, *(FileImage(str(path), page or 0) for path in files)]


def _predict(
    images: Sequence[ImageRef], checkpoints: tuple[str, ...], device: str
) -> list[list[PageRun]]:
    """Return what each model makes of each image."""
    if not checkpoints:
        return [[] for _ in images]
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.inference.predictor import Predictor
    from umnist_core.inference.process import Outcome
    from umnist_core.inference.requests import PredictRequest
    from umnist_core.server.one_page import PageRun

    predictor = Predictor(device)

    def run(image: ImageRef, checkpoint: str) -> PageRun:
        found = predictor.predict(PredictRequest(checkpoint, "auto", image))
        return PageRun(checkpoint, Outcome(found.to_dict(), found.attention, found.rounds))

    return [[run(image, checkpoint) for checkpoint in checkpoints] for image in images]
