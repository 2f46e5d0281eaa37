"""``umnist tiles``: images as Deep Zoom tiles on disk."""

from __future__ import annotations

from pathlib import Path

import click
from tqdm import tqdm

from umnist_core import __version__
from umnist_core.cli._common import Commands
from umnist_core.cli._page_option import page_option
from umnist_core.cli._scene_options import given_scene_options, parameter_help, scene_options
from umnist_core.cli._types import GivenPath
from umnist_core.digits import load_glyphs
from umnist_core.pyramid import TileSource, scene_source
from umnist_core.pyramid.comment import scene_comment
from umnist_core.pyramid.export import TILE_FORMATS, export_dzi
from umnist_core.pyramid.files import ImageHeader, read_image_header
from umnist_core.pyramid.grid import (
    DEFAULT_OVERLAP_PX,
    DEFAULT_TILE_PX,
    MAX_OVERLAP_PX,
    TILE_PX_RANGE,
)
from umnist_core.pyramid.notes import image_notes
from umnist_core.rendering import LAYERS
from umnist_core.scenes import SceneRef


@click.group("tiles", cls=Commands)
def tiles_group() -> None:
    """Write images as Deep Zoom tiles, for any viewer that knows them."""


@tiles_group.command(
    "export",
    epilog="\b\nExamples:\n"
    "  umnist tiles export --seed 7 --index 3 sample          sample.dzi and sample_files/\n"
    "  umnist tiles export --set canvas=100000 --zip huge     huge.zip\n"
    "  umnist tiles export --file slide.tif --format jpeg slide\n\n" + parameter_help(),
)
@click.argument("out", type=GivenPath())
@click.option(
    "--file",
    "file",
    type=GivenPath(dir_okay=False),
    help="Export this JPEG, PNG, TIFF or WebP instead of a scene.",
)
@page_option
@click.option("--zip", "as_zip", is_flag=True, help="Write one zip; also when OUT ends in .zip.")
@click.option("--layer", type=click.Choice(LAYERS), default="full", show_default=True)
@click.option(
    "--tile-size",
    "tile_px",
    type=click.IntRange(*TILE_PX_RANGE),
    default=DEFAULT_TILE_PX,
    show_default=True,
    help="Side of a tile without its overlap, in px.",
)
@click.option(
    "--overlap",
    "overlap_px",
    type=click.IntRange(0, MAX_OVERLAP_PX),
    default=DEFAULT_OVERLAP_PX,
    show_default=True,
    help="Pixels that a tile shares with each neighbour.",
)
@click.option(
    "--format",
    "tile_format",
    type=click.Choice(TILE_FORMATS),
    default="png",
    show_default=True,
    help="png loses nothing; jpeg is of quality 75.",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@scene_options
def export_command(
    *,
    ref: SceneRef,
    out: Path,
    file: Path | None,
    page: int | None,
    as_zip: bool,
    layer: str,
    tile_px: int,
    overlap_px: int,
    tile_format: str,
    force: bool,
) -> None:
    """Write a scene, or an image file, to OUT.dzi and OUT_files/, or to OUT.zip."""
    image, comment = _choose_image(ref, file, page, layer)
    with tqdm(total=100, unit="%", delay=1, leave=False) as bar:
        written = export_dzi(
            image,
            out,
            as_zip=as_zip or out.suffix == ".zip",
            tile_px=tile_px,
            overlap_px=overlap_px,
            tile_format=tile_format,
            comment=comment,
            force=force,
            progress=lambda percent: bar.update(percent - bar.n),
        )
    click.echo(f"{' and '.join(map(str, written))}: {image.width} x {image.height} px")
    for note in image_notes(image) if isinstance(image, ImageHeader) else ():
        click.echo(note)


def _choose_image(
    ref: SceneRef, file: Path | None, page: int | None, layer: str
) -> tuple[TileSource | ImageHeader, str]:
    """Return what to export, and the comment that goes with it."""
    if file is None:
        if page is not None:
            raise click.UsageError("--page is one of a file's; name the file with --file.")
        glyphs = load_glyphs()
        scene = ref.plan(glyphs)
        return scene_source(scene, glyphs, layer), scene_comment(scene, __version__)
    for option in given_scene_options(click.get_current_context(), "layer"):
        raise click.UsageError(
            f"--file names the image, so --{option} has no meaning; leave one of them out."
        )
    return read_image_header(file, page=page or 0), ""
