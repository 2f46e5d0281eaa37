"""``umnist people``: people against models on the same images."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from umnist_core.cli._common import Commands, device_option, json_option, model_option
from umnist_core.cli._scene_options import SEED
from umnist_core.cli._types import GivenPath
from umnist_core.errors import ConflictError, WriteError
from umnist_core.files import write_whole

if TYPE_CHECKING:
    from umnist_core.experiments.people import ModelAnswers, PeopleReport, Trial

FILE = GivenPath(dir_okay=False)

_export_argument = click.argument("export", type=GivenPath(exists=True, never_waits=True))
_force_option = click.option("--force", is_flag=True, help="Replace what is there.")
_predictions_option = click.option(
    "--predictions",
    multiple=True,
    metavar="[NAME=]FILE",
    help="A model's answers: CSV of `umnist people predict`, `umnist predict --out` or `umnist "
    "evaluate --answers`. May be given again.",
)


@click.group(
    "people",
    cls=Commands,
    epilog="\b\nExamples:\n"
    "  umnist study export Pilot pilot.zip --with-images\n"
    "  umnist people predict pilot.zip --model digit-finder --out finder.csv\n"
    "  umnist people compare pilot.zip --predictions finder.csv --html report.html",
)
def people_group() -> None:
    """Lay models' answers beside people's, on the same images.

    EXPORT is what `umnist study export` wrote: a zip, or a folder of tables.
    """


# -- predicting -----------------------------------------------------------------------


@people_group.command(
    "predict",
    epilog="\b\nExamples:\n"
    "  umnist people predict pilot.zip --model digit-finder --out finder.csv\n"
    "  umnist people predict pilot.zip --model digit-finder --as-seen --out finder.csv",
)
@_export_argument
@model_option(required=True)
@click.option("--out", type=FILE, required=True, help="The table, CSV.")
@click.option(
    "--as-seen",
    is_flag=True,
    help="Also answer to what each person saw: the views of their trace, as sharp as on their "
    "screen, the rest mid-grey.",
)
@device_option()
@_force_option
@click.pass_context
def predict_command(
    ctx: click.Context,
    *,
    export: Path,
    checkpoint: str,
    out: Path,
    as_seen: bool,
    device: str,
    force: bool,
) -> None:
    """Let a model answer for the images of EXPORT that people answered.

    The export needs the images (`umnist study export --with-images`). An image that fails gets its
    reason in the row and the rest go on; the exit code is then 1.
    """
    from umnist_core.inference.against_people import StudyRun
    from umnist_core.inference.report import table_text
    from umnist_core.labeling.exported import image_files, read_export, unpacked_images
    from umnist_core.models.needs import check_torch

    check_torch()
    from umnist_core.inference.predictor import Predictor

    _check_free([out], force)
    people = read_export(export)
    with unpacked_images(export, image_files(export)) as paths:
        run = StudyRun(Predictor(device), checkpoint, people, paths, as_seen)
        with tqdm(
            total=run.steps, disable=not sys.stderr.isatty(), leave=False, unit="answer"
        ) as bar:
            rows = list(run.rows(lambda: _advance(bar)))
    write_whole(out, table_text(rows).encode(), private=True)
    failed = sum("error" in row for row in rows)
    click.echo(f"{out}: {len(rows)} answers" + (f", {failed} of them failed" if failed else ""))
    ctx.exit(1 if failed else 0)


def _advance(bar: Any) -> None:
    bar.update(1)


# -- comparing ------------------------------------------------------------------------


@people_group.command(
    "compare",
    epilog="\b\nExamples:\n"
    "  umnist people compare pilot.zip --predictions finder.csv\n"
    "  umnist people compare pilot.zip --predictions finder.csv --predictions IPS=ips.csv "
    "--html report.html --csv tables\n"
    "  umnist people compare pilot.zip --json",
)
@_export_argument
@_predictions_option
@click.option("--html", type=FILE, help="Write the report as one HTML file.")
@click.option("--pdf", type=FILE, help="Write the report as PDF; needs Chromium.")
@click.option("--csv", "folder", type=GivenPath(file_okay=False), help="Write tables to a folder.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of what is drawn.")
@click.option(
    "--draws",
    type=click.IntRange(50, 100_000),
    default=1000,
    show_default=True,
    help="Resamples of images and people, and permutations.",
)
@json_option()
@_force_option
def compare_command(
    *,
    export: Path,
    predictions: tuple[str, ...],
    html: Path | None,
    pdf: Path | None,
    folder: Path | None,
    seed: int,
    draws: int,
    as_json: bool,
    force: bool,
) -> None:
    """Compare people and models on the images that all of them answered.

    Images are paired by the hash of their pixels and by nothing else. Without --predictions, people
    are compared with each other.
    """
    from umnist_core.experiments.people import compare_people, report_html, report_tables
    from umnist_core.labeling.exported import read_export

    _check_free([path for path in (html, pdf) if path is not None], force)
    people = read_export(export)
    models = _read_models(predictions)
    with tqdm(disable=not sys.stderr.isatty(), leave=False, unit="part") as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        report = compare_people(people, models, seed=seed, draws=draws, progress=tell)
    if folder is not None:
        _write_all(folder, report_tables(report), force)
    page = report_html(report) if html is not None or pdf is not None else ""
    if html is not None:
        write_whole(html, page.encode(), private=True)
    if pdf is not None:
        from umnist_core.cli._pdf import write_pdf

        write_pdf(pdf, page)
    if as_json:
        click.echo(json.dumps(report.to_dict(), allow_nan=False))
        return
    for line in _lines(report):
        click.echo(line)


def _lines(report: PeopleReport) -> Iterator[str]:
    yield from report.figures["sentences"]
    for sentence in report.figures["left_out"]:
        yield f"left out: {sentence}"


def _read_models(predictions: Iterable[str]) -> list[ModelAnswers]:
    from umnist_core.experiments.people import read_predictions

    found = []
    for given in predictions:
        name, equals, file = given.partition("=")
        is_named = bool(equals) and not Path(given).exists()
        found.append(
            read_predictions(Path(file if is_named else given), name if is_named else None)
        )
    return found


# -- the form of model-vs-human -------------------------------------------------------


@people_group.command(
    "trials",
    epilog="\b\nExamples:\n"
    "  umnist people trials pilot.zip --predictions finder.csv --out raw-data\n"
    "  umnist people trials pilot.zip --condition pool --out raw-data",
)
@_export_argument
@_predictions_option
@click.option("--out", type=GivenPath(file_okay=False), required=True, help="A folder.")
@click.option(
    "--condition",
    type=click.Choice(("smallest_side_px", "n_digits", "pool", "none")),
    default="smallest_side_px",
    show_default=True,
    help="What a trial's condition says; of sizes, the lower edge of the bin.",
)
@_force_option
def trials_command(
    *, export: Path, predictions: tuple[str, ...], out: Path, condition: str, force: bool
) -> None:
    """Write people's and models' answers as `model-vs-human` has them, a file for each.

    Columns: subj, Session, trial, rt (s), object_response, category, condition, imagename. Sums
    are categories, and images are named by the hash of their pixels.
    """
    from umnist_core.experiments.people import trial_files, trials_of_models, trials_of_people
    from umnist_core.labeling.exported import read_export

    people = read_export(export)
    trials = trials_of_people(people, condition)
    trials += trials_of_models(_read_models(predictions), people, condition)
    files = trial_files(trials, people.name or "study")
    _write_all(out, files, force)
    click.echo(f"{out}: {len(trials)} trials in {len(files)} files")


@people_group.command(
    "consistency",
    epilog="\b\nExamples:\n"
    "  umnist people consistency raw-data/edge\n"
    "  umnist people consistency subject-01.csv resnet50.csv --json",
)
@click.argument("trials", nargs=-1, required=True, type=GivenPath(exists=True))
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of what is drawn.")
@click.option("--draws", type=click.IntRange(50, 100_000), default=1000, show_default=True)
@json_option()
def consistency_command(*, trials: tuple[Path, ...], seed: int, draws: int, as_json: bool) -> None:
    """Say how consistent errors are, of TRIALS in the form of `model-vs-human`.

    TRIALS are CSV files or folders of such. Subjects whose name begins with subject- are people.
    Conditions are compared one by one.
    """
    from umnist_core.experiments.people import read_trials

    found = [trial for path in trials for trial in read_trials(path)]
    rows = list(_conditions(found, seed, draws))
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['condition']}: {row['images']} images, {row['raters']} raters")
        for group in row["groups"]:
            who = group["kind"] + (f" {group['model']}" if group["model"] else "")
            click.echo(
                f"  {who:<32} kappa {group['kappa']:.3f} ({group['low']:.3f} to "
                f"{group['high']:.3f}), by chance {group['null_low']:.3f} to "
                f"{group['null_high']:.3f}, {group['pairs']} pairs"
            )


def _conditions(trials: list[Trial], seed: int, draws: int) -> Iterator[dict[str, Any]]:
    import numpy as np

    from umnist_core.experiments.people.agreeing import consistency
    from umnist_core.experiments.people.trials import marks_of_trials
    from umnist_core.scoring.agreement import ErrorConsistency

    for name in dict.fromkeys(trial.condition for trial in trials):
        marks = marks_of_trials([one for one in trials if one.condition == name])
        errors = ErrorConsistency(marks, rng=np.random.default_rng(seed), draws=draws)
        groups = consistency(errors)["groups"]
        known = [row for row in groups if row["kappa"] == row["kappa"]]  # NaN: no kappa
        yield {
            "condition": name,
            "images": len(marks.images),
            "raters": len(marks.raters),
            "groups": known,
        }


# -- files ----------------------------------------------------------------------------


def _check_free(paths: Iterable[Path], force: bool) -> None:
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise ConflictError(
            f"There is a file {there[0]} already, unchanged; choose another name, or replace it "
            "with --force."
        )


def _write_all(folder: Path, files: Mapping[str, str], force: bool) -> None:
    """Write files into a folder, which is made if needed; none if one would be replaced."""
    _check_free([folder / name for name in files], force)
    try:
        with suppress(FileExistsError):
            folder.mkdir()
    except OSError as error:
        raise WriteError(
            f"The folder {folder} could not be made ({error.strerror or error}); choose another."
        ) from error
    for name, text in files.items():
        write_whole(folder / name, text.encode())
