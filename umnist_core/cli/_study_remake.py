"""``umnist study remake``: the images of a closed study anew, from its export alone."""

from __future__ import annotations

from pathlib import Path

import click
from tqdm import tqdm

from umnist_core.cli._study_choice import count_of
from umnist_core.cli._types import GivenPath


@click.command(
    "remake",
    epilog="\b\nExamples:\n"
    "  umnist study remake pilot.zip images\n\n"
    "Ends with code 1 when an image is another than the one that was shown.",
)
@click.argument("source", type=GivenPath(dir_okay=False, never_waits=True))
@click.argument("target", type=GivenPath())
@click.pass_context
def remake_command(ctx: click.Context, *, source: Path, target: Path) -> None:
    """Make the images of the closed study that SOURCE is an export of, in the folder TARGET.

    They are drawn from the key in the export and compared with the checksums of those that
    people were shown. Neither a store nor the images are needed.
    """
    from umnist_core.labeling.remake import remake_images

    with tqdm(desc=source.name, unit=" images", smoothing=0, disable=None) as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        found = remake_images(source, target, progress=tell)
    made = count_of(found.images, "image")
    if not found.others:
        click.echo(f"{target}: {made}, the very ones of study {found.study}")
        return
    click.echo(f"{target}: {made}, {len(found.others)} of them others than those of {found.study}")
    for name in found.others:
        click.echo(f"  {name}")
    click.echo(
        "Other versions of umnist or of its libraries may draw or pack them otherwise; study.json "
        "in the export names those that made it.",
        err=True,
    )
    ctx.exit(1)
