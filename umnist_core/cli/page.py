"""``umnist page``: images, their truth and what models make of them as one HTML file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from umnist_core.cli._page_option import page_option
from umnist_core.cli._scene_options import parameter_help, scene_options
from umnist_core.cli._types import GivenPath

if TYPE_CHECKING:
    from umnist_core.one_file import PageImage
    from umnist_core.scenes import SceneRef

_OF_SCENES = ("preset", "seed", "split", "index", "overrides")


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
@click.option(
    "--model",
    "checkpoints",
    multiple=True,
    metavar="NAME|PATH",
    help="A checkpoint that looks at each image; may be given again.",
)
@click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, or cuda:0 and the like."
)
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
    from umnist_core.one_file import PageModels, make_page

    models = None
    if checkpoints:
        from umnist_core.models.needs import check_torch

        check_torch()
        from umnist_core.inference.predictor import Predictor

        models = PageModels(Predictor(device), checkpoints)
    commandline = click.core.ParameterSource.COMMANDLINE
    is_scene = any(ctx.get_parameter_source(name) is commandline for name in _OF_SCENES)
    shown = [*_scenes(ref if is_scene or not images else None), *_files(images, page)]
    data = make_page(shown, models, title=title)
    write_whole(out, data)
    click.echo(f"{out}: {len(data) / 1e6:.1f} MB")


def _scenes(ref: SceneRef | None) -> Iterator[PageImage]:
    from umnist_core.inference.requests import SceneImage
    from umnist_core.one_file import PageImage

    if ref is None:
        return
    changes = [f"--set={name}={text}" for name, text in ref.overrides]
    words = ["--preset", ref.preset, "--seed", str(ref.seed), "--split", ref.split]
    command = ["umnist", "render", *words, "--index", str(ref.index), *changes, "image.png"]
    title = f"{ref.preset}, seed {ref.seed}, {ref.split}, {ref.index}"
    yield PageImage(SceneImage(ref), title, shlex.join(command))


def _files(images: tuple[Path, ...], page: int | None) -> Iterator[PageImage]:
    from umnist_core.inference.requests import FileImage
    from umnist_core.one_file import PageImage

    for path in images:
        yield PageImage(FileImage(str(path), page or 0), path.name)
