"""``umnist render``: one image, and the truth about it."""

from __future__ import annotations

from pathlib import Path

import click

from umnist_core import __version__
from umnist_core.cli._scene_options import (
    IMAGE_HELP,
    parameter_help,
    scene_options,
)
from umnist_core.cli._types import GivenPath
from umnist_core.digits import load_glyphs
from umnist_core.errors import TooLargeError
from umnist_core.files import write_whole
from umnist_core.pyramid.comment import scene_comment
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.rendering import LAYERS, render
from umnist_core.scenes import SceneRef

MAX_SIDE_PX = 32_768
"""Above this a whole image is better written as Deep Zoom tiles (a gigapixel and more)."""

SUFFIXES = {".png": "png", ".jpeg": "jpeg", ".jpg": "jpeg"}
"""Ends of OUT -> what is written unless ``--image`` says otherwise."""


@click.command(
    "render",
    epilog="\b\nExamples:\n"
    "  umnist render --seed 7 --index 3 sample.png\n"
    "  umnist render --set shape_pairs=3 --set checkerboard=4 noisy.jpeg --truth noisy.json\n"
    "  umnist render --image jpeg-kaggle --index 3 as-on-kaggle.jpeg\n"
    "  umnist render --preset paper --layer noise_free digits.png\n\n" + parameter_help(),
)
@click.argument("out", type=GivenPath(dir_okay=False))
@click.option(
    "--truth",
    type=GivenPath(dir_okay=False),
    help="Also write the scene (digits, boxes, ground) as JSON.",
)
@click.option("--image", type=click.Choice(list(IMAGE_TYPES)), help=f"{IMAGE_HELP} By OUT's name.")
@click.option("--layer", type=click.Choice(LAYERS), default="full", show_default=True)
@scene_options
def render_command(
    ref: SceneRef, out: Path, truth: Path | None, image: str | None, layer: str
) -> None:
    """Draw one image into OUT (.png lossless, .jpeg at quality 75)."""
    kind = IMAGE_TYPES[image or SUFFIXES.get(out.suffix.lower(), "jpeg")]
    if SUFFIXES.get(out.suffix.lower()) != kind.suffix:
        names = [
            suffix for suffix, name in SUFFIXES.items() if image is None or name == kind.suffix
        ]
        raise click.BadParameter(
            f"expected a name that ends in {', '.join(names)}; got {out.name!r}.",
            param_hint="OUT",
        )
    glyphs = load_glyphs()
    scene = ref.plan(glyphs)
    if scene.width > MAX_SIDE_PX:
        raise TooLargeError(
            f"One file holds at most {MAX_SIDE_PX} px a side; got canvas={scene.width}; "
            "write it as tiles with `umnist tiles export`."
        )
    comment = scene_comment(scene, __version__)
    write_whole(out, kind.encode(render(scene, glyphs, layer=layer), comment))
    if truth is not None:
        write_whole(truth, scene.to_json().encode())
    click.echo(f"{out}: label {scene.label}, {len(scene.digits)} digits, {scene.width} px")
