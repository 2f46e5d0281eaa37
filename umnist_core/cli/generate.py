"""``umnist generate``: whole data sets, on all cores or a cluster, that can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from umnist_core.cli._large_scale import LARGE_SCALE_HELP, generate_large_scale
from umnist_core.cli._scene_options import IMAGE_HELP, SEED, parameter_help, set_option
from umnist_core.cli._types import COUNT, JOBS, GivenPath
from umnist_core.datasets.large_scale.sets import LARGE_SCALE
from umnist_core.datasets.recipe import LAYOUTS, Recipe
from umnist_core.datasets.study import NOISE_STUDY, STUDIES, STUDY_COUNT
from umnist_core.errors import InvalidValueError, TooLargeError, UmnistError
from umnist_core.pyramid.image_types import IMAGE_TYPES
from umnist_core.scenes import PRESETS
from umnist_core.seeds import SPLITS


@click.command(
    "generate",
    epilog="\b\nExamples:\n"
    "  umnist generate ultramnist --count 28000 --seed 1\n"
    "  umnist generate ultramnist --count 28000 --seed 1 --split test\n"
    "  umnist generate ultramnist --count 30000 --seed 1 --side 512    2000 more, all reduced too\n"
    "  umnist generate boxes --count 5000 --format coco --set shape_pairs=1..3\n"
    "  umnist generate study --study noise\n"
    "  umnist generate big --count 100000 --format webdataset --dask tcp://10.0.0.1:8786\n"
    "  umnist generate scales --preset large-scale --split test --count 10000\n\n"
    + f"{parameter_help()}\n\n{LARGE_SCALE_HELP}",
)
@click.argument("out", type=GivenPath())
@click.option(
    "--preset",
    type=click.Choice([*PRESETS, LARGE_SCALE]),
    default="released",
    show_default=True,
    help=f"Whose ranges to draw from; {LARGE_SCALE} for MNIST Large Scale in HDF5 files: its four "
    "training sets, with --split test its 17 test sets, with --set scale=2 one of them.",
)
@click.option(
    "--count",
    type=COUNT,
    help=f"Images that the split has then; {STUDY_COUNT} in each set of a study unless given.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--split", type=click.Choice(SPLITS), default="train", show_default=True)
@set_option()
@click.option(
    "--format",
    "layout",
    type=click.Choice(LAYOUTS),
    help="How it lies on disk; kaggle unless given, voc for a study.",
)
@click.option(
    "--image",
    type=click.Choice(list(IMAGE_TYPES)),
    default="jpeg",
    show_default=True,
    help=IMAGE_HELP,
)
@click.option(
    "--study",
    type=click.Choice(STUDIES),
    help="Write the noise-free set and ten noised sets of the same digits, a folder each.",
)
@click.option(
    "--side",
    "sides_px",
    type=click.IntRange(1),
    multiple=True,
    metavar="PX",
    help="Write reduced copies of this side, too, into the folder side-PX of OUT: by area, below "
    "512 px by way of 512 px, as the paper does. May be given again.",
)
@click.option("--jobs", type=JOBS, help="Processes on this machine; one a core unless given.")
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster that does the work.")
@click.pass_context
def generate_command(
    ctx: click.Context,
    *,
    out: Path,
    preset: str,
    count: int | None,
    seed: int,
    split: str,
    overrides: dict[str, str],
    layout: str | None,
    image: str,
    study: str | None,
    sides_px: tuple[int, ...],
    jobs: int | None,
    dask: str | None,
) -> None:
    """Write a data set into the folder OUT, or go on where a stopped run left it.

    A larger --count makes what a finished data set lacks of it and leaves the rest alone. OUT is
    left alone where it holds anything else.
    """
    if preset == LARGE_SCALE:
        generate_large_scale(ctx)
        return
    if count is None and study is None:
        raise click.UsageError("Say how many images with --count, for example --count 1000.")
    sets: Mapping[str, Mapping[str, str]] = NOISE_STUDY if study else {"": {}}
    recipes = {}
    for name, noise in sets.items():
        try:
            recipes[name] = Recipe(
                count=STUDY_COUNT if count is None else count,
                preset=preset,
                seed=seed,
                split=split,
                overrides={**overrides, **noise},
                layout=layout or ("voc" if study else "kaggle"),
                image=image,
            )
        except (InvalidValueError, TooLargeError) as error:
            raise click.UsageError(str(error)) from error
    for name, recipe in recipes.items():
        _write(recipe, out / name, jobs=jobs or -1, dask=dask, sides_px=sides_px)


def _write(recipe: Recipe, folder: Path, **how: Any) -> None:
    from umnist_core.datasets.write import write_dataset

    try:
        report = write_dataset(recipe, folder, progress=True, **how)
    except KeyboardInterrupt:
        raise UmnistError(
            f"Stopped; every file in {folder} is whole, and the same command goes on from there."
        ) from None
    there = report.count - report.drawn
    click.echo(
        f"{folder}: {report.count} images in {report.seconds:.1f} s"
        + (f", {there} of them were there already" if there else "")
    )
