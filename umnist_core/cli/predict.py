"""``umnist predict``: what a model says of an image or of a folder, and where it looked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from umnist_core.cli._common import device_option, json_option, model_option
from umnist_core.cli._page_option import page_option
from umnist_core.cli._scene_options import (
    given_scene_options,
    parameter_help,
    read_digits,
    scene_options,
)
from umnist_core.cli._types import GivenPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from umnist_core.inference.prediction import Prediction
    from umnist_core.inference.predictor import Predictor
    from umnist_core.inference.report import Row
    from umnist_core.inference.requests import ImageRef, PredictRequest, Seen
    from umnist_core.scenes import SceneRef

FILE = GivenPath(dir_okay=False)


@click.command(
    "predict",
    epilog="\b\nExamples:\n"
    "  umnist predict --model digit-finder --seed 7 --index 3\n"
    "  umnist predict photo.jpeg --model digit-finder --attention where.png\n"
    "  umnist predict --preset released --set canvas=8000 --model additive-pyramid --json\n"
    "  umnist predict images --model my-run --out answers.csv\n\n" + parameter_help(),
)
@click.argument("image", required=False, type=GivenPath())
@model_option(required=True)
@device_option()
@click.option("--attention", type=FILE, help="Write the image with the attention over it, as PNG.")
@json_option()
@click.option("--out", type=FILE, help="Write a row for each image as CSV.")
@click.option(
    "--digits",
    metavar="FEWEST..MOST",
    callback=read_digits,
    help="Digits that an image is assumed to have, instead of the model's own 3..5.",
)
@page_option
@scene_options
@click.pass_context
def predict_command(
    ctx: click.Context,
    *,
    ref: SceneRef,
    image: Path | None,
    checkpoint: str,
    device: str,
    attention: Path | None,
    as_json: bool,
    out: Path | None,
    digits: tuple[int, int] | None,
    page: int | None,
) -> None:
    """Let a model answer for IMAGE, a file, or for the scene that the options choose.

    IMAGE may be a folder: the answers go to --out as a table, a row for each image, and to
    standard output without it. An image that fails gets its reason in the row and the rest go
    on; the exit code is then 1. Where the folder says the sums, the accuracy follows with its 95 %
    interval.
    """
    _check_usage(ctx, image, attention, as_json)
    if page is not None and image is None:
        raise click.UsageError("--page is one of a file's; give IMAGE too.")
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.inference.predictor import Predictor
    from umnist_core.inference.requests import PredictRequest

    predictor = Predictor(device)
    if image is not None and image.is_dir():
        ctx.exit(_predict_folder(predictor, checkpoint, image, out, page=page, digits=digits))
    chosen = _image_ref(image, page, ref)
    request = PredictRequest(checkpoint, "auto", chosen, digits)
    _predict_one(predictor, request, attention=attention, as_json=as_json, out=out)


def _check_usage(
    ctx: click.Context, image: Path | None, attention: Path | None, as_json: bool
) -> None:
    if attention is not None and attention.suffix.lower() != ".png":
        raise click.BadParameter(
            f"expected a name that ends in .png; got {attention.name!r}.", param_hint="--attention"
        )
    if image is None:
        return
    if given_scene_options(ctx):
        raise click.UsageError(
            "Expected IMAGE or the options of a scene, got both; leave one of them out."
        )
    if image.is_dir() and (as_json or attention is not None):
        raise click.UsageError(
            "A folder gives a table (--out), got --json or --attention; give one image for those."
        )


def _image_ref(image: Path | None, page: int | None, ref: SceneRef) -> ImageRef:
    from umnist_core.inference.requests import FileImage, SceneImage

    if image is not None:
        return FileImage(str(image), page or 0)
    return SceneImage(ref)


def _predict_one(
    predictor: Predictor,
    request: PredictRequest,
    *,
    attention: Path | None,
    as_json: bool,
    out: Path | None,
) -> None:
    from tqdm import tqdm

    from umnist_core.files import write_whole
    from umnist_core.inference import report
    from umnist_core.inference.requests import FileImage

    image = request.image
    with tqdm(disable=not sys.stderr.isatty(), leave=False, unit="step") as bar:

        def show(stage: str, done: int, total: int | None, seen: Seen = ()) -> None:
            del stage, seen
            bar.total, bar.n = total, done
            bar.update(0)

        found = predictor.predict(request, show)
    notes = _image_notes(image)
    if attention is not None:
        _write_attention(attention, image, found)
    if out is not None:
        name = Path(image.path).name if isinstance(image, FileImage) else str(image.ref.index)
        row = report.prediction_row(name, found, notes, _pixels(image))
        write_whole(out, report.table_text([row]).encode())
    if as_json:
        click.echo(json.dumps(report.prediction_json(found) | {"image_notes": notes}))
        return
    for note in notes:
        click.echo(f"image: {note}")
    for line in report.prediction_lines(found):
        click.echo(line)


def _image_notes(image: ImageRef) -> Sequence[str]:
    """Return what was chosen to read a file; nothing of a scene."""
    from umnist_core.inference.requests import FileImage
    from umnist_core.pyramid.files import read_image_header
    from umnist_core.pyramid.notes import image_notes

    if not isinstance(image, FileImage):
        return ()
    return image_notes(read_image_header(Path(image.path), page=image.page))


def _pixels(image: ImageRef) -> str | None:
    """Return the hash by which answers of people to the same image are found."""
    from umnist_core.inference.open_image import open_image
    from umnist_core.pyramid.pixel_hash import find_pixel_hash

    return find_pixel_hash(open_image(image)[0])


def _write_attention(path: Path, image: ImageRef, found: Prediction) -> None:
    from umnist_core.errors import NotFoundError
    from umnist_core.files import write_whole
    from umnist_core.inference.open_image import open_image
    from umnist_core.inference.picture import attention_picture
    from umnist_core.pyramid import encode_png

    if found.attention is None:
        raise NotFoundError(
            f"Expected attention of {found.checkpoint}, found none ({found.no_attention}); leave "
            "--attention out or choose another model."
        )
    source, _ = open_image(image)
    write_whole(path, encode_png(attention_picture(source, found.attention)))


def _predict_folder(
    predictor: Predictor,
    checkpoint: str,
    folder: Path,
    out: Path | None,
    *,
    page: int | None,
    digits: tuple[int, int] | None,
) -> int:
    """Predict every image of a folder, write the table, and return the exit code."""
    from tqdm import tqdm

    from umnist_core.datasets.image_folder import open_image_folder
    from umnist_core.errors import UmnistError
    from umnist_core.files import write_whole
    from umnist_core.inference import report
    from umnist_core.inference.requests import FileImage, PredictRequest

    images = open_image_folder(folder)
    predictor.load(checkpoint)  # without the model no image is tried
    rows: list[Row] = []
    for image_id, path in tqdm(
        images.paths.items(), disable=not sys.stderr.isatty(), leave=False, unit="image"
    ):
        request = PredictRequest(checkpoint, "auto", FileImage(str(path), page or 0), digits)
        # Of images with other tasks the label is not the sum.
        truth = None if image_id in images.tasks else images.find_label(image_id)
        try:
            found = report.with_sum(predictor.predict(request), truth)
            notes = _image_notes(request.image)
            pixels = _pixels(request.image)
            rows.append(report.prediction_row(image_id, found, notes, pixels))
        except UmnistError as error:
            rows.append(report.failure_row(image_id, error, truth))
    text = report.table_text(rows)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_whole(out, text.encode())
        click.echo(f"{out}: {_counts(rows)}")
    for line in report.accuracy_lines(rows):
        click.echo(line, err=out is None)  # the table alone is for whoever reads on
    return 1 if any("error" in row for row in rows) else 0


def _counts(rows: Sequence[Row]) -> str:
    failed = sum("error" in row for row in rows)
    return f"{len(rows)} images" + (f", {failed} of them failed" if failed else "")
